//! Who is at the other end, and clients that open connections and say nothing.
use super::*;
use crate::{
    metrics::Metrics,
    tls::tests::{
        authority::{Authority, Client},
        written,
    },
};
use axum::routing::get;
use std::io;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinHandle,
    time::timeout,
};

/// A listener that answers with the peer's names.
struct Served {
    address: SocketAddr,
    authority: Authority,
    stop: watch::Sender<bool>,
    ends: JoinHandle<()>,
}

/// Longer than anything takes that is not stuck.
const LONG: Duration = Duration::from_secs(20);

async fn serve(with_tls: bool, slots: usize, patience: Duration) -> Served {
    let (folder, authority) = (TempDir::new().unwrap(), Authority::new());
    let own = authority.server();
    let config = written(folder.path(), [&own.certificate, &own.key, &authority.pem]);
    let tls = match with_tls {
        true => Tls::new(&config, &Metrics::new().unwrap()).await.unwrap(),
        false => None,
    };
    let names = async |Extension(peer): Extension<Peer>| {
        assert!(peer.address.unwrap().is_loopback());
        peer.names.join(" ")
    };
    let app = Router::new().route("/names", get(names));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = watch::channel(false);
    let connections = Connections { app, tls, slots: Arc::new(Semaphore::new(slots)), patience };
    Served { address, authority, stop, ends: tokio::spawn(connections.accept(listener, stopping)) }
}

#[tokio::test]
async fn a_verified_certificate_tells_the_names() {
    let served = serve(true, 8, LONG).await;
    let names = async |client: Client| Ok::<_, io::Error>(body(&client.get(served.address, "/names", "").await?));
    let authority = &served.authority;
    let own = authority.pair(&["spiffe://cluster.local/ns/a/sa/b", "proxy.example.com"]);
    let told = names(authority.client_with(Some(&own))).await.unwrap();
    assert_eq!(told, "spiffe://cluster.local/ns/a/sa/b proxy.example.com");
    assert_eq!(names(authority.client()).await.unwrap(), "", "nobody has to have one");
    let foreign = Authority::new().pair(&["proxy.example.com"]);
    names(authority.client_with(Some(&foreign))).await.unwrap_err();
}

/// A session that goes on where one ended carries the certificate that was verified then.
#[tokio::test]
async fn every_connection_with_a_certificate_is_verified() {
    let served = serve(true, 8, LONG).await;
    let own = served.authority.pair(&["proxy.example.com"]);
    let client = served.authority.client_with(Some(&own));
    client.get(served.address, "/names", "").await.unwrap();
    let stream = client.connect(served.address).await.unwrap();
    assert_eq!(stream.get_ref().1.handshake_kind(), Some(rustls::HandshakeKind::Full));
}

fn body(answer: &str) -> String {
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// Connections that say these words, after the handshake if there is one, and then nothing. With TLS there are others
/// that do not end their handshake.
async fn flood(served: &Served, with_tls: bool, inside: &[&'static [u8]]) -> Vec<JoinHandle<()>> {
    let silent: &[&'static [u8]] = match with_tls {
        // Nothing, and the beginning of a record whose rest does not come.
        true => &[b"", b"\x16\x03\x01\x02\x00\x01"],
        false => &[],
    };
    let mut clients = Vec::new();
    for (words, handshake) in silent.iter().map(|w| (*w, false)).chain(inside.iter().map(|w| (*w, with_tls))) {
        for _ in 0..2 {
            let (client, address) = (served.authority.client(), served.address);
            clients.push(tokio::spawn(async move {
                if handshake {
                    // While there is no slot this waits, too.
                    if let Ok(mut stream) = client.connect(address).await {
                        stuck(&mut stream, words).await;
                    }
                } else {
                    stuck(&mut TcpStream::connect(address).await.unwrap(), words).await;
                }
            }));
        }
    }
    clients
}

/// Says this, and then nothing until the server ends the connection.
async fn stuck<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, words: &[u8]) {
    let _ = stream.write_all(words).await;
    let _ = stream.flush().await;
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

#[tokio::test]
async fn who_says_nothing_is_sent_away() {
    for with_tls in [false, true] {
        let served = serve(with_tls, 2, Duration::from_millis(200)).await;
        let clients = flood(&served, with_tls, &[b"", b"PRI * HT", b"GET /na"]).await;
        for client in clients {
            timeout(LONG, client).await.expect("the server ends every one of them").unwrap();
        }
        if with_tls {
            timeout(LONG, served.authority.client().get(served.address, "/names", "")).await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn nobody_who_says_nothing_delays_the_end() {
    for with_tls in [false, true] {
        let served = serve(with_tls, 64, Duration::from_secs(600)).await;
        let _clients = flood(&served, with_tls, &[b"", b"PRI * HT"]).await;
        // One that is served shows that those before it were taken.
        if with_tls {
            served.authority.client().get(served.address, "/names", "").await.unwrap();
        }
        served.stop.send(true).unwrap();
        timeout(LONG, served.ends).await.expect("nobody is waited for").unwrap();
    }
}
