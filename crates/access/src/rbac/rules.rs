//! The rules of a role, as bits.
use api::access::{Resource, Verb};
use std::collections::HashMap;

/// A rule of a Role or ClusterRole, as manifests have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyRule {
    pub api_groups: Vec<String>,
    pub resources: Vec<String>,
    pub verbs: Vec<String>,
    /// Empty for all objects.
    pub resource_names: Vec<String>,
}

/// One bit for each verb on each resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mask([u128; 2]);

const _: () = assert!(Verb::ALL.len() * Resource::ALL.len() <= 256, "a mask has room for every verb on every resource");

impl Mask {
    pub(super) fn of(verb: Verb, resource: Resource) -> Mask {
        let bit = verb as usize * Resource::ALL.len() + resource as usize;
        let mut mask = Mask::default();
        mask.0[bit / 128] = 1 << (bit % 128);
        mask
    }

    /// The bits of a rule. `*` stands for everything; `runs/log` and the like are other resources than `runs`.
    fn of_rule(rule: &PolicyRule) -> Mask {
        let matches = |list: &[String], word: &str| list.iter().any(|item| item == "*" || item == word);
        let mut mask = Mask::default();
        for &resource in Resource::ALL {
            if !matches(&rule.api_groups, resource.group()) || !matches(&rule.resources, resource.as_str()) {
                continue;
            }
            for &verb in Verb::ALL.iter().filter(|verb| matches(&rule.verbs, verb.as_str())) {
                mask.add(Mask::of(verb, resource));
            }
        }
        mask
    }

    fn has(self, other: Mask) -> bool {
        self.0[0] & other.0[0] != 0 || self.0[1] & other.0[1] != 0
    }

    fn add(&mut self, other: Mask) {
        self.0[0] |= other.0[0];
        self.0[1] |= other.0[1];
    }
}

/// What a role allows, of that which can be asked about here.
#[derive(Debug, Default)]
pub(super) struct Rules {
    all: Mask,
    named: HashMap<Box<str>, Mask>,
}

impl Rules {
    pub(super) fn new(rules: &[PolicyRule]) -> Self {
        let mut all = Rules::default();
        for rule in rules {
            let mask = Mask::of_rule(rule);
            if mask == Mask::default() {
                continue;
            }
            if rule.resource_names.is_empty() {
                all.all.add(mask);
            }
            for name in &rule.resource_names {
                all.named.entry(name.as_str().into()).or_default().add(mask);
            }
        }
        all
    }

    /// Whether they allow that to the object of this name, which is empty where there is none.
    pub(super) fn allow(&self, want: Mask, name: &str) -> bool {
        self.all.has(want) || self.named.get(name).is_some_and(|mask| mask.has(want))
    }
}
