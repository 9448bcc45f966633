//! What definitions are called. Generated clients name their models by it, so it must be what KFP's own are called.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use prost_reflect::{EnumDescriptor, MessageDescriptor};

/// Types that are there whenever grpc-gateway's generator runs on KFP's protos, and whose last names KFP uses too.
const BESIDE: [&str; 3] =
    ["google.rpc.Status", "google.protobuf.FieldDescriptorProto.Type", "grpc.gateway.options.Operation"];

/// The names, by the full names of messages and enums.
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// Names everything in `package` as grpc-gateway's generator does: as few of the last parts of the full name as tell
    /// it from all others, and one more.
    pub(super) fn new(messages: &[MessageDescriptor], enums: &[EnumDescriptor]) -> Self {
        let of_messages = messages.iter().map(MessageDescriptor::full_name);
        let all: BTreeSet<&str> =
            of_messages.chain(enums.iter().map(EnumDescriptor::full_name)).chain(BESIDE).collect();
        let mut ends = HashMap::<&str, usize>::new();
        for name in &all {
            for end in ends_of(name) {
                *ends.entry(end).or_default() += 1;
            }
        }
        let named = all.iter().map(|name| {
            let alone = ends_of(name).position(|end| ends[end] == 1).unwrap_or_default();
            ((*name).to_owned(), last(name, alone + 2))
        });
        Self(named.collect())
    }

    pub(super) fn of(&self, full_name: &str) -> String {
        self.0.get(full_name).cloned().unwrap_or_else(|| last(full_name, 2))
    }
}

/// `c`, `b.c` and `a.b.c` of `a.b.c`.
fn ends_of(name: &str) -> impl Iterator<Item = &str> {
    name.rmatch_indices('.').map(|(dot, _)| &name[dot + 1..]).chain([name])
}

/// The last parts, without the dots between them.
fn last(name: &str, parts: usize) -> String {
    let mut last: Vec<_> = name.rsplit('.').take(parts).collect();
    last.reverse();
    last.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_grow() {
        assert_eq!(ends_of("a.b.c").collect::<Vec<_>>(), ["c", "b.c", "a.b.c"]);
        assert_eq!(last("a.b.c", 2), "bc");
        assert_eq!(last("a.b.c", 9), "abc");
    }
}
