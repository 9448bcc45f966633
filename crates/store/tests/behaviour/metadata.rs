//! ML metadata of runs, tasks and artifacts.
use crate::{
    backend::{Db, START, new_task, of, step},
    recording,
};
use access::Reach;
use api::access::{resource::Runs, verb::Get};
use domain::{
    Artifact, ArtifactId, Direction, Namespace, NewLink, Run, RunId, RuntimeState, Task, TaskChange, TaskKind,
    Timestamp,
    metadata::{Node, NodeContent, NodeEvent, NodeKind, SystemType},
};
use std::collections::BTreeSet;
use store::{EventsOf, Listing, NodeOrder, Nodes, Progress, Same, Store};

const KINDS: [NodeKind; 3] = [NodeKind::Artifact, NodeKind::Execution, NodeKind::Context];

fn reach(homes: &[&str]) -> Reach<Get, Runs> {
    let homes: Vec<Namespace> = homes.iter().map(|home| Namespace::parse(home).unwrap()).collect();
    Reach::forge("jane", &homes)
}

fn artifact(name: &str, kind: &str) -> Artifact {
    Artifact {
        id: ArtifactId::fresh(),
        name: name.into(),
        kind: kind.into(),
        schema_version: "0.0.1".into(),
        instance_schema: String::new(),
        uri: format!("s3://bucket/{name}"),
        metadata: serde_json::json!({"rows": 3}).as_object().unwrap().clone(),
        materialized: true,
    }
}

async fn save(db: &Db, run: &Run, tasks: &[&Task]) {
    let tasks = tasks.iter().map(|task| (*task).clone()).collect();
    let progress = Progress { pipeline_name: "training".into(), tasks, ..step(run, RuntimeState::Running) };
    db.store.save_progress(&of(run.namespace.as_str()), progress).await.unwrap();
}

/// A run of three tasks in a row inside of a loop, which hand `data` and `model` on.
async fn chain(db: &Db, home: &str, name: &str) -> (Run, Vec<Task>) {
    let experiment = match db.store.experiments(&of(home), domain::list::Query::default()).await.unwrap().items.pop() {
        Some(experiment) => experiment,
        None => db.experiment(home, "train").await,
    };
    let run = db.run(home, &experiment, name).await;
    let (data, model) = (artifact("data", "system.Dataset"), artifact("model", "acme.Model"));
    let mut around = new_task(&run, "for-loop-1");
    around.kind = TaskKind::Loop;
    let mut tasks = vec![around.clone()];
    for task_name in ["load", "fit", "judge"] {
        let mut task = new_task(&run, task_name);
        task.path = format!("for-loop-1[0]/{task_name}");
        task.parent_id = Some(around.id.clone());
        tasks.push(task);
    }
    tasks[1].outputs.artifacts.insert("data".into(), vec![data.clone()]);
    tasks[2].inputs.artifacts.insert("given".into(), vec![data]);
    tasks[2].outputs.artifacts.insert("model".into(), vec![model.clone()]);
    tasks[3].inputs.artifacts.insert("model".into(), vec![model]);
    save(db, &run, &[&tasks[0], &tasks[1]]).await;
    db.clock.advance(1_000_000);
    save(db, &run, &[&tasks[2], &tasks[3]]).await;
    (run, tasks)
}

async fn all(store: &Store, reach: &Reach<Get, Runs>, kind: NodeKind) -> Vec<Node> {
    store.nodes(reach, Nodes::all(kind), Listing::of_ids(1000)).await.unwrap()
}

fn task_named<'a>(nodes: &'a [Node], name: &str) -> &'a Node {
    let is_it = |node: &&Node| matches!(&node.content, NodeContent::Task { task, .. } if task.name == name);
    nodes.iter().find(is_it).unwrap()
}

pub(crate) async fn is_there_with_its_rows(db: Db) {
    let (run, tasks) = chain(&db, "a", "first").await;
    let ours = reach(&["a"]);
    let executions = all(&db.store, &ours, NodeKind::Execution).await;
    let artifacts = all(&db.store, &ours, NodeKind::Artifact).await;
    let contexts = all(&db.store, &ours, NodeKind::Context).await;
    let numbers: BTreeSet<i64> =
        [&executions, &artifacts, &contexts].into_iter().flatten().map(|node| node.id).collect();
    assert_eq!((executions.len(), artifacts.len(), contexts.len(), numbers.len()), (5, 2, 2, 9));
    assert!(numbers.iter().all(|id| (1 << 32..1 << 53).contains(id)), "{numbers:?}");

    let root = executions.iter().find(|node| node.name == format!("run/{}", run.id)).unwrap();
    assert_eq!(root.node_type, SystemType::DAG.into());
    let NodeContent::Root { state, inputs, children, .. } = &root.content else { panic!("{root:?}") };
    assert_eq!((*state, inputs, *children), (RuntimeState::Running, &run.parameters, 1));
    let around = task_named(&executions, "for-loop-1");
    let NodeContent::Task { parent, children, .. } = around.content else { panic!("{around:?}") };
    assert_eq!((parent, children, &around.node_type.name[..]), (root.id, 3, "system.DAGExecution"));
    let fit = task_named(&executions, "fit");
    let NodeContent::Task { parent, task, .. } = &fit.content else { panic!("{fit:?}") };
    assert_eq!((*parent, &task.id, &fit.node_type.name[..]), (around.id, &tasks[2].id, "system.ContainerExecution"));

    let kinds: Vec<&str> = artifacts.iter().map(|node| node.node_type.name.as_str()).collect();
    assert_eq!(kinds, ["system.Dataset", "acme.Model"]);
    let own = db.store.node_types(&ours).await.unwrap();
    assert_eq!(own, [artifacts[1].node_type.clone()], "a type that KFP does not bring is the namespace's own");

    let names: Vec<&str> = contexts.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, [run.id.as_str(), "training"]);
    let event = |execution: &Node, artifact: &Node, is_output, name: &str| NodeEvent {
        execution: execution.id,
        artifact: artifact.id,
        is_output,
        name: name.into(),
        at: START,
    };
    let load = task_named(&executions, "load");
    let judge = task_named(&executions, "judge");
    let mut expect = vec![
        event(load, &artifacts[0], true, "data"),
        event(fit, &artifacts[0], false, "given"),
        event(fit, &artifacts[1], true, "model"),
        event(judge, &artifacts[1], false, "model"),
    ];
    expect.sort_by_key(|event| (event.execution, event.is_output));
    let of_all: Vec<i64> = executions.iter().map(|node| node.id).collect();
    assert_eq!(db.store.node_events(&ours, EventsOf::Executions, of_all.clone()).await.unwrap(), expect);
    let of_data = db.store.node_events(&ours, EventsOf::Artifacts, vec![artifacts[0].id]).await.unwrap();
    assert_eq!(of_data.len(), 2);

    let (of_run, of_pipeline) = (contexts[0].id, contexts[1].id);
    let pairs = db.store.contexts_of(&ours, NodeKind::Execution, of_all.clone()).await.unwrap();
    let both: Vec<(i64, i64)> = of_all.iter().flat_map(|id| [(*id, of_run), (*id, of_pipeline)]).collect();
    assert_eq!(pairs, both);
    let pairs = db.store.contexts_of(&ours, NodeKind::Artifact, vec![artifacts[0].id]).await.unwrap();
    assert_eq!(pairs, [(artifacts[0].id, of_run), (artifacts[0].id, of_pipeline)]);
    for id in [of_run, of_pipeline] {
        assert_eq!(db.store.parts_of_contexts(&ours, vec![id]).await.unwrap(), [(of_run, of_pipeline)]);
    }
}

pub(crate) async fn changes_with_its_rows(db: Db) {
    let (run, mut tasks) = chain(&db, "a", "first").await;
    let before = all(&db.store, &reach(&["a"]), NodeKind::Execution).await;
    let now = db.clock.advance(1_000_000);
    tasks[1].state = RuntimeState::Succeeded;
    save(&db, &run, &[&tasks[1]]).await;
    let after = all(&db.store, &reach(&["a"]), NodeKind::Execution).await;
    let ids = |nodes: &[Node]| nodes.iter().map(|node| node.id).collect::<Vec<_>>();
    assert_eq!(ids(&before), ids(&after), "what is there keeps its number");
    let load = task_named(&after, "load");
    let NodeContent::Task { task, .. } = &load.content else { panic!("{load:?}") };
    assert_eq!((task.state, load.updated_at, load.created_at), (RuntimeState::Succeeded, now, START));
    let changed: Vec<&str> =
        after.iter().filter(|node| node.updated_at == now).map(|node| node.name.as_str()).collect();
    assert_eq!(changed, [&format!("run/{}", run.id), ""], "the run, and the task");
}

/// What there is in some namespaces by everything that finds it.
async fn found(store: &Store, reach: &Reach<Get, Runs>, all_nodes: &[Node]) -> Vec<i64> {
    let mut found = Vec::new();
    let ids: Vec<i64> = all_nodes.iter().map(|node| node.id).collect();
    for kind in KINDS {
        let mut wanted = vec![
            Nodes::all(kind),
            Nodes { ids: Some(ids.clone()), ..Nodes::all(kind) },
            Nodes { uris: Some(vec!["s3://bucket/data".into()]), ..Nodes::all(kind) },
            Nodes { types: Some(all_nodes.iter().map(|node| node.node_type.id).collect()), ..Nodes::all(kind) },
        ];
        for node in all_nodes {
            wanted.push(Nodes { context: Some(node.id), ..Nodes::all(kind) });
            wanted.push(Nodes { name: Some(node.name.clone()), ..Nodes::all(kind) });
        }
        for which in wanted {
            let nodes = store.nodes(reach, which, Listing::of_ids(1000)).await.unwrap();
            found.extend(nodes.into_iter().map(|node| node.id));
        }
        let pairs = store.contexts_of(reach, kind, ids.clone()).await.unwrap();
        found.extend(pairs.into_iter().flat_map(|(id, context)| [id, context]));
    }
    for of in [EventsOf::Executions, EventsOf::Artifacts] {
        let events = store.node_events(reach, of, ids.clone()).await.unwrap();
        found.extend(events.into_iter().flat_map(|event| [event.execution, event.artifact]));
    }
    let parts = store.parts_of_contexts(reach, ids).await.unwrap();
    found.extend(parts.into_iter().flat_map(|(part, whole)| [part, whole]));
    found.extend(store.node_types(reach).await.unwrap().into_iter().map(|own| own.id));
    found
}

pub(crate) async fn stays_in_its_namespace(db: Db) {
    for home in ["a", "b"] {
        chain(&db, home, "first").await;
    }
    let both = reach(&["a", "b"]);
    let mut nodes = Vec::new();
    for kind in KINDS {
        nodes.extend(all(&db.store, &both, kind).await);
    }
    let slots: BTreeSet<(i64, &str)> = nodes.iter().map(|node| (node.id >> 32, node.namespace.as_str())).collect();
    assert_eq!(slots.len(), 2, "each namespace has a number of its own: {slots:?}");
    for home in ["a", "b"] {
        let slot = slots.iter().find(|(_, of)| *of == home).unwrap().0;
        let seen = found(&db.store, &reach(&[home]), &nodes).await;
        assert!(seen.len() > 40, "{}", seen.len());
        assert!(seen.iter().all(|id| id >> 32 == slot), "{home} sees what is not its own: {seen:?}");
    }
    assert!(found(&db.store, &reach(&[]), &nodes).await.is_empty());
    assert!(found(&db.store, &reach(&["c"]), &nodes).await.is_empty());
}

pub(crate) async fn goes_with_its_run(db: Db) {
    let (first, tasks) = chain(&db, "a", "first").await;
    let (second, _) = chain(&db, "a", "second").await;
    // It takes what the first has made.
    let mut taker = new_task(&second, "taker");
    taker.inputs.artifacts.clone_from(&tasks[2].inputs.artifacts);
    save(&db, &second, &[&taker]).await;
    let ours = reach(&["a"]);
    let count = async |kind| all(&db.store, &ours, kind).await.len();
    let counts =
        async || (count(NodeKind::Artifact).await, count(NodeKind::Execution).await, count(NodeKind::Context).await);
    assert_eq!(counts().await, (4, 11, 3));
    db.store.delete_run(&of("a"), first.id.as_str()).await.unwrap();
    assert_eq!(counts().await, (3, 6, 2), "what another run has taken stays, and so does the pipeline");
    db.store.delete_run(&of("a"), second.id.as_str()).await.unwrap();
    assert_eq!(counts().await, (0, 0, 0));
    // Numbers are not given again.
    chain(&db, "a", "third").await;
    assert_eq!(counts().await, (2, 5, 2));
}

/// Of runs that another engine executes, as clients have told of them.
pub(crate) async fn has_what_was_recorded(db: Db) {
    recording::reported(&db, "r", "one").await;
    let train = db.store.record_task(&of("a"), recording::new_task("r", "train")).await.unwrap().task.id;
    let judge = db.store.record_task(&of("a"), recording::new_task("r", "judge")).await.unwrap().task.id;
    let model = db.store.record_artifact(&of("a"), recording::new_artifact("r", &train, "model")).await.unwrap();
    let link = NewLink {
        artifact_id: model.artifact.id.clone(),
        run_id: RunId::from_text("r"),
        task_id: judge.clone(),
        direction: Direction::Input,
        key: "candidate".into(),
        producer: None,
    };
    db.store.record_link(&of("a"), &of("a"), link).await.unwrap();
    let ours = reach(&["a"]);
    let executions = all(&db.store, &ours, NodeKind::Execution).await;
    let (train, judge) = (task_named(&executions, "train").id, task_named(&executions, "judge").id);
    let artifacts = all(&db.store, &ours, NodeKind::Artifact).await;
    assert_eq!(artifacts.iter().map(|node| node.node_type.name.as_str()).collect::<Vec<_>>(), ["system.Model"]);
    let events = db.store.node_events(&ours, EventsOf::Artifacts, vec![artifacts[0].id]).await.unwrap();
    let told: BTreeSet<_> = events.iter().map(|event| (event.execution, event.is_output, &*event.name)).collect();
    assert_eq!(told, BTreeSet::from([(train, true, "model"), (judge, false, "candidate")]));
    let contexts = all(&db.store, &ours, NodeKind::Context).await;
    assert_eq!(contexts.iter().map(|node| node.name.as_str()).collect::<Vec<_>>(), ["r"]);
    let pairs = db.store.contexts_of(&ours, NodeKind::Execution, vec![train, judge]).await.unwrap();
    assert!(pairs.len() == 2 && pairs.iter().all(|(_, context)| *context == contexts[0].id), "{pairs:?}");

    let before = task_named(&executions, "train").updated_at;
    db.clock.advance(1_000_000);
    let change = TaskChange { state: Some(RuntimeState::Succeeded), ..TaskChange::default() };
    let id = match &task_named(&executions, "train").content {
        NodeContent::Task { task, .. } => task.id.clone(),
        other => panic!("{other:?}"),
    };
    db.store.change_recorded_task(&of("a"), id.as_str(), Same::default(), change).await.unwrap();
    let executions = all(&db.store, &ours, NodeKind::Execution).await;
    assert!(task_named(&executions, "train").updated_at > before);
    db.store.delete_run(&of("a"), "r").await.unwrap();
    for kind in KINDS {
        assert_eq!(all(&db.store, &ours, kind).await, [], "{kind:?}");
    }
}

pub(crate) async fn comes_in_pages(db: Db) {
    for name in ["one", "two", "three"] {
        for home in ["a", "b"] {
            chain(&db, home, name).await;
        }
    }
    let both = reach(&["b", "a"]);
    for order in [NodeOrder::Id, NodeOrder::Created, NodeOrder::Updated] {
        for descending in [false, true] {
            let listing = Listing { order, descending, after: None, most: 1000 };
            let which = || Nodes::all(NodeKind::Execution);
            let whole = db.store.nodes(&both, which(), listing).await.unwrap();
            assert_eq!(whole.len(), 30);
            let mut keys: Vec<(i64, i64)> = whole.iter().map(|node| listing.key(node)).collect();
            let given = keys.clone();
            keys.sort_unstable();
            if descending {
                keys.reverse();
            }
            assert_eq!(given, keys, "{order:?}");
            let (mut pages, mut after) = (Vec::new(), None);
            loop {
                let page = db.store.nodes(&both, which(), Listing { most: 7, after, ..listing }).await.unwrap();
                let Some(last) = page.last() else { break };
                after = Some(listing.key(last));
                pages.extend(page);
            }
            assert_eq!(pages, whole, "{order:?} {descending}");
        }
    }
}

pub(crate) async fn has_tokens_of_one_list(db: Db) {
    let token = db.store.node_token("runs", (Timestamp(7).0, 8));
    assert_eq!(db.store.read_node_token("runs", &token).unwrap(), (7, 8));
    for (list, token) in [("other", token.as_str()), ("runs", "x"), ("runs", &token[1..])] {
        let error = db.store.read_node_token(list, token).unwrap_err();
        assert!(error.message().contains("next_page_token is not valid"), "{}", error.message());
    }
}
