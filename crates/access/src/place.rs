//! From what a request says of a place to the place itself, and the answer there.
use crate::{Id, Located, Why, decide::Policy, gate::Ask, scope::Slot};
use api::access::{About, Empty, Place, Resource, Verb};
use domain::{Code, Error, Home, Kind, Namespace, Result};

/// How many namespaces a text lists before it says that there are more.
const LISTED: usize = 10;

impl<'r> Ask<'_, 'r> {
    /// The slot that the check fills, `None` where the request leaves its field empty, or the refusal.
    pub(crate) async fn slot(&mut self) -> Result<Option<Slot>> {
        match self.find().await {
            // Whoever does not hold the right, or may not know of the place, goes on without this grant.
            Err(error) if self.at.if_held && matches!(error.code(), Code::PermissionDenied | Code::NotFound) => {
                Ok(None)
            }
            found => found,
        }
    }

    async fn find(&mut self) -> Result<Option<Slot>> {
        // Every run may use its namespace's default service account; the check is about the others.
        let default_account = self.at.name.is_none_or(|name| name.is_empty() || name == self.default_account());
        if self.at.resource == Resource::Serviceaccounts && self.at.about == About::Itself && default_account {
            return Ok(None);
        }
        match self.at.place {
            Place::Unsupported(kind) => Err(Error::invalid(format!(
                "a resource reference key of type {kind} cannot be used here: name a NAMESPACE or an EXPERIMENT"
            ))),
            Place::Cluster => self.open(Home::Cluster).await.map(Some),
            // It yields no grant of one place: see `wherever`.
            Place::Wherever => Ok(None),
            // KFP clients write `-` for no namespace.
            Place::Namespace("" | "-")
            | Place::Experiment("")
            | Place::Run("")
            | Place::Pipeline("")
            | Place::PipelineVersion("")
            | Place::RecurringRun("")
            | Place::Task("")
            | Place::Artifact("") => self.empty().await,
            Place::Namespace(_) if self.inner.single_user().is_some() => self.open(single()).await.map(Some),
            Place::Namespace(name) => self.open(Home::Namespace(Namespace::parse(name)?)).await.map(Some),
            Place::Experiment(id) => self.by_id(Id::Experiment(id)).await,
            Place::Run(id) => self.by_id(Id::Run(id)).await,
            Place::Pipeline(id) => self.by_id(Id::Pipeline(id)).await,
            Place::PipelineVersion(id) => self.by_id(Id::PipelineVersion(id)).await,
            Place::RecurringRun(id) => self.by_id(Id::RecurringRun(id)).await,
            Place::Task(id) => self.by_id(Id::Task(id)).await,
            Place::Artifact(id) => self.by_id(Id::Artifact(id)).await,
        }
    }

    /// Whether the caller may, without a decision in the audit log.
    async fn tries(&self, home: &Home) -> Result<bool> {
        let name = self.at.name.unwrap_or_default();
        Ok(self.inner.decide(self.who, self.at.verb, self.at.resource, home, name).await?.allows())
    }

    fn default_account(&self) -> &str {
        &self.inner.settings.default_service_account
    }

    async fn empty(&self) -> Result<Option<Slot>> {
        if self.at.empty == Empty::Skip {
            return Ok(None);
        }
        if self.inner.single_user().is_some() {
            // An id that is absent is absent in this mode too; a namespace or an experiment has a default.
            let has_default = matches!(self.at.place, Place::Namespace(_) | Place::Experiment(_));
            return if has_default { self.open(single()).await.map(Some) } else { Ok(None) };
        }
        match self.at.empty {
            Empty::Refuse | Empty::Skip => Ok(None),
            Empty::Shared => self.open(Home::Shared).await.map(Some),
            Empty::Placed => self.placed().await.map(Some),
        }
    }

    /// A place that the request names itself: a refusal there tells nothing that the caller did not say.
    async fn open(&self, home: Home) -> Result<Slot> {
        let name = self.at.name.unwrap_or_default();
        if !self.may(&home, name).await? {
            return Err(self.forbidden(&home));
        }
        Ok(Slot { home, objects: Vec::new(), names: vec![name.into()] })
    }

    /// A place that the request names through an object in it. Who may not know of the object hears what they would
    /// hear if it did not exist; and as much is taken down of one that does not.
    async fn by_id(&mut self, id: Id<'r>) -> Result<Option<Slot>> {
        let (kind, text) = id.parts();
        let unseen = || Error::not_found(kind, text);
        let Some(located) = self.located(id).await? else {
            let (server, right) = (&self.inner.settings.server_namespace, (self.at.verb, id.resource()));
            self.inner.policy.weigh(self.who, right, text, server).await;
            self.record(None, text, Why::Absent)?;
            return Err(unseen());
        };
        match self.at.about {
            About::Itself => {}
            // Whether it may be known of was asked by the check before this one, which is about the object itself.
            About::ServiceAccount => return self.account(located).await,
            About::Pipeline => return self.pipeline(located).await,
        }
        let is_object = id.resource() == self.at.resource;
        let name = if is_object && self.at.name.is_none() { &located.name } else { self.at.name.unwrap_or_default() };
        if self.may(&located.home, name).await? {
            let objects = if is_object { vec![text.into()] } else { Vec::new() };
            return Ok(Some(Slot { names: vec![name.into()], home: located.home, objects }));
        }
        let seen = self.inner.decide(self.who, Verb::Get, id.resource(), &located.home, &located.name).await?;
        Err(if seen.allows() { self.forbidden(&located.home) } else { unseen() })
    }

    /// Where the object is that the request names, which is looked up once in a call.
    async fn located(&mut self, id: Id<'r>) -> Result<Option<Located>> {
        if let Some((_, located)) = self.found.iter().find(|(known, _)| *known == id) {
            return Ok(located.clone());
        }
        let located = self.inner.ports.locate.locate(id).await?;
        self.found.push((id, located.clone()));
        Ok(located)
    }

    /// The service account that the object is to go on with.
    async fn account(&self, Located { home, refers, .. }: Located) -> Result<Option<Slot>> {
        let name = refers.service_account;
        if name.is_empty() || name == self.default_account() {
            return Ok(None);
        }
        if !self.may(&home, &name).await? {
            return Err(self.forbidden(&home).at(format!("service account {name}")));
        }
        Ok(Some(Slot { home, objects: Vec::new(), names: vec![name.into()] }))
    }

    /// The pipeline that the object is to go on with. One that was deleted since is nobody's any more: what was
    /// taken from it is the object's own.
    async fn pipeline(&self, located: Located) -> Result<Option<Slot>> {
        let id = located.refers.pipeline_id;
        if id.is_empty() {
            return Ok(None);
        }
        let found = self.inner.ports.locate.locate(Id::Pipeline(&id)).await?;
        let Some(Located { home, name, .. }) = found else { return Ok(None) };
        if !self.may(&home, &name).await? {
            let user = self.who.user();
            let text = format!("{user} may no longer get the {} {id} that this was made of", Kind::Pipeline);
            return Err(Error::new(Code::PermissionDenied, text));
        }
        Ok(Some(Slot { home, objects: vec![id.into()], names: vec![name.into()] }))
    }

    /// Where something goes that the caller did not place: to everybody if they may, else to their own namespace,
    /// else to the only one where they may. Whatever else would be a guess.
    async fn placed(&self) -> Result<Slot> {
        let Policy::Tenants { facts, review } = &self.inner.policy else { return self.open(single()).await };
        // `open` makes the decision that counts.
        if self.tries(&Home::Shared).await? {
            return self.open(Home::Shared).await;
        }
        let (own, all) = {
            let rbac = facts.current()?;
            let own: Vec<Namespace> = rbac.owned_by(self.who).cloned().collect();
            // Where each question is a request to Kubernetes, all tenants are too many to ask about.
            (own, if review.is_some() { Vec::new() } else { rbac.tenants().cloned().collect() })
        };
        let mut open = self.which(own).await?;
        if open.is_empty() {
            open = self.which(all).await?;
        }
        open.sort();
        let (verb, resource) = (self.at.verb, self.at.resource);
        match &open[..] {
            [only] => self.open(Home::Namespace(only.clone())).await,
            [] => {
                self.record(None, self.at.name.unwrap_or_default(), Why::NotBound)?;
                let text = format!("{} may not {verb} {resource} in any namespace", self.who.user());
                Err(Error::new(Code::PermissionDenied, text))
            }
            _ => {
                let mut names: Vec<&str> = open.iter().take(LISTED).map(|namespace| namespace.as_str()).collect();
                if open.len() > LISTED {
                    names.push("…");
                }
                Err(Error::invalid(format!(
                    "the request does not say in which namespace to {verb} {resource}, and {} may do so in several: \
                     {}. Name one with the `namespace` parameter (`namespace=` of the SDK's upload_pipeline, \
                     `?namespace=` over HTTP)",
                    self.who.user(),
                    names.join(", ")
                )))
            }
        }
    }

    /// Those in which the caller may.
    async fn which(&self, namespaces: Vec<Namespace>) -> Result<Vec<Namespace>> {
        let mut open = Vec::new();
        for namespace in namespaces {
            if self.tries(&Home::Namespace(namespace.clone())).await? {
                open.push(namespace);
            }
        }
        Ok(open)
    }
}

fn single() -> Home {
    Home::Namespace(Namespace::single_user())
}
