//! How nodes end, and what that means for those around them.
use super::{
    Command, Step, Todo,
    start::{MAX_BYTES, too_much},
};
use crate::{NodeId, Outputs, Status, resolve};

impl Step<'_> {
    /// A node has ended, in whichever way: its siblings may start, its parent may end.
    pub(super) fn ended(&mut self, id: NodeId) {
        let node = self.state.get(id);
        let (Some(parent), failed) = (node.parent, node.status == Status::Failed) else { return };
        self.state.links_mut(parent).open -= 1;
        let newly = failed && self.state.get(parent).first_failed.is_none();
        if newly {
            self.state.change(parent).first_failed = Some(id);
        }
        let tree = self.tree();
        if tree.iterator(parent).is_some() {
            self.next_iterations(parent);
        } else {
            let siblings = self.state.children(parent);
            let affected: Vec<NodeId> = match tree.task(id) {
                // No other may start now, but for those that do in spite of it.
                _ if newly => siblings.to_vec(),
                Some(task) => task.dependents.iter().filter_map(|&at| siblings.get(at).copied()).collect(),
                None => Vec::new(),
            };
            self.todo.extend(affected.into_iter().map(Todo::Consider));
        }
        self.finish_if_done(parent);
    }

    /// Ends a loop or a DAG in which nothing is left to do.
    pub(super) fn finish_if_done(&mut self, id: NodeId) {
        let (node, tree) = (self.state.get(id), self.tree());
        let stopped = self.state.run.stopped.is_some();
        let more = tree.iterator(id).is_some() && self.state.children(id).len() < tree.iterations(id);
        let more = more && node.first_failed.is_none() && !stopped;
        if node.status != Status::Running || self.state.links(id).open > 0 || more {
            return;
        }
        // What a failed one gave is of use to who runs in spite of the failure.
        let outputs = resolve::outputs::of(tree, id);
        let failed = node.first_failed.is_some() || stopped && self.is_cut_short(id);
        self.state.bytes += outputs.size();
        if self.state.bytes > MAX_BYTES {
            self.fail(id, too_much());
        } else if failed {
            let error = self.why(id);
            let node = self.state.change(id);
            node.outputs = Some(outputs);
            node.error = Some(error);
            self.end(id, Status::Failed);
        } else {
            self.state.change(id).outputs = Some(outputs);
            self.end(id, Status::Succeeded);
        }
    }

    /// Whether a node that is being stopped would have had more to do.
    fn is_cut_short(&self, id: NodeId) -> bool {
        let begun = self.state.children(id);
        let skipped = |&child: &NodeId| {
            let child = self.state.get(child);
            child.status == Status::Skipped && child.error == self.state.run.stopped
        };
        begun.len() < self.tree().iterations(id) || begun.iter().any(skipped)
    }

    pub(super) fn fail(&mut self, id: NodeId, message: String) {
        self.state.change(id).error = Some(message);
        self.end(id, Status::Failed);
    }

    pub(super) fn skip(&mut self, id: NodeId, why: String) {
        self.state.change(id).error = Some(why);
        self.end(id, Status::Skipped);
    }

    pub(super) fn end(&mut self, id: NodeId, status: Status) {
        self.state.change(id).status = status;
        if id != NodeId::ROOT {
            return self.todo.push_back(Todo::Ended(id));
        }
        let root = self.state.get(id);
        let stopped = self.state.run.stopped.clone();
        let result: Result<Outputs, String> = match (stopped, status) {
            (Some(why), _) => Err(why),
            (None, Status::Succeeded) => Ok(root.outputs.clone().unwrap_or_default()),
            (None, _) => Err(root.error.clone().unwrap_or_default()),
        };
        self.state.run.outcome = Some(result.clone());
        self.commands.push(Command::Finish { result });
    }

    /// What made a node fail: the innermost failure, and beside it the others of the same DAG.
    fn why(&self, id: NodeId) -> String {
        if let Some(why) = &self.state.run.stopped {
            return why.clone();
        }
        let (tree, mut innermost) = (self.tree(), id);
        while let Some(first) = self.state.get(innermost).first_failed.filter(|first| *first != innermost) {
            innermost = first;
        }
        let error = self.state.get(innermost).error.clone().unwrap_or_default();
        if innermost == id {
            return error;
        }
        let first = self.state.get(id).first_failed;
        let failed = |child: &&NodeId| Some(**child) != first && self.state.get(**child).status == Status::Failed;
        let others = self.state.children(id).iter().filter(failed).take(20);
        let others: Vec<_> = others.map(|&child| format!("{:?}", tree.name(child))).collect();
        let path = tree.path(id, innermost);
        match others.join(", ").as_str() {
            "" => format!("task {path:?} failed: {error}"),
            others => format!("task {path:?} failed: {error} (also failed: {others})"),
        }
    }
}
