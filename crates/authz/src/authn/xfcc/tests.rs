//! What the header proves, and how little of it a client can shape.
use super::*;
use http::HeaderValue;
use proptest::prelude::*;

const GATEWAY: &str = "spiffe://cluster.local/ns/istio-system/sa/gateway";
const POD: &str = "spiffe://cluster.local/ns/jane-doe/sa/default-editor";

/// The URI that these header lines prove. `{G}` stands for the gateway's, `{P}` for a pod's.
fn proved(lines: &[&str]) -> Option<String> {
    let mut headers = HeaderMap::new();
    for line in lines {
        let line = line.replace("{G}", GATEWAY).replace("{P}", POD);
        headers.append(HEADER, HeaderValue::from_bytes(line.as_bytes()).unwrap());
    }
    uri(&headers).map(Cow::into_owned)
}

#[test]
fn what_the_last_element_says() {
    for (lines, expect) in [
        // Well-formed, as Envoy writes it.
        (&["By=spiffe://cluster.local/ns/kubeflow/sa/bulkhead;Hash=0a1b;Subject=\"\";URI={G}"][..], Some(GATEWAY)),
        (&["By=spiffe://a/b;Hash=0a1b;URI={G}"], Some(GATEWAY)),
        (&["Hash=0a1b;URI={G};DNS=a.example.com;DNS=b.example.com"], Some(GATEWAY)),
        (&["URI={G}"], Some(GATEWAY)),
        (&["uri={G}"], Some(GATEWAY)),
        (&["URI=\"{G}\""], Some(GATEWAY)),
        (&["URI={G};Subject=\"CN=gateway,O=Example, Inc.;OU=a=b\""], Some(GATEWAY)),
        (&["Subject=\"CN=\\\"the gateway\\\",O=x\";URI={G}"], Some(GATEWAY)),
        (&["Subject=\"ends with a backslash\\\\\";URI={G}"], Some(GATEWAY)),
        (&["Cert=\"-----BEGIN%20CERTIFICATE-----%0A\";URI={G}"], Some(GATEWAY)),
        (&["Subject=\"Fr\u{e4}ulein\";URI={G}"], Some(GATEWAY)),
        (&["By=;Hash=;URI={G}"], Some(GATEWAY)),
        // The last element counts, in the last line.
        (&["URI={P},URI={G}"], Some(GATEWAY)),
        (&["URI={G},URI={P}"], Some(POD)),
        (&["URI={G} , URI={P}"], Some(POD)),
        (&["URI={G}", "URI={P}"], Some(POD)),
        (&["URI={G}", "URI={G},URI={P}"], Some(POD)),
        (&["URI={G};URI={G},By=a;URI={P}"], Some(POD)),
        (&["Hash=0a1b,Hash=0a1b,URI={P}"], Some(POD)),
        // A client names the gateway before the sidecar appends what it has verified.
        (&["By=x;Hash=y;URI={G},By=a;Hash=b;Subject=\"\";URI={P}"], Some(POD)),
        (&["URI={G};Subject=\",By=a;Hash=b;Subject=\"\";URI={P}"], None),
        (&["URI={G};Subject=\"\\,By=a;Hash=b;Subject=\"\";URI={P}"], None),
        (&["Subject=\",By=a;Hash=b;Subject=\"CN=x,URI={G}\";URI={P}"], None),
        (&["Subject=\",By=a;Hash=b;Subject=\"CN=\\\"x,URI={G}\\\"\";URI={P}"], None),
        (&["Subject=\",By=a;Subject=\",URI={G};DNS=\";URI={P}"], None),
        (&["URI={G},By=a;Hash=b;Subject=\"\";URI="], None),
        (&["URI={G},By=a;Hash=b"], None),
        (&["URI={G}", "By=a;Hash=b"], None),
        (&["URI={G}", ""], None),
        (&["URI={G},"], None),
        (&["URI={G},,"], None),
        (&["URI={G}, "], None),
        // Several URIs: it cannot be told for which of them the client was let in.
        (&["URI={G};URI={G}"], None),
        (&["URI={G};By=a;uri={P}"], None),
        (&["URI={G};URI="], None),
        // Malformed.
        (&[""], None),
        (&[" "], None),
        (&[","], None),
        (&[";URI={G}"], None),
        (&["URI={G};"], None),
        (&["URI={G};;By=a"], None),
        (&["URI"], None),
        (&["={G}"], None),
        (&["URI =\"{G}\""], None),
        (&["URI= {G}"], None),
        (&["By=a; URI={G}"], None),
        (&["URI={G} x"], None),
        (&["URI=\"{G}"], None),
        (&["URI={G}\""], None),
        (&["URI=\"{G}\"x"], None),
        (&["URI=\"{G}\"\""], None),
        (&["URI=x\"{G}\""], None),
        (&["URI={G}\\"], None),
        (&["URI=\"{G}\\"], None),
        (&["URI=\"{G}\\\""], None),
        (&["URI=a={G}"], None),
        (&["URI\"={G}"], None),
        (&["By=a b;URI={G}"], None),
        (&["URI={G},By=\"a"], None),
        (&["By=\"a,URI={G}"], None),
        (&["By=a\",URI={G}"], None),
        (&[], None),
    ] {
        assert_eq!(proved(lines).as_deref(), expect, "{lines:?}");
    }
}

#[test]
fn bytes_that_are_no_text_prove_nothing() {
    let mut headers = HeaderMap::new();
    headers.append(HEADER, HeaderValue::from_bytes(b"Subject=\"\xff\";URI=spiffe://a/b").unwrap());
    assert_eq!(uri(&headers), None);
}

/// Text made of what matters to the parser.
fn sent() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "URI=", GATEWAY, "By=", "Subject=", "\"", "\\", "\\\"", ",", ";", "=", " ", "a", "\u{e4}",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Whatever a client sends, and whatever the subject of its certificate is, the sidecar's element proves the
    /// client's own URI or nothing.
    #[test]
    fn a_client_cannot_be_the_gateway(sent in sent(), subject in sent()) {
        // Envoy writes a subject as RFC 2253 has it, where a quote has a backslash before it.
        let subject = subject.replace('\\', "\\\\").replace('"', "\\\"");
        let own = format!("By=spiffe://a/b;Hash=0a1b;Subject=\"CN={subject}\";URI={POD}");
        for lines in [&[&*format!("{sent},{own}")][..], &[&*sent, &*own]] {
            let proved = proved(lines);
            prop_assert!(proved.as_deref().is_none_or(|uri| uri == POD), "{lines:?}: {proved:?}");
        }
    }
}
