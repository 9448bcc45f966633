//! How fast the engine steps, and what a run of many tasks takes in memory. Nothing is run and nothing stored.
#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]
use engine::{Command, Event, NodeId, Plan, Rules, RunContext, State, Success, step};
use serde_json::{Map, Value, json};
use std::{collections::VecDeque, time::Instant};

fn main() {
    let (chain, fan) = (chain(200), fan(1000, 50));
    for (name, plan) in [("a chain of 200", chain), ("1,000 iterations, 50 at a time", fan)] {
        // Once to warm up.
        run(&plan);
        let began = Instant::now();
        let steps: usize = (0..10).map(|_| run(&plan)).sum();
        let seconds = began.elapsed().as_secs_f64();
        println!("{name}: {:.0} steps a second ({steps} steps in {seconds:.2} s)", steps as f64 / seconds);
    }
    let plan = self::fan(10_000, 0);
    let before = resident();
    let (state, commands) = step(&plan, State::default(), Event::Started);
    let after = resident();
    println!(
        "10,000 iterations that wait: {} nodes, {} launches, {:.1} MiB",
        state.nodes().len(),
        commands.len(),
        (after.saturating_sub(before)) as f64 / 1024.0
    );
}

/// Drives a run to its end; the number of steps.
fn run(plan: &Plan) -> usize {
    let (mut state, mut steps) = (State::default(), 0);
    let mut events = VecDeque::from([Event::Started]);
    while let Some(event) = events.pop_front() {
        let (next, commands) = step(plan, state, event);
        state = next;
        drop(state.take_changed());
        steps += 1;
        for command in commands {
            if let Command::Launch { node, attempt, .. } = command {
                events.push_back(Event::Began { node, attempt });
                events.push_back(finished(node, attempt));
            }
        }
    }
    assert!(state.run().outcome.as_ref().unwrap().is_ok());
    steps
}

fn finished(node: NodeId, attempt: u32) -> Event {
    Event::Finished { node, attempt, result: Ok(Success::default()) }
}

fn chain(length: usize) -> Plan {
    let tasks = (0..length).map(|at| {
        let before = if at == 0 { json!([]) } else { json!([format!("t{}", at - 1)]) };
        (format!("t{at}"), json!({"componentRef": {"name": "comp-noop"}, "dependentTasks": before}))
    });
    plan(&json!({}), &Value::Object(tasks.collect()))
}

fn fan(count: usize, limit: usize) -> Plan {
    let items: Vec<_> = (0..count).collect();
    let each = json!({"comp-each": {
        "inputDefinitions": {"parameters": {"item": {"parameterType": "NUMBER_INTEGER"}}},
        "dag": {"tasks": {"noop": {"componentRef": {"name": "comp-noop"}}}},
    }});
    let tasks = json!({"loop": {
        "componentRef": {"name": "comp-each"},
        "parameterIterator": {"itemInput": "item", "items": {"raw": json!(items).to_string()}},
        "iteratorPolicy": {"parallelismLimit": limit},
    }});
    plan(&each, &tasks)
}

fn plan(components: &Value, tasks: &Value) -> Plan {
    let mut all = json!({"comp-noop": {"executorLabel": "exec"}});
    all.as_object_mut().unwrap().extend(components.as_object().unwrap().clone());
    let package = json!({
        "pipelineInfo": {"name": "p"},
        "schemaVersion": "2.1.0",
        "deploymentSpec": {"executors": {"exec": {"container": {"image": "i", "command": ["true"]}}}},
        "components": all,
        "root": {"dag": {"tasks": tasks}},
    });
    let package = spec::Package::from_json(&package).unwrap();
    Plan::new(&package, &Map::new(), RunContext::default(), Rules::default()).unwrap()
}

/// Memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
