//! The gate's look-up, which knows no tenants.
use crate::backend::{Db, of};
use access::{Id, Locate, Located, Refers};
use domain::{Home, Namespace};

pub(crate) async fn finds_every_kind_anywhere(db: Db) {
    let at = |home: Home, name: &str| Some(Located::new(home, name));
    // What was made of something says of what.
    let made = |home: Home, name: &str, service_account: &str| {
        let refers = Refers { service_account: service_account.to_owned(), pipeline_id: String::new() };
        Some(Located { refers, ..Located::new(home, name) })
    };
    let a = || Home::Namespace(Namespace::parse("a").unwrap());
    let experiment = db.experiment("a", "train").await;
    let run = db.run("a", &experiment, "first").await;
    let recurring = db.recurring_run("a", &experiment, "nightly").await;
    let (private, shared) = (db.pipeline("a", "churn").await, db.pipeline("*", "intro").await);
    let (of_private, of_shared) = (db.version("a", &private, "one").await, db.version("*", &shared, "one").await);
    for (id, expect) in [
        (Id::Experiment(experiment.id.as_str()), at(a(), "train")),
        (Id::Run(run.id.as_str()), made(a(), run.id.as_str(), &run.service_account)),
        (Id::RecurringRun(recurring.id.as_str()), made(a(), "nightly", &recurring.service_account)),
        (Id::Pipeline(private.id.as_str()), at(a(), "churn")),
        (Id::Pipeline(shared.id.as_str()), at(Home::Shared, "intro")),
        (Id::PipelineVersion(of_private.id.as_str()), at(a(), "churn")),
        (Id::PipelineVersion(of_shared.id.as_str()), at(Home::Shared, "intro")),
        (Id::Task(run.id.as_str()), None),
        (Id::Artifact(run.id.as_str()), None),
        // The id of another kind is not one of this kind.
        (Id::Run(experiment.id.as_str()), None),
        (Id::Run(recurring.id.as_str()), None),
        (Id::RecurringRun(run.id.as_str()), None),
        (Id::Pipeline(of_private.id.as_str()), None),
        (Id::PipelineVersion(private.id.as_str()), None),
        (Id::Experiment(""), None),
        (Id::Run("' OR 1=1 --"), None),
        (Id::Pipeline("\0"), None),
    ] {
        assert_eq!(db.store.locate(id).await.unwrap(), expect, "{id:?}");
    }
    db.store.delete_run(&of("a"), run.id.as_str()).await.unwrap();
    assert_eq!(db.store.locate(Id::Run(run.id.as_str())).await.unwrap(), None);
}
