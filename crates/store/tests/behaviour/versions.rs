//! Versions of pipelines.
use crate::backend::{Db, START, new_version, of, refused};
use domain::{Tags, list::Query};
use std::collections::HashMap;

pub(crate) async fn are_read_back(db: Db) {
    let pipeline = db.pipeline("a", "churn").await;
    let other = db.pipeline("a", "fraud").await;
    let made = db.version("a", &pipeline, "one").await;
    let new = new_version("one");
    assert_eq!((&made.pipeline_id, &made.name, &made.display_name), (&pipeline.id, &new.name, &new.display_name));
    assert_eq!(made.description, new.description);
    assert_eq!((&made.code_source_url, &made.package_url), (&new.code_source_url, &new.package_url));
    assert_eq!((&made.tags, &*made.spec), (&new.tags, &*new.spec));
    assert_eq!((made.created_at, made.created_by.as_str()), (START, "jane"));

    let (pid, id) = (pipeline.id.as_str(), made.id.as_str());
    assert_eq!(db.store.version(&of("a"), pid, id).await.unwrap(), made);
    assert_eq!(db.store.version(&of("a"), "", id).await.unwrap(), made, "v1 names versions alone");
    let gone = format!("NotFound: PipelineVersion {id} not found");
    assert_eq!(refused(db.store.version(&of("a"), other.id.as_str(), id).await), gone);
    assert_eq!(refused(db.store.version(&of("a"), pid, "x").await), "NotFound: PipelineVersion x not found");
    assert_eq!(db.store.versions(&of("a"), pid, Query::default()).await.unwrap().items, [made]);
    assert_eq!(db.store.versions(&of("a"), other.id.as_str(), Query::default()).await.unwrap().total, 0);
    let orphan = db.store.create_version(&of("a"), "x", new_version("one")).await;
    assert_eq!(refused(orphan), "NotFound: Pipeline x not found");
}

pub(crate) async fn names_are_unique_in_a_pipeline(db: Db) {
    let (pipeline, other) = (db.pipeline("a", "churn").await, db.pipeline("a", "fraud").await);
    db.version("a", &pipeline, "one").await;
    let again = db.store.create_version(&of("a"), pipeline.id.as_str(), new_version("one")).await;
    let text =
        format!("AlreadyExists: pipeline {} has a version named \"one\" already; choose another name", pipeline.id);
    assert_eq!(refused(again), text);
    db.version("a", &other, "one").await;
    db.version("a", &pipeline, "two").await;
}

pub(crate) async fn latest_goes_by_time_then_id(db: Db) {
    let (pipeline, empty) = (db.pipeline("a", "churn").await, db.pipeline("a", "empty").await);
    let pid = pipeline.id.as_str();
    let latest = async || db.store.latest_version(&of("a"), pid).await.unwrap();
    let none = format!("NotFound: Pipeline {pid} has no version");
    assert_eq!(refused(db.store.latest_version(&of("a"), pid).await), none);
    assert_eq!(db.store.latest_version_if_any(&of("a"), pid).await.unwrap(), None);

    let mut tied = Vec::new();
    for name in ["one", "two", "three", "four"] {
        tied.push(db.version("a", &pipeline, name).await);
    }
    let greatest = tied.iter().max_by(|x, y| x.id.cmp(&y.id)).unwrap();
    assert_eq!(&latest().await, greatest, "of one moment, the greatest id");

    // A clock that was set back makes ids of today with a time of yesterday.
    db.clock.advance(-1);
    db.version("a", &pipeline, "before").await;
    assert_eq!(&latest().await, greatest);
    db.clock.advance(2);
    let after = db.version("a", &pipeline, "after").await;
    assert_eq!(latest().await, after);

    let ids = vec![pipeline.id.clone(), empty.id.clone(), pipeline.id.clone()];
    let each = db.store.latest_versions(&of("a"), ids.clone()).await.unwrap();
    assert_eq!(each, HashMap::from([(pipeline.id.clone(), after)]));
    assert_eq!(db.store.latest_versions(&of("b"), ids).await.unwrap(), HashMap::new());
}

pub(crate) async fn are_changed_and_deleted(db: Db) {
    let (pipeline, other) = (db.pipeline("a", "churn").await, db.pipeline("a", "fraud").await);
    let made = db.version("a", &pipeline, "one").await;
    let (pid, id) = (pipeline.id.as_str(), made.id.as_str());
    let change = async |name: Option<&str>, tags: Option<Tags>| {
        let name = name.map(str::to_owned);
        let changed = db.store.update_version(&of("a"), pid, id, name, tags).await.unwrap();
        assert_eq!(db.store.version(&of("a"), pid, id).await.unwrap(), changed);
        (changed.display_name, changed.tags)
    };
    assert_eq!(change(None, None).await, (made.display_name.clone(), made.tags.clone()));
    assert_eq!(change(Some("First"), None).await, ("First".into(), made.tags.clone()));
    assert_eq!(change(None, Some(Tags::new())).await, ("First".into(), Tags::new()));

    let gone = format!("NotFound: PipelineVersion {id} not found");
    let wrong = other.id.as_str();
    assert_eq!(refused(db.store.update_version(&of("a"), wrong, id, None, None).await), gone);
    assert_eq!(refused(db.store.delete_version(&of("a"), wrong, id).await), gone);
    db.store.delete_version(&of("a"), pid, id).await.unwrap();
    assert_eq!(refused(db.store.version(&of("a"), pid, id).await), gone);
    assert_eq!(refused(db.store.delete_version(&of("a"), pid, id).await), gone);
    assert_eq!(refused(db.store.update_version(&of("a"), pid, id, None, None).await), gone);
    db.version("a", &pipeline, "one").await;
}
