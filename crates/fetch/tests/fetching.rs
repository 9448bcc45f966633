//! Fetches from a real server on loopback, which only an allowed network makes reachable.
#![expect(clippy::unwrap_used, reason = "tests may panic")]
use domain::{Code, Error};
use fetch::{Fetcher, Rules};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const LONGEST: usize = 1000;

/// A server that answers by path until the test ends.
async fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = vec![0; 4096];
                let read = stream.read(&mut request).await.unwrap_or_default();
                let line = String::from_utf8_lossy(&request[..read]).into_owned();
                let path = line.split([' ', '?']).nth(1).unwrap_or_default().to_owned();
                let redirect = |to: &str| format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
                let answer = match path.as_str() {
                    "/p.yaml" | "/a%20b.yaml" => "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello".to_owned(),
                    "/long" => format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(LONGEST + 1)),
                    "/exact" => format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(LONGEST)),
                    "/short" => "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello".to_owned(),
                    "/there" => redirect("/p.yaml"),
                    "/round" => redirect("/round"),
                    "/nowhere" => "HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n".to_owned(),
                    "/inside" => redirect("http://127.1.1.1/"),
                    "/metadata" => redirect("http://169.254.169.254/latest"),
                    "/file" => redirect("file:///etc/passwd"),
                    "/name" => redirect("http://localhost/"),
                    "/hang" => {
                        tokio::time::sleep(Duration::from_secs(60)).await;
                        String::new()
                    }
                    _ => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned(),
                };
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    address
}

fn fetcher(domains: &[&str], networks: &[&str]) -> Fetcher {
    let domains: Vec<String> = domains.iter().map(ToString::to_string).collect();
    let networks: Vec<_> = networks.iter().map(|network| network.parse().unwrap()).collect();
    Fetcher::new(Rules::new(&domains, &networks, true).unwrap(), Duration::from_secs(20)).unwrap()
}

#[track_caller]
fn check(error: &Error, code: Code, words: &str) {
    assert_eq!((error.code(), error.message().contains(words)), (code, true), "{error}");
}

#[tokio::test]
async fn files_come_from_where_it_is_allowed() {
    let server = serve().await;
    let fetcher = fetcher(&[], &["127.0.0.1/32"]);
    for (path, filename, length) in [
        ("p.yaml?token=x", "p.yaml", 5),
        ("a b.yaml", "a%20b.yaml", 5),
        ("there", "there", 5),
        ("exact", "exact", LONGEST),
    ] {
        let fetched = fetcher.fetch(&format!("http://{server}/{path}"), LONGEST).await.unwrap();
        assert_eq!((fetched.filename.as_str(), fetched.content.len()), (filename, length), "{path}");
    }
}

#[tokio::test]
async fn what_does_not_come_is_said() {
    let server = serve().await;
    let fetcher = fetcher(&[], &["127.0.0.1/32"]);
    for (path, code, words) in [
        ("absent", Code::InvalidArgument, "404"),
        ("long", Code::InvalidArgument, "more than the 1000 bytes"),
        ("short", Code::Unavailable, "broke off"),
        ("round", Code::InvalidArgument, "more than 10 redirects"),
        ("nowhere", Code::InvalidArgument, "leads nowhere"),
        ("inside", Code::InvalidArgument, "not allowed"),
        ("metadata", Code::InvalidArgument, "not allowed"),
        ("file", Code::InvalidArgument, "not allowed"),
        ("name", Code::InvalidArgument, "not allowed"),
    ] {
        let error = fetcher.fetch(&format!("http://{server}/{path}"), LONGEST).await.expect_err(path);
        check(&error, code, words);
        assert!(!error.message().contains("127.") && !error.message().contains("169.254"), "{error}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = fetcher.fetch(&format!("http://{closed}/"), LONGEST).await.expect_err("nobody listens");
    check(&error, Code::Unavailable, "cannot be reached");
    let error = fetcher.fetch(&format!("https://{server}/p.yaml"), LONGEST).await.expect_err("it speaks no TLS");
    check(&error, Code::Unavailable, "cannot be reached");
    let error = fetcher.fetch("no url", LONGEST).await.expect_err("it is none");
    check(&error, Code::InvalidArgument, "not understood");
}

/// A name is allowed by its text, and what it leads to is checked all the same.
#[tokio::test]
async fn names_may_not_lead_inside() {
    let server = serve().await;
    let name = format!("localhost:{}", server.port());
    let url = format!("http://{name}/p.yaml");
    let error = fetcher(&[&name], &[]).fetch(&url, LONGEST).await.expect_err("loopback is inside");
    check(&error, Code::InvalidArgument, "not allowed");
    let error = fetcher(&[], &["127.0.0.0/8", "::1/128"]).fetch(&url, LONGEST).await.expect_err("no name is allowed");
    check(&error, Code::InvalidArgument, "not allowed");
    fetcher(&[&name], &["127.0.0.0/8", "::1/128"]).fetch(&url, LONGEST).await.unwrap();
    let error = fetcher(&["*"], &[]).fetch(&format!("http://{server}/p.yaml"), LONGEST).await.expect_err("an address");
    check(&error, Code::InvalidArgument, "not allowed");
}

#[tokio::test]
async fn waiting_has_an_end() {
    let server = serve().await;
    let rules = Rules::new(&[], &["127.0.0.1/32".parse().unwrap()], true).unwrap();
    let fetcher = Fetcher::new(rules, Duration::from_millis(200)).unwrap();
    let error = fetcher.fetch(&format!("http://{server}/hang"), LONGEST).await.expect_err("it hangs");
    check(&error, Code::Unavailable, "within 200ms");
}
