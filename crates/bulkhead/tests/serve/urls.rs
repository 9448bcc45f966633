//! Pipelines by URL: off as it comes, and on where the configuration says so.
use crate::server::{JANE, NO_TASKS, Place, Server};
use serde_json::json;
use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener},
    thread,
};

const HELLO: &str = include_str!("../../../spec/tests/fixtures/hello.yaml");

/// Serves the pipeline under any path, to a few clients.
fn files() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().take(5) {
            let mut stream = BufReader::new(stream.unwrap());
            let mut line = String::new();
            while stream.read_line(&mut line).is_ok_and(|read| read > 2) {
                line.clear();
            }
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", HELLO.len());
            stream.get_mut().write_all(format!("{head}{HELLO}").as_bytes()).unwrap();
        }
    });
    address
}

fn create(server: &Server, files: SocketAddr, name: &str) -> crate::http::Answer {
    let url = json!({"pipeline_url": format!("http://{files}/hello.yaml")});
    let body = json!({"pipeline": {"name": name, "namespace": "jane-doe"}, "pipeline_version": {"package_url": url}});
    server.call(JANE, "POST", "/apis/v2beta1/pipelines/create", &body)
}

#[test]
fn they_are_fetched_only_where_it_is_allowed() {
    let files = files();
    let server = Place::new().serve(NO_TASKS);
    create(&server, files, "x").refused(400, 9, "pipelines.url.enabled");
    let on = "pipelines: {url: {enabled: true, allow_http: true";
    let server = Place::new().serve(&format!("{NO_TASKS}{on}}}}}\n"));
    create(&server, files, "x").refused(400, 3, "not allowed");
    let server = Place::new().serve(&format!("{NO_TASKS}{on}, allowed_cidrs: [127.0.0.0/8]}}}}\n"));
    assert_eq!(create(&server, files, "x").ok()["name"], "x");
}
