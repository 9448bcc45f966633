//! Pipelines by chance: DAGs in DAGs, conditions, loops, exit tasks, tasks that fail and are tried again.
use engine::{Plan, Rules, RunContext};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use spec::Package;

/// A task, and what it depends on: some of the tasks before it, by a bit each.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) before: u8,
    /// Whether it starts whatever the ends of these were.
    pub(crate) always: bool,
    /// Whether its condition is met; none if it has none.
    pub(crate) condition: Option<bool>,
    pub(crate) body: Body,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// Fails so many times before it succeeds, and is tried again so many times.
    Container {
        failures: u32,
        retries: u32,
    },
    Group(Vec<Task>),
    /// So many iterations, of which so many run at a time (0 for all).
    Loop {
        count: usize,
        limit: usize,
        each: Vec<Task>,
    },
}

pub(crate) fn tasks() -> impl Strategy<Value = Vec<Task>> {
    dag(3).prop_filter("not empty", |tasks| !tasks.is_empty())
}

fn container() -> impl Strategy<Value = Body> {
    (prop_oneof![6 => Just(0), 2 => 1..3_u32, 1 => Just(9)], 0..3_u32)
        .prop_map(|(failures, retries)| Body::Container { failures, retries })
}

fn dag(depth: u32) -> BoxedStrategy<Vec<Task>> {
    let container = container();
    let body = if depth == 0 {
        container.boxed()
    } else {
        let inner = move || prop::collection::vec(task(dag_bodies(depth - 1)), 0..4);
        prop_oneof![
            5 => container,
            2 => inner().prop_map(Body::Group),
            2 => (0..4_usize, 0..3_usize, inner()).prop_map(|(count, limit, each)| Body::Loop { count, limit, each }),
        ]
        .boxed()
    };
    prop::collection::vec(task(body), 0..5).boxed()
}

fn dag_bodies(depth: u32) -> BoxedStrategy<Body> {
    let container = container();
    if depth == 0 {
        return container.boxed();
    }
    let inner = move || prop::collection::vec(task(dag_bodies(depth - 1)), 0..3);
    prop_oneof![
        5 => container,
        1 => inner().prop_map(Body::Group),
        1 => (0..3_usize, 0..3_usize, inner()).prop_map(|(count, limit, each)| Body::Loop { count, limit, each }),
    ]
    .boxed()
}

fn task(body: impl Strategy<Value = Body>) -> impl Strategy<Value = Task> {
    let condition = prop_oneof![6 => Just(None), 1 => Just(Some(true)), 1 => Just(Some(false))];
    (any::<u8>(), prop::bool::weighted(0.15), condition, body).prop_map(|(before, always, condition, body)| Task {
        before,
        always,
        condition,
        body,
    })
}

/// The name of the task at a place.
pub(crate) fn name(at: usize) -> String {
    format!("t{at}")
}

/// The places of the tasks that one depends on.
pub(crate) fn before(task: &Task, at: usize) -> Vec<usize> {
    (0..at.min(8)).filter(|other| task.before >> other & 1 == 1).collect()
}

/// The plan of these tasks.
pub(crate) fn plan(tasks: &[Task]) -> Plan {
    let mut document = Document { components: Map::new() };
    let root = document.dag(tasks, "root");
    let package = json!({
        "pipelineInfo": {"name": "p"},
        "schemaVersion": "2.1.0",
        "deploymentSpec": {"executors": {"exec": {"container": {"image": "i", "command": ["true"]}}}},
        "components": document.components,
        "root": {"dag": {"tasks": root}},
    });
    let package = Package::from_json(&package).unwrap();
    Plan::new(&package, &Map::new(), RunContext::default(), Rules::default()).unwrap()
}

struct Document {
    components: Map<String, Value>,
}

impl Document {
    fn dag(&mut self, tasks: &[Task], place: &str) -> Value {
        let tasks =
            tasks.iter().enumerate().map(|(at, task)| (name(at), self.task(task, at, &format!("{place}-{at}"))));
        Value::Object(tasks.collect())
    }

    fn task(&mut self, task: &Task, at: usize, place: &str) -> Value {
        let flag = json!({"parameters": {"flag": {"parameterType": "BOOLEAN", "isOptional": true},
            "item": {"parameterType": "NUMBER_INTEGER", "isOptional": true}}});
        let before: Vec<_> = before(task, at).into_iter().map(name).collect();
        let mut spec = json!({
            "componentRef": {"name": format!("comp-{place}")},
            "dependentTasks": before,
            "inputs": {"parameters": {"flag": {"runtimeValue": {"constant": task.condition.unwrap_or_default()}}}},
            "triggerPolicy": {},
        });
        if task.always {
            spec["triggerPolicy"]["strategy"] = json!("ALL_UPSTREAM_TASKS_COMPLETED");
        }
        if task.condition.is_some() {
            spec["triggerPolicy"]["condition"] = json!("inputs.parameter_values['flag'] == true");
        }
        let mut component = json!({"inputDefinitions": flag});
        match &task.body {
            Body::Container { retries, .. } => {
                component["executorLabel"] = json!("exec");
                spec["retryPolicy"] = json!({"maxRetryCount": retries, "backoffDuration": "1s"});
            }
            Body::Group(inner) => component["dag"] = json!({"tasks": self.dag(inner, place)}),
            Body::Loop { count, limit, each } => {
                component["dag"] = json!({"tasks": self.dag(each, place)});
                let items: Vec<_> = (0..*count).collect();
                spec["parameterIterator"] = json!({"items": {"raw": json!(items).to_string()}, "itemInput": "item"});
                spec["iteratorPolicy"] = json!({"parallelismLimit": limit});
            }
        }
        self.components.insert(format!("comp-{place}"), component);
        spec
    }
}
