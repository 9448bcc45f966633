//! What becomes of a run, worked out in the simplest way: recursively, one task after another, without events.
//!
//! Which tasks another failure keeps from starting depends on what runs at the same time, so for these there is a
//! range: what must be, if nothing is ever kept from starting by a failure beside it, and what may be instead.
use crate::random::{Body, Task, before, name};
use engine::Status;
use std::collections::BTreeMap;

/// How each task ends if all that can start starts, by path. What is absent never came to be.
pub(crate) fn run(tasks: &[Task]) -> (BTreeMap<String, Status>, Status) {
    let mut ends = BTreeMap::new();
    let end = dag(tasks, "", &mut ends);
    (ends, end)
}

fn dag(tasks: &[Task], place: &str, ends: &mut BTreeMap<String, Status>) -> Status {
    let mut own: Vec<Status> = Vec::new();
    for (at, task) in tasks.iter().enumerate() {
        let path = format!("{place}{}", name(at));
        let lost = before(task, at).iter().any(|&on| own[on] != Status::Succeeded);
        let end = match task.condition {
            _ if lost && !task.always => Status::Skipped,
            Some(false) => Status::Skipped,
            _ => body(&task.body, &path, ends),
        };
        ends.insert(path, end);
        own.push(end);
    }
    if own.contains(&Status::Failed) { Status::Failed } else { Status::Succeeded }
}

fn body(body: &Body, path: &str, ends: &mut BTreeMap<String, Status>) -> Status {
    match body {
        Body::Container { failures, retries } if failures > retries => Status::Failed,
        Body::Container { .. } => Status::Succeeded,
        Body::Group(tasks) => dag(tasks, &format!("{path}/"), ends),
        Body::Loop { count, each, .. } => {
            let mut whole = Status::Succeeded;
            for at in 0..*count {
                let iteration = format!("{path}[{at}]");
                let end = dag(each, &format!("{iteration}/"), ends);
                ends.insert(iteration, end);
                if end == Status::Failed {
                    whole = Status::Failed;
                }
            }
            whole
        }
    }
}
