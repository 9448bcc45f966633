//! Texts of every kind, which all databases keep and compare alike.
use crate::backend::{Db, new_run, of};
use domain::{NewExperiment, list::Query};

/// Names that are all different, in their order: that of their bytes.
const NAMES: [&str; 14] =
    ["A", "Z", "a", "a ", "a  ", "a b", "aB", "ab", "b", "ss", "\u{c1}", "\u{df}", "\u{e1}", "\u{1f600}"];

pub(crate) async fn differ_if_their_bytes_do(db: Db) {
    let mut made = Vec::new();
    for name in NAMES {
        made.push(db.experiment("a", name).await);
    }
    let list = |sort_by: &str| Query { sort_by: sort_by.into(), ..Query::default() };
    assert_eq!(db.store.experiments(&of("a"), list("name")).await.unwrap().items, made);
    made.reverse();
    assert_eq!(db.store.experiments(&of("a"), list("name desc")).await.unwrap().items, made);
    for name in NAMES {
        let new = NewExperiment { name: name.into(), description: String::new() };
        db.store.create_experiment(&of("a"), new).await.unwrap_err();
    }
}

pub(crate) async fn are_kept_to_the_letter(db: Db) {
    let experiment = db.experiment("a", "train").await;
    let long = "\u{1f600} and so on. ".repeat(200_000);
    for text in ["", " ", "\0", "a\0b\u{ffff}", "'\"`\\%_$1?", "\r\n\t\u{feff}\u{202e}", "e\u{301}", &long] {
        let new = domain::NewRun {
            description: text.into(),
            spec: text.into(),
            parameters: serde_json::json!({ "text": text }).as_object().unwrap().clone(),
            ..new_run(&experiment.id, "texts")
        };
        let run = db.store.create_run(&of("a"), new).await.unwrap();
        let read = db.read("a", run.id.as_str()).await;
        assert!(read == run && read.description == text && &*read.spec == text, "{:.20?}", text);
    }
}
