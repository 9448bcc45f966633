//! From what a request says of a place to the place itself, and the answer there.
use crate::{
    Id,
    gate::{Ask, Policy},
    scope::Slot,
};
use api::access::{Empty, Place, Resource, Verb};
use domain::{Code, Error, Home, Namespace, Result};

/// How many namespaces a text lists before it says that there are more.
const LISTED: usize = 10;

impl Ask<'_> {
    /// The slot that the check fills, `None` where the request leaves its field empty, or the refusal.
    pub(crate) async fn slot(&self) -> Result<Option<Slot>> {
        match self.find().await {
            // Whoever does not hold the right, or may not know of the place, goes on without this grant.
            Err(error) if self.at.if_held && matches!(error.code(), Code::PermissionDenied | Code::NotFound) => {
                Ok(None)
            }
            found => found,
        }
    }

    async fn find(&self) -> Result<Option<Slot>> {
        // Every run may use its namespace's default service account; the check is about the others.
        let default_account = self.at.name.is_none_or(|name| name.is_empty() || name == self.default_account());
        if self.at.resource == Resource::Serviceaccounts && default_account {
            return Ok(None);
        }
        match self.at.place {
            Place::Unsupported(kind) => Err(Error::invalid(format!(
                "a resource reference key of type {kind} cannot be used here: name a NAMESPACE or an EXPERIMENT"
            ))),
            Place::Cluster => self.open(Home::Cluster).map(Some),
            // KFP clients write `-` for no namespace.
            Place::Namespace("" | "-")
            | Place::Experiment("")
            | Place::Run("")
            | Place::Pipeline("")
            | Place::PipelineVersion("")
            | Place::RecurringRun("") => self.empty(),
            Place::Namespace(_) if self.inner.single_user().is_some() => self.open(single()).map(Some),
            Place::Namespace(name) => self.open(Home::Namespace(Namespace::parse(name)?)).map(Some),
            Place::Experiment(id) => self.by_id(Id::Experiment(id)).await.map(Some),
            Place::Run(id) => self.by_id(Id::Run(id)).await.map(Some),
            Place::Pipeline(id) => self.by_id(Id::Pipeline(id)).await.map(Some),
            Place::PipelineVersion(id) => self.by_id(Id::PipelineVersion(id)).await.map(Some),
            Place::RecurringRun(id) => self.by_id(Id::RecurringRun(id)).await.map(Some),
        }
    }

    /// Whether the caller may, without a decision in the audit log.
    fn tries(&self, home: &Home) -> bool {
        self.inner.allows(self.who, self.at.verb, self.at.resource, home, self.at.name.unwrap_or_default())
    }

    fn default_account(&self) -> &str {
        &self.inner.settings.default_service_account
    }

    fn empty(&self) -> Result<Option<Slot>> {
        if self.at.empty == Empty::Skip {
            return Ok(None);
        }
        if self.inner.single_user().is_some() {
            // An id that is absent is absent in this mode too; a namespace or an experiment has a default.
            let has_default = matches!(self.at.place, Place::Namespace(_) | Place::Experiment(_));
            return if has_default { self.open(single()).map(Some) } else { Ok(None) };
        }
        match self.at.empty {
            Empty::Refuse | Empty::Skip => Ok(None),
            Empty::Shared => self.open(Home::Shared).map(Some),
            Empty::Placed => self.placed().map(Some),
        }
    }

    /// A place that the request names itself: a refusal there tells nothing that the caller did not say.
    fn open(&self, home: Home) -> Result<Slot> {
        let name = self.at.name.unwrap_or_default();
        if !self.may(&home, name) {
            return Err(self.forbidden(&home));
        }
        Ok(Slot { home, objects: Vec::new(), names: vec![name.into()] })
    }

    /// A place that the request names through an object in it. Who may not know of the object hears what they would
    /// hear if it did not exist.
    async fn by_id(&self, id: Id<'_>) -> Result<Slot> {
        let (kind, text) = id.parts();
        let unseen = || Error::not_found(kind, text);
        let located = self.inner.locate.locate(id).await?.ok_or_else(unseen)?;
        let is_object = id.resource() == self.at.resource;
        let name = if is_object && self.at.name.is_none() { &located.name } else { self.at.name.unwrap_or_default() };
        if self.may(&located.home, name) {
            let objects = if is_object { vec![text.into()] } else { Vec::new() };
            return Ok(Slot { names: vec![name.into()], home: located.home, objects });
        }
        let seen = self.inner.allows(self.who, Verb::Get, id.resource(), &located.home, &located.name);
        Err(if seen { self.forbidden(&located.home) } else { unseen() })
    }

    /// Where something goes that the caller did not place: to everybody if they may, else to their own namespace,
    /// else to the only one where they may. Whatever else would be a guess.
    fn placed(&self) -> Result<Slot> {
        let Policy::Rbac(rbac) = &self.inner.policy else { return self.open(single()) };
        // `open` makes the decision that counts.
        if self.tries(&Home::Shared) {
            return self.open(Home::Shared);
        }
        let rbac = rbac.load();
        let may = |namespace: &&Namespace| self.tries(&Home::Namespace((*namespace).clone()));
        let own: Vec<&Namespace> = rbac.owned_by(self.who).filter(may).collect();
        if let [own] = own[..] {
            return self.open(Home::Namespace(own.clone()));
        }
        let mut open: Vec<&Namespace> = if own.is_empty() { rbac.tenants().filter(may).collect() } else { own };
        open.sort();
        let (verb, resource) = (self.at.verb, self.at.resource);
        match open[..] {
            [only] => self.open(Home::Namespace(only.clone())),
            [] => Err(Error::new(
                Code::PermissionDenied,
                format!("{} may not {verb} {resource} in any namespace", self.who.user()),
            )),
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
}

fn single() -> Home {
    Home::Namespace(Namespace::single_user())
}
