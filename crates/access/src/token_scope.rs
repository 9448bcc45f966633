//! How far a token reaches: fewer verbs, fewer namespaces than its user has.
use api::access::Verb;
use domain::{Error, Home, Namespace, Result};
use std::collections::BTreeSet;

/// The most namespaces that a scope may list: it is read with every request.
const MAX_NAMESPACES: usize = 100;

/// The verbs and namespaces that credentials are good for. It takes away from what RBAC grants and never adds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TokenScope {
    /// `None` for all.
    verbs: Option<BTreeSet<Verb>>,
    /// `None` for all, and for what is of no namespace.
    namespaces: Option<BTreeSet<Namespace>>,
}

impl TokenScope {
    /// Reads a scope; an empty list means all.
    ///
    /// # Errors
    /// `InvalidArgument`, naming what is no verb or no namespace.
    pub fn new<T: AsRef<str>>(verbs: &[T], namespaces: &[T]) -> Result<Self> {
        let verb = |text: &T| {
            let text = text.as_ref();
            Verb::parse(text).ok_or_else(|| {
                let known: Vec<&str> = Verb::ALL.iter().map(|verb| verb.as_str()).collect();
                Error::invalid(format!("{text:?} is no verb: the verbs are {}", known.join(", ")))
            })
        };
        let verbs: BTreeSet<Verb> = verbs.iter().map(verb).collect::<Result<_>>()?;
        let namespaces: BTreeSet<Namespace> =
            namespaces.iter().map(|text| Namespace::parse(text.as_ref())).collect::<Result<_>>()?;
        if namespaces.len() > MAX_NAMESPACES {
            let text = format!("a token can be bounded to {MAX_NAMESPACES} namespaces at most");
            return Err(Error::invalid(text));
        }
        let some = |is_empty: bool| (!is_empty).then_some(());
        Ok(Self {
            verbs: some(verbs.is_empty()).map(|()| verbs),
            namespaces: some(namespaces.is_empty()).map(|()| namespaces),
        })
    }

    /// Whether it takes nothing away.
    pub fn is_all(&self) -> bool {
        self.verbs.is_none() && self.namespaces.is_none()
    }

    /// The verbs; none listed means all.
    pub fn verbs(&self) -> impl Iterator<Item = Verb> {
        self.verbs.iter().flatten().copied()
    }

    /// The namespaces; none listed means all.
    pub fn namespaces(&self) -> impl Iterator<Item = &Namespace> {
        self.namespaces.iter().flatten()
    }

    /// Whether everything that `self` is good for, `other` is good for too.
    pub fn is_within(&self, other: &Self) -> bool {
        fn within<T: Ord>(of: Option<&BTreeSet<T>>, all: Option<&BTreeSet<T>>) -> bool {
            match (of, all) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(of), Some(all)) => of.is_subset(all),
            }
        }
        within(self.verbs.as_ref(), other.verbs.as_ref()) && within(self.namespaces.as_ref(), other.namespaces.as_ref())
    }

    /// Whether it is good for that verb there. What is for everybody is read whatever the namespaces are, and written
    /// by way of the server's own; what is of the whole cluster is beyond every list of namespaces.
    pub(crate) fn reaches(&self, verb: Verb, home: &Home, server: &Namespace) -> bool {
        if self.verbs.as_ref().is_some_and(|verbs| !verbs.contains(&verb)) {
            return false;
        }
        let Some(namespaces) = &self.namespaces else { return true };
        match home {
            Home::Namespace(namespace) => namespaces.contains(namespace),
            Home::Shared => matches!(verb, Verb::Get | Verb::List) || namespaces.contains(server),
            Home::Cluster => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(verbs: &[&str], namespaces: &[&str]) -> TokenScope {
        TokenScope::new(verbs, namespaces).unwrap()
    }

    #[test]
    fn a_scope_takes_away() {
        let [a, b, server] = ["a", "b", "kubeflow"].map(|name| Namespace::parse(name).unwrap());
        let in_ = |namespace: &Namespace| Home::Namespace(namespace.clone());
        for (verbs, namespaces, verb, home, expect) in [
            (&[][..], &[][..], Verb::Delete, Home::Cluster, true),
            (&["get"], &[], Verb::Get, in_(&a), true),
            (&["get"], &[], Verb::List, in_(&a), false),
            (&["get"], &[], Verb::Delete, Home::Shared, false),
            (&[], &["a"], Verb::Delete, in_(&a), true),
            (&[], &["a"], Verb::Get, in_(&b), false),
            (&[], &["a"], Verb::Get, Home::Shared, true),
            (&[], &["a"], Verb::Create, Home::Shared, false),
            (&[], &["a", "kubeflow"], Verb::Create, Home::Shared, true),
            (&[], &["a"], Verb::Report, Home::Cluster, false),
            (&["get"], &["a"], Verb::Get, in_(&a), true),
        ] {
            let it = scope(verbs, namespaces);
            assert_eq!(it.reaches(verb, &home, &server), expect, "{it:?} {verb} {home:?}");
        }
    }

    #[test]
    fn what_is_within_what() {
        let all = scope(&[], &[]);
        let (get, get_in_a) = (scope(&["get"], &[]), scope(&["get"], &["a"]));
        for (of, other, expect) in [
            (&all, &all, true),
            (&get, &all, true),
            (&get_in_a, &get, true),
            (&get, &get_in_a, false),
            (&all, &get, false),
            (&scope(&["get", "list"], &["a"]), &get_in_a, false),
            (&scope(&["get"], &["b"]), &get_in_a, false),
        ] {
            assert_eq!(of.is_within(other), expect, "{of:?} {other:?}");
        }
    }

    #[test]
    fn words_are_checked() {
        assert!(TokenScope::new(&["git"], &[]).unwrap_err().message().contains("\"git\" is no verb"));
        assert!(TokenScope::new(&[], &["A_B"]).is_err());
        assert!(TokenScope::new::<&str>(&[], &[]).unwrap().is_all());
    }
}
