//! One step of a run: the scheduler's rules, which mirror what Argo does with a pipeline compiled by KFP.
//!
//! A task starts when all it depends on has succeeded. Once one task has failed no other starts, those that run may
//! end and be retried, and then the run fails. A task whose dependency did not succeed is skipped.
use crate::{Failure, FailureKind, Inputs, Outputs, Plan, State, Status, TaskState, resolve};
use std::time::Duration;

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The run begins.
    Started,
    /// An attempt ended. Reports of attempts that are not the current one are ignored, so it may be said twice.
    Finished { task: String, attempt: u32, result: Result<Outputs, Failure> },
    /// The time of a `RetryAfter` is over.
    RetryDue { task: String },
    /// Somebody wants the run to end.
    Cancel { by: String },
    /// The process that drove the run is another one now: whatever ran in it is gone.
    Restarted,
    /// Somebody wants a failed run to go on: what has not succeeded starts again.
    Retried,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Start an attempt, and report its end with `Event::Finished`.
    Launch { task: String, attempt: u32, inputs: Inputs },
    /// Send `Event::RetryDue` after this long.
    RetryAfter { task: String, delay: Duration },
    /// End the running attempt, and report its end with `Event::Finished`.
    Kill { task: String },
    /// The run is over: its outputs, or what went wrong. Always the last command.
    Finish { result: Result<Outputs, String> },
}

/// Takes one step. The same plan, state and event always give the same state and commands; a state that has gone
/// through JSON is as good as before. Commands must be carried out after the state is stored: then a crash between
/// the two is mended by `Event::Restarted`.
pub fn step(plan: &Plan, state: State, event: Event) -> (State, Vec<Command>) {
    let mut step = Step { plan, state, commands: Vec::new() };
    let open = match &event {
        Event::Retried => matches!(step.state.outcome, Some(Err(_))),
        _ => step.state.outcome.is_none(),
    };
    if open && step.take(event) {
        step.settle();
    }
    (step.state, step.commands)
}

struct Step<'a> {
    plan: &'a Plan,
    state: State,
    commands: Vec<Command>,
}

impl Step<'_> {
    /// Takes in an event; says whether it changed anything.
    fn take(&mut self, event: Event) -> bool {
        match event {
            Event::Started => {}
            Event::Finished { task, attempt, result } => {
                let current = self.state.tasks.get(&task);
                if !current.is_some_and(|current| current.status == Status::Running && current.attempt == attempt) {
                    return false;
                }
                self.finished(&task, result);
            }
            Event::RetryDue { task } => {
                if self.state.status(&task) != Status::Waiting {
                    return false;
                }
                let attempt = self.task(&task).attempt + 1;
                self.launch(&task, attempt);
            }
            Event::Cancel { by } => {
                if self.state.cancelled_by.is_some() {
                    return false;
                }
                self.cancel(by);
            }
            Event::Restarted => self.restarted(),
            Event::Retried => self.retried(),
        }
        true
    }

    fn finished(&mut self, name: &str, result: Result<Outputs, Failure>) {
        match result {
            Ok(outputs) => {
                let task = self.task(name);
                task.status = Status::Succeeded;
                task.outputs = Some(outputs);
                task.error = None;
            }
            Err(failure) => self.attempt_failed(name, failure),
        }
    }

    fn attempt_failed(&mut self, name: &str, failure: Failure) {
        if let Some(by) = &self.state.cancelled_by {
            let message = terminated(by);
            return self.fail(name, message);
        }
        let retry = self.plan.task(name).map(|task| task.retry).unwrap_or_default();
        let task = self.task(name);
        if failure.kind == FailureKind::Invalid || task.retries() >= retry.max {
            return self.fail(name, failure.message);
        }
        let delay = retry.delay(task.retries());
        task.status = Status::Waiting;
        task.error = Some(failure.message);
        self.commands.push(Command::RetryAfter { task: name.to_owned(), delay });
    }

    fn cancel(&mut self, by: String) {
        let message = terminated(&by);
        self.state.cancelled_by = Some(by);
        for planned in self.plan.tasks() {
            match self.state.status(&planned.name) {
                Status::Running => self.commands.push(Command::Kill { task: planned.name.clone() }),
                Status::Waiting => self.fail(&planned.name, message.clone()),
                _ => {}
            }
        }
    }

    fn restarted(&mut self) {
        for planned in self.plan.tasks() {
            let Some(task) = self.state.tasks.get(&planned.name) else { continue };
            match task.status {
                Status::Running => {
                    let message = "interrupted: the server restarted while the task was running".to_owned();
                    self.attempt_failed(&planned.name, Failure { message, kind: FailureKind::Interrupted });
                }
                Status::Waiting => {
                    let delay = planned.retry.delay(task.retries());
                    self.commands.push(Command::RetryAfter { task: planned.name.clone(), delay });
                }
                _ => {}
            }
        }
    }

    fn retried(&mut self) {
        self.state.outcome = None;
        self.state.cancelled_by = None;
        self.state.first_failed = None;
        for task in self.state.tasks.values_mut() {
            // The files of an attempt that failed stay, so that the next one needs another number.
            let first_attempt = match task.status {
                Status::Failed => task.attempt + 1,
                Status::Skipped => task.first_attempt,
                _ => continue,
            };
            *task = TaskState { attempt: task.attempt, first_attempt, ..TaskState::default() };
        }
    }

    /// Starts and skips what can be, and ends the run when nothing is left.
    fn settle(&mut self) {
        let plan = self.plan;
        for planned in plan.tasks() {
            if self.state.status(&planned.name) != Status::Pending {
                continue;
            }
            let lost = planned.dependencies.iter().find_map(|name| match self.state.status(name) {
                Status::Failed => Some(format!("it depends on {name:?}, which failed")),
                Status::Skipped => Some(format!("it depends on {name:?}, which was skipped")),
                _ => None,
            });
            let cancelled = self.state.cancelled_by.as_deref().map(terminated);
            let failed =
                self.state.first_failed.as_ref().map(|name| format!("task {name:?} failed before it could start"));
            if let Some(reason) = cancelled.or(lost).or(failed) {
                let task = self.task(&planned.name);
                task.status = Status::Skipped;
                task.error = Some(reason);
            } else if planned.dependencies.iter().all(|name| self.state.status(name) == Status::Succeeded) {
                let attempt = self.task(&planned.name).first_attempt;
                self.launch(&planned.name, attempt);
            }
        }
        if plan.tasks().all(|planned| self.state.status(&planned.name).is_final()) {
            let result = self.result();
            self.state.outcome = Some(result.clone());
            self.commands.push(Command::Finish { result });
        }
    }

    fn launch(&mut self, name: &str, attempt: u32) {
        let Some(planned) = self.plan.task(name) else { return };
        let inputs = resolve::inputs(self.plan, planned, &self.state);
        let task = self.task(name);
        task.attempt = attempt;
        match inputs {
            Ok(inputs) => {
                task.status = Status::Running;
                self.commands.push(Command::Launch { task: name.to_owned(), attempt, inputs });
            }
            Err(message) => self.fail(name, message),
        }
    }

    fn fail(&mut self, name: &str, message: String) {
        let task = self.task(name);
        task.status = Status::Failed;
        task.error = Some(message);
        self.state.first_failed.get_or_insert_with(|| name.to_owned());
    }

    fn result(&self) -> Result<Outputs, String> {
        if let Some(by) = &self.state.cancelled_by {
            return Err(terminated(by));
        }
        let Some(first) = &self.state.first_failed else { return Ok(resolve::run_outputs(self.plan, &self.state)) };
        let error = self.state.tasks.get(first).and_then(|task| task.error.as_deref()).unwrap_or_default();
        let others: Vec<_> = self.plan.tasks().map(|planned| &planned.name).filter(|name| *name != first).collect();
        let others: Vec<_> = others.into_iter().filter(|name| self.state.status(name) == Status::Failed).collect();
        let others = others.into_iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        Err(match others.as_str() {
            "" => format!("task {first:?} failed: {error}"),
            others => format!("task {first:?} failed: {error} (also failed: {others})"),
        })
    }

    fn task(&mut self, name: &str) -> &mut TaskState {
        self.state.tasks.entry(name.to_owned()).or_default()
    }
}

fn terminated(by: &str) -> String {
    format!("terminated by {by}")
}
