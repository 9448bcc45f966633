//! The filters of lists.
use crate::backend::{Db, START, of, refused};
use domain::{
    Result, RuntimeState, Timestamp,
    list::{Operation, Operation::*, Page, Predicate, Query, Value},
};
use store::ListScope;

fn on(key: &str, operation: Operation, value: Value) -> Predicate {
    Predicate { key: key.into(), operation, value }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn texts(texts: &[&str]) -> Value {
    Value::Texts(texts.iter().map(|&text| text.into()).collect())
}

/// The names of the runs of `a` that are left, sorted.
async fn left(db: &Db, predicates: &[Predicate]) -> Result<Vec<String>> {
    let query = Query { predicates: predicates.to_vec(), sort_by: "name".into(), ..Default::default() };
    let page = db.store.runs(&of("a"), ListScope::Everything, query).await?;
    assert_eq!(page.total, page.items.len() as i64, "the total is of what is left");
    Ok(page.items.into_iter().map(|run| run.name).collect())
}

async fn check(db: &Db, key: &str, operation: Operation, value: Value, expect: &str) {
    let what = format!("{key} {operation:?} {value:?}");
    let names = left(db, &[on(key, operation, value)]).await.unwrap();
    assert_eq!(names, expect.split_whitespace().collect::<Vec<_>>(), "{what}");
}

async fn runs(db: &Db, names: &[&str]) {
    let experiment = db.experiment("a", "train").await;
    for name in names {
        db.run("a", &experiment, name).await;
    }
}

pub(crate) async fn compare_text(db: Db) {
    runs(&db, &["gamma", "beta", "alpha", "beta2"]).await;
    for key in ["name", "display_name"] {
        for (operation, value, expect) in [
            (Equals, text("beta"), "beta"),
            (Equals, text("bet"), ""),
            (NotEquals, text("beta"), "alpha beta2 gamma"),
            (GreaterThan, text("beta"), "beta2 gamma"),
            (GreaterThanEquals, text("beta"), "beta beta2 gamma"),
            (LessThan, text("beta"), "alpha"),
            (LessThanEquals, text("beta"), "alpha beta"),
            (In, texts(&["alpha", "gamma", "delta"]), "alpha gamma"),
            (In, texts(&[]), ""),
            (IsSubstring, text("et"), "beta beta2"),
            (IsSubstring, text(""), "alpha beta beta2 gamma"),
            (IsSubstring, text("nothing"), ""),
        ] {
            check(&db, key, operation, value, expect).await;
        }
    }
}

pub(crate) async fn compare_moments_by_the_second(db: Db) {
    let experiment = db.experiment("a", "train").await;
    // At .25 and .75 of one second, in the next, and two seconds later.
    for (name, wait) in [("a", 0), ("b", 500_000), ("c", 500_000), ("d", 2_000_000)] {
        db.clock.advance(wait);
        db.run("a", &experiment, name).await;
    }
    let first = START.seconds();
    for key in ["created_at", "scheduled_at"] {
        for (operation, second, expect) in [
            (Equals, first, "a b"),
            (NotEquals, first, "c d"),
            (GreaterThan, first, "c d"),
            (GreaterThanEquals, first, "a b c d"),
            (LessThan, first, ""),
            (LessThan, first + 1, "a b"),
            (LessThanEquals, first, "a b"),
            (LessThanEquals, first + 1, "a b c"),
            (Equals, i64::MAX, ""),
            (NotEquals, i64::MIN, "a b c d"),
            (LessThanEquals, i64::MAX, "a b c d"),
            (GreaterThan, i64::MIN, "a b c d"),
        ] {
            check(&db, key, operation, Value::Int(second), expect).await;
            // The wire has whole seconds, so a moment within one means all of it.
            for micros in [0, 999_999] {
                let moment = Timestamp::from_seconds(second).0.saturating_add(micros);
                if Timestamp(moment).seconds() == second {
                    check(&db, key, operation, Value::Time(Timestamp(moment)), expect).await;
                }
            }
        }
        check(&db, key, In, Value::Ints(vec![first, first + 3, 0, i64::MAX]), "a b d").await;
        check(&db, key, In, Value::Ints(vec![]), "").await;
    }
}

pub(crate) async fn compare_states(db: Db) {
    let experiment = db.experiment("a", "train").await;
    for state in RuntimeState::ALL {
        let run = db.run("a", &experiment, state.as_str()).await;
        db.reach(&run, state).await;
        if state.is_final() {
            db.store.archive_run(&of("a"), run.id.as_str()).await.unwrap();
        }
    }
    let (live, ended) = ("CANCELING PENDING RUNNING", "FAILED SKIPPED SUCCEEDED");
    for (key, operation, value, expect) in [
        ("state", Equals, text("RUNNING"), "RUNNING"),
        ("state", NotEquals, text("RUNNING"), "CANCELING FAILED PENDING SKIPPED SUCCEEDED"),
        ("state", In, texts(&["FAILED", "PENDING"]), "FAILED PENDING"),
        ("state", Equals, text("Running"), ""),
        // v1 has names of its own.
        ("status", Equals, text("Running"), "RUNNING"),
        ("status", Equals, text("Terminating"), "CANCELING"),
        ("status", NotEquals, text("Succeeded"), "CANCELING FAILED PENDING RUNNING SKIPPED"),
        ("status", In, texts(&["Failed", "Skipped"]), "FAILED SKIPPED"),
        ("storage_state", Equals, text("ARCHIVED"), ended),
        ("storage_state", NotEquals, text("ARCHIVED"), live),
        ("storage_state", Equals, text("STORAGESTATE_AVAILABLE"), live),
        ("storage_state", NotEquals, text("STORAGESTATE_ARCHIVED"), live),
        (
            "storage_state",
            In,
            texts(&["AVAILABLE", "STORAGESTATE_ARCHIVED"]),
            "CANCELING FAILED PENDING RUNNING SKIPPED SUCCEEDED",
        ),
    ] {
        check(&db, key, operation, value, expect).await;
    }
}

pub(crate) async fn take_characters_literally(db: Db) {
    runs(&db, &["50%", "50x", "a_b", "axb", "c\\d", "cxd", "it's", "ä"]).await;
    for (part, expect) in [
        ("%", "50%"),
        ("0%", "50%"),
        ("_", "a_b"),
        ("a_", "a_b"),
        ("\\", "c\\d"),
        ("\\d", "c\\d"),
        ("'", "it's"),
        ("' OR 1=1 --", ""),
        ("ä", "ä"),
    ] {
        check(&db, "name", IsSubstring, text(part), expect).await;
    }
    check(&db, "name", Equals, text("it's"), "it's").await;
    check(&db, "name", In, texts(&["50%", "') OR 1=1 --"]), "50%").await;
}

pub(crate) async fn must_all_hold(db: Db) {
    runs(&db, &["alpha", "beta", "gamma"]).await;
    let wide = [on("name", GreaterThan, text("alpha")), on("name", LessThan, text("gamma"))];
    assert_eq!(left(&db, &wide).await.unwrap(), ["beta"]);
    let never = [on("name", Equals, text("alpha")), on("state", Equals, text("RUNNING"))];
    assert_eq!(left(&db, &never).await.unwrap(), [""; 0]);
    assert_eq!(left(&db, &[]).await.unwrap().len(), 3);
}

pub(crate) async fn refuse_what_makes_no_sense(db: Db) {
    runs(&db, &["alpha"]).await;
    let now = || Value::Time(START);
    for (key, operation, value, expect) in [
        ("name", Equals, texts(&["a"]), "filter on \"name\": the operation wants a string_value"),
        ("name", Equals, Value::Int(1), "filter on \"name\": the operation wants a string_value"),
        ("name", IsSubstring, now(), "filter on \"name\": the operation wants a string_value"),
        ("name", In, text("a"), "filter on \"name\": the operation wants string_values"),
        ("name", In, Value::Ints(vec![1]), "filter on \"name\": the operation wants string_values"),
        ("created_at", IsSubstring, now(), "filter on \"created_at\": the operation wants another field"),
        ("created_at", In, now(), "filter on \"created_at\": the operation wants long_values, in seconds"),
        (
            "created_at",
            Equals,
            text("today"),
            "filter on \"created_at\": the operation wants a timestamp_value, or a long_value in seconds",
        ),
        ("storage_state", Equals, text("gone"), "filter on \"storage_state\": \"gone\" is not a value of this field"),
        ("storage_state", In, texts(&["gone"]), "filter on \"storage_state\": \"gone\" is not a value of this field"),
        ("status", NotEquals, text("RUNNING"), "filter on \"status\": \"RUNNING\" is not a value of this field"),
    ] {
        let refusal = refused(left(&db, &[on(key, operation, value)]).await);
        assert_eq!(refusal, format!("InvalidArgument: {expect}"));
    }
    // Columns that are not for clients are no fields.
    for key in ["", "nope", "Name", "engine", "spec", "terminated_by", "1=1; --"] {
        let refusal = refused(left(&db, &[on(key, Equals, text("a"))]).await);
        let expect = format!("InvalidArgument: filter: there is no field {key:?}; there are id, run_id, name, ");
        assert!(refusal.starts_with(&expect), "{refusal}");
    }
}

/// Each key finds the one row by its value, and not by its absence.
async fn reaches<T>(what: &str, keys: &[(&str, Value)], list: impl AsyncFn(Query) -> Result<Page<T>>) {
    for (key, value) in keys {
        for (operation, expect) in [(Equals, 1), (NotEquals, 0)] {
            let query = Query { predicates: vec![on(key, operation, value.clone())], ..Default::default() };
            let found = list(query).await.unwrap_or_else(|error| panic!("{key} of {what}: {error}"));
            assert_eq!((found.total, found.items.len()), (expect, expect as usize), "{key} {operation:?} of {what}");
        }
    }
}

pub(crate) async fn reach_all_keys_of_all_lists(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let (run, pipeline) = (db.run("a", &experiment, "first").await, db.pipeline("a", "churn").await);
    let version = db.version("a", &pipeline, "one").await;
    db.reach(&run, RuntimeState::Failed).await;
    let now = || Value::Time(START);
    let keys = [
        ("id", text(experiment.id.as_str())),
        ("experiment_id", text(experiment.id.as_str())),
        ("name", text("train")),
        ("display_name", text("train")),
        ("description", text("about train")),
        ("namespace", text("a")),
        ("created_at", now()),
        ("last_run_created_at", now()),
        ("storage_state", text("AVAILABLE")),
        ("created_by", text("jane")),
    ];
    reaches("experiments", &keys, async |query| db.store.experiments(&of("a"), query).await).await;
    let keys = [
        ("id", text(pipeline.id.as_str())),
        ("pipeline_id", text(pipeline.id.as_str())),
        ("name", text("churn")),
        ("display_name", text("The churn")),
        ("description", text("about churn")),
        ("namespace", text("a")),
        ("created_at", now()),
        ("created_by", text("jane")),
    ];
    reaches("pipelines", &keys, async |query| db.store.pipelines(&of("a"), query).await).await;
    let keys = [
        ("id", text(version.id.as_str())),
        ("pipeline_version_id", text(version.id.as_str())),
        ("name", text("one")),
        ("display_name", text("The one")),
        ("description", text("about one")),
        ("created_at", now()),
        ("created_by", text("jane")),
    ];
    let versions = async |query| db.store.versions(&of("a"), pipeline.id.as_str(), query).await;
    reaches("versions", &keys, versions).await;
    let recurring = db.recurring_run("a", &experiment, "nightly").await;
    let keys = [
        ("id", text(recurring.id.as_str())),
        ("recurring_run_id", text(recurring.id.as_str())),
        ("name", text("nightly")),
        ("display_name", text("nightly")),
        ("description", text("about nightly")),
        ("namespace", text("a")),
        ("experiment_id", text(experiment.id.as_str())),
        ("created_at", now()),
        ("updated_at", now()),
        ("created_by", text("jane")),
    ];
    let recurring_runs = async |query| db.store.recurring_runs(&of("a"), ListScope::Everything, query).await;
    reaches("recurring runs", &keys, recurring_runs).await;
    let keys = [
        ("id", text(run.id.as_str())),
        ("run_id", text(run.id.as_str())),
        ("name", text("first")),
        ("display_name", text("first")),
        ("description", text("about first")),
        ("namespace", text("a")),
        ("experiment_id", text(experiment.id.as_str())),
        ("recurring_run_id", text("")),
        ("created_at", now()),
        ("scheduled_at", now()),
        ("finished_at", now()),
        ("storage_state", text("AVAILABLE")),
        ("state", text("FAILED")),
        ("status", text("Failed")),
    ];
    reaches("runs", &keys, async |query| db.store.runs(&of("a"), ListScope::Everything, query).await).await;
}

pub(crate) async fn find_tags(db: Db) {
    let (pipeline, _) = (db.pipeline("a", "churn").await, db.pipeline("b", "churn").await);
    let version = db.version("a", &pipeline, "one").await;
    let tags = [("team", "ML \"core\""), ("a:b", "50%"), ("empty", "")].map(|(key, value)| (key.into(), value.into()));
    let tags: domain::Tags = tags.into();
    db.store.update_pipeline(&of("a"), pipeline.id.as_str(), None, Some(tags)).await.unwrap();
    let find = async |tag: &str, value: &str| {
        let query = Query {
            predicates: vec![on(&format!("tags.{tag}"), Operation::Equals, text(value))],
            ..Default::default()
        };
        db.store.pipelines(&of("a"), query).await.unwrap().total
    };
    for (tag, value, expect) in [
        ("team", "ML \"core\"", 1),
        ("team", "ml \"core\"", 0),
        ("team", "ML", 0),
        ("team", "", 0),
        ("a:b", "50%", 1),
        ("a:b", "50", 0),
        ("empty", "", 1),
        ("absent", "", 0),
        ("core\\", "", 0),
    ] {
        assert_eq!(find(tag, value).await, expect, "{tag}={value}");
    }
    for (operation, value) in
        [(Operation::NotEquals, text("x")), (Operation::IsSubstring, text("x")), (Operation::Equals, Value::Int(1))]
    {
        let query = Query { predicates: vec![on("tags.team", operation, value)], ..Default::default() };
        let refusal = crate::backend::refused(db.store.pipelines(&of("a"), query).await);
        assert!(refusal.starts_with("InvalidArgument") && refusal.contains("EQUALS with a string_value"), "{refusal}");
    }
    let query = Query { predicates: vec![on("tags.stage", Operation::Equals, text("test"))], ..Default::default() };
    let versions = db.store.versions(&of("a"), pipeline.id.as_str(), query).await.unwrap();
    assert_eq!(versions.items.iter().map(|version| &version.id).collect::<Vec<_>>(), [&version.id]);
}
