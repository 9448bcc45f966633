//! Which of the files' new contents are accepted, given that Kubernetes has each object at most once.
use super::file::File;
use crate::{
    manifests::{Key, Objects},
    problem::{Place, Problem},
};
use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::time::Instant;

/// Who has which object.
type Taken<'a> = HashMap<&'a Key, (&'a Path, Place)>;

/// Accepts what each file says, unless it is bad or has an object that another file has: then what was accepted
/// before stays. What is accepted thus never has an object twice.
pub(super) fn settle(files: &mut BTreeMap<PathBuf, File>, now: Instant) {
    let clashes = clashes(files);
    for (path, file) in files {
        file.clash = clashes.get(path).cloned();
        match &file.says {
            Ok(says) if file.clash.is_none() => {
                file.accepted = Some(says.clone());
                file.failed_since = None;
            }
            _ => {
                file.failed_since.get_or_insert(now);
            }
        }
    }
}

/// The files that stay as they are because of another, and why.
fn clashes(files: &BTreeMap<PathBuf, File>) -> HashMap<PathBuf, Problem> {
    let mut clashes: HashMap<PathBuf, Problem> = HashMap::new();
    while round(files, &mut clashes) {}
    clashes
}

/// Goes over the files once. Returns whether a file was kept back whose old objects others may have taken by then,
/// so that it has to be done over.
fn round(files: &BTreeMap<PathBuf, File>, clashes: &mut HashMap<PathBuf, Problem>) -> bool {
    let is_candidate =
        |path: &Path, file: &File| file.says.is_ok() && !file.is_settled() && !clashes.contains_key(path);
    let (candidates, others): (Vec<_>, Vec<_>) = files.iter().partition(|(path, file)| is_candidate(path, file));
    let mut taken = Taken::new();
    for (path, file) in others {
        taken.extend(file.accepted.iter().flat_map(|objects| owned(path, objects)));
    }
    for (path, file) in candidates {
        let Ok(says) = &file.says else { continue };
        let clash = owned(path, says).find_map(|(key, (_, place))| Some((key, place, taken.get(key)?)));
        let Some((key, place, (other, at))) = clash else {
            taken.extend(owned(path, says));
            continue;
        };
        let what = format!("{key} is also in {}:{}:{}; keep one of them", other.display(), at.line, at.column);
        clashes.insert(path.clone(), Problem { path: path.clone(), place: Some(place), what });
        if file.accepted.is_some() {
            return true;
        }
    }
    false
}

fn owned<'a>(path: &'a Path, objects: &'a Arc<Objects>) -> impl Iterator<Item = (&'a Key, (&'a Path, Place))> {
    objects.keys.iter().map(move |(key, place)| (key, (path, *place)))
}
