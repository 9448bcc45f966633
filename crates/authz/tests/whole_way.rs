//! From a folder and the headers of a request to the gate's answer, as the binary wires it.
#![expect(clippy::unwrap_used, reason = "a test that fails should stop where it does")]
use access::{Gate, Ports, Settings};
use api::{access::Admit, v2::ListExperimentsRequest, v2::experiment_service_rpc::ListExperiments};
use authz::{Authn, HeaderSettings, KnownToken, Options, Peer, Tokens, Trust};
use domain::{Code, Namespace, Result, SystemClock};
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue};
use std::{fs, path::Path, sync::Arc, time::Duration};

struct Nothing;

impl Tokens for Nothing {
    fn find<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<KnownToken>>> {
        Box::pin(async { Ok(None) })
    }
}

struct House {
    gate: Gate,
    authn: Authn,
}

impl House {
    /// The answer to a list of the namespace's experiments.
    async fn ask(&self, user: &str, namespace: &str) -> Option<Code> {
        let headers =
            HeaderMap::from_iter([("kubeflow-userid".parse().unwrap(), HeaderValue::from_str(user).unwrap())]);
        let caller = self.authn.caller(&headers, &Peer::at("10.0.0.1".parse().unwrap())).await.unwrap();
        let req = ListExperimentsRequest { namespace: namespace.into(), ..Default::default() };
        self.gate.admit::<ListExperiments>(Some(&caller), &req).await.err().map(|error| error.code())
    }

    /// Waits until the answer is this one; time is paused, so it costs none.
    #[track_caller]
    fn turns(&self, user: &'static str, expect: Option<Code>) -> impl Future<Output = ()> + '_ {
        let at = std::panic::Location::caller();
        async move {
            for _ in 0..1_000 {
                if self.ask(user, "jane-doe").await == expect {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            panic!("the answer to {user} never became {expect:?} at {at}");
        }
    }
}

const DENIED: Option<Code> = Some(Code::PermissionDenied);

#[tokio::test(start_paused = true)]
async fn rights_follow_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/profiles");
    for name in ["jane-doe.yaml", "john-roe.yaml"] {
        fs::copy(examples.join(name), dir.path().join(name)).unwrap();
    }
    let loaded = authz::load(Options::new(dir.path())).await.unwrap();
    let settings = Settings {
        server_namespace: Namespace::parse("kubeflow").unwrap(),
        default_service_account: "default-editor".into(),
    };
    let founded = access::found(settings, loaded.rbac, Ports::idle());
    let handle = loaded.folder.watch(founded.policy);
    let trust = Trust { proxies: vec!["10.0.0.0/8".parse().unwrap()], ..Trust::default() };
    let header = HeaderSettings { trust, ..HeaderSettings::default() };
    let authn = Authn::new(founded.authenticators, Arc::new(Nothing), header, Arc::new(SystemClock));
    let house = House { gate: founded.gate, authn };

    for (user, jane, john) in [
        ("jane@example.com", None, DENIED),
        ("john@example.com", DENIED, None),
        ("viewer@example.com", None, DENIED),
        ("system:serviceaccount:jane-doe:default-editor", Some(Code::Unauthenticated), Some(Code::Unauthenticated)),
    ] {
        assert_eq!(house.ask(user, "jane-doe").await, jane, "{user}");
        assert_eq!(house.ask(user, "john-roe").await, john, "{user}");
    }

    let file = dir.path().join("jane-doe.yaml");
    let good = fs::read_to_string(&file).unwrap();
    fs::write(&file, good.replace("viewer@", "other@")).unwrap();
    house.turns("viewer@example.com", DENIED).await;
    house.turns("other@example.com", None).await;
    assert_eq!(handle.health(), Ok(()));

    let broke = tokio::time::Instant::now();
    fs::write(&file, "apiVersion: [").unwrap();
    house.turns("jane@example.com", DENIED).await;
    assert!(broke.elapsed() >= Duration::from_secs(60), "{:?}", broke.elapsed());
    assert!(handle.health().unwrap_err().contains("jane-doe.yaml:1:13"), "{:?}", handle.health());
    assert_eq!(house.ask("john@example.com", "john-roe").await, None, "the other file is well");

    fs::write(&file, good).unwrap();
    house.turns("viewer@example.com", None).await;
    assert_eq!(handle.health(), Ok(()));
    fs::remove_file(&file).unwrap();
    house.turns("jane@example.com", DENIED).await;
    assert_eq!(handle.health(), Ok(()));
}
