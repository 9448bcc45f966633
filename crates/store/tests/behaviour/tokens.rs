//! API tokens.
use crate::backend::{Db, START};
use access::{Claims, Credentials as _, Identity, Proof, TokenScope};
use domain::{Code, Timestamp};
use store::NewToken;

fn new(user: &str) -> NewToken {
    NewToken { user: user.into(), groups: vec!["ml".into(), "ops, \"quoted\"".into()], ..NewToken::default() }
}

pub(crate) async fn are_found_by_their_secret(db: Db) {
    let (made, secret) = db.store.create_token(new("jane")).await.unwrap();
    assert_eq!((made.user.as_str(), &made.groups), ("jane", &new("jane").groups));
    assert_eq!((made.created_at, made.expires_at, made.revoked_at), (START, None, None));
    assert!(secret.starts_with("bhk_") && secret.len() == 4 + 43, "32 random bytes: {}", secret.len());
    assert_eq!(db.store.token_by_secret(&secret).await.unwrap(), Some(made.clone()));

    db.clock.advance(1);
    let until = Some(Timestamp(START.0 + 1_000));
    let (later, other) = db.store.create_token(NewToken { expires_at: until, ..new("ann") }).await.unwrap();
    assert_ne!((&other, &later.id), (&secret, &made.id));
    assert_eq!(db.store.token_by_secret(&other).await.unwrap().unwrap().expires_at, until);
    // Whether it still holds is for whoever authenticates to say.
    db.clock.advance(1_000_000);
    assert_eq!(db.store.token_by_secret(&other).await.unwrap(), Some(later.clone()));
    assert_eq!(db.store.tokens().await.unwrap(), [made, later], "oldest first");
}

pub(crate) async fn are_revoked_once(db: Db) {
    let (made, secret) = db.store.create_token(new("jane")).await.unwrap();
    let (_, other) = db.store.create_token(new("jane")).await.unwrap();
    let now = db.clock.advance(1_000_000);
    assert!(db.store.revoke_token(&made.id).await.unwrap());
    db.clock.advance(1_000_000);
    assert!(!db.store.revoke_token(&made.id).await.unwrap(), "it held no longer");
    assert!(!db.store.revoke_token("x").await.unwrap());
    assert!(!db.store.revoke_token(&secret).await.unwrap(), "a secret is no id");
    assert_eq!(db.store.token_by_secret(&secret).await.unwrap().unwrap().revoked_at, Some(now));
    assert_eq!(db.store.token_by_secret(&other).await.unwrap().unwrap().revoked_at, None);
}

pub(crate) async fn are_refused_by_shape(db: Db) {
    let (made, secret) = db.store.create_token(new("jane")).await.unwrap();
    let bare = secret.strip_prefix("bhk_").unwrap();
    let (upper, longer, shorter) = (secret.to_uppercase(), format!("{secret}="), &secret[..secret.len() - 1]);
    for wrong in ["", "bhk_", "%", "bhk_%", bare, &made.id, &upper, &longer, shorter, &format!(" {secret}")] {
        assert_eq!(db.store.token_by_secret(wrong).await.unwrap(), None, "{wrong:?}");
    }
}

fn with(user: &str, id: &str, verbs: &[&str]) -> std::sync::Arc<Identity> {
    let scope = TokenScope::new(verbs, &[]).unwrap();
    Identity::forge_from(Claims { scope, ..Claims::new(user, Proof::ApiToken(id.into())) })
}

/// How many rounds of making and revoking a token: far more than are kept.
const ROUNDS: usize = 250;

pub(crate) async fn go_with_what_they_were_made_with(db: Db) {
    let made_with = |id: &str| NewToken { made_with: Some(id.into()), ..new("jane") };
    let (first, _) = db.store.create_token(new("jane")).await.unwrap();
    let (child, _) = db.store.create_token(made_with(&first.id)).await.unwrap();
    let (grandchild, secret) = db.store.create_token(made_with(&child.id)).await.unwrap();
    let (apart, _) = db.store.create_token(new("jane")).await.unwrap();
    // Many that were made and revoked before stand in nobody's way, and do not stay for ever.
    for _ in 0..ROUNDS {
        db.clock.advance(1);
        let (passing, _) = db.store.create_token(made_with(&first.id)).await.unwrap();
        assert!(db.store.revoke_token(&passing.id).await.unwrap());
    }
    assert!(db.store.tokens().await.unwrap().len() < ROUNDS, "those that ended long ago make room");
    for (id, expect) in [(&first.id, true), (&grandchild.id, true), (&apart.id, true), (&"x".to_owned(), false)] {
        assert_eq!(db.store.hold(&Proof::ApiToken(id.as_str().into())).await.unwrap(), expect);
        assert_eq!(db.store.hold(&Proof::Recorded(Some(id.as_str().into()))).await.unwrap(), expect);
    }
    assert!(db.store.revoke_token(&first.id).await.unwrap());
    for (id, expect) in [(&first.id, false), (&child.id, false), (&grandchild.id, false), (&apart.id, true)] {
        assert_eq!(db.store.hold(&Proof::ApiToken(id.as_str().into())).await.unwrap(), expect, "{id}");
    }
    assert!(db.store.token_by_secret(&secret).await.unwrap().unwrap().revoked_at.is_some());
    // A request that was begun before may come after: nothing is made with what has ended.
    let late = db.store.create_token(made_with(&first.id)).await.unwrap_err();
    assert_eq!(late.code(), Code::Unauthenticated);
    let past = NewToken { expires_at: Some(db.clock.advance(1)), ..new("jane") };
    let (past, _) = db.store.create_token(past).await.unwrap();
    assert_eq!(db.store.create_token(made_with(&past.id)).await.unwrap_err().code(), Code::Unauthenticated);
}

pub(crate) async fn are_known_to_those_who_may_know_of_them(db: Db) {
    let (first, _) = db.store.create_token(new("jane")).await.unwrap();
    let (child, _) =
        db.store.create_token(NewToken { made_with: Some(first.id.clone()), ..new("jane") }).await.unwrap();
    let (other, _) = db.store.create_token(new("jane")).await.unwrap();
    let (foreign, _) = db.store.create_token(new("john")).await.unwrap();
    let known = async |who: &Identity| {
        let mut ids: Vec<String> = db.store.tokens_of(who).await.unwrap().into_iter().map(|token| token.id).collect();
        ids.sort();
        ids
    };
    let sorted = |ids: &[&str]| {
        let mut ids: Vec<String> = ids.iter().map(|&id| id.to_owned()).collect();
        ids.sort();
        ids
    };
    let jane = Identity::forge("jane", &[]);
    assert_eq!(known(&jane).await, sorted(&[&first.id, &child.id, &other.id]));
    let bounded = with("jane", &first.id, &["get"]);
    assert_eq!(known(&bounded).await, sorted(&[&first.id, &child.id]));
    for (who, id) in [(&jane, &foreign.id), (&bounded, &other.id), (&jane, &"x".to_owned())] {
        let error = db.store.revoke_token_of(who, id).await.unwrap_err();
        assert_eq!(error.message(), format!("Token {id} not found"));
    }
    db.store.revoke_token_of(&bounded, &child.id).await.unwrap();
    db.store.revoke_token_of(&jane, &other.id).await.unwrap();
}

pub(crate) async fn keep_how_far_they_reach(db: Db) {
    let scope = TokenScope::new(&["get", "readArtifact"], &["a", "b"]).unwrap();
    let (made, secret) = db
        .store
        .create_token(NewToken { scope: scope.clone(), description: "ci".into(), ..new("jane") })
        .await
        .unwrap();
    let found = db.store.token_by_secret(&secret).await.unwrap().unwrap();
    assert_eq!((found.scope, found.description.as_str(), found.id), (scope, "ci", made.id));
}
