//! Which database a URL means.
use crate::Error;
use diesel::ConnectionError;
use diesel_async::pooled_connection::PoolError;
use percent_encoding::percent_decode_str;

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) enum Location {
    /// A path.
    Sqlite(String),
    Postgres(Server),
    Mysql(Server),
}

/// A server of databases.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Server {
    /// As the clients understand it. It may hold a password.
    pub(super) url: String,
    /// A file of certificates that are believed.
    pub(super) roots: Option<String>,
}

impl Server {
    /// Takes out of a URL what PostgreSQL's own client knows and those that are used here do not: `sslrootcert`, and
    /// words for that a certificate is verified, which it always is.
    fn parse(url: &str) -> Self {
        let Some((front, parameters)) = url.split_once('?') else {
            return Self { url: url.to_owned(), roots: None };
        };
        let (mut left, mut roots) = (Vec::new(), None);
        for parameter in parameters.split('&') {
            match parameter.split_once('=') {
                Some(("sslrootcert", path)) => roots = Some(percent_decode_str(path).decode_utf8_lossy().into_owned()),
                Some(("sslmode", "verify-ca" | "verify-full")) => left.push("sslmode=require"),
                _ => left.push(parameter),
            }
        }
        let url = if left.is_empty() { front.to_owned() } else { format!("{front}?{}", left.join("&")) };
        Self { url, roots }
    }
}

impl Location {
    /// Reads `sqlite:PATH`, a path alone, `postgres://…` or `mysql://…`.
    pub(super) fn parse(url: &str) -> Result<Self, Error> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return Ok(Self::Sqlite(path.strip_prefix("//").unwrap_or(path).to_owned()));
        }
        match url.split_once("://") {
            None => Ok(Self::Sqlite(url.to_owned())),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(Server::parse(url))),
            Some(("mysql", _)) => Ok(Self::Mysql(Server::parse(url))),
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
        let server =
            |url: &str, roots: Option<&str>| Server { url: url.to_owned(), roots: roots.map(ToOwned::to_owned) };
        for (url, expect) in [
            ("bulkhead.db", sqlite("bulkhead.db")),
            ("/var/lib/bulkhead.db", sqlite("/var/lib/bulkhead.db")),
            ("sqlite:bulkhead.db", sqlite("bulkhead.db")),
            ("sqlite:/var/lib/bulkhead.db", sqlite("/var/lib/bulkhead.db")),
            ("sqlite:///var/lib/bulkhead.db", sqlite("/var/lib/bulkhead.db")),
            ("postgres://a:b@c/d", Location::Postgres(server("postgres://a:b@c/d", None))),
            ("postgresql://c/d", Location::Postgres(server("postgresql://c/d", None))),
            ("mysql://a:b@c/d", Location::Mysql(server("mysql://a:b@c/d", None))),
            (
                "postgres://c/d?sslmode=verify-full&sslrootcert=%2Fca%20of.pem&connect_timeout=3",
                Location::Postgres(server("postgres://c/d?sslmode=require&connect_timeout=3", Some("/ca of.pem"))),
            ),
            ("mysql://c/d?sslrootcert=/ca.pem", Location::Mysql(server("mysql://c/d", Some("/ca.pem")))),
        ] {
            assert_eq!(Location::parse(url).unwrap(), expect, "{url}");
        }
        let error = Location::parse("oracle://a:secret@b").unwrap_err().to_string();
        assert!(error.contains("\"oracle\" is no database") && !error.contains("secret"), "{error}");
    }
}
