//! Artifacts, tasks with what goes in and comes out, and the links between them, by pages and in their namespace.
use crate::backend::{Db, new_task, of, refused, step};
use access::{Id, Locate, Located};
use domain::{
    Artifact, ArtifactId, Direction, Home, Namespace, Producer, Run, RuntimeState, Task, TaskId, TaskKind, Timestamp,
    list::{Operation, Predicate, Query, Value},
};
use serde_json::json;
use store::{LinksOf, Progress, TasksOf};

/// An artifact of a task.
pub(crate) fn artifact(name: &str, kind: &str) -> Artifact {
    Artifact {
        id: ArtifactId::fresh(),
        name: name.into(),
        kind: kind.into(),
        schema_version: "0.0.1".into(),
        instance_schema: String::new(),
        uri: format!("s3://bucket/{name}"),
        metadata: json!({"rows": 3, "of": name}).as_object().unwrap().clone(),
        materialized: true,
    }
}

/// A run whose first task puts out a data set, which the two iterations of a loop take in and make a model of.
pub(crate) struct Trained {
    pub(crate) run: Run,
    pub(crate) load: Task,
    pub(crate) each: Task,
    pub(crate) trains: Vec<Task>,
    pub(crate) data: Artifact,
    pub(crate) models: Vec<Artifact>,
}

impl Trained {
    pub(crate) async fn make(db: &Db, home: &str, name: &str) -> Self {
        let experiment = db.experiment(home, name).await;
        let run = db.run(home, &experiment, name).await;
        let data = artifact("data", "system.Dataset");
        let at = |number: i64| Timestamp(crate::backend::START.0 + number);
        let mut load = Task { state: RuntimeState::Succeeded, ..new_task(&run, "load") };
        load.outputs.artifacts.insert("out".into(), vec![data.clone()]);
        load.outputs.parameters.insert("rows".into(), json!(3));
        let each = Task { kind: TaskKind::Loop, created_at: at(1), ..new_task(&run, "each") };
        let (mut trains, mut models) = (Vec::new(), Vec::new());
        for number in 0..2 {
            let name = format!("train-{number}");
            let model = artifact(&name, "system.Model");
            let mut train = Task { created_at: at(2 + number), path: format!("each/{name}"), ..new_task(&run, &name) };
            train.parent_id = Some(each.id.clone());
            train.inputs.artifacts.insert("data".into(), vec![data.clone()]);
            train.outputs.artifacts.insert("model".into(), vec![model.clone()]);
            trains.push(train);
            models.push(model);
        }
        let mut made = Self { run, load, each, trains, data, models };
        made.save(db, home, made.tasks()).await;
        made.run = db.read(home, made.run.id.as_str()).await;
        made
    }

    fn tasks(&self) -> Vec<Task> {
        [&self.load, &self.each].into_iter().chain(&self.trains).cloned().collect()
    }

    async fn save(&self, db: &Db, home: &str, tasks: Vec<Task>) {
        let progress = Progress { tasks, ..step(&self.run, RuntimeState::Running) };
        db.store.save_progress(&of(home), progress).await.unwrap();
    }
}

fn first(size: i32) -> Query {
    Query { size, ..Query::default() }
}

fn equals(key: &str, value: &str) -> Query {
    let value = Value::Text(value.into());
    Query { predicates: vec![Predicate { key: key.into(), operation: Operation::Equals, value }], ..Query::default() }
}

fn producer(task: &str, key: &str) -> Option<Producer> {
    Some(Producer { task: task.into(), key: key.into() })
}

pub(crate) async fn lists_the_artifacts_of_a_namespace(db: Db) {
    let (ours, theirs) = (Trained::make(&db, "a", "one").await, Trained::make(&db, "b", "one").await);
    db.clock.advance(1);
    let more = Trained::make(&db, "a", "two").await;
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = db.store.artifacts(&of("a"), Query { token, ..first(2) }).await.unwrap();
        assert_eq!((page.total, page.items.len()), (6, 2));
        seen.extend(page.items);
        token = page.next;
        if token.is_empty() {
            break;
        }
    }
    assert!(seen.is_sorted_by_key(|kept| (kept.created_at, kept.artifact.id.clone())));
    let mut ids: Vec<_> = [&ours, &more].iter().flat_map(|of| of.models.iter().chain([&of.data])).collect();
    ids.sort_by(|one, other| one.id.cmp(&other.id));
    seen.sort_by(|one, other| one.artifact.id.cmp(&other.artifact.id));
    assert_eq!(seen.iter().map(|kept| &kept.artifact).collect::<Vec<_>>(), ids);
    assert!(seen.iter().all(|kept| kept.namespace.as_str() == "a"));
    for (query, count) in [
        (equals("type", "Model"), 4),
        (equals("type", "system.Dataset"), 2),
        (equals("name", "train-1"), 2),
        (equals("uri", "s3://bucket/data"), 2),
        (equals("run_id", more.run.id.as_str()), 3),
        (equals("run_id", theirs.run.id.as_str()), 0),
        (equals("namespace", "b"), 0),
    ] {
        assert_eq!(db.store.artifacts(&of("a"), query.clone()).await.unwrap().total, count, "{query:?}");
    }
    let unknown = refused(db.store.artifacts(&of("a"), equals("metadata", "x")).await);
    assert!(unknown.starts_with("InvalidArgument: filter: there is no field \"metadata\""), "{unknown}");
    let page = db.store.artifacts(&of("a"), first(2)).await.unwrap();
    let stolen = db.store.artifacts(&of("b"), Query { token: page.next, ..first(2) }).await;
    assert!(refused(stolen).starts_with("InvalidArgument: page_token is not valid"));
}

pub(crate) async fn finds_what_has_made_an_artifact(db: Db) {
    let ours = Trained::make(&db, "a", "one").await;
    let model = db.store.artifact(&of("a"), ours.models[1].id.as_str()).await.unwrap();
    assert_eq!((&model.artifact, model.producer), (&ours.models[1], producer("train-1", "model")));
    assert_eq!((model.description.as_str(), model.number), ("", None));
    for id in [ours.models[1].id.as_str(), "absent", ""] {
        let words = format!("NotFound: Artifact {id} not found");
        assert_eq!(refused(db.store.artifact(&of("b"), id).await), words);
    }
    // What a group of tasks gives is what a task in it has made.
    let mut group = ours.each.clone();
    group.outputs.artifacts.insert("best".into(), vec![ours.models[1].clone()]);
    ours.save(&db, "a", vec![group.clone()]).await;
    let links = LinksOf { tasks: vec![group.id.to_string()], ..LinksOf::default() };
    let links = db.store.artifact_links(&of("a"), links, Query::default()).await.unwrap();
    let told: Vec<_> = links.items.iter().map(|link| (link.key.as_str(), link.producer.clone())).collect();
    assert_eq!(told, [("best", producer("train-1", "model"))]);
}

pub(crate) async fn follows_links_within_a_namespace(db: Db) {
    let (ours, theirs) = (Trained::make(&db, "a", "one").await, Trained::make(&db, "b", "one").await);
    let links = async |of_what: LinksOf, query: Query| db.store.artifact_links(&of("a"), of_what, query).await;
    let data = || vec![ours.data.id.to_string()];
    let of_data = || LinksOf { artifacts: data(), ..LinksOf::default() };
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = links(of_data(), Query { token, ..first(1) }).await.unwrap();
        assert_eq!((page.total, page.items.len()), (3, 1));
        seen.extend(page.items);
        token = page.next;
        if token.is_empty() {
            break;
        }
    }
    // In the order of their tasks.
    let told: Vec<_> = seen.iter().map(|link| (&link.task_id, link.direction, link.key.as_str())).collect();
    let input = |number: usize| (&ours.trains[number].id, Direction::Input, "data");
    assert_eq!(told, [(&ours.load.id, Direction::Output, "out"), input(0), input(1)]);
    assert!(seen.iter().all(|link| link.producer == producer("load", "out") && link.run_id == ours.run.id));
    let inputs = LinksOf { direction: Some(Direction::Input), ..of_data() };
    assert_eq!(links(inputs, Query::default()).await.unwrap().total, 2);
    let both = LinksOf { tasks: vec![ours.trains[0].id.to_string()], ..of_data() };
    assert_eq!(links(both, Query::default()).await.unwrap().total, 1);
    let of_run = LinksOf { runs: vec![ours.run.id.to_string()], ..LinksOf::default() };
    assert_eq!(links(of_run.clone(), Query::default()).await.unwrap().total, 5);
    assert_eq!(links(of_run, equals("type", "OUTPUT")).await.unwrap().total, 3);
    // The id of a link is the same after its task was written again.
    let before: Vec<_> = seen.iter().map(|link| link.id.clone()).collect();
    ours.save(&db, "a", ours.tasks()).await;
    let after = links(of_data(), Query::default()).await.unwrap();
    assert_eq!(after.items.iter().map(|link| link.id.clone()).collect::<Vec<_>>(), before);

    for (tasks, runs, artifacts) in [
        (vec![theirs.load.id.to_string()], vec![], vec![]),
        (vec![], vec![theirs.run.id.to_string()], vec![]),
        (vec![], vec![], vec![theirs.data.id.to_string()]),
        (vec![], vec![ours.run.id.to_string()], vec![theirs.data.id.to_string()]),
    ] {
        let page = links(LinksOf { tasks, runs, artifacts, direction: None }, Query::default()).await.unwrap();
        assert_eq!((page.total, page.items), (0, vec![]), "a grant reaches nothing of another namespace");
    }
    let none = refused(links(LinksOf::default(), Query::default()).await);
    assert_eq!(none, "InvalidArgument: the request names neither tasks nor runs nor artifacts");
}

pub(crate) async fn tells_tasks_with_what_goes_in_and_out(db: Db) {
    let (ours, theirs) = (Trained::make(&db, "a", "one").await, Trained::make(&db, "b", "one").await);
    let load = db.store.kept_task(&of("a"), ours.load.id.as_str()).await.unwrap();
    assert_eq!((load.outputs.len(), load.inputs.len(), load.recorded), (1, 0, None));
    assert_eq!((load.outputs[0].0.as_str(), &load.outputs[0].1.artifact), ("out", &ours.data));
    assert_eq!(load.task.outputs.parameters, ours.load.outputs.parameters);
    let each = db.store.kept_task(&of("a"), ours.each.id.as_str()).await.unwrap();
    let inside: Vec<_> = ours.trains.iter().map(|task| (task.id.clone(), task.name.clone())).collect();
    assert_eq!(each.children, inside);

    let list = async |of_what: TasksOf, query: Query| {
        let page = db.store.kept_tasks(&of("a"), of_what, query).await.unwrap();
        (page.total, page.items.into_iter().map(|kept| kept.task.name).collect::<Vec<_>>(), page.next)
    };
    let of_run = || TasksOf::Run(ours.run.id.to_string());
    let (total, names, next) = list(of_run(), first(3)).await;
    assert_eq!((total, names), (4, vec!["load".to_owned(), "each".into(), "train-0".into()]));
    assert_eq!(list(of_run(), Query { token: next, ..first(3) }).await.1, ["train-1"]);
    let (total, names, _) = list(TasksOf::Parent(ours.each.id.to_string()), Query::default()).await;
    assert_eq!((total, names), (2, vec!["train-0".to_owned(), "train-1".into()]));
    assert_eq!(list(of_run(), equals("status", "SUCCEEDED")).await.1, ["load"]);
    assert_eq!(list(of_run(), equals("type", "LOOP")).await.1, ["each"]);
    let latest = Query { sort_by: "create_time desc".into(), ..first(1) };
    assert_eq!(list(of_run(), latest).await.1, ["train-1"]);

    let absent = |kind: &str, id: &str| format!("NotFound: {kind} {id} not found");
    let (task, run) = (theirs.each.id.as_str(), theirs.run.id.as_str());
    assert_eq!(refused(db.store.kept_task(&of("a"), task).await), absent("Task", task));
    let of_task = db.store.kept_tasks(&of("a"), TasksOf::Parent(task.into()), Query::default()).await;
    assert_eq!(refused(of_task), absent("Task", task));
    let of_run = db.store.kept_tasks(&of("a"), TasksOf::Run(run.into()), Query::default()).await;
    assert_eq!(refused(of_run), absent("Run", run));
}

pub(crate) async fn goes_with_its_run(db: Db) {
    let ours = Trained::make(&db, "a", "one").await;
    let at = |id: &str| Some(Located::new(Home::Namespace(Namespace::parse("a").unwrap()), id));
    let (task, model) = (ours.load.id.clone(), ours.models[0].id.clone());
    let run = ours.run.id.as_str();
    // What RBAC calls them is what it calls their run.
    assert_eq!(db.store.locate(Id::Task(task.as_str())).await.unwrap(), at(run));
    assert_eq!(db.store.locate(Id::Artifact(model.as_str())).await.unwrap(), at(run));
    assert_eq!(db.store.locate(Id::Artifact(task.as_str())).await.unwrap(), None);
    assert_eq!(db.store.locate(Id::Task(model.as_str())).await.unwrap(), None);
    db.store.delete_run(&of("a"), run).await.unwrap();
    assert_eq!(db.store.locate(Id::Task(task.as_str())).await.unwrap(), None);
    assert_eq!(db.store.locate(Id::Artifact(model.as_str())).await.unwrap(), None);
    assert_eq!(db.store.artifacts(&of("a"), Query::default()).await.unwrap().total, 0);
    let links = LinksOf { tasks: vec![TaskId::fresh().to_string(), task.to_string()], ..LinksOf::default() };
    assert_eq!(db.store.artifact_links(&of("a"), links, Query::default()).await.unwrap().total, 0);
}
