//! A failed run that goes on: what has succeeded stays, all else starts again.
use super::{Step, Todo};
use crate::{Node, NodeId, Status};

impl Step<'_> {
    pub(super) fn retried(&mut self) {
        self.state.run.outcome = None;
        self.state.run.stopped = None;
        let mut reopen = vec![NodeId::ROOT];
        while let Some(id) = reopen.pop() {
            let children = self.state.children(id).to_vec();
            let attempted = self.state.get(id).status == Status::Failed;
            let inside = !children.is_empty() || id == NodeId::ROOT;
            let node = self.state.change(id);
            // The files of an attempt that failed stay, so that the next one needs another number.
            let first_attempt = node.attempt + u32::from(attempted && !inside);
            *node = Node {
                status: if inside { Status::Running } else { Status::Pending },
                attempt: first_attempt,
                first_attempt,
                unlucky: 0,
                first_failed: None,
                fingerprint: None,
                error: None,
                outputs: None,
                ..node.clone()
            };
            if !inside {
                self.todo.push_back(Todo::Consider(id));
            }
            let lost = |child: &NodeId| matches!(self.state.get(*child).status, Status::Failed | Status::Skipped);
            let lost: Vec<_> = children.into_iter().filter(lost).collect();
            self.state.links_mut(id).open = lost.len();
            reopen.extend(lost);
        }
        // Loops that stopped early go on with the iterations that they had left.
        for at in 0..self.state.nodes().len() {
            let node = &self.state.nodes()[at];
            if node.status == Status::Running {
                let id = node.id;
                self.next_iterations(id);
                self.finish_if_done(id);
            }
        }
    }
}
