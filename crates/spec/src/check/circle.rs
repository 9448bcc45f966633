//! Circles among names.
use std::collections::{BTreeMap, BTreeSet};

/// Finds names that lead back to themselves, as `a -> b -> a`. Names that are not in the graph lead nowhere.
pub(super) fn circle(graph: &BTreeMap<String, BTreeSet<String>>) -> Option<String> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, uses) in graph {
        let known = uses.iter().filter(|other| graph.contains_key(*other));
        left.insert(name, known.clone().count());
        known.for_each(|other| users.entry(other).or_default().push(name));
    }
    let mut free: Vec<&str> = left.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
    while let Some(name) = free.pop() {
        left.remove(name);
        for user in users.get(name).into_iter().flatten() {
            if let Some(count) = left.get_mut(user) {
                *count -= 1;
                if *count == 0 {
                    free.push(user);
                }
            }
        }
    }
    // What is left uses something else that is left: following that runs into a circle.
    let mut path = vec![*left.keys().next()?];
    loop {
        let last = path.last()?;
        let next = graph.get(*last)?.iter().find(|other| left.contains_key(other.as_str()))?;
        if let Some(start) = path.iter().position(|seen| seen == next) {
            path.push(next);
            return Some(path[start..].join(" -> "));
        }
        path.push(next);
    }
}
