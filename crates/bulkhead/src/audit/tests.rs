//! What becomes of events, and of requests whose events cannot be taken down.
use super::*;
use access::{Identity, Why};
use api::access::{Resource, Verb};
use domain::{Home, Namespace, SystemClock};
use std::path::Path;
use store::AuditQuery;

async fn trail(folder: &Path, config: config::Audit) -> (AuditTrail, Store, Arc<Metrics>) {
    let store = Store::open(&folder.join("db").to_string_lossy()).await.unwrap();
    let metrics = Arc::new(Metrics::new().unwrap());
    let trail = AuditTrail::new(&config, &store, metrics.clone(), Arc::new(SystemClock)).unwrap();
    (trail, store, metrics)
}

fn decide(trail: &AuditTrail, why: Why) -> Result<()> {
    let who = Identity::forge("jane@example.com", &[]);
    let home = Home::Namespace(Namespace::parse("team").unwrap());
    let right = Some((Verb::Get, Resource::Runs));
    trail.decided(&Decided { what: "/p.S/M", who: &who, right, home: Some(&home), name: "r-1", why })
}

#[tokio::test]
async fn a_file_has_an_event_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    let config = config::Audit { sink: AuditSink::File, file: Some(path.clone()), fail_closed: true };
    let (trail, ..) = trail(folder.path(), config).await;
    with_request("req-1", tracing::Span::none(), async { decide(&trail, Why::Bound) }).await.unwrap();
    decide(&trail, Why::NotBound).unwrap();
    trail.turned_away("/x", "192.0.2.1", "the token expired", 3);
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines[0]["request_id"].as_str(), lines[0]["decision"].as_str()), (Some("req-1"), Some("allowed")));
    assert_eq!(
        (lines[1]["decision"].as_str(), lines[1]["reason"].as_str()),
        (Some("denied"), Some("no binding gives it"))
    );
    assert_eq!((lines[2]["peer"].as_str(), lines[2]["unwritten"].as_u64()), (Some("192.0.2.1"), Some(3)));
    // Moved away, as logs are to be kept small.
    std::fs::rename(&path, folder.path().join("audit.log.1")).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    decide(&trail, Why::Bound).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
}

#[tokio::test]
async fn what_cannot_be_taken_down_is_refused_if_that_is_wanted() {
    for fail_closed in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let config = config::Audit { sink: AuditSink::File, file: Some("/dev/full".into()), fail_closed };
        let (trail, _, metrics) = trail(folder.path(), config).await;
        let code = decide(&trail, Why::Bound).err().map(|error| error.code());
        assert_eq!(code, fail_closed.then_some(Code::Unavailable));
        assert_eq!(metrics.audit_failures.get(), 1);
    }
}

#[tokio::test]
async fn the_database_has_what_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let config = config::Audit { sink: AuditSink::Database, file: None, fail_closed: true };
    let (trail, store, _) = trail(folder.path(), config).await;
    for why in [Why::Bound, Why::NotBound, Why::Bound] {
        decide(&trail, why).unwrap();
    }
    trail.kept().await.unwrap();
    assert_eq!(store.audit_events(AuditQuery::default(), 10).await.unwrap().len(), 3);
    let denied = AuditQuery { denied: true, user: Some("jane@example.com".into()), ..AuditQuery::default() };
    let denied = store.audit_events(denied, 10).await.unwrap();
    assert_eq!((denied.len(), denied[0].reason.as_str()), (1, "no binding gives it"));
}

#[tokio::test]
async fn strangers_are_written_down_so_many_times_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let (trail, ..) = trail(folder.path(), config::Audit::default()).await;
    let written = (0..1000).filter(|_| trail.stranger().is_some()).count();
    assert!((50..200).contains(&written), "{written}");
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert!(trail.stranger().unwrap() >= 800, "the next one tells of the others");
}
