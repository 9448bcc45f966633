//! What a DAG gives of what its tasks gave, and a loop of what its iterations did.
use crate::{Dag, NodeId, Outputs, Status, tree::Tree};
use serde_json::Value;

/// The outputs of a node whose children have all ended, as far as they gave them. What is missing is an error for who
/// needs it, and for nobody else.
pub(crate) fn of(tree: Tree<'_, '_>, id: NodeId) -> Outputs {
    match (tree.iterator(id), tree.dag(id)) {
        (Some(_), _) => of_loop(tree, id),
        (None, Some(dag)) => of_dag(tree, id, dag),
        (None, None) => Outputs::default(),
    }
}

/// Of several selectors (`dsl.OneOf`) the first whose task succeeded counts.
fn of_dag(tree: Tree<'_, '_>, id: NodeId, dag: &Dag) -> Outputs {
    let outputs = |task: &str| {
        let node = tree.state.get(tree.child(id, task)?);
        node.outputs.as_ref().filter(|_| node.status == Status::Succeeded)
    };
    let parameters = dag.outputs.parameters.iter().filter_map(|(name, output)| {
        let some = output.value_from_oneof.iter().flat_map(|from| &from.parameter_selectors);
        let mut selectors = output.value_from_parameter.iter().chain(some);
        let value =
            selectors.find_map(|from| outputs(&from.producer_subtask)?.parameters.get(&from.output_parameter_key));
        Some((name.clone(), value?.clone()))
    });
    let artifacts = dag.outputs.artifacts.iter().filter_map(|(name, output)| {
        let mut selectors = output.artifact_selectors.iter();
        let found =
            selectors.find_map(|from| outputs(&from.producer_subtask)?.artifacts.get(&from.output_artifact_key));
        Some((name.clone(), found?.clone()))
    });
    Outputs { parameters: parameters.collect(), artifacts: artifacts.collect() }
}

/// Lists over the iterations, in their order, without those that gave nothing (`dsl.Collected`). Lists over the
/// iterations of loops inside are joined to one.
fn of_loop(tree: Tree<'_, '_>, id: NodeId) -> Outputs {
    let Some(task) = tree.task(id) else { return Outputs::default() };
    let inner = tree.dag(id).map(|dag| &dag.collected);
    let iterations = tree.state.children(id).iter().filter_map(|&child| tree.state.get(child).outputs.as_ref());
    let defined = &task.component.output_definitions;
    let parameters = defined.parameters.keys().map(|name| {
        let values = iterations.clone().filter_map(|outputs| outputs.parameters.get(name));
        let list: Vec<Value> = match inner.is_some_and(|inner| inner.contains(name)) {
            true => values.filter_map(Value::as_array).flatten().cloned().collect(),
            false => values.cloned().collect(),
        };
        (name.clone(), Value::Array(list))
    });
    let artifacts = defined.artifacts.keys().map(|name| {
        let lists = iterations.clone().filter_map(|outputs| outputs.artifacts.get(name));
        (name.clone(), lists.flatten().cloned().collect())
    });
    Outputs { parameters: parameters.collect(), artifacts: artifacts.collect() }
}
