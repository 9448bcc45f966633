//! What of a filter the database can decide: what all nodes that pass must have.
use super::{Attribute, Comparison, Condition, Filter, Literal, Neighbours, Operand};
use access::Reach;
use api::access::{resource::Runs, verb::Get};
use domain::{
    Result,
    metadata::{NodeKind, SystemType},
};
use store::{Listing, Nodes, Store};

impl Filter {
    /// Fewer nodes than were meant, among which are all that can pass; nothing if none can.
    pub(in crate::metadata) async fn narrow(
        &self,
        store: &Store,
        reach: &Reach<Get, Runs>,
        mut which: Nodes,
    ) -> Result<Option<Nodes>> {
        let mut names: Vec<&str> = Vec::new();
        for condition in self.conjuncts() {
            match equal(condition) {
                Some((Operand::Attribute(Attribute::Id), Literal::Int(id))) => meet(&mut which.ids, vec![*id]),
                Some((Operand::Attribute(Attribute::Name), Literal::Text(name))) => which.name = Some(name.clone()),
                Some((Operand::Attribute(Attribute::Uri), Literal::Text(uri))) => {
                    meet(&mut which.uris, vec![uri.clone()])
                }
                Some((Operand::Attribute(Attribute::Type), Literal::Text(name))) => {
                    let types = types_named(store, reach, which.kind, name).await?;
                    meet(&mut which.types, types);
                }
                Some((Operand::OfNeighbour(at, attribute), value)) if self.variables[*at].1 == Neighbours::Contexts => {
                    match (attribute, value) {
                        (Attribute::Id, Literal::Int(id)) => drop(which.context.get_or_insert(*id)),
                        (Attribute::Name, Literal::Text(name)) => names.push(name),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        for name in names {
            if which.context.is_none() {
                let contexts = Nodes { name: Some(name.to_owned()), ..Nodes::all(NodeKind::Context) };
                match &store.nodes(reach, contexts, Listing::of_ids(2)).await?[..] {
                    [] => return Ok(None),
                    [only] => which.context = Some(only.id),
                    _ => {}
                }
            }
        }
        let none = which.ids.as_ref().is_some_and(Vec::is_empty)
            || which.types.as_ref().is_some_and(Vec::is_empty)
            || which.uris.as_ref().is_some_and(Vec::is_empty);
        Ok((!none).then_some(which))
    }

    /// The conditions that must all hold.
    fn conjuncts(&self) -> Vec<&Condition> {
        match &self.condition {
            Condition::And(all) => all.iter().collect(),
            one => vec![one],
        }
    }
}

/// What has to be equal to what.
fn equal(condition: &Condition) -> Option<(&Operand, &Literal)> {
    match condition {
        Condition::Compare(operand, Comparison::Equal, Operand::Literal(literal))
        | Condition::Compare(Operand::Literal(literal), Comparison::Equal, operand) => Some((operand, literal)),
        Condition::In(operand, list) if list.len() == 1 => Some((operand, &list[0])),
        _ => None,
    }
}

/// Leaves what is allowed by both.
fn meet<T: PartialEq>(allowed: &mut Option<Vec<T>>, by: Vec<T>) {
    match allowed {
        None => *allowed = Some(by),
        Some(before) => before.retain(|one| by.contains(one)),
    }
}

async fn types_named(store: &Store, reach: &Reach<Get, Runs>, kind: NodeKind, name: &str) -> Result<Vec<i64>> {
    if let Some(known) = SystemType::by_name(kind, name) {
        return Ok(vec![known.id]);
    }
    let own = store.node_types(reach).await?;
    Ok(own.into_iter().filter(|own| own.of == kind && own.name == name).map(|own| own.id).collect())
}
