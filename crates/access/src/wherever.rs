//! Rights that are asked for wherever they are held, for requests that cannot say where.
use crate::{
    Identity, Why,
    decide::Policy,
    gate::{Ask, Inner},
};
use api::access::Empty;
use domain::{Code, Error, Home, Namespace, Result};
use std::{collections::HashSet, sync::Arc};

/// How many namespaces one call reaches at most.
const MOST: usize = 1_000;

impl Ask<'_, '_> {
    /// Where the caller holds the right: first in their own namespaces, then in others.
    pub(crate) async fn wherever(&self) -> Result<Arc<[Namespace]>> {
        let (candidates, owned) = match &self.inner.policy {
            Policy::SingleUser(_) => (vec![Namespace::single_user()], HashSet::new()),
            Policy::Tenants { .. } => self.inner.candidates(self.who)?,
        };
        let (verb, resource) = (self.at.verb, self.at.resource);
        let mut held = Vec::new();
        for namespace in candidates {
            let home = Home::Namespace(namespace.clone());
            let why = self.inner.decide(self.who, verb, resource, &home, "").await?;
            if why.allows() {
                held.push((!owned.contains(&namespace), namespace, why));
            }
        }
        let user = self.who.user();
        if held.is_empty() {
            self.record(None, "", Why::NotBound)?;
            if self.at.empty != Empty::Skip {
                let text = format!("{user} may not {verb} {resource} in any namespace");
                return Err(Error::new(Code::PermissionDenied, text));
            }
        }
        if held.len() > MOST {
            return Err(Error::precondition(format!(
                "{user} may {verb} {resource} in {} namespaces, and one call reaches {MOST} at most: come with a token \
                 that is good for some of them alone",
                held.len()
            )));
        }
        held.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
        for (_, namespace, why) in &held {
            self.record(Some(&Home::Namespace(namespace.clone())), "", *why)?;
        }
        Ok(held.into_iter().map(|(_, namespace, _)| namespace).collect())
    }
}

impl Inner {
    /// Where somebody may hold rights, in no order, and which of these namespaces are theirs. Where Kubernetes decides
    /// there are no others, since each question is a request.
    pub(crate) fn candidates(&self, who: &Identity) -> Result<(Vec<Namespace>, HashSet<Namespace>)> {
        let Policy::Tenants { facts, review } = &self.policy else { return Ok(Default::default()) };
        let rbac = facts.current()?;
        let owned: HashSet<Namespace> = rbac.owned_by(who).cloned().collect();
        let all = || rbac.tenants().cloned().collect();
        Ok((if review.is_some() { owned.iter().cloned().collect() } else { all() }, owned))
    }
}
