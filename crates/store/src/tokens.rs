//! API tokens, of which only hashes are kept, and the server's own secrets.
use crate::{
    Error, Store,
    claims::remembered,
    columns,
    connect::{Connection, look_up, read, write},
    schema::tokens,
};
use access::{Credentials, Identity, Proof, TokenScope};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{Code, Kind, Result, Timestamp};
use futures::future::BoxFuture;
use rand::RngCore;
use sha2::{Digest, Sha256};
use std::{
    collections::HashSet,
    sync::atomic::{AtomicU64, Ordering},
};

/// What every token begins with, so that scanners and people know one when they see it.
const PREFIX: &str = "bhk_";
/// Random bytes of a token, and of a secret.
const BYTES: usize = 32;

/// The most tokens that one user may have at one time, of those that hold.
const MAX_TOKENS: i64 = 100;

/// How many of those that have ended are kept of a user, to be seen in lists.
const MAX_ENDED: i64 = 100;

/// A token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub id: String,
    pub user: String,
    pub groups: Vec<String>,
    pub scope: TokenScope,
    pub description: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// The id of the token that it was made with.
    pub made_with: Option<String>,
}

/// Whose a new token is, how far it reaches and until when.
#[derive(Clone, Debug, Default)]
pub struct NewToken {
    pub user: String,
    pub groups: Vec<String>,
    pub scope: TokenScope,
    pub description: String,
    pub expires_at: Option<Timestamp>,
    /// The id of the token that it is made with.
    pub made_with: Option<String>,
}

#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = tokens, check_for_backend(crate::any::AnyBackend))]
struct Row {
    id: String,
    hash: String,
    username: String,
    user_groups: String,
    created_at: i64,
    expires_at: i64,
    revoked_at: i64,
    verbs: String,
    namespaces: String,
    description: String,
    made_with: String,
}

impl TryFrom<Row> for Token {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let verbs: Vec<String> = columns::value("tokens.verbs", &row.verbs)?;
        let namespaces: Vec<String> = columns::value("tokens.namespaces", &row.namespaces)?;
        // A scope that cannot be read must never turn into none.
        let scope = TokenScope::new(&verbs, &namespaces)
            .map_err(|error| Error::Row { column: "tokens.verbs", source: error.into() })?;
        Ok(Token {
            id: row.id,
            user: row.username,
            groups: columns::value("tokens.user_groups", &row.user_groups)?,
            scope,
            description: row.description,
            created_at: Timestamp(row.created_at),
            expires_at: columns::moment(row.expires_at),
            revoked_at: columns::moment(row.revoked_at),
            made_with: (!row.made_with.is_empty()).then_some(row.made_with),
        })
    }
}

fn random() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

impl Store {
    /// Makes a token and returns its text, which is not kept.
    ///
    /// # Errors
    /// `ResourceExhausted` if its user has as many as one may have.
    pub async fn create_token(&self, new: NewToken) -> Result<(Token, String)> {
        let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random()));
        let token = Token {
            id: hex::encode(&random()[..6]),
            user: new.user,
            groups: new.groups,
            scope: new.scope,
            description: new.description,
            created_at: self.clock.now(),
            expires_at: new.expires_at,
            revoked_at: None,
            made_with: new.made_with,
        };
        let words = |words: &mut dyn Iterator<Item = String>| columns::text(&words.collect::<Vec<_>>());
        let row = Row {
            id: token.id.clone(),
            hash: hash(&secret),
            username: token.user.clone(),
            user_groups: columns::text(&token.groups),
            created_at: token.created_at.0,
            expires_at: token.expires_at.unwrap_or_default().0,
            revoked_at: 0,
            verbs: words(&mut token.scope.verbs().map(|verb| verb.to_string())),
            namespaces: words(&mut token.scope.namespaces().map(ToString::to_string)),
            description: token.description.clone(),
            made_with: token.made_with.clone().unwrap_or_default(),
        };
        write!(self, |conn| {
            make_room(conn, &row).await?;
            Ok(diesel::insert_into(tokens::table).values(row).execute(conn).await?)
        })?;
        Ok((token, secret))
    }

    /// All tokens, oldest first.
    ///
    /// # Errors
    /// Of the database.
    pub async fn tokens(&self) -> Result<Vec<Token>> {
        let rows: Vec<Row> = read!(self, |conn| {
            Ok(tokens::table.order((tokens::created_at, tokens::id)).select(Row::as_select()).load(conn).await?)
        })?;
        Ok(rows.into_iter().map(TryInto::try_into).collect::<Result<_, Error>>()?)
    }

    /// The tokens that the caller may know of, oldest first: all of their own, or, if they came with one that does not
    /// reach as far as they do, that one and those that were made with it.
    ///
    /// # Errors
    /// Of the database.
    pub async fn tokens_of(&self, who: &Identity) -> Result<Vec<Token>> {
        let user = who.user().to_owned();
        let rows: Vec<Row> = read!(self, |conn| {
            let of_user = tokens::table.filter(tokens::username.eq(user));
            Ok(of_user.order((tokens::created_at, tokens::id)).select(Row::as_select()).load(conn).await?)
        })?;
        let all: Vec<Token> = rows.into_iter().map(TryInto::try_into).collect::<Result<_, Error>>()?;
        if who.scope().is_all() {
            return Ok(all);
        }
        let Proof::ApiToken(own) = who.proof() else { return Ok(Vec::new()) };
        let mut known = HashSet::from([own.to_string()]);
        // A token is no older than what it was made with, so that once over them in their order is enough.
        let of_own = all.into_iter().filter(|token| {
            let is_of_own = *token.id == **own || token.made_with.as_ref().is_some_and(|id| known.contains(id));
            if is_of_own {
                known.insert(token.id.clone());
            }
            is_of_own
        });
        Ok(of_own.collect())
    }

    /// Revokes a token that the caller may know of.
    ///
    /// # Errors
    /// `NotFound` for any other.
    pub async fn revoke_token_of(&self, who: &Identity, id: &str) -> Result<()> {
        if !self.tokens_of(who).await?.iter().any(|token| token.id == id) {
            return Err(domain::Error::not_found(Kind::Token, id));
        }
        self.revoke_token(id).await.map(drop)
    }

    /// Revokes a token by its id, and with it those that were made with it. Returns whether it still held.
    ///
    /// # Errors
    /// Of the database.
    pub async fn revoke_token(&self, id: &str) -> Result<bool> {
        let (id, now) = (id.to_owned(), self.clock.now().0);
        let changed = write!(self, |conn| {
            let mut changed = None;
            let mut open = vec![id];
            while !open.is_empty() {
                let it = tokens::table.filter(tokens::id.eq_any(&open)).filter(tokens::revoked_at.eq(0));
                let revoked = diesel::update(it).set(tokens::revoked_at.eq(now)).execute(conn).await?;
                changed.get_or_insert(revoked);
                // Those that were revoked before have none that hold: to revoke a token revokes what it made.
                let made = tokens::table.filter(tokens::made_with.eq_any(&open)).filter(tokens::revoked_at.eq(0));
                open = made.select(tokens::id).load(conn).await?;
            }
            Ok(changed.unwrap_or_default())
        });
        // Also if it failed: it may have been committed all the same.
        self.revocations.fetch_add(1, Ordering::AcqRel);
        Ok(changed? == 1)
    }

    /// A number that becomes another one with each revocation through this store, once that is done. What is known of
    /// tokens for longer than a request is stale then.
    pub fn revocations(&self) -> u64 {
        AtomicU64::load(&self.revocations, Ordering::Acquire)
    }

    /// The token with this text, whether it still holds or not. For authentication alone.
    ///
    /// # Errors
    /// Of the database.
    pub async fn token_by_secret(&self, secret: &str) -> Result<Option<Token>> {
        if !secret.starts_with(PREFIX) {
            return Ok(None);
        }
        let key = hash(secret);
        let row: Option<Row> = look_up!(self, |conn| {
            Ok(tokens::table.filter(tokens::hash.eq(key)).select(Row::as_select()).first(conn).await.optional()?)
        })?;
        Ok(row.map(TryInto::try_into).transpose()?)
    }

    /// The server's secret of that name, made when it is first asked for.
    pub(crate) async fn secret(&self, name: &'static str) -> Result<Vec<u8>, Error> {
        let fresh = URL_SAFE_NO_PAD.encode(random());
        let text: String = write!(self, |conn| { remembered(conn, name, fresh).await })?;
        Ok(text.into_bytes())
    }
}

/// Passes a new token if its user may have one more, and if what it is made with still holds. Tokens that ended long
/// ago make room for it.
async fn make_room(conn: &mut Connection, new: &Row) -> Result<(), Error> {
    let holds = || {
        let not_past = tokens::expires_at.eq(0).or(tokens::expires_at.gt(new.created_at));
        tokens::table.filter(tokens::revoked_at.eq(0)).filter(not_past)
    };
    let parent = holds().filter(tokens::id.eq(&new.made_with));
    if !new.made_with.is_empty() && parent.count().get_result::<i64>(conn).await? == 0 {
        let text = "the token that this is to be made with has ended";
        return Err(domain::Error::new(Code::Unauthenticated, text).into());
    }
    // Tokens that tokens make are counted by themselves, so that one of them cannot lock its user out.
    let of_user = || holds().filter(tokens::username.eq(&new.username));
    let (held, most): (i64, i64) = match new.made_with.is_empty() {
        true => (of_user().filter(tokens::made_with.eq("")).count().get_result(conn).await?, MAX_TOKENS),
        false => (of_user().filter(tokens::made_with.ne("")).count().get_result(conn).await?, MAX_TOKENS),
    };
    if held >= most {
        let text = format!("{} has {most} such tokens, the most there may be: revoke some", new.username);
        return Err(domain::Error::new(Code::ResourceExhausted, text).into());
    }
    let ended = tokens::revoked_at.gt(0).or(tokens::expires_at.gt(0).and(tokens::expires_at.le(new.created_at)));
    let ended = tokens::table.filter(tokens::username.eq(&new.username)).filter(ended);
    let latest = ended.order((tokens::created_at.desc(), tokens::id.desc())).select(tokens::id);
    let superfluous: Vec<String> = latest.offset(MAX_ENDED).limit(MAX_ENDED).load(conn).await?;
    diesel::delete(tokens::table.filter(tokens::id.eq_any(superfluous))).execute(conn).await?;
    Ok(())
}

impl Credentials for Store {
    fn hold<'a>(&'a self, proof: &'a Proof) -> BoxFuture<'a, Result<bool>> {
        let (Proof::ApiToken(id) | Proof::Recorded(Some(id))) = proof else { return Box::pin(async { Ok(true) }) };
        let id = id.to_string();
        Box::pin(async move {
            let held: i64 = look_up!(self, |conn| {
                let it = tokens::table.filter(tokens::id.eq(id)).filter(tokens::revoked_at.eq(0));
                Ok(it.count().get_result(conn).await?)
            })?;
            Ok(held == 1)
        })
    }
}
