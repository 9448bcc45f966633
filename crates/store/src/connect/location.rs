//! Which database a URL means.
use crate::Error;
use diesel::ConnectionError;
use diesel_async::pooled_connection::PoolError;

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) enum Location {
    /// A path.
    Sqlite(String),
    /// A URL, which may hold a password.
    Postgres(String),
    /// A URL, which may hold a password.
    Mysql(String),
}

impl Location {
    /// Reads `sqlite:PATH`, a path alone, `postgres://…` or `mysql://…`.
    pub(super) fn parse(url: &str) -> Result<Self, Error> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return Ok(Self::Sqlite(path.strip_prefix("//").unwrap_or(path).to_owned()));
        }
        match url.split_once("://") {
            None => Ok(Self::Sqlite(url.to_owned())),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(url.to_owned())),
            Some(("mysql", _)) => Ok(Self::Mysql(url.to_owned())),
            Some((scheme, _)) => {
                let text = format!("{scheme:?} is no database: write sqlite:PATH, postgres://… or mysql://…");
                Err(PoolError::ConnectionError(ConnectionError::InvalidConnectionUrl(text)).into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_say_which_database() {
        let sqlite = |path: &str| Location::Sqlite(path.to_owned());
        for (url, expect) in [
            ("bulkhead.db", sqlite("bulkhead.db")),
            ("/var/lib/bulkhead.db", sqlite("/var/lib/bulkhead.db")),
            ("sqlite:bulkhead.db", sqlite("bulkhead.db")),
            ("sqlite:/var/lib/bulkhead.db", sqlite("/var/lib/bulkhead.db")),
            ("sqlite:///var/lib/bulkhead.db", sqlite("/var/lib/bulkhead.db")),
            ("postgres://a:b@c/d", Location::Postgres("postgres://a:b@c/d".to_owned())),
            ("postgresql://c/d", Location::Postgres("postgresql://c/d".to_owned())),
            ("mysql://a:b@c/d", Location::Mysql("mysql://a:b@c/d".to_owned())),
        ] {
            assert_eq!(Location::parse(url).unwrap(), expect, "{url}");
        }
        let error = Location::parse("oracle://a:secret@b").unwrap_err().to_string();
        assert!(error.contains("\"oracle\" is no database") && !error.contains("secret"), "{error}");
    }
}
