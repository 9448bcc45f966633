//! One step of a run: the scheduler's rules, which mirror what Argo does with a pipeline compiled by KFP.
//!
//! A task starts when all it depends on has succeeded. Once a task has failed no other of its DAG starts, those that
//! run may end and be retried, and then the DAG fails. A task whose dependency did not succeed is skipped. Tasks that
//! wait for endings of any kind (exit tasks, `ignore_upstream_failure`) start all the same, once.
mod end;
mod retried;
mod start;

use crate::{Failure, FailureKind, NodeId, Outputs, Plan, State, Status, Success, Work, tree::Tree};
use std::{collections::VecDeque, time::Duration};

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The run begins.
    Started,
    /// The process of an attempt is about to start. From here on it may have had effects.
    Began { node: NodeId, attempt: u32 },
    /// An attempt ended. Reports of attempts that are not the current one are ignored, so it may be said twice.
    Finished { node: NodeId, attempt: u32, result: Result<Success, Failure> },
    /// The time of a `RetryAfter` is over.
    RetryDue { node: NodeId },
    /// The run is to end before its time, for this reason.
    Stop { why: String },
    /// The process that drove the run is another one now: whatever ran in it is gone.
    Restarted,
    /// Somebody wants a failed run to go on: what has not succeeded starts again.
    Retried,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Do the work of an attempt: report with `Event::Began` that it begins, and its end with `Event::Finished`.
    Launch { node: NodeId, attempt: u32, work: Box<Work> },
    /// Send `Event::RetryDue` after this long.
    RetryAfter { node: NodeId, delay: Duration },
    /// End the attempt, and report its end with `Event::Finished`.
    Kill { node: NodeId },
    /// The run is over: its outputs, or what went wrong. Always the last command.
    Finish { result: Result<Outputs, String> },
}

/// Takes one step. The same plan, state and event always give the same state and commands; a state whose nodes have
/// gone through JSON is as good as before. Commands must be carried out after the state is stored: then a crash
/// between the two is mended by `Event::Restarted`.
pub fn step(plan: &Plan, state: State, event: Event) -> (State, Vec<Command>) {
    let mut step = Step { plan, state, commands: Vec::new(), todo: VecDeque::new() };
    let open = match &event {
        Event::Retried => matches!(step.state.run.outcome, Some(Err(_))),
        _ => step.state.run.outcome.is_none(),
    };
    if open {
        step.take(event);
        step.settle();
    }
    (step.state, step.commands)
}

struct Step<'a> {
    plan: &'a Plan,
    state: State,
    commands: Vec<Command>,
    todo: VecDeque<Todo>,
}

/// What follows from what happened.
enum Todo {
    /// See whether a node can start, or never will.
    Consider(NodeId),
    /// Tell the node around it that a node has ended.
    Ended(NodeId),
}

impl<'a> Step<'a> {
    fn tree(&self) -> Tree<'a, '_> {
        Tree { plan: self.plan, state: &self.state }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Started => self.started(),
            Event::Began { node, attempt } => {
                if self.is_at(node, attempt) {
                    self.state.change(node).status = Status::Running;
                }
            }
            Event::Finished { node, attempt, result } => {
                if self.is_at(node, attempt) {
                    self.finished(node, result);
                }
            }
            Event::RetryDue { node } => {
                if self.state.node(node).is_some_and(|node| node.status == Status::Waiting) {
                    let attempt = self.state.get(node).attempt + 1;
                    self.launch(node, attempt);
                }
            }
            Event::Stop { why } => self.stop(why),
            Event::Restarted => self.restarted(),
            Event::Retried => self.retried(),
        }
    }

    fn settle(&mut self) {
        while let Some(todo) = self.todo.pop_front() {
            match todo {
                Todo::Consider(node) => self.consider(node),
                Todo::Ended(node) => self.ended(node),
            }
        }
    }

    /// Whether this attempt of a node is under way.
    fn is_at(&self, node: NodeId, attempt: u32) -> bool {
        let node = self.state.node(node);
        node.is_some_and(|node| matches!(node.status, Status::Queued | Status::Running) && node.attempt == attempt)
    }

    fn finished(&mut self, id: NodeId, result: Result<Success, Failure>) {
        match result {
            Ok(Success { outputs, cached_from }) => {
                self.state.bytes += outputs.size();
                let node = self.state.change(id);
                node.cached_from = cached_from;
                node.outputs = Some(outputs);
                node.error = None;
                self.end(id, Status::Succeeded);
            }
            Err(failure) => self.attempt_failed(id, failure),
        }
    }

    fn attempt_failed(&mut self, id: NodeId, failure: Failure) {
        self.state.change(id).outputs = Some(failure.outputs);
        if let Some(why) = self.state.run.stopped.clone() {
            return self.fail(id, why);
        }
        let rules = &self.plan.rules;
        let (retry, node) = (self.retry(id), self.state.get(id));
        let attempts = node.attempt.saturating_sub(node.first_attempt);
        // Attempts that the machine has spoilt do not use up those that the pipeline allows for the task's own faults.
        let own = attempts.saturating_sub(node.unlucky);
        let unlucky = match failure.kind {
            FailureKind::Infrastructure => true,
            FailureKind::Restart => rules.retry_after_restart,
            FailureKind::Error | FailureKind::Invalid => false,
        } && node.unlucky < rules.infrastructure_retries;
        let again = unlucky || failure.kind != FailureKind::Invalid && own < retry.max;
        if !again {
            return self.fail(id, failure.message);
        }
        let delay = retry.delay(attempts);
        let node = self.state.change(id);
        node.unlucky += u32::from(unlucky);
        node.status = Status::Waiting;
        node.error = Some(failure.message);
        self.commands.push(Command::RetryAfter { node: id, delay });
    }

    /// The policy of the task, else that of the nearest task around it that has one.
    fn retry(&self, id: NodeId) -> crate::Retry {
        let tree = self.tree();
        let mut at = Some(id);
        while let Some(id) = at {
            if let Some(retry) = tree.task(id).and_then(|task| task.retry) {
                return retry;
            }
            at = self.state.get(id).parent;
        }
        crate::Retry::default()
    }

    fn stop(&mut self, why: String) {
        if self.state.run.stopped.is_some() {
            return;
        }
        self.state.run.stopped = Some(why.clone());
        self.started();
        for at in 0..self.state.nodes().len() {
            let id = self.state.nodes()[at].id;
            match self.state.get(id).status {
                Status::Queued | Status::Running if self.state.children(id).is_empty() => {
                    match self.tree().task(id) {
                        // A loop without iterations, or a DAG without tasks, ends in the step that it starts in.
                        Some(_) => self.commands.push(Command::Kill { node: id }),
                        None => self.fail(id, why.clone()),
                    }
                }
                Status::Waiting => self.fail(id, why.clone()),
                Status::Pending => self.skip(id, why.clone()),
                _ => {}
            }
        }
    }

    fn restarted(&mut self) {
        self.started();
        for at in 0..self.state.nodes().len() {
            let id = self.state.nodes()[at].id;
            let node = self.state.get(id);
            match node.status {
                // It was never begun: nothing is lost.
                Status::Queued => {
                    let attempt = node.attempt;
                    self.launch(id, attempt);
                }
                Status::Running if self.state.children(id).is_empty() && node.place != crate::Place::Root => {
                    let message = "interrupted: the server restarted while the task was running".to_owned();
                    self.attempt_failed(
                        id,
                        Failure { message, kind: FailureKind::Restart, outputs: Outputs::default() },
                    );
                }
                Status::Waiting => {
                    let delay = self.retry(id).delay(node.attempt.saturating_sub(node.first_attempt));
                    self.commands.push(Command::RetryAfter { node: id, delay });
                }
                _ => {}
            }
        }
    }
}
