//! The statements that the store sends, as diesel tells of them.
use diesel::connection::{Instrumentation, InstrumentationEvent};
use std::sync::Mutex;

/// Statements about namespaces whose names begin so, with what is bound.
pub(super) const MARK: &str = "plans-";
static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

pub(super) fn recorder() -> Option<Box<dyn Instrumentation>> {
    Some(Box::new(|event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            if text.contains(MARK) && text.contains(" -- binds: ") {
                SEEN.lock().unwrap().push(text);
            }
        }
    }))
}

/// The statements about a namespace since this was asked last, with the values in their places.
pub(super) fn seen(home: &str) -> Vec<String> {
    let mut all = SEEN.lock().unwrap();
    let (ours, others) = all.drain(..).partition(|text: &String| text.contains(home));
    *all = others;
    ours.iter().map(|text| filled(text)).collect()
}

/// The text with its values: they are plain here.
fn filled(text: &str) -> String {
    let (sql, binds) = text.split_once(" -- binds: ").unwrap();
    // SQLite makes a plan without them, and they are written differently there.
    if text.contains("plans-sqlite") {
        return sql.to_owned();
    }
    let values: Vec<serde_json::Value> = serde_json::from_str(binds).unwrap();
    let literals: Vec<String> = values.iter().map(|value| value.to_string().replace('"', "'")).collect();
    let mut out = sql.to_owned();
    if sql.contains("$1") {
        for (index, literal) in literals.iter().enumerate().rev() {
            out = out.replace(&format!("${}", index + 1), literal);
        }
        return out;
    }
    literals.iter().fold(out, |out, literal| out.replacen('?', literal, 1))
}
