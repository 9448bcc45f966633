//! Pipelines.
use crate::backend::{Db, START, new_pipeline, new_version, of, refused};
use domain::{Home, Namespace, Tags, list::Query};
use store::Cascade;

pub(crate) async fn are_read_back(db: Db) {
    let (made, none) = db.store.create_pipeline(&of("a"), new_pipeline("churn"), None).await.unwrap();
    assert_eq!(none, None);
    assert_eq!(made.home, Home::Namespace(Namespace::parse("a").unwrap()));
    assert_eq!((made.name.as_str(), made.display_name.as_str()), ("churn", "The churn"));
    assert_eq!((made.description.as_str(), made.created_by.as_str()), ("about churn", "jane"));
    assert_eq!((made.created_at, &made.tags), (START, &new_pipeline("churn").tags));
    assert_eq!(db.store.pipeline(&of("a"), made.id.as_str()).await.unwrap(), made);
    assert_eq!(db.store.pipeline_by_name(&of("a"), "churn").await.unwrap(), made);
    assert_eq!(db.store.pipelines(&of("a"), Query::default()).await.unwrap().items, [made]);

    let first = Some(new_version("one"));
    let (made, version) = db.store.create_pipeline(&of("a"), new_pipeline("fraud"), first).await.unwrap();
    let version = version.unwrap();
    assert_eq!((&version.pipeline_id, version.created_at), (&made.id, made.created_at));
    assert_eq!(db.store.version(&of("a"), made.id.as_str(), version.id.as_str()).await.unwrap(), version);

    assert_eq!(refused(db.store.pipeline(&of("a"), "x").await), "NotFound: Pipeline x not found");
    assert_eq!(refused(db.store.pipeline_by_name(&of("a"), "x").await), "NotFound: Pipeline x not found");
    assert_eq!(refused(db.store.pipeline_by_name(&of("a"), "").await), "NotFound: Pipeline  not found");
}

pub(crate) async fn names_are_unique_in_a_home(db: Db) {
    db.pipeline("a", "churn").await;
    let again = db.store.create_pipeline(&of("a"), new_pipeline("churn"), Some(new_version("one"))).await;
    assert_eq!(
        refused(again),
        "AlreadyExists: a pipeline named \"churn\" exists already here; upload a version of it, or choose another name"
    );
    // The version did not come without its pipeline.
    let kept = db.store.pipeline_by_name(&of("a"), "churn").await.unwrap();
    assert_eq!(db.store.versions(&of("a"), kept.id.as_str(), Query::default()).await.unwrap().total, 0);
    for home in ["b", "*"] {
        let there = db.pipeline(home, "churn").await;
        assert_eq!(db.store.pipeline_by_name(&of(home), "churn").await.unwrap(), there);
    }
}

pub(crate) async fn change_display_name_and_tags(db: Db) {
    let made = db.pipeline("a", "churn").await;
    let tags: Tags = [("x".into(), "1".into()), ("y".into(), "2".into())].into();
    let change = async |name: Option<&str>, tags: Option<Tags>| {
        let name = name.map(str::to_owned);
        let changed = db.store.update_pipeline(&of("a"), made.id.as_str(), name, tags).await.unwrap();
        assert_eq!(db.store.pipeline(&of("a"), made.id.as_str()).await.unwrap(), changed);
        (changed.display_name, changed.tags)
    };
    assert_eq!(change(None, None).await, (made.display_name.clone(), made.tags.clone()));
    assert_eq!(change(Some("Churn!"), None).await, ("Churn!".into(), made.tags.clone()));
    assert_eq!(change(None, Some(tags.clone())).await, ("Churn!".into(), tags));
    assert_eq!(change(Some("Churn"), Some(Tags::new())).await, ("Churn".into(), Tags::new()));
    let gone = db.store.update_pipeline(&of("a"), "x", None, None).await;
    assert_eq!(refused(gone), "NotFound: Pipeline x not found");
}

pub(crate) async fn are_deleted_with_their_versions_or_without(db: Db) {
    let (full, empty, other) =
        (db.pipeline("a", "full").await, db.pipeline("a", "empty").await, db.pipeline("a", "other").await);
    let (one, spared) = (db.version("a", &full, "one").await, db.version("a", &other, "one").await);
    db.version("a", &full, "two").await;
    let id = full.id.as_str();

    let left = db.store.delete_pipeline(&of("a"), id, Cascade::Nothing).await;
    let text = format!("InvalidArgument: pipeline {id} has versions: delete them first, or ask with cascade=true");
    assert_eq!(refused(left), text);
    assert_eq!(db.store.versions(&of("a"), id, Query::default()).await.unwrap().total, 2);

    db.store.delete_pipeline(&of("a"), empty.id.as_str(), Cascade::Nothing).await.unwrap();
    db.store.delete_pipeline(&of("a"), id, Cascade::Versions).await.unwrap();
    let gone = format!("NotFound: Pipeline {id} not found");
    assert_eq!(refused(db.store.pipeline(&of("a"), id).await), gone);
    for cascade in [Cascade::Versions, Cascade::Nothing] {
        assert_eq!(refused(db.store.delete_pipeline(&of("a"), id, cascade).await), gone);
    }
    let version = db.store.version(&of("a"), "", one.id.as_str()).await;
    assert_eq!(refused(version), format!("NotFound: PipelineVersion {} not found", one.id));
    assert_eq!(db.store.version(&of("a"), "", spared.id.as_str()).await.unwrap(), spared);
    assert_eq!(db.store.pipelines(&of("a"), Query::default()).await.unwrap().items, [other]);
}
