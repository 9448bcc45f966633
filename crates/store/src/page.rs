//! One page of a list: checked predicates, a keyset cursor, and tokens that clients cannot forge.
//!
//! Pages are ordered by (sort column, id), both in one direction; the cursor is the last row of the page before.
mod filter;
pub(crate) mod token;

use crate::{connect::Connection, specs::Wanted};
use domain::{
    Error, Home, Result,
    list::{Predicate, Query, check_filter},
};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

pub(crate) use filter::{TextFilter, TimeFilter, keys, storage_filter, tag_filter, text_filter, time_filter, unknown};

/// A list's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sort {
    pub(crate) field: String,
    pub(crate) descending: bool,
}

impl Sort {
    /// Reads `field`, `field asc` or `field desc`.
    fn parse(text: &str) -> Result<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (field, descending) = match words[..] {
            [] => ("created_at", false),
            [field] => (field, false),
            [field, order] if order.eq_ignore_ascii_case("asc") => (field, false),
            [field, order] if order.eq_ignore_ascii_case("desc") => (field, true),
            _ => {
                return Err(Error::invalid(format!(
                    "sort_by {text:?} is not understood: write `FIELD`, `FIELD asc` or `FIELD desc`"
                )));
            }
        };
        // Fields are of any case; a metric is called what its task has called it.
        let field = match field.split_once(':') {
            Some((kind, name)) => format!("{}:{name}", kind.to_lowercase()),
            None => field.to_lowercase(),
        };
        Ok(Self { field, descending })
    }
}

/// The value of the sort column in the last row of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Edge {
    Number(i64),
    Text(String),
}

/// Where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    pub(crate) edge: Edge,
    pub(crate) id: String,
}

/// The most bytes of definitions in a page: as messages they take many times that.
const MAX_BYTES: usize = 4 << 20;

/// The size of what belongs to rows, by id, in bytes.
pub(crate) type Weights = HashMap<String, usize>;

/// A row that may be large.
pub(crate) trait Weigh: Sized + Sync {
    /// The size of what makes it so, in bytes.
    fn bytes(&self) -> usize {
        0
    }

    /// The size of what belongs to some rows besides: definitions that are wanted, and more.
    fn besides<'a>(_: &'a mut Connection, _: &'a [Self], _: Wanted) -> BoxFuture<'a, Result<Weights, crate::Error>> {
        Box::pin(async { Ok(Weights::new()) })
    }
}

/// A request for a page with its token taken in.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) size: i64,
    pub(crate) sort: Sort,
    pub(crate) after: Option<Cursor>,
    pub(crate) predicates: Vec<Predicate>,
    pub(crate) wanted: Wanted,
    /// What a token of this list is bound to.
    list: String,
}

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
struct Continued {
    list: String,
    sort: Sort,
    predicates: Vec<Predicate>,
    after: Cursor,
}

impl Plan {
    /// Reads a request for a page of `list` in `home`. Order and filter of a continued list come from its token;
    /// a request may repeat them and must then mean the same.
    pub(crate) fn read(query: Query, list: &str, home: &Home, key: &[u8]) -> Result<Self> {
        check_filter(&query.predicates)?;
        let (size, list) = (query.page_size()?, format!("{list} {}", home.as_column()));
        if query.token.is_empty() {
            return Ok(Self {
                size,
                sort: Sort::parse(&query.sort_by)?,
                after: None,
                predicates: query.predicates,
                wanted: Wanted::All,
                list,
            });
        }
        let bad = |why: &str| Error::invalid(format!("page_token is not valid: {why}; start again without one"));
        let continued: Continued =
            token::open(&query.token, key).ok_or_else(|| bad("it was not made for this list"))?;
        if continued.list != list {
            return Err(bad("it was not made for this list"));
        }
        if !query.sort_by.trim().is_empty() && Sort::parse(&query.sort_by)? != continued.sort {
            return Err(bad("sort_by differs from the list that it continues"));
        }
        if !query.predicates.is_empty() && query.predicates != continued.predicates {
            return Err(bad("filter differs from the list that it continues"));
        }
        let Continued { sort, predicates, after, .. } = continued;
        Ok(Self { size, sort, after: Some(after), predicates, wanted: Wanted::All, list })
    }

    /// The same for a list whose rows come with those definitions alone.
    pub(crate) fn with(self, wanted: Wanted) -> Self {
        Self { wanted, ..self }
    }

    /// Cuts `rows`, of which one more than a page was asked for, to the page, and makes the next token. A page of
    /// large rows is shorter than was asked for; it has one row at least.
    pub(crate) fn cut<R>(
        self,
        rows: &mut Vec<R>,
        key: &[u8],
        weight: impl Fn(&R) -> usize,
        cursor: impl Fn(&R, &str) -> Cursor,
    ) -> String {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let mut bytes = 0;
        let light = |row: &&R| {
            bytes += weight(row);
            bytes <= MAX_BYTES
        };
        let fit = rows.iter().take(size).take_while(light).count().max(1);
        if rows.len() <= fit {
            return String::new();
        }
        rows.truncate(fit);
        let Some(last) = rows.last() else { return String::new() };
        let after = cursor(last, &self.sort.field);
        token::seal(&Continued { list: self.list, sort: self.sort, predicates: self.predicates, after }, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_rows_make_short_pages() {
        let cursor = |row: &String, _: &str| Cursor { edge: Edge::Number(0), id: row.len().to_string() };
        let left = |sizes: &[usize]| {
            let mut rows: Vec<String> = sizes.iter().map(|size| "x".repeat(*size)).collect();
            let next =
                read("", "", "runs", Home::from_column("a")).unwrap().cut(&mut rows, b"key", String::len, cursor);
            (rows.len(), !next.is_empty())
        };
        assert_eq!(left(&[1, 1]), (2, false));
        assert_eq!(left(&[1, 1, 1]), (2, true));
        assert_eq!(left(&[1, MAX_BYTES]), (1, true));
        assert_eq!(left(&[MAX_BYTES + 1]), (1, false));
        assert_eq!(left(&[]), (0, false));
    }

    fn read(token: &str, sort_by: &str, list: &str, home: Home) -> Result<Plan> {
        let query = Query { size: 2, token: token.into(), sort_by: sort_by.into(), predicates: vec![] };
        Plan::read(query, list, &home, b"key")
    }

    #[test]
    fn a_token_continues_its_own_list_only() {
        let a = || Home::from_column("a");
        let cursor = |row: &i64, _: &str| Cursor { edge: Edge::Number(*row), id: row.to_string() };
        let mut rows = vec![1, 2, 3];
        let token = read("", "name desc", "runs", a()).unwrap().cut(&mut rows, b"key", |_| 0, cursor);
        assert_eq!(rows, [1, 2]);
        let next = read(&token, "", "runs", a()).unwrap();
        assert_eq!(next.after, Some(Cursor { edge: Edge::Number(2), id: "2".into() }));
        assert!(next.sort.descending && next.sort.field == "name");
        read(&token, "NAME  desc", "runs", a()).unwrap();
        for (sort, list, home) in [("name", "runs", a()), ("", "jobs", a()), ("", "runs", Home::from_column("b"))] {
            assert!(read(&token, sort, list, home).is_err(), "{sort} {list}");
        }
        let mut forged = token.into_bytes();
        forged[3] ^= 1;
        assert!(read(&String::from_utf8_lossy(&forged), "", "runs", a()).is_err());
    }
}
