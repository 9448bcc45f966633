//! Four tenants, their objects and the people who call. Each test makes its own.
use access::{
    Audit, Binding, Caller, Credentials, Decided, Founded, Gate, Grant, Id, Identity, Locate, Located, PolicyRule,
    PolicyWriter, Ports, Proof, Rbac, Refers, Review, Scope, Settings, Subject, Tenant, Throttle, Work, found,
    found_single_user,
};
use api::access::{Admit, Grants, IsResource, IsVerb, MayGrant, Rule, resource::Pipelines, verb::Get};
use domain::{Clock, Error, Home, Kind, Namespace, Result, Timestamp};
use futures::{executor::block_on, future::BoxFuture};
use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

/// Kind, id, home (`*` is the shared scope) and RBAC name of all objects.
const OBJECTS: &[(Kind, &str, &str, &str)] = &[
    (Kind::Experiment, "e-team", "team", "train"),
    (Kind::Experiment, "e-team-2", "team", "tune"),
    (Kind::Experiment, "e-jane", "jane", "train"),
    (Kind::Experiment, "e-gone", "gone", "train"),
    (Kind::RecurringRun, "j-team", "team", "nightly"),
    (Kind::RecurringRun, "j-jane", "jane", "nightly"),
    (Kind::RecurringRun, "j-account", "team", "weekly"),
    (Kind::Run, "r-team", "team", "r-team"),
    (Kind::Run, "r-jane", "jane", "r-jane"),
    (Kind::Run, "r-account", "team", "r-account"),
    (Kind::Run, "r-pipeline", "team", "r-pipeline"),
    (Kind::Run, "r-orphan", "team", "r-orphan"),
    (Kind::Task, "t-team", "team", "r-team"),
    (Kind::Task, "t-jane", "jane", "r-jane"),
    (Kind::Artifact, "a-team", "team", "r-team"),
    (Kind::Artifact, "a-other", "team", "r-account"),
    (Kind::Pipeline, "p-team", "team", "churn"),
    (Kind::Pipeline, "p-team-2", "team", "fraud"),
    (Kind::Pipeline, "p-jane", "jane", "churn"),
    (Kind::Pipeline, "p-shared", "*", "intro"),
    (Kind::PipelineVersion, "v-team", "team", "churn"),
    (Kind::PipelineVersion, "v-jane", "jane", "churn"),
    (Kind::PipelineVersion, "v-shared", "*", "intro"),
];

/// How many namespaces `bulk` owns.
pub(crate) const BULK: usize = 12;

/// What runs and recurring runs were made of: id, service account, pipeline.
const MADE_OF: &[(&str, &str, &str)] = &[
    ("r-team", "runner", ""),
    ("r-account", "trainer", ""),
    ("r-pipeline", "", "p-jane"),
    ("r-orphan", "", "p-deleted"),
    ("j-account", "trainer", "p-shared"),
];

pub(crate) struct World {
    pub(crate) gate: Gate,
    pub(crate) audit: Arc<Recorder>,
    pub(crate) credentials: Arc<Revoked>,
    pub(crate) clock: Arc<At>,
    pub(crate) throttle: Arc<Counted>,
    /// What comes with a gate for many tenants.
    pub(crate) founded: Option<Founded>,
}

/// A clock that stands still until it is set, in seconds.
#[derive(Default)]
pub(crate) struct At(pub(crate) AtomicI64);

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::Relaxed))
    }
}

/// What was counted, as `USER WORK PLACE`, and whether there is room for more.
#[derive(Default)]
pub(crate) struct Counted {
    pub(crate) calls: Mutex<Vec<String>>,
    pub(crate) full: AtomicBool,
}

impl Throttle for Counted {
    fn count(&self, who: &Identity, home: &Home, work: Work) -> Result<()> {
        self.calls.lock().unwrap().push(format!("{} {work:?} {home:?}", who.user()));
        if self.full.load(Ordering::Relaxed) { Err(Error::exhausted("later", Duration::from_secs(1))) } else { Ok(()) }
    }
}

/// The ids of tokens that were revoked.
#[derive(Default)]
pub(crate) struct Revoked(pub(crate) Mutex<HashSet<String>>);

impl Credentials for Revoked {
    fn hold<'a>(&'a self, proof: &'a Proof) -> BoxFuture<'a, Result<bool>> {
        let revoked =
            matches!(proof, Proof::ApiToken(id) | Proof::Recorded(Some(id)) if self.0.lock().unwrap().contains(&**id));
        Box::pin(async move { Ok(!revoked) })
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::decided_by(None)
    }

    /// A gate that leaves the decision to somebody else, if there is one.
    pub(crate) fn decided_by(review: Option<Arc<dyn Review>>) -> Self {
        let mut world = Self { founded: None, ..Self::single_user() };
        let founded = found(settings(), rbac(), world.ports(review));
        world.gate = founded.gate.clone();
        world.founded = Some(founded);
        world
    }

    pub(crate) fn single_user() -> Self {
        let (audit, credentials, clock) =
            (Arc::new(Recorder::default()), Arc::new(Revoked::default()), Arc::new(At::default()));
        let throttle = Arc::new(Counted::default());
        let ports = Ports {
            locate: Arc::new(Objects),
            credentials: credentials.clone(),
            audit: audit.clone(),
            clock: clock.clone(),
            throttle: throttle.clone(),
            review: None,
        };
        let (gate, _) = found_single_user(settings(), ports);
        Self { gate, audit, credentials, clock, throttle, founded: None }
    }

    fn ports(&self, review: Option<Arc<dyn Review>>) -> Ports {
        Ports {
            locate: Arc::new(Objects),
            credentials: self.credentials.clone(),
            audit: self.audit.clone(),
            clock: self.clock.clone(),
            throttle: self.throttle.clone(),
            review,
        }
    }

    pub(crate) fn policy(&mut self) -> &mut PolicyWriter {
        &mut self.founded.as_mut().unwrap().policy
    }

    /// Whether a grant still holds, as `Code: message` if not.
    pub(crate) fn holds<V: IsVerb, T: IsResource>(&self, grant: &Grant<V, T>) -> Result<(), String> {
        block_on(self.gate.holds(grant)).map_err(refusal)
    }

    pub(crate) fn admit<R: Rule>(&self, caller: Option<&Caller>, req: &R::Request) -> Result<Scope<R>> {
        block_on(self.gate.admit::<R>(caller, req))
    }

    /// Asks as `user` for what `R` always grants, and compares the answer: a grant as [`told`] tells it, or an error
    /// as `Code: message`.
    #[track_caller]
    pub(crate) fn check<R: Rule + Grants<V, T>, V: IsVerb, T: IsResource>(
        &self,
        user: &str,
        req: &R::Request,
        expect: &str,
    ) {
        let answer = self.admit::<R>(Some(&caller(user)), req).map(|scope| told(&scope.grant()));
        assert_eq!(answer.unwrap_or_else(refusal), expect, "{user} calls {}", R::PATH);
    }

    /// The same for the pipelines that `R` reads if the request refers to any; `nothing` if it does not.
    #[track_caller]
    pub(crate) fn check_source<R: Rule + MayGrant<Get, Pipelines>>(&self, user: &str, req: &R::Request, expect: &str) {
        let source = |scope: Scope<R>| scope.grant_opt().map_or_else(|| "nothing".into(), |grant| told(&grant));
        let answer = self.admit::<R>(Some(&caller(user)), req).map(source);
        assert_eq!(answer.unwrap_or_else(refusal), expect, "{user} calls {}", R::PATH);
    }
}

/// A grant as text: `get runs in team: r-team`, or `: all` if it is not about single objects.
pub(crate) fn told<V: IsVerb, T: IsResource>(grant: &Grant<V, T>) -> String {
    let home = match grant.home() {
        Home::Namespace(namespace) => namespace.as_str(),
        Home::Shared => "shared",
        Home::Cluster => "cluster",
    };
    let ids = OBJECTS.iter().filter(|(kind, id, ..)| grant.covers(*kind, id).is_ok()).map(|(_, id, ..)| *id);
    let objects = match grant.covers(Kind::Run, "some other object") {
        Ok(()) => "all".to_owned(),
        Err(_) => ids.collect::<Vec<_>>().join(" "),
    };
    format!("{} {} in {home}: {objects}", V::VALUE, T::VALUE)
}

pub(crate) fn refusal(error: Error) -> String {
    format!("{:?}: {}", error.code(), error.message())
}

/// A user, who is of a group with an `s` at the end of its name. See `rbac` for what each may do.
pub(crate) fn caller(user: &str) -> Caller {
    Caller::Known(Identity::forge(user, &[&format!("{user}s")]))
}

pub(crate) fn namespace(name: &str) -> Namespace {
    Namespace::parse(name).unwrap()
}

fn settings() -> Settings {
    Settings { server_namespace: namespace("kubeflow"), default_service_account: "runner".into() }
}

pub(crate) fn rule(group: &str, resources: &[&str], verbs: &[&str], names: &[&str]) -> PolicyRule {
    let list = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    PolicyRule {
        api_groups: list(&[group]),
        resources: list(resources),
        verbs: list(verbs),
        resource_names: list(names),
    }
}

pub(crate) const KFP: &str = "pipelines.kubeflow.org";

pub(crate) fn edit() -> PolicyRule {
    rule(KFP, &["*"], &["*"], &[])
}

fn rbac() -> Rbac {
    let view = || rule(KFP, &["experiments", "runs", "pipelines"], &["get", "list"], &[]);
    let user = |name: &str| Subject::User(name.into());
    let bind = |subject: Subject, home: &str, rules: Vec<PolicyRule>| Binding {
        subject,
        namespace: (home != "*").then(|| namespace(home)),
        rules,
    };
    let mut tenants = vec![("team", "lead"), ("jane", "jane"), ("two-a", "two"), ("two-b", "two")];
    let mut bindings = vec![
        bind(user("jane"), "jane", vec![edit()]),
        bind(user("ed"), "team", vec![edit()]),
        bind(user("vi"), "team", vec![view()]),
        bind(Subject::Group("guss".into()), "team", vec![edit()]),
        bind(user("both"), "team", vec![edit()]),
        bind(user("both"), "jane", vec![edit()]),
        bind(user("two"), "two-a", vec![edit()]),
        bind(user("two"), "two-b", vec![edit()]),
        bind(user("pat"), "kubeflow", vec![edit()]),
        bind(user("root"), "*", vec![rule("*", &["*"], &["*"], &[])]),
        bind(user("ursula"), "team", vec![edit(), rule("", &["serviceaccounts"], &["use"], &["trainer"])]),
        // Creates runs without being able to see experiments.
        bind(user("blind"), "team", vec![rule(KFP, &["runs"], &["create"], &[])]),
        bind(
            user("nick"),
            "team",
            vec![
                rule(KFP, &["experiments"], &["create", "get", "delete"], &["train"]),
                rule(KFP, &["pipelines"], &["get", "create"], &["churn"]),
                rule(KFP, &["runs"], &["get", "delete"], &["r-team"]),
                rule(KFP, &["jobs"], &["get", "enable"], &["nightly"]),
                rule("kubeflow.org", &["viewers"], &["get"], &[]),
            ],
        ),
    ];
    let bulk: Vec<String> = (0..BULK).map(|number| format!("bulk-{number:02}")).collect();
    for name in &bulk {
        tenants.push((name, "bulk"));
        bindings.push(bind(user("bulk"), name, vec![edit()]));
    }
    let tenant = |(name, owner): (&str, &str)| Tenant { namespace: namespace(name), owner: user(owner) };
    Rbac::new(tenants.into_iter().map(tenant), bindings)
}

struct Objects;

impl Locate for Objects {
    fn locate<'a>(&'a self, id: Id<'a>) -> BoxFuture<'a, Result<Option<Located>>> {
        let found = OBJECTS.iter().find(|(kind, text, ..)| (*kind, *text) == id.parts());
        let located = found.map(|&(_, id, home, name)| {
            let made_of = MADE_OF.iter().find(|(of, ..)| *of == id);
            let refers = made_of.map(|&(_, account, pipeline)| Refers {
                service_account: account.into(),
                pipeline_id: pipeline.into(),
            });
            Located { refers: refers.unwrap_or_default(), ..Located::new(Home::from_column(home), name) }
        });
        Box::pin(async { Ok(located) })
    }
}

/// Keeps each decision as a line: `WHAT: WHO VERB RESOURCE in HOME "NAME" => ALLOWED`.
#[derive(Default)]
pub(crate) struct Recorder {
    lines: Mutex<Vec<String>>,
    /// Whether nothing can be taken down any more.
    pub(crate) full: Mutex<bool>,
}

impl Recorder {
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

impl Audit for Recorder {
    fn decided(&self, d: &Decided<'_>) -> Result<()> {
        let home = match d.home {
            None => "nowhere",
            Some(Home::Cluster) => "cluster",
            Some(home) => home.as_column(),
        };
        let (who, name) = (d.who.user(), d.name);
        let right = d.right.map_or("logged in".into(), |(verb, resource)| format!("{verb} {resource}"));
        let line = format!("{}: {who} {right} in {home} {name:?} => {}", d.what, d.why.allows());
        self.lines.lock().unwrap().push(line);
        match *self.full.lock().unwrap() {
            true => Err(Error::new(domain::Code::Unavailable, "the disk is full")),
            false => Ok(()),
        }
    }
}
