//! Definitions: what runs, recurring runs and versions of pipelines execute. A namespace keeps each text once, packed,
//! under its hash, as long as a row refers to it. Namespaces share none, so that nobody learns what others have.
use crate::{
    Error,
    any::AnyBackend,
    connect::Connection,
    page::Weights,
    schema::{pipeline_versions, recurring_runs, runs, specs},
};
use diesel::{
    QueryResult,
    dsl::{exists, not},
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{BigInt, Binary, Text},
};
use diesel_async::RunQueryDsl;
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use moka::sync::Cache;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeSet, HashMap},
    io::{Read, Write},
    sync::Arc,
};

/// How many bytes of definitions stay in memory.
const CACHE: u64 = 32 << 20;
/// What an entry takes besides its text.
const ENTRY: usize = 256;

/// Of definitions.
pub(crate) type Hashes = BTreeSet<String>;

/// Definitions by their hash; that of none is empty.
pub(crate) type Texts = HashMap<String, Arc<str>>;

/// Which definitions of a list's rows are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    /// Those that rows have for themselves, not those of versions, which can be asked for.
    Own,
}

/// Definitions that were asked for lately, unpacked. The key is the namespace with the hash: who knows the hash of a
/// definition does not get it from another namespace.
#[derive(Clone)]
pub(crate) struct Specs(Cache<(String, String), Arc<str>>);

#[derive(Queryable, Selectable)]
#[diesel(table_name = specs, check_for_backend(crate::any::AnyBackend))]
struct Row {
    hash: String,
    content: Vec<u8>,
}

impl Default for Specs {
    fn default() -> Self {
        let weight = |(namespace, hash): &(String, String), text: &Arc<str>| {
            u32::try_from(namespace.len() + hash.len() + text.len() + ENTRY).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(CACHE).weigher(weight).build())
    }
}

impl Specs {
    /// The definition that a row of the namespace refers to.
    pub(crate) async fn read(&self, conn: &mut Connection, namespace: &str, hash: &str) -> Result<Arc<str>, Error> {
        let mut texts = self.read_all(conn, namespace, [hash.to_owned()].into()).await?;
        texts.remove(hash).ok_or_else(|| lost(hash))
    }

    /// Those that rows of the namespace refer to.
    pub(crate) async fn read_all(
        &self,
        conn: &mut Connection,
        namespace: &str,
        hashes: Hashes,
    ) -> Result<Texts, Error> {
        let mut texts = Texts::from([(String::new(), "".into())]);
        let mut unknown = Vec::new();
        for hash in hashes.into_iter().filter(|hash| !hash.is_empty()) {
            match self.0.get(&(namespace.to_owned(), hash.clone())) {
                Some(text) => drop(texts.insert(hash, text)),
                None => unknown.push(hash),
            }
        }
        if unknown.is_empty() {
            return Ok(texts);
        }
        let of_home = specs::table.filter(specs::namespace.eq(namespace));
        let found = of_home.filter(specs::hash.eq_any(&unknown)).select(Row::as_select());
        for row in found.load::<Row>(conn).await? {
            let text: Arc<str> = unpack(&row.hash, &row.content)?.into();
            self.0.insert((namespace.to_owned(), row.hash.clone()), text.clone());
            texts.insert(row.hash, text);
        }
        match unknown.into_iter().find(|hash| !texts.contains_key(hash)) {
            Some(hash) => Err(lost(&hash)),
            None => Ok(texts),
        }
    }
}

fn lost(hash: &str) -> Error {
    let source = format!("the definition {hash} that a row refers to is not there").into();
    Error::Row { column: "specs.hash", source }
}

/// What a text is referred to by: its SHA-256 in hexadecimal, or nothing for none.
pub(crate) fn hash(text: &str) -> String {
    if text.is_empty() { String::new() } else { hex::encode(Sha256::digest(text)) }
}

/// Keeps a text for a row of the namespace that refers to it by its hash.
pub(crate) async fn keep(conn: &mut Connection, namespace: &str, hash: &str, text: &Arc<str>) -> Result<(), Error> {
    if hash.is_empty() {
        return Ok(());
    }
    // It is read, so that whoever lets go of it meanwhile meets this transaction.
    let there = specs::table.find((namespace, hash)).select(specs::size);
    if there.first::<i64>(conn).await.optional()?.is_some() {
        return Ok(());
    }
    let content = pack(text);
    let size = i64::try_from(text.len()).unwrap_or(i64::MAX);
    Addition { namespace, hash, content, size }.execute(conn).await?;
    Ok(())
}

/// Lets go of a text that a row of the namespace referred to: with the last such row it goes.
pub(crate) async fn let_go(conn: &mut Connection, namespace: &str, hash: &str) -> Result<(), Error> {
    if hash.is_empty() {
        return Ok(());
    }
    let of_home = runs::table.filter(runs::namespace.eq(namespace));
    let by_run = of_home.filter(runs::spec_hash.eq(hash));
    let of_home = recurring_runs::table.filter(recurring_runs::namespace.eq(namespace));
    let by_recurring_run = of_home.filter(recurring_runs::spec_hash.eq(hash));
    let of_home = pipeline_versions::table.filter(pipeline_versions::namespace.eq(namespace));
    let by_version = of_home.filter(pipeline_versions::spec_hash.eq(hash));
    let it = specs::table.filter(specs::namespace.eq(namespace)).filter(specs::hash.eq(hash));
    let unused = it.filter(not(exists(by_run))).filter(not(exists(by_recurring_run)));
    diesel::delete(unused.filter(not(exists(by_version)))).execute(conn).await?;
    Ok(())
}

/// What the texts that rows of the namespace refer to weigh, by the ids of the rows: pairs of an id and a hash.
pub(crate) async fn weights(conn: &mut Connection, namespace: &str, rows: &[(&str, &str)]) -> Result<Weights, Error> {
    let hashes: BTreeSet<&str> = rows.iter().map(|(_, hash)| *hash).filter(|hash| !hash.is_empty()).collect();
    if hashes.is_empty() {
        return Ok(Weights::new());
    }
    let of_home = specs::table.filter(specs::namespace.eq(namespace)).filter(specs::hash.eq_any(hashes));
    let sizes: Vec<(String, i64)> = of_home.select((specs::hash, specs::size)).load(conn).await?;
    let sizes: HashMap<String, i64> = sizes.into_iter().collect();
    let weight = |hash: &str| usize::try_from(sizes.get(hash).copied().unwrap_or_default()).unwrap_or_default();
    Ok(rows.iter().map(|(id, hash)| ((*id).to_owned(), weight(hash))).collect())
}

/// Compresses a text, quickly rather than well: a transaction waits for it.
pub(crate) fn pack(text: &str) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    #[expect(clippy::expect_used, reason = "a vector takes all that is written to it")]
    encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).expect("writing to memory cannot fail")
}

/// Undoes that, and makes sure that it is the text of that hash.
fn unpack(expect: &str, content: &[u8]) -> Result<String, Error> {
    let mut text = String::new();
    let bad = |source: Box<dyn std::error::Error + Send + Sync>| Error::Row { column: "specs.content", source };
    DeflateDecoder::new(content).read_to_string(&mut text).map_err(|error| bad(error.into()))?;
    if hash(&text) != expect {
        return Err(bad(format!("it is not the text of {expect}").into()));
    }
    Ok(text)
}

/// Adds a text, unless somebody else just has.
#[derive(Debug)]
struct Addition<'a> {
    namespace: &'a str,
    hash: &'a str,
    content: Vec<u8>,
    size: i64,
}

impl QueryFragment<AnyBackend> for Addition<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, AnyBackend>) -> QueryResult<()> {
        let backend = *out.backend();
        out.push_sql("INSERT INTO specs (namespace, hash, content, size) VALUES (");
        out.push_bind_param::<Text, str>(self.namespace)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, str>(self.hash)?;
        out.push_sql(", ");
        out.push_bind_param::<Binary, Vec<u8>>(&self.content)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, i64>(&self.size)?;
        out.push_sql(match backend {
            AnyBackend::Mysql => ") ON DUPLICATE KEY UPDATE size = VALUES(size)",
            AnyBackend::Sqlite | AnyBackend::Postgres => ") ON CONFLICT (namespace, hash) DO NOTHING",
        });
        Ok(())
    }
}

impl QueryId for Addition<'_> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_and_damage_is_found() {
        for text in ["a", "spec: ä\n", &"name: value\n".repeat(10_000)] {
            let packed = pack(text);
            assert_eq!(unpack(&hash(text), &packed).unwrap(), text);
            assert!(unpack(&hash("other"), &packed).is_err());
            assert!(unpack(&hash(text), &packed[..packed.len() / 2]).is_err());
        }
        assert!(pack(&"name: value\n".repeat(10_000)).len() < 1000);
    }
}
