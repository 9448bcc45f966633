//! Callers with tokens that the server knows.
use crate::{client, create, eventually, namespace};
use access::{Caller, Identity, Ports, Proof, Rbac, Settings};
use authz::{Authn, HeaderSettings, KnownToken, Peer, TokenReview, TokenReviewSettings, Tokens};
use domain::{Clock as _, Code, Namespace, Result, SystemClock};
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use k8s_openapi::api::{authentication::v1::TokenRequest, core::v1::ServiceAccount};
use kube::{
    Api, Client, Config,
    api::{DeleteParams, PostParams},
    config::{AuthInfo, KubeConfigOptions, Kubeconfig},
};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use testkit::KubeApiserver;

const PIPELINES: &str = "pipelines.kubeflow.org";

struct Nothing;

impl Tokens for Nothing {
    fn find<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<KnownToken>>> {
        Box::pin(async { Ok(None) })
    }
}

/// Asks the server for every request, as whoever the client is.
fn authn(client: Client) -> Authn {
    let clock = Arc::new(SystemClock);
    let settings = TokenReviewSettings { audiences: vec![PIPELINES.into()], cache: Duration::ZERO };
    let review = TokenReview::new(client, settings, clock.clone());
    let server_namespace = Namespace::parse("kubeflow").unwrap();
    let gate = Settings { server_namespace, default_service_account: "default-editor".into() };
    let founded = access::found(gate, Rbac::default(), Ports::idle());
    Authn::new(founded.authenticators, Arc::new(Nothing), HeaderSettings::default(), clock).with_token_review(review)
}

async fn caller(authn: &Authn, token: &str) -> Result<Caller> {
    let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
    authn.caller(&HeaderMap::from_iter([(AUTHORIZATION, value)]), &Peer::default()).await
}

async fn known(authn: &Authn, token: &str) -> Arc<Identity> {
    match caller(authn, token).await.unwrap() {
        Caller::Known(identity) => identity,
        other => panic!("{other:?}"),
    }
}

async fn is_refused(authn: &Authn, token: &str) -> bool {
    matches!(caller(authn, token).await.unwrap(), Caller::Refused(why) if why.contains("does not accept the token"))
}

/// A token of a service account, for an hour, made for these audiences.
async fn token(accounts: &Api<ServiceAccount>, name: &str, audiences: &[&str]) -> String {
    let asked: TokenRequest =
        serde_json::from_value(json!({"metadata": {}, "spec": {"audiences": audiences, "expirationSeconds": 3600}}))
            .unwrap();
    let given = accounts.create_token_request(name, &PostParams::default(), &asked).await.unwrap();
    given.status.unwrap().token.unwrap()
}

#[tokio::test]
async fn a_service_account_is_known_until_it_is_gone() {
    let Some(server) = KubeApiserver::shared() else { return };
    let client = client(&server).await;
    let namespace = namespace(&client).await;
    let accounts = Api::<ServiceAccount>::namespaced(client.clone(), &namespace);
    create(&accounts, json!({"metadata": {"name": "runner"}})).await;
    let authn = authn(client);

    let shown = token(&accounts, "runner", &[PIPELINES]).await;
    let runner = known(&authn, &shown).await;
    assert_eq!(runner.user(), format!("system:serviceaccount:{namespace}:runner"));
    let groups: Vec<&str> = runner.groups().collect();
    let own = format!("system:serviceaccounts:{namespace}");
    assert_eq!(groups, ["system:serviceaccounts", &own, "system:authenticated"]);
    assert_eq!(runner.proof(), &Proof::TokenReview);
    assert!(runner.extra().contains_key("authentication.kubernetes.io/credential-id"), "{:?}", runner.extra());
    let left = runner.until().unwrap().seconds() - SystemClock.now().seconds();
    assert!((1..=3600).contains(&left), "{left} s are left of an hour");

    for audiences in [&["https://kubernetes.default.svc"][..], &["other.example.com"]] {
        let other = token(&accounts, "runner", audiences).await;
        assert!(is_refused(&authn, &other).await, "a token for {audiences:?}");
    }
    let both = token(&accounts, "runner", &["other.example.com", PIPELINES]).await;
    known(&authn, &both).await;
    let (text, _) = shown.rsplit_once('.').unwrap();
    for wrong in [format!("{text}.AAAA"), text.to_owned(), "opaque".to_owned()] {
        assert!(is_refused(&authn, &wrong).await, "{wrong}");
    }
    accounts.delete("runner", &DeleteParams::default()).await.unwrap();
    eventually("the token of an account that is gone is refused", async || is_refused(&authn, &shown).await).await;
}

#[tokio::test]
async fn people_come_with_their_groups() {
    let Some(server) = KubeApiserver::shared() else { return };
    let authn = authn(client(&server).await);
    for (name, groups) in KubeApiserver::USERS {
        let person = known(&authn, server.user_token(name)).await;
        assert_eq!(person.user(), name);
        assert_eq!(person.groups().collect::<Vec<_>>(), [groups, &["system:authenticated"]].concat());
    }
}

#[tokio::test]
async fn whoever_may_not_ask_hears_that_it_is_not_the_callers_fault() {
    let Some(server) = KubeApiserver::shared() else { return };
    let mut file = Kubeconfig::read_from(server.kubeconfig()).unwrap();
    for user in &mut file.auth_infos {
        let token = server.user_token("john@example.com").to_owned();
        user.auth_info = Some(AuthInfo { token: Some(token.into()), ..AuthInfo::default() });
    }
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.unwrap();
    let error = caller(&authn(Client::try_from(config).unwrap()), "any").await.unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    assert!(format!("{error:?}").contains("403"), "{error:?}");
}

#[tokio::test]
async fn while_the_server_is_away_nobody_is_let_in() {
    let Some(mut server) = KubeApiserver::start() else { return };
    let authn = authn(client(&server).await);
    let shown = server.user_token("jane@example.com").to_owned();
    known(&authn, &shown).await;
    server.kill();
    assert_eq!(caller(&authn, &shown).await.unwrap_err().code(), Code::Unavailable);
    server.restart();
    eventually("Jane is known again", async || matches!(caller(&authn, &shown).await, Ok(Caller::Known(_)))).await;
}
