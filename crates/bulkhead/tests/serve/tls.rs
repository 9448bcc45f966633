//! TLS: who can talk to the server, whom it asks for a certificate, and files that change while it runs.
mod authority;

use crate::{
    eventually,
    grpc::bearing,
    http::{self, Answer},
    server::{JANE, NO_TASKS, Place, Server},
};
use api::v2::{ListExperimentsRequest, experiment_service_client::ExperimentServiceClient};
use authority::{Authority, Client, Pair};
use hyper_util::rt::TokioIo;
use std::{
    fs,
    io::Write,
    net::{SocketAddr, TcpStream},
    os::unix::fs::symlink,
    time::{Duration, Instant},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::transport::{Channel, Endpoint};

const HEALTHZ: &str = "/apis/v2beta1/healthz";
const TLS: &str = "tls:
  certificate: certs/tls.crt
  key: certs/tls.key
  reload: 0.2
";

/// Writes files as Kubernetes does those of a Secret: each is a link through `..data`, which is a link that is
/// replaced, and all files change at once.
fn mount(place: &Place, pair: &Pair) {
    let folder = place.path("certs");
    let version = format!("..{}", fs::read_dir(&folder).map_or(0, Iterator::count));
    fs::create_dir_all(folder.join(&version)).unwrap();
    for (name, text) in [("tls.crt", &pair.certificate), ("tls.key", &pair.key)] {
        fs::write(folder.join(&version).join(name), text).unwrap();
        if !folder.join(name).exists() {
            symlink(format!("..data/{name}"), folder.join(name)).unwrap();
        }
    }
    symlink(&version, folder.join("..new")).unwrap();
    fs::rename(folder.join("..new"), folder.join("..data")).unwrap();
}

fn serve(authority: &Authority, config: &str) -> Server {
    let place = Place::new();
    mount(&place, &authority.server());
    place.serve(&format!("{NO_TASKS}{TLS}{config}"))
}

async fn get(client: &Client, to: SocketAddr, path: &str) -> std::io::Result<Answer> {
    Ok(Answer::read(&client.get(to, path, "").await?))
}

/// A channel of gRPC, on connections that this client makes.
async fn channel(client: &Client, to: SocketAddr) -> Result<Channel, tonic::transport::Error> {
    let mut client = client.clone();
    client.0.alpn_protocols = vec![b"h2".to_vec()];
    let connect = move |_| {
        let client = client.clone();
        async move {
            let stream = client.connect(to).await?;
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
            Ok::<_, std::io::Error>(TokioIo::new(stream))
        }
    };
    Endpoint::from_static("https://localhost").connect_with_connector(tower::service_fn(connect)).await
}

async fn list(channel: Channel, token: &str) -> Result<(), tonic::Status> {
    let request = ListExperimentsRequest { namespace: "jane-doe".into(), ..Default::default() };
    ExperimentServiceClient::new(channel).list_experiments(bearing(token, request)).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_speaks_tls_and_nothing_else() {
    let authority = Authority::new();
    let server = serve(&authority, "");
    assert_eq!(server.ready["tls"], true);
    let (client, token) = (authority.client(), server.token(JANE));

    let path = "/apis/v2beta1/experiments?namespace=jane-doe";
    let answer = client.get(server.api(), path, &format!("authorization: Bearer {token}\r\n")).await.unwrap();
    Answer::read(&answer).ok();
    get(&client, server.api(), path).await.unwrap().refused(401, 16, "no credentials");
    list(channel(&client, server.api()).await.unwrap(), &token).await.unwrap();

    let plain = http::call(server.api(), "GET", HEALTHZ, &[], "");
    assert_eq!((plain.status, plain.body.contains("https")), (400, true), "{plain:?}");
    list(crate::grpc::channel(server.api()).await, &token).await.unwrap_err();
    let stranger = Authority::new().client();
    let error = get(&stranger, server.api(), HEALTHZ).await.unwrap_err();
    assert!(error.to_string().contains("invalid peer certificate"), "{error}");
    channel(&stranger, server.api()).await.unwrap_err();

    assert_eq!(http::call(server.admin(), "GET", "/readyz", &[], "").status, 200, "this one is plain");
    let metrics = http::call(server.admin(), "GET", "/metrics", &[], "").body;
    for line in ["bulkhead_tls_files_good 1", "tls_handshakes_total{outcome=\"done\"} 3", "{outcome=\"failed\"}"] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn single_user_mode_speaks_it_too() {
    let authority = Authority::new();
    let server = serve(&authority, "multi_user: false\n");
    let answer = get(&authority.client(), server.api(), "/apis/v2beta1/experiments").await.unwrap();
    assert_eq!(answer.ok()["experiments"][0]["display_name"], "Default");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_clients_are_verified() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let good = clients.pair(&["proxy.example.com"]);
    let foreign = authority.pair(&["proxy.example.com"]);
    for (required, without) in [(false, true), (true, false)] {
        let place = Place::new();
        mount(&place, &authority.server());
        place.write("clients.pem", &clients.pem);
        let keys = format!("  client_ca: clients.pem\n  require_client_certificate: {required}\n");
        let server = place.serve(&format!("{NO_TASKS}{TLS}{keys}"));
        for (own, expect) in [(Some(&good), true), (Some(&foreign), false), (None, without)] {
            let client = authority.client_with(own);
            let answer = get(&client, server.api(), HEALTHZ).await;
            assert_eq!(answer.is_ok_and(|answer| answer.status == 200), expect, "{required} {}", own.is_some());
            let token = server.token(JANE);
            let listed = match channel(&client, server.api()).await {
                Ok(channel) => list(channel, &token).await.is_ok(),
                Err(_) => false,
            };
            assert_eq!(listed, expect, "{required} {}", own.is_some());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_known_by_its_certificate() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let place = Place::new();
    mount(&place, &authority.server());
    place.write("clients.pem", &clients.pem);
    let auth = "auth: {trusted_client_names: [Proxy.example.com]}\n";
    let server = place.serve(&format!("{NO_TASKS}{TLS}  client_ca: clients.pem\n{auth}"));
    let path = "/apis/v2beta1/experiments?namespace=jane-doe";
    for (names, believed) in [
        (&["proxy.example.com"][..], true),
        (&["other.example.com", "proxy.example.com"], true),
        (&["other.example.com"], false),
        (&["a.proxy.example.com"], false),
        (&["*.example.com"], false),
        (&[], false),
    ] {
        let own = (!names.is_empty()).then(|| clients.pair(names));
        let client = authority.client_with(own.as_ref());
        let answer = client.get(server.api(), path, &format!("kubeflow-userid: {JANE}\r\n")).await.unwrap();
        match believed {
            true => drop(Answer::read(&answer).ok()),
            false => Answer::read(&answer).refused(401, 16, "no credentials"),
        }
    }
}

/// The server that the client gets to has a certificate of this authority.
fn believed(authority: &Authority, server: &Server) {
    let (client, to) = (authority.client(), server.api());
    eventually("a new connection sees the new certificate", || {
        let answer =
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(get(&client, to, HEALTHZ)));
        answer.ok().filter(|answer| answer.status == 200)
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_followed_as_they_change() {
    let (old, new, newest) = (Authority::new(), Authority::new(), Authority::new());
    let server = serve(&old, "");
    let place = &server.place;
    let token = server.token(JANE);
    let log = || fs::read_to_string(place.path("log")).unwrap();
    let good = |value| {
        let line = format!("bulkhead_tls_files_good {value}");
        let ask = || http::call(server.admin(), "GET", "/metrics", &[], "").body.contains(&line).then_some(());
        eventually(&line, ask);
    };
    // Neither client believes the new authority: their connections are the first ones, and go on.
    let rpc = channel(&old.client(), server.api()).await.unwrap();
    let mut open = old.client().connect(server.api()).await.unwrap();
    let mut again = async || {
        let request = format!("GET {HEALTHZ} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        open.write_all(request.as_bytes()).await.unwrap();
        let mut text = [0; 4096];
        let read = open.read(&mut text).await.unwrap();
        assert!(text[..read].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&text[..read]));
    };
    again().await;
    list(rpc.clone(), &token).await.unwrap();

    mount(place, &new.server());
    believed(&new, &server);
    again().await;
    list(rpc.clone(), &token).await.unwrap();
    get(&old.client(), server.api(), HEALTHZ).await.unwrap_err();

    let [one, other] = [newest.server(), newest.server()];
    mount(place, &Pair { certificate: one.certificate.clone(), key: other.key });
    good(0);
    believed(&new, &server);
    assert_eq!(http::call(server.admin(), "GET", "/readyz", &[], "").status, 200);
    fs::remove_file(place.path("certs/tls.key")).unwrap();
    eventually("that a file is gone is told", || log().contains("tls.key: cannot read").then_some(()));
    believed(&new, &server);

    fs::write(place.path("certs/tls.key"), &one.key).unwrap();
    good(1);
    believed(&newest, &server);
    again().await;
    list(rpc, &token).await.unwrap();
    for (words, times) in
        [("is not the key of the first certificate", 1), ("cannot read", 1), ("have changed and count", 2)]
    {
        assert_eq!(log().matches(words).count(), times, "{words}: {}", log());
    }
    assert!(!log().contains("PRIVATE KEY"), "{}", log());
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_handshakes_do_not_stop_others() {
    let authority = Authority::new();
    let server = serve(&authority, "");
    let half = |n: usize| {
        let mut stream = TcpStream::connect(server.api()).unwrap();
        stream.write_all([&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00"][n % 3]).unwrap();
        stream
    };
    let open: Vec<TcpStream> = (0..300).map(half).collect();
    let started = Instant::now();
    for _ in 0..20 {
        assert_eq!(get(&authority.client(), server.api(), HEALTHZ).await.unwrap().status, 200);
    }
    // They are held for 30 seconds; nobody has waited for that.
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    drop(open);
}
