//! How a server starts, and why it does not.
use crate::{
    http,
    server::{NO_TASKS, Place, Server},
};
use std::{process::Command, sync::Arc};

#[test]
fn the_ready_line_says_where_everything_is() {
    let place = Place::new();
    let mut command = place.serving(NO_TASKS);
    command.args(["--listen", "127.0.0.1:0"]);
    let server = Server::start(Arc::new(place), command);
    let mut keys: Vec<_> = server.ready.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["admin", "event", "listen"]);
    assert_eq!(server.ready["event"], "ready");
    let addresses = server.listens();
    assert_eq!(addresses.len(), 2, "{}", server.ready);
    assert!(addresses.iter().chain([&server.admin()]).all(|address| address.port() != 0), "{}", server.ready);
    for address in addresses {
        assert_eq!(http::call(address, "GET", "/apis/v2beta1/healthz", &[], "").status, 200, "{address}");
        assert_eq!(http::call(address, "GET", "/metrics", &[], "").status, 404, "of the admin port alone");
    }
    assert_eq!(http::call(server.admin(), "GET", "/livez", &[], "").status, 200);
    let metrics = http::call(server.admin(), "GET", "/metrics", &[], "");
    assert!(metrics.body.contains("# TYPE"), "{}", metrics.body);
    assert_eq!(http::call(server.admin(), "GET", "/apis/v2beta1/healthz", &[], "").status, 404);
}

/// The file says one folder, the environment another, the flag a third: the last that is given holds.
#[test]
fn later_sources_win() {
    let folders = ["from-file", "from-env", "from-flag"];
    for given in 1..=3 {
        let place = Arc::new(Place::new());
        let mut command = place.serving(&format!("{NO_TASKS}data_dir: from-file\n"));
        if given > 1 {
            command.env("BULKHEAD_DATA_DIR", "from-env");
        }
        if given > 2 {
            command.args(["--data-dir", "from-flag"]);
        }
        drop(Server::start(place.clone(), command));
        let made: Vec<_> = folders.into_iter().filter(|folder| place.path(folder).exists()).collect();
        assert_eq!(made, [folders[given - 1]]);
    }
}

#[test]
fn what_stands_in_the_way_is_told() {
    let place = Place::new();
    refused(place.bulkhead(&["serve", "--admin-listen", "127.0.0.1:0"]), "--profiles DIR");
    refused(place.bulkhead(&["serve", "--config", "nowhere.yaml"]), "cannot read nowhere.yaml");
    refused(place.bulkhead(&["serve", "--profiles", "nowhere"]), "nowhere");
    refused(place.serving("listn: []"), "unknown field `listn`");
    refused(place.serving("auth: {trusted_proxies: [127.0.0.1/32]}"), "auth.trusted_proxies contains loopback");
    refused(place.serving("auth: {trusted_proxies: [0.0.0.0/0]}"), "auth.trusted_proxies contains loopback");
    refused(place.serving("tls: {certificate: tls.crt}"), "tls.key is missing");
    refused(place.serving("tls: {certificate: tls.crt, key: tls.key}"), "tls.certificate: cannot read tls.crt");
    let mut shared_read = place.serving(NO_TASKS);
    shared_read.env("MULTIUSER_SHARED_READ", "true");
    refused(shared_read, "MULTIUSER_SHARED_READ is set, and is refused");
    let mut open = place.serving("multi_user: false");
    open.args(["--listen", "0.0.0.0:0"]);
    refused(open, "--insecure-listen");

    place.write("profiles/bad.yaml", "apiVersion: kubeflow.org/v1\nkind: Profile\nmetadata: {name: x}\nspec: [\n");
    refused(place.serving(NO_TASKS), "profiles/bad.yaml:4:");
    place.write("profiles/bad.yaml", "apiVersion: kubeflow.org/v1\nkind: Profile\nmetadata: {name: x}\nspce: {}\n");
    refused(place.serving(NO_TASKS), "profiles/bad.yaml:");
}

#[test]
fn a_folder_and_a_port_have_one_server() {
    let server = Place::new().serve(NO_TASKS);
    refused(server.place.serving(NO_TASKS), "another server uses the data folder");
    let mut taken = server.place.serving(&format!("{NO_TASKS}data_dir: other\n"));
    let address = server.api().to_string();
    taken.args(["--listen", &address]);
    refused(taken, &format!("cannot listen on {address}"));
    assert_eq!(server.get("/apis/v2beta1/healthz", &[]).status, 200, "the first one is not touched");
}

/// Passes a command that fails, says why on standard error, and says nothing that could be taken for being ready.
#[track_caller]
fn refused(mut command: Command, words: &str) {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{words}: {stderr}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(stderr.contains(words), "{words:?} is not in: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}
