//! What holds for every run, whatever happens in whatever order: found by chance over DAGs and events.
#![expect(clippy::unwrap_used, reason = "tests may panic")]
mod support;

use engine::{Command, Event, Failure, FailureKind, Outputs, Plan, State, Status, step};
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Choices that chance makes: which event comes next, told by numbers that are taken modulo what is possible.
#[derive(Clone, Copy, Debug)]
enum Choice {
    Succeed(usize),
    Fail(usize, FailureKind),
    /// Says again what was said of an attempt, or says it of one that never was.
    Repeat(usize, bool),
    Due(usize),
    StrayDue(usize),
    Cancel,
    Restart,
    Start,
}

fn choice() -> impl Strategy<Value = Choice> {
    let kind = prop_oneof![Just(FailureKind::Error), Just(FailureKind::Interrupted), Just(FailureKind::Invalid)];
    prop_oneof![
        8 => any::<usize>().prop_map(Choice::Succeed),
        4 => (any::<usize>(), kind).prop_map(|(index, kind)| Choice::Fail(index, kind)),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(index, good)| Choice::Repeat(index, good)),
        4 => any::<usize>().prop_map(Choice::Due),
        1 => any::<usize>().prop_map(Choice::StrayDue),
        1 => Just(Choice::Cancel),
        2 => Just(Choice::Restart),
        1 => Just(Choice::Start),
    ]
}

/// Tasks whose names say nothing about their order, each depending on some of those before it.
fn dag() -> impl Strategy<Value = Vec<(String, Vec<String>, u32)>> {
    prop::collection::vec((any::<u16>(), 0..3_u32), 0..9).prop_map(|shape| {
        let name = |index: usize| format!("t{}", (index * 7 + 3) % 10);
        shape
            .iter()
            .enumerate()
            .map(|(index, (bits, retries))| {
                let dependencies = (0..index).filter(|other| bits >> other & 1 == 1).map(name).collect();
                (name(index), dependencies, *retries)
            })
            .collect()
    })
}

/// The world around the engine, and what it saw.
struct World<'a> {
    plan: &'a Plan,
    state: State,
    live: BTreeMap<String, u32>,
    timers: BTreeSet<String>,
    launched: Vec<(String, u32)>,
    over: bool,
    log: Vec<Event>,
}

impl World<'_> {
    fn send(&mut self, event: Event) {
        self.log.push(event.clone());
        if event == Event::Restarted {
            self.live.clear();
            self.timers.clear();
        }
        let before = self.state.clone();
        // What is stored between steps is JSON.
        let stored = serde_json::to_string(&before).unwrap();
        let (state, commands) = step(self.plan, serde_json::from_str(&stored).unwrap(), event);
        self.state = state;
        for command in commands {
            self.obey(command);
        }
        still_holds(self.plan, &before, &self.state);
        assert_eq!(self.over, self.state.outcome.is_some(), "Finish and the outcome go together");
    }

    fn obey(&mut self, command: Command) {
        assert!(!self.over, "{command:?} came after Finish");
        match command {
            Command::Launch { task, attempt, inputs } => {
                let planned = self.plan.task(&task).unwrap();
                assert!(self.state.cancelled_by.is_none());
                assert!(attempt <= planned.retry.max, "{task} has no budget for attempt {attempt}");
                assert_eq!(inputs.parameters.len(), planned.dependencies.len());
                assert!(planned.dependencies.iter().all(|on| self.state.status(on) == Status::Succeeded));
                assert!(!self.launched.contains(&(task.clone(), attempt)), "{task} attempt {attempt} came twice");
                assert_eq!(self.live.insert(task.clone(), attempt), None, "{task} has two attempts alive");
                self.launched.push((task, attempt));
            }
            Command::RetryAfter { task, .. } => drop(self.timers.insert(task)),
            Command::Kill { task } => assert!(self.live.contains_key(&task), "{task} is not running"),
            Command::Finish { result } => {
                assert_eq!(self.live, BTreeMap::new(), "the run ended with tasks running");
                assert_eq!(Some(&result), self.state.outcome.as_ref());
                let good = self.plan.tasks().all(|task| self.state.status(&task.name) == Status::Succeeded);
                assert_eq!(result.is_ok(), good && self.state.cancelled_by.is_none());
                self.over = true;
            }
        }
    }

    fn choose(&mut self, choice: Choice) {
        let pick = |index: usize, of: usize| index.checked_rem(of).unwrap_or_default();
        let live: Vec<_> = self.live.clone().into_iter().collect();
        match choice {
            Choice::Succeed(index) => {
                let Some((task, attempt)) = live.get(pick(index, live.len())).cloned() else { return };
                self.finish(task, attempt, Ok(outputs()));
            }
            Choice::Fail(index, kind) => {
                let Some((task, attempt)) = live.get(pick(index, live.len())).cloned() else { return };
                self.finish(task, attempt, Err(Failure { message: "it broke".into(), kind }));
            }
            Choice::Repeat(index, good) => {
                let known: Vec<_> =
                    self.launched.iter().filter(|(task, n)| self.live.get(task) != Some(n)).cloned().collect();
                let never = ("t0".to_owned(), 99);
                let (task, attempt) = known.get(pick(index, known.len() + 1)).cloned().unwrap_or(never);
                let failure = Failure { message: "again".into(), kind: FailureKind::Error };
                let before = self.state.clone();
                self.send(Event::Finished { task, attempt, result: if good { Ok(outputs()) } else { Err(failure) } });
                assert_eq!(before, self.state, "a report of an attempt that is over changes nothing");
            }
            Choice::Due(index) => {
                let Some(task) = self.timers.iter().nth(pick(index, self.timers.len())).cloned() else { return };
                self.timers.remove(&task);
                self.send(Event::RetryDue { task });
            }
            Choice::StrayDue(index) => self.send(Event::RetryDue { task: format!("t{}", index % 11) }),
            Choice::Cancel => self.send(Event::Cancel { by: "jane".into() }),
            Choice::Restart => self.send(Event::Restarted),
            Choice::Start => self.send(Event::Started),
        }
    }

    fn finish(&mut self, task: String, attempt: u32, result: Result<Outputs, Failure>) {
        self.live.remove(&task);
        self.send(Event::Finished { task, attempt, result });
    }
}

fn outputs() -> Outputs {
    Outputs { parameters: [("Output".to_owned(), json!("x"))].into_iter().collect(), ..Outputs::default() }
}

/// What no step may do.
fn still_holds(plan: &Plan, before: &State, after: &State) {
    for planned in plan.tasks() {
        let (was, is) = (before.tasks.get(&planned.name), after.tasks.get(&planned.name));
        if was.is_some_and(|was| was.status.is_final()) {
            assert_eq!(was, is, "{} was over", planned.name);
        }
        let Some(is) = is else { continue };
        assert!(is.attempt <= planned.retry.max);
        assert!(was.is_none_or(|was| was.attempt <= is.attempt));
        assert_eq!(is.outputs.is_some(), is.status == Status::Succeeded);
        if matches!(is.status, Status::Failed | Status::Skipped | Status::Waiting) {
            assert!(is.error.is_some(), "{} does not say why", planned.name);
        }
    }
    if before.outcome.is_some() {
        assert_eq!(before, after);
    }
}

proptest! {
    #[test]
    fn every_run_keeps_the_rules_and_ends(tasks in dag(), choices in prop::collection::vec(choice(), 0..60)) {
        let plan = support::plan(&support::document(&tasks), &json!({})).unwrap();
        let mut world = World {
            plan: &plan,
            state: State::default(),
            live: BTreeMap::new(),
            timers: BTreeSet::new(),
            launched: Vec::new(),
            over: false,
            log: Vec::new(),
        };
        world.send(Event::Started);
        for choice in choices {
            world.choose(choice);
        }
        // Whatever came before: when each attempt ends and each timer fires, the run ends.
        for _ in 0..tasks.len() * 8 {
            world.choose(Choice::Succeed(0));
            world.choose(Choice::Due(0));
        }
        prop_assert!(world.over, "the run does not end: {:?}", world.state);
        prop_assert!(plan.tasks().all(|task| world.state.status(&task.name).is_final()));
        // And again, without storing in between.
        let again = world.log.iter().fold(State::default(), |state, event| step(&plan, state, event.clone()).0);
        prop_assert_eq!(again, world.state);
    }
}
