//! What holds for every run, whatever happens in whatever order: found by chance over pipelines and events.
use crate::{
    random::{self, Body, Task},
    reference,
};
use engine::{
    Command, Event, Failure, FailureKind, Node, NodeId, Outputs, Place, Plan, RunState, State, Status, Success, step,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The world around the engine, and what it saw.
struct World<'a> {
    tasks: &'a [Task],
    plan: &'a Plan,
    state: State,
    live: BTreeMap<NodeId, u32>,
    timers: BTreeSet<NodeId>,
    launched: BTreeSet<(NodeId, u32)>,
    /// What was stored: nothing else survives a crash.
    stored: (String, BTreeMap<NodeId, String>),
    outcome: Option<Result<Outputs, String>>,
}

impl<'a> World<'a> {
    fn new(tasks: &'a [Task], plan: &'a Plan) -> Self {
        let mut world = Self {
            tasks,
            plan,
            state: State::default(),
            live: BTreeMap::new(),
            timers: BTreeSet::new(),
            launched: BTreeSet::new(),
            stored: Default::default(),
            outcome: None,
        };
        world.send(Event::Started, true);
        world
    }

    /// Sends an event, stores what has changed, and carries out the commands, or crashes before it does.
    fn send(&mut self, event: Event, carry_out: bool) {
        let before = self.state.clone();
        let (mut state, commands) = step(self.plan, std::mem::take(&mut self.state), event);
        for id in state.take_changed() {
            self.stored.1.insert(id, serde_json::to_string(&whole(state.node(id).unwrap())).unwrap());
        }
        self.stored.0 = serde_json::to_string(state.run()).unwrap();
        self.state = state;
        self.holds(&before);
        if carry_out {
            commands.into_iter().for_each(|command| self.obey(command));
        }
    }

    fn obey(&mut self, command: Command) {
        assert!(self.outcome.is_none(), "{command:?} came after the end");
        match command {
            Command::Launch { node, attempt, .. } => {
                assert_eq!(self.live.insert(node, attempt), None, "two attempts of one task at once");
                assert!(self.launched.insert((node, attempt)), "an attempt came twice");
                self.ready(node);
            }
            Command::RetryAfter { node, .. } => drop(self.timers.insert(node)),
            Command::Kill { node } => assert!(self.live.contains_key(&node), "it is not running"),
            Command::Finish { result } => {
                assert!(self.live.is_empty(), "the run ended with tasks running");
                self.outcome = Some(result);
            }
        }
    }

    /// Everything that a task depends on had ended when it was launched, and well unless it starts regardless.
    fn ready(&self, id: NodeId) {
        let node = self.state.node(id).unwrap();
        let Place::Task(at) = node.place else { return };
        let task = self.plan.task(&self.state, id).unwrap();
        let siblings = self.state.children(node.parent.unwrap());
        for &on in &task.dependencies {
            let status = self.state.node(siblings[on]).unwrap().status;
            let fits = match task.strategy {
                engine::Strategy::Succeeded => status == Status::Succeeded,
                engine::Strategy::Completed => status.is_final(),
            };
            assert!(fits, "{at} was launched while {on} was {status:?}");
        }
    }

    /// What no step may do.
    fn holds(&self, before: &State) {
        for was in before.nodes() {
            let is = self.state.node(was.id).unwrap();
            if was.status.is_final() {
                assert_eq!(was, is, "it was over");
            }
            assert!(was.attempt <= is.attempt);
        }
        for node in self.state.nodes() {
            if let Some(limit) = self.limit(node) {
                let running = |id: &&NodeId| !self.state.node(**id).unwrap().status.is_final();
                let running = self.state.children(node.id).iter().filter(running).count();
                assert!(running <= limit, "{running} iterations at a time instead of {limit}");
            }
            if matches!(node.status, Status::Failed | Status::Skipped | Status::Waiting) {
                assert!(node.error.is_some(), "it does not say why");
            }
        }
        assert_eq!(self.state.run().outcome.is_some(), self.state.nodes()[0].status.is_final());
    }

    fn limit(&self, node: &Node) -> Option<usize> {
        let Place::Task(_) = node.place else { return None };
        Some(self.plan.task(&self.state, node.id)?.iterator.as_ref()?.limit)
    }

    /// How an attempt of a container ends.
    fn result(&self, id: NodeId, attempt: u32) -> Result<Success, Failure> {
        let path = self.plan.path(&self.state, id);
        let Body::Container { failures, .. } = find(self.tasks, &path) else { panic!("{path} is no container") };
        match attempt < *failures {
            true => Err(Failure { message: "it broke".into(), kind: FailureKind::Error, outputs: Outputs::default() }),
            false => Ok(Success::default()),
        }
    }

    /// Something happens, by chance.
    fn happen(&mut self, chance: usize, carry_out: bool) {
        let (live, timers) = (self.live.len(), self.timers.len());
        if live + timers == 0 {
            return;
        }
        let at = chance % (live + timers);
        if at < live {
            let (node, attempt) = self.live.iter().nth(at).map(|(node, attempt)| (*node, *attempt)).unwrap();
            // That it began may be told, and most often is.
            if !chance.is_multiple_of(3) {
                self.send(Event::Began { node, attempt }, true);
            }
            self.live.remove(&node);
            let result = self.result(node, attempt);
            self.send(Event::Finished { node, attempt, result }, carry_out);
        } else {
            let node = *self.timers.iter().nth(at - live).unwrap();
            self.timers.remove(&node);
            self.send(Event::RetryDue { node }, carry_out);
        }
    }

    /// The process ends, and another one goes on from what is stored.
    fn crash(&mut self) {
        self.live.clear();
        self.timers.clear();
        // An attempt that had not begun is launched again under its number.
        let run: RunState = serde_json::from_str(&self.stored.0).unwrap();
        let nodes = self.stored.1.values().map(|text| read(text)).collect();
        self.state = State::restore(run, nodes).unwrap();
        let queued: Vec<_> = self.state.nodes().iter().filter(|node| node.status == Status::Queued).collect();
        for node in queued {
            self.launched.remove(&(node.id, node.attempt));
        }
        if self.state.run().outcome.is_none() {
            self.send(Event::Restarted, true);
        }
    }

    fn finish_it(&mut self) {
        for turn in 0..10_000_usize {
            if self.state.run().outcome.is_some() {
                return;
            }
            self.happen(turn, true);
        }
        panic!("the run does not end: {:?}", self.state);
    }

    fn ends(&self) -> BTreeMap<String, Status> {
        let nodes = self.state.nodes().iter().skip(1);
        nodes.map(|node| (self.plan.path(&self.state, node.id), node.status)).collect()
    }
}

/// A node as it is stored: what stands in columns of its own elsewhere is put beside it here.
fn whole(node: &Node) -> (Node, Option<String>, engine::Inputs, Option<Outputs>) {
    (node.clone(), node.error.clone(), node.inputs.clone(), node.outputs.clone())
}

fn read(text: &str) -> Node {
    let (node, error, inputs, outputs): (Node, _, _, _) = serde_json::from_str(text).unwrap();
    Node { error, inputs, outputs, ..node }
}

fn find<'a>(tasks: &'a [Task], path: &str) -> &'a Body {
    let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let number = first.trim_start_matches('t').split('[').next().unwrap();
    let body = &tasks[number.parse::<usize>().unwrap()].body;
    match (rest, body) {
        (None, body) => body,
        (Some(rest), Body::Group(tasks) | Body::Loop { each: tasks, .. }) => find(tasks, rest),
        (Some(_), Body::Container { .. }) => panic!("nothing is inside of a container"),
    }
}

/// A task ends as the reference says, unless another failure kept it, or something around it, from starting.
fn agree(world: &World<'_>, tasks: &[Task]) {
    let (expect, whole) = reference::run(tasks);
    let ends = world.ends();
    assert_eq!(world.state.nodes()[0].status, whole, "the run");
    for (path, status) in &ends {
        let wanted = expect.get(path);
        let kept = *status == Status::Skipped || wanted.is_none();
        if Some(status) != wanted {
            let failed = ends.values().any(|status| *status == Status::Failed);
            // A group fails as soon as one inside of it does, whatever the others would have done; so does what holds it.
            assert!(failed && (kept || *status == Status::Succeeded), "{path}: {status:?} instead of {wanted:?}");
        }
    }
    if !ends.values().any(|status| *status == Status::Failed) {
        assert_eq!(ends, expect);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn runs_end_as_the_reference_says(tasks in random::tasks(), chances in prop::collection::vec(any::<usize>(), 0..60)) {
        let plan = random::plan(&tasks);
        let mut world = World::new(&tasks, &plan);
        chances.into_iter().for_each(|chance| world.happen(chance, true));
        world.finish_it();
        agree(&world, &tasks);
    }

    /// Crashes come before commands are carried out, after that, and between any two events. What had not begun starts
    /// again; what had begun is lost, and counts as an attempt.
    #[test]
    fn a_crash_loses_nothing_that_had_ended(
        tasks in random::tasks(),
        chances in prop::collection::vec((any::<usize>(), prop::bool::weighted(0.2)), 0..60),
    ) {
        let plan = random::plan(&tasks);
        let mut world = World::new(&tasks, &plan);
        for (chance, crashes) in chances {
            world.happen(chance, !crashes);
            if crashes {
                world.crash();
            }
        }
        world.finish_it();
        prop_assert!(world.state.nodes().iter().all(|node| node.status.is_final()));
        prop_assert_eq!(world.outcome.is_some() || world.state.run().outcome.is_some(), true);
    }

    /// Where no process was running when it happened, a crash after any command makes no difference at all.
    #[test]
    fn a_crash_between_tasks_changes_nothing(tasks in random::tasks(), every in 1..5_usize) {
        let plan = random::plan(&tasks);
        let (mut calm, mut crashing) = (World::new(&tasks, &plan), World::new(&tasks, &plan));
        for turn in 0..10_000_usize {
            if calm.state.run().outcome.is_some() && crashing.state.run().outcome.is_some() {
                break;
            }
            for (world, crashes) in [(&mut calm, false), (&mut crashing, true)] {
                // Without `Began`, what is launched has not started as far as anybody knows.
                let Some((node, attempt)) = world.live.pop_first() else {
                    if let Some(node) = world.timers.pop_first() {
                        world.send(Event::RetryDue { node }, !crashes || !turn.is_multiple_of(every));
                    }
                    if crashes && turn.is_multiple_of(every) {
                        world.crash();
                    }
                    continue;
                };
                let result = world.result(node, attempt);
                world.send(Event::Finished { node, attempt, result }, !crashes || !turn.is_multiple_of(every));
                if crashes && turn.is_multiple_of(every) {
                    world.crash();
                }
            }
        }
        prop_assert_eq!(calm.ends(), crashing.ends());
        prop_assert_eq!(calm.state.run(), crashing.state.run());
    }

    #[test]
    fn a_run_that_is_stopped_ends_and_can_go_on(
        tasks in random::tasks(),
        chances in prop::collection::vec(any::<usize>(), 0..20),
    ) {
        let plan = random::plan(&tasks);
        let mut world = World::new(&tasks, &plan);
        chances.into_iter().for_each(|chance| world.happen(chance, true));
        if world.state.run().outcome.is_some() {
            return Ok(());
        }
        world.send(Event::Stop { why: "terminated by jane".into() }, true);
        while let Some((node, attempt)) = world.live.pop_first() {
            let failure = Failure { message: "killed".into(), kind: FailureKind::Error, outputs: Outputs::default() };
            world.send(Event::Finished { node, attempt, result: Err(failure) }, true);
        }
        prop_assert_eq!(world.outcome.clone(), Some(Err("terminated by jane".to_owned())));
        world.outcome = None;
        world.timers.clear();
        let succeeded: Vec<_> =
            world.state.nodes().iter().filter(|node| node.status == Status::Succeeded).map(|node| node.id).collect();
        let (mut state, commands) = step(&plan, std::mem::take(&mut world.state), Event::Retried);
        for id in state.take_changed() {
            prop_assert!(!succeeded.contains(&id), "what has succeeded stays");
            world.stored.1.insert(id, serde_json::to_string(&whole(state.node(id).unwrap())).unwrap());
        }
        world.state = state;
        commands.into_iter().for_each(|command| world.obey(command));
        world.finish_it();
    }

    #[test]
    fn the_same_events_give_the_same_state(tasks in random::tasks()) {
        let plan = random::plan(&tasks);
        let run = || {
            let mut world = World::new(&tasks, &plan);
            world.finish_it();
            world.state
        };
        prop_assert_eq!(run(), run());
    }
}
