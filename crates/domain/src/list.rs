//! What a list request asks for, checked but not yet bound to a table.
use crate::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// The page size when the request gives none (KFP API: 0 means this).
const DEFAULT_PAGE: i32 = 20;
/// The largest page; more is cut to this.
const MAX_PAGE: i32 = 200;

/// The most conditions of a filter, and the most values of one.
const MAX_PREDICATES: usize = 64;
const MAX_VALUES: usize = 1000;

/// One page of a list, as the request words it.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pub size: i32,
    pub token: String,
    /// `field`, `field asc` or `field desc`; empty is `created_at asc`.
    pub sort_by: String,
    pub predicates: Vec<Predicate>,
}

impl Query {
    /// Rows to return.
    ///
    /// # Errors
    /// `InvalidArgument` for a negative size.
    pub fn page_size(&self) -> Result<i64> {
        match self.size {
            ..0 => Err(Error::invalid(format!("page_size {} is negative", self.size))),
            0 => Ok(DEFAULT_PAGE.into()),
            size => Ok(size.min(MAX_PAGE).into()),
        }
    }
}

/// Passes a filter that a database can be asked.
///
/// # Errors
/// `InvalidArgument` if it has too many conditions or values: queries are as deep as they are long.
pub fn check_filter(predicates: &[Predicate]) -> Result<()> {
    if predicates.len() > MAX_PREDICATES {
        let text = format!("filter has {} predicates, and at most {MAX_PREDICATES} are allowed", predicates.len());
        return Err(Error::invalid(text));
    }
    for Predicate { key, value, .. } in predicates {
        let values = match value {
            Value::Ints(values) => values.len(),
            Value::Texts(values) => values.len(),
            Value::Int(_) | Value::Text(_) | Value::Time(_) => 1,
        };
        if values > MAX_VALUES {
            let text = format!("filter on {key:?} has {values} values, and at most {MAX_VALUES} are allowed");
            return Err(Error::invalid(text));
        }
    }
    Ok(())
}

/// One condition of a filter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Predicate {
    pub key: String,
    pub operation: Operation,
    pub value: Value,
}

/// KFP API `Predicate.Operation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    Equals,
    NotEquals,
    GreaterThan,
    GreaterThanEquals,
    LessThan,
    LessThanEquals,
    In,
    IsSubstring,
}

/// What a condition compares with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    Int(i64),
    Text(String),
    Time(Timestamp),
    Ints(Vec<i64>),
    Texts(Vec<String>),
}

/// One page of rows.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// How many rows match over all pages.
    pub total: i64,
    /// Empty on the last page.
    pub next: String,
}

impl<T> Page<T> {
    /// The total as messages have it.
    pub fn total_size(&self) -> i32 {
        i32::try_from(self.total).unwrap_or(i32::MAX)
    }

    /// The same page of other things.
    ///
    /// # Errors
    /// The first that `read` gives.
    pub fn try_map<U, E>(self, read: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        let items = self.items.into_iter().map(read).collect::<Result<_, E>>()?;
        Ok(Page { items, total: self.total, next: self.next })
    }
}
