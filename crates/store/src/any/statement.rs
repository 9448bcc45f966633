//! A query as text and values, ready for any of the databases.
use super::AnyBackend;
use diesel::{
    QueryResult,
    backend::Backend,
    expression::expression_types::Untyped,
    query_builder::{AstPass, BindCollector, Query, QueryBuilder, QueryFragment, QueryId},
    result::Error,
    serialize::{IsNull, Output, Result, ToSql},
    sql_types::{BigInt, Binary, Bool, Double, HasSqlType, Integer, Text},
};

/// A value that a query is about.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    BigInt(i64),
    Integer(i32),
    Double(f64),
    Bool(bool),
    Binary(Vec<u8>),
}

/// PostgreSQL keeps no NUL in texts. This stands before what stands for one, or for itself: it is no character (Unicode
/// 23.7), so nobody has written it but to try.
const ESCAPE: char = '\u{FFFF}';

impl Value {
    fn without_nul(&mut self) {
        if let Value::Text(text) = self
            && text.contains(['\0', ESCAPE])
        {
            *text = text.replace(ESCAPE, "\u{FFFF}1").replace('\0', "\u{FFFF}0");
        }
    }
}

/// Undoes what was done to a text without NUL.
pub(crate) fn with_nul(text: String) -> String {
    match text.contains(ESCAPE) {
        true => text.replace("\u{FFFF}0", "\0").replace("\u{FFFF}1", "\u{FFFF}"),
        false => text,
    }
}

macro_rules! to_sql {
    ($($variant:ident($native:ty)),+) => {$(
        impl ToSql<$variant, AnyBackend> for $native {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, AnyBackend>) -> Result {
                out.set_value(Value::$variant(self.to_owned()));
                Ok(IsNull::No)
            }
        }
    )+};
}

to_sql!(Text(str), BigInt(i64), Integer(i32), Double(f64), Bool(bool), Binary([u8]));

/// Collects the values of a query in their order.
#[derive(Debug, Default)]
pub(crate) struct Values(Vec<Value>);

impl<'a> BindCollector<'a, AnyBackend> for Values {
    type Buffer = Option<Value>;

    fn push_bound_value<T, U>(&mut self, bind: &'a U, lookup: &mut ()) -> QueryResult<()>
    where
        AnyBackend: HasSqlType<T>,
        U: ToSql<T, AnyBackend> + ?Sized + 'a,
    {
        let mut out = Output::new(None, lookup);
        bind.to_sql(&mut out).map_err(Error::SerializationError)?;
        match out.into_inner() {
            Some(value) => self.0.push(value),
            None => return self.push_null_value(()),
        }
        Ok(())
    }

    fn push_null_value(&mut self, (): ()) -> QueryResult<()> {
        Err(Error::SerializationError("no column holds nothing: an absent value has a word of its own".into()))
    }
}

/// Writes the text of a query, in pieces between which the values stand.
#[derive(Debug)]
pub(crate) struct Builder {
    backend: AnyBackend,
    before: Vec<String>,
    last: String,
}

impl Builder {
    fn new(backend: AnyBackend) -> Self {
        Self { backend, before: Vec::new(), last: String::new() }
    }
}

impl QueryBuilder<AnyBackend> for Builder {
    fn push_sql(&mut self, sql: &str) {
        self.last.push_str(sql);
    }

    fn push_identifier(&mut self, identifier: &str) -> QueryResult<()> {
        let quote = match self.backend {
            AnyBackend::Sqlite | AnyBackend::Mysql => '`',
            AnyBackend::Postgres => '"',
        };
        self.last.push(quote);
        for c in identifier.chars() {
            self.last.extend(std::iter::repeat_n(c, if c == quote { 2 } else { 1 }));
        }
        self.last.push(quote);
        Ok(())
    }

    fn push_bind_param(&mut self) {
        self.before.push(std::mem::take(&mut self.last));
    }

    fn finish(self) -> String {
        self.before.into_iter().map(|piece| piece + "?").chain([self.last]).collect()
    }
}

/// A query that has been written for one of the databases.
#[derive(Debug)]
pub(super) struct Statement {
    /// A value stands after each of these.
    before: Vec<(String, Value)>,
    last: String,
    may_be_kept_prepared: bool,
}

impl Statement {
    pub(super) fn new(source: &impl QueryFragment<AnyBackend>, backend: AnyBackend) -> QueryResult<Self> {
        let (mut builder, mut values) = (Builder::new(backend), Values::default());
        source.to_sql(&mut builder, &backend)?;
        source.collect_binds(&mut values, &mut (), &backend)?;
        let may_be_kept_prepared = source.is_safe_to_cache_prepared(&backend)?;
        if backend == AnyBackend::Postgres {
            values.0.iter_mut().for_each(Value::without_nul);
        }
        let Builder { before, last, .. } = builder;
        debug_assert_eq!(before.len(), values.0.len(), "each value has its place");
        Ok(Self { before: before.into_iter().zip(values.0).collect(), last, may_be_kept_prepared })
    }
}

impl<DB> QueryFragment<DB> for Statement
where
    DB: Backend + HasSqlType<Bool>,
    str: ToSql<Text, DB>,
    i64: ToSql<BigInt, DB>,
    i32: ToSql<Integer, DB>,
    f64: ToSql<Double, DB>,
    bool: ToSql<Bool, DB>,
    [u8]: ToSql<Binary, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if !self.may_be_kept_prepared {
            out.unsafe_to_cache_prepared();
        }
        for (piece, value) in &self.before {
            out.push_sql(piece);
            match value {
                Value::Text(value) => out.push_bind_param::<Text, String>(value)?,
                Value::BigInt(value) => out.push_bind_param::<BigInt, _>(value)?,
                Value::Integer(value) => out.push_bind_param::<Integer, _>(value)?,
                Value::Double(value) => out.push_bind_param::<Double, _>(value)?,
                Value::Bool(value) => out.push_bind_param::<Bool, _>(value)?,
                Value::Binary(value) => out.push_bind_param::<Binary, Vec<u8>>(value)?,
            }
        }
        out.push_sql(&self.last);
        Ok(())
    }
}

/// Two of them are the same if their text is.
impl QueryId for Statement {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement {
    // The types of the columns are those of the query that this was.
    type SqlType = Untyped;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_nul_come_back() {
        for text in ["", "a", "\0", "\0\u{FFFF}", "\u{FFFF}0", "\u{FFFF}1\0", "\u{FFFF}\u{FFFF}0\0", "0\u{0}1"] {
            let mut value = Value::Text(text.to_owned());
            value.without_nul();
            let Value::Text(kept) = value else { panic!("{value:?}") };
            assert!(!kept.contains('\0'));
            assert_eq!(with_nul(kept), text);
        }
    }
}
