//! A folder through its changes, with time that the tests set.
use super::*;
use access::Identity;
use api::access::{Resource, Verb};
use domain::Namespace;
use std::{fs, os::unix::fs::symlink};
use tempfile::TempDir;

/// A folder that is looked at when the test says.
struct Bench {
    dir: TempDir,
    folder: Folder,
    rbac: Rbac,
    now: Instant,
}

impl Bench {
    #[track_caller]
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(Options::new(dir.path()));
        let mut bench = Self { dir, folder, rbac: Rbac::default(), now: Instant::now() };
        for (name, text) in files {
            bench.write(name, text);
        }
        bench.look(0, &[]);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    /// Looks after some seconds, and compares the problems with pieces of text, one for each.
    #[track_caller]
    fn look(&mut self, seconds: u64, problems: &[&str]) {
        self.now += Duration::from_secs(seconds);
        if let Some(rbac) = self.folder.look(self.now) {
            self.rbac = rbac;
        }
        let told: Vec<_> = self.folder.problems.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), problems.len(), "{told:#?}");
        for (told, piece) in told.iter().zip(problems) {
            assert!(told.contains(piece), "{told:?} does not say {piece:?}");
        }
    }

    /// Of the namespaces a to d, those where the user may delete runs.
    fn may(&self, user: &str) -> String {
        let who = Identity::forge(user, &[]);
        let may = |name: &&str| {
            let namespace = Namespace::parse(name).unwrap();
            self.rbac.is_tenant(&namespace)
                && self.rbac.allows(&who, Verb::Delete, Resource::Runs, Some(&namespace), "")
        };
        ["a", "b", "c", "d"].into_iter().filter(may).collect()
    }
}

fn profile(namespace: &str, owner: &str) -> String {
    format!(
        "apiVersion: kubeflow.org/v1\nkind: Profile\nmetadata: {{name: {namespace}}}\n\
         spec: {{owner: {{kind: User, name: {owner}}}}}\n---\n"
    )
}

const BROKEN: &str = "apiVersion: [\n";

#[test]
fn files_come_change_and_go() {
    let mut bench = Bench::new(&[("a.yaml", &profile("a", "jane"))]);
    assert_eq!(bench.may("jane"), "a");
    bench.write("deep/er/b.yml", &profile("b", "jane"));
    bench.write("c.json", r#"{"apiVersion":"kubeflow.org/v1","kind":"Profile","metadata":{"name":"c"},"spec":{"owner":{"kind":"User","name":"jane"}}}"#);
    bench.write(".hidden.yaml", BROKEN);
    bench.write(".git/d.yaml", BROKEN);
    bench.write("notes.txt", BROKEN);
    bench.look(1, &[]);
    assert_eq!(bench.may("jane"), "abc");
    // The same size, within the same second.
    bench.write("a.yaml", &profile("a", "john"));
    bench.look(1, &[]);
    assert_eq!((bench.may("jane").as_str(), bench.may("john").as_str()), ("bc", "a"));
    bench.remove("deep/er/b.yml");
    bench.look(0, &[]);
    assert_eq!(bench.may("jane"), "c");
    fs::remove_dir_all(bench.path("deep")).unwrap();
    bench.remove("c.json");
    bench.remove("a.yaml");
    bench.look(0, &[]);
    assert_eq!(bench.may("jane") + &bench.may("john"), "");
}

#[test]
fn a_file_that_breaks_counts_for_a_while() {
    let mut bench = Bench::new(&[("a.yaml", &profile("a", "jane")), ("b.yaml", &profile("b", "jane"))]);
    bench.write("a.yaml", BROKEN);
    bench.look(1, &["a.yaml:1:13: this is not YAML"]);
    assert_eq!(bench.may("jane"), "ab");
    bench.look(59, &["a.yaml"]);
    assert_eq!(bench.may("jane"), "ab");
    bench.look(1, &["a.yaml"]);
    assert_eq!(bench.may("jane"), "b", "too old");
    bench.write("a.yaml", "apiVersion: [[\n");
    bench.look(1, &["a.yaml"]);
    assert_eq!(bench.may("jane"), "b", "broken otherwise is no better");
    bench.write("a.yaml", &profile("a", "john"));
    bench.look(1, &[]);
    assert_eq!((bench.may("jane").as_str(), bench.may("john").as_str()), ("b", "a"));
    // A new grace begins with a new failure.
    bench.write("a.yaml", BROKEN);
    bench.look(1, &["a.yaml"]);
    assert_eq!(bench.may("john"), "a");
}

#[test]
fn the_grace_ends_without_a_change_of_any_file() {
    let mut bench = Bench::new(&[("a.yaml", &profile("a", "jane"))]);
    bench.write("a.yaml", BROKEN);
    bench.look(1, &["a.yaml"]);
    for _ in 0..59 {
        bench.look(1, &["a.yaml"]);
        assert_eq!(bench.may("jane"), "a");
    }
    bench.look(1, &["a.yaml"]);
    assert_eq!(bench.may("jane"), "");
}

#[test]
fn a_narrower_role_that_goes_stale_does_not_bring_back_the_shipped_one() {
    let role =
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: kubeflow-admin}\nrules: []\n";
    let mut bench = Bench::new(&[("a.yaml", &profile("a", "jane")), ("role.yaml", role)]);
    assert_eq!(bench.may("jane"), "");
    bench.write("role.yaml", BROKEN);
    bench.look(1, &["role.yaml"]);
    bench.look(100, &["role.yaml"]);
    assert_eq!(bench.may("jane"), "");
    bench.remove("role.yaml");
    bench.look(1, &[]);
    assert_eq!(bench.may("jane"), "a", "without the file the shipped role is what was asked for");
}

#[test]
fn one_object_in_two_files() {
    let mut bench = Bench::new(&[("a.yaml", &profile("a", "jane")), ("b.yaml", &profile("b", "john"))]);
    // The file that changed is the one at fault, and stays as it was.
    bench.write("b.yaml", &(profile("c", "john") + &profile("a", "john")));
    bench.look(1, &["b.yaml:6:1: Profile a is also in"]);
    assert_eq!((bench.may("jane").as_str(), bench.may("john").as_str()), ("a", "b"));
    assert!(bench.folder.problems.first().unwrap().what.contains("a.yaml:1:1"));
    // It may take over what another lets go, and what that one still has by its last good state it may not.
    bench.write("a.yaml", BROKEN);
    bench.look(1, &["a.yaml", "b.yaml"]);
    assert_eq!((bench.may("jane").as_str(), bench.may("john").as_str()), ("a", "b"));
    bench.remove("a.yaml");
    bench.look(1, &[]);
    assert_eq!((bench.may("jane").as_str(), bench.may("john").as_str()), ("", "ac"));
}

#[test]
fn files_that_trade_objects_in_one_look() {
    let mut bench = Bench::new(&[("a.yaml", &profile("a", "jane")), ("b.yaml", &profile("b", "john"))]);
    bench.write("a.yaml", &profile("b", "john"));
    bench.write("b.yaml", &profile("a", "jane"));
    bench.look(1, &[]);
    assert_eq!((bench.may("jane").as_str(), bench.may("john").as_str()), ("a", "b"));
    // c.yaml is in the way of b.yaml, whose old object a.yaml has taken meanwhile: nobody gets it twice.
    bench.write("c.yaml", &profile("c", "jane"));
    bench.look(1, &[]);
    bench.write("a.yaml", &(profile("b", "john") + &profile("a", "mallory")));
    bench.write("b.yaml", &profile("c", "john"));
    bench.look(1, &["a.yaml", "b.yaml"]);
    assert_eq!((bench.may("jane").as_str(), bench.may("john").as_str()), ("ac", "b"));
    assert_eq!(bench.may("mallory"), "");
}

#[test]
fn a_folder_that_cannot_be_read_counts_for_a_while() {
    let mut bench = Bench::new(&[("sub/a.yaml", &profile("a", "jane"))]);
    let (there, away) = (bench.dir.path().to_owned(), bench.dir.path().with_extension("away"));
    fs::rename(&there, &away).unwrap();
    let told = "the folder cannot be read";
    bench.look(1, &[told]);
    assert_eq!(bench.may("jane"), "a");
    bench.look(60, &[told]);
    assert_eq!(bench.may("jane"), "");
    fs::rename(&away, &there).unwrap();
    bench.look(1, &[]);
    assert_eq!(bench.may("jane"), "a");
}

#[test]
fn mounted_config_maps() {
    let mut bench = Bench::new(&[]);
    let generation = |bench: &Bench, name: &str, owner: &str| {
        bench.write(&format!("{name}/a.yaml"), &profile("a", owner));
        symlink(name, bench.path("..next")).unwrap();
        fs::rename(bench.path("..next"), bench.path("..data")).unwrap();
    };
    generation(&bench, "..1", "jane");
    symlink("..data/a.yaml", bench.path("a.yaml")).unwrap();
    bench.look(1, &[]);
    assert_eq!(bench.may("jane"), "a");
    generation(&bench, "..2", "john");
    bench.look(1, &[]);
    assert_eq!((bench.may("jane").as_str(), bench.may("john").as_str()), ("", "a"));
}

#[test]
fn what_is_not_a_plain_file() {
    let mut bench = Bench::new(&[("sub/a.yaml", &profile("a", "jane"))]);
    symlink("nowhere", bench.path("dangling.yaml")).unwrap();
    symlink("sub", bench.path("link")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(bench.path("socket.yaml")).unwrap();
    let file = fs::File::create(bench.path("vast.yaml")).unwrap();
    file.set_len(1 << 40).unwrap();
    fs::write(bench.path("bytes.yaml"), b"\xff\xfe").unwrap();
    bench.look(
        1,
        &[
            "bytes.yaml: this is not UTF-8 at byte 0",
            "dangling.yaml: it cannot be looked at",
            "link: links to folders are not followed",
            "socket.yaml: it is not a regular file",
            "vast.yaml: the file cannot be read: it is larger than 16 MiB",
        ],
    );
    assert_eq!(bench.may("jane"), "a");
}

#[test]
fn nothing_new_costs_nothing() {
    let mut bench = Bench::new(&[("a.yaml", &profile("a", "jane"))]);
    assert!(bench.folder.look(bench.now).is_none());
    bench.write("a.yaml", &profile("a", "jane"));
    assert!(bench.folder.look(bench.now).is_none(), "the same words again are no change");
    bench.write("a.yaml", BROKEN);
    bench.look(1, &["a.yaml"]);
    assert!(bench.folder.look(bench.now).is_none());
}

#[tokio::test]
async fn a_broken_start_tells_everything() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.yaml"), BROKEN).unwrap();
    fs::write(dir.path().join("b.yaml"), profile("b", "jane")).unwrap();
    fs::write(dir.path().join("c.yaml"), profile("B", "jane") + &profile("b", "jane").replace("User", "Robot"))
        .unwrap();
    fs::write(dir.path().join("d.yaml"), profile("b", "john")).unwrap();
    let Error(problems) = load(Options::new(dir.path())).await.unwrap_err();
    let told = problems.iter().map(|p| p.path.file_name().unwrap().to_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(told, ["a.yaml", "c.yaml", "c.yaml", "d.yaml"]);
    let text = Error(problems).to_string();
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(load(Options::new(dir.path().join("none"))).await.is_err());
}
