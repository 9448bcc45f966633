//! API tokens, of which only hashes are kept, and the server's own secrets.
use crate::{
    Error, Store, columns,
    connect::{read, write},
    schema::{secrets, tokens},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{Result, Timestamp};
use rand::RngCore;
use sha2::{Digest, Sha256};

/// What every token begins with, so that scanners and people know one when they see it.
const PREFIX: &str = "bhk_";
/// Random bytes of a token, and of a secret.
const BYTES: usize = 32;

/// A token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub id: String,
    pub user: String,
    pub groups: Vec<String>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// Whose a new token is, and until when it holds.
#[derive(Clone, Debug)]
pub struct NewToken {
    pub user: String,
    pub groups: Vec<String>,
    pub expires_at: Option<Timestamp>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = tokens, check_for_backend(diesel::sqlite::Sqlite))]
struct Row {
    id: String,
    hash: String,
    username: String,
    user_groups: String,
    created_at: i64,
    expires_at: i64,
    revoked_at: i64,
}

impl TryFrom<Row> for Token {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Token {
            id: row.id,
            user: row.username,
            groups: columns::value("tokens.user_groups", &row.user_groups)?,
            created_at: Timestamp(row.created_at),
            expires_at: columns::moment(row.expires_at),
            revoked_at: columns::moment(row.revoked_at),
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
    /// Of the database.
    pub async fn create_token(&self, new: NewToken) -> Result<(Token, String)> {
        let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random()));
        let token = Token {
            id: hex::encode(&random()[..6]),
            user: new.user,
            groups: new.groups,
            created_at: self.clock.now(),
            expires_at: new.expires_at,
            revoked_at: None,
        };
        let row = Row {
            id: token.id.clone(),
            hash: hash(&secret),
            username: token.user.clone(),
            user_groups: columns::text(&token.groups),
            created_at: token.created_at.0,
            expires_at: token.expires_at.unwrap_or_default().0,
            revoked_at: 0,
        };
        write!(self, |conn| { Ok(diesel::insert_into(tokens::table).values(row).execute(conn).await?) })?;
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

    /// Revokes a token by its id. Returns whether there was one that still held.
    ///
    /// # Errors
    /// Of the database.
    pub async fn revoke_token(&self, id: &str) -> Result<bool> {
        let (id, now) = (id.to_owned(), self.clock.now().0);
        let changed = write!(self, |conn| {
            let it = tokens::table.filter(tokens::id.eq(id)).filter(tokens::revoked_at.eq(0));
            Ok(diesel::update(it).set(tokens::revoked_at.eq(now)).execute(conn).await?)
        })?;
        Ok(changed == 1)
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
        let row: Option<Row> = read!(self, |conn| {
            Ok(tokens::table.filter(tokens::hash.eq(key)).select(Row::as_select()).first(conn).await.optional()?)
        })?;
        Ok(row.map(TryInto::try_into).transpose()?)
    }

    /// The server's secret of that name, made when it is first asked for.
    pub(crate) async fn secret(&self, name: &'static str) -> Result<Vec<u8>, Error> {
        let fresh = URL_SAFE_NO_PAD.encode(random());
        let text: String = write!(self, |conn| {
            let row = (secrets::name.eq(name), secrets::value.eq(fresh));
            diesel::insert_or_ignore_into(secrets::table).values(row).execute(conn).await?;
            Ok(secrets::table.find(name).select(secrets::value).first(conn).await?)
        })?;
        Ok(text.into_bytes())
    }
}
