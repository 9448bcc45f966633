//! API tokens.
use crate::backend::{Db, START};
use domain::Timestamp;
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
