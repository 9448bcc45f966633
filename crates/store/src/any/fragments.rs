//! Parts of queries that a backend has to write by itself, and those that the databases want written differently.
use super::AnyBackend;
use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    internal::derives::multiconnection::{
        BoxedLimitOffsetClause, LimitClause, LimitOffsetClause, NoLimitClause, NoOffsetClause, OffsetClause,
    },
    query_builder::{AstPass, IntoBoxedClause, QueryFragment, QueryId},
    sql_types::{BigInt, Bool, Text},
};

// An offset without a limit is written differently everywhere, and is not used.
impl QueryFragment<AnyBackend> for LimitOffsetClause<NoLimitClause, NoOffsetClause> {
    fn walk_ast<'b>(&'b self, _: AstPass<'_, 'b, AnyBackend>) -> QueryResult<()> {
        Ok(())
    }
}

impl<L> QueryFragment<AnyBackend> for LimitOffsetClause<LimitClause<L>, NoOffsetClause>
where
    LimitClause<L>: QueryFragment<AnyBackend>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, AnyBackend>) -> QueryResult<()> {
        self.limit_clause.walk_ast(out)
    }
}

impl<L, O> QueryFragment<AnyBackend> for LimitOffsetClause<LimitClause<L>, OffsetClause<O>>
where
    LimitClause<L>: QueryFragment<AnyBackend>,
    OffsetClause<O>: QueryFragment<AnyBackend>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, AnyBackend>) -> QueryResult<()> {
        self.limit_clause.walk_ast(out.reborrow())?;
        self.offset_clause.walk_ast(out)
    }
}

impl QueryFragment<AnyBackend> for BoxedLimitOffsetClause<'_, AnyBackend> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, AnyBackend>) -> QueryResult<()> {
        for clause in self.limit.iter().chain(&self.offset) {
            clause.walk_ast(out.reborrow())?;
        }
        Ok(())
    }
}

impl<'a> IntoBoxedClause<'a, AnyBackend> for LimitOffsetClause<NoLimitClause, NoOffsetClause> {
    type BoxedClause = BoxedLimitOffsetClause<'a, AnyBackend>;

    fn into_boxed(self) -> Self::BoxedClause {
        BoxedLimitOffsetClause { limit: None, offset: None }
    }
}

/// Whether a column of text holds a part.
#[derive(Clone, Debug, QueryId)]
pub(crate) struct Contains<C> {
    column: C,
    how: How,
}

#[derive(Clone, Debug)]
enum How {
    Exactly(String),
    /// With the part as a pattern of LIKE, with `\` as the escape, and as a regular expression.
    InAnyCase {
        like: String,
        regex: String,
    },
}

impl QueryId for How {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> Contains<C> {
    /// To the letter.
    pub(crate) fn exactly(column: C, part: String) -> Self {
        Self { column, how: How::Exactly(part) }
    }

    /// In upper or lower case, as far as letters of ASCII go: that is how SQLite's LIKE takes it.
    pub(crate) fn in_any_case(column: C, part: &str) -> Self {
        let (mut like, mut regex) = ("%".to_owned(), String::new());
        for c in part.chars() {
            if "\\%_".contains(c) {
                like.push('\\');
            }
            like.push(c);
            match c {
                'a'..='z' | 'A'..='Z' => {
                    regex.extend(['[', c.to_ascii_lowercase(), c.to_ascii_uppercase(), ']']);
                }
                c if c.is_ascii_punctuation() => regex.extend(['\\', c]),
                c => regex.push(c),
            }
        }
        like.push('%');
        Self { column, how: How::InAnyCase { like, regex } }
    }
}

impl<C: QueryFragment<AnyBackend>> QueryFragment<AnyBackend> for Contains<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, AnyBackend>) -> QueryResult<()> {
        let backend = *out.backend();
        // The text is not the same for all of this type.
        out.unsafe_to_cache_prepared();
        match (&self.how, backend) {
            (How::Exactly(part), _) => {
                out.push_sql(if backend == AnyBackend::Postgres { "(STRPOS(" } else { "(INSTR(" });
                self.column.walk_ast(out.reborrow())?;
                out.push_sql(", ");
                out.push_bind_param::<Text, String>(part)?;
                out.push_sql(") > 0)");
            }
            // Its LIKE minds the case in a binary collation and accents in no other. An empty expression is an error.
            (How::InAnyCase { regex, .. }, AnyBackend::Mysql) if regex.is_empty() => out.push_sql("(1 = 1)"),
            (How::InAnyCase { regex, .. }, AnyBackend::Mysql) => {
                out.push_sql("(");
                self.column.walk_ast(out.reborrow())?;
                out.push_sql(" REGEXP ");
                out.push_bind_param::<Text, String>(regex)?;
                out.push_sql(")");
            }
            (How::InAnyCase { like, .. }, _) => {
                out.push_sql("(");
                self.column.walk_ast(out.reborrow())?;
                // The columns have the collation C, in which only letters of ASCII have two cases.
                out.push_sql(if backend == AnyBackend::Postgres { " ILIKE " } else { " LIKE " });
                out.push_bind_param::<Text, String>(like)?;
                out.push_sql(" ESCAPE '\\')");
            }
        }
        Ok(())
    }
}

/// The whole seconds of a column of microseconds.
#[derive(Clone, Copy, Debug, QueryId)]
pub(crate) struct Seconds<C>(C);

pub(crate) fn seconds<C>(column: C) -> Seconds<C> {
    Seconds(column)
}

impl<C: QueryFragment<AnyBackend>> QueryFragment<AnyBackend> for Seconds<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, AnyBackend>) -> QueryResult<()> {
        out.push_sql("(");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(if *out.backend() == AnyBackend::Mysql { " DIV 1000000)" } else { " / 1000000)" });
        Ok(())
    }
}

macro_rules! expression {
    ($($node:ident: $column:ty => $type:ty),+) => {$(
        impl<C: Expression<SqlType = $column>> Expression for $node<C> {
            type SqlType = $type;
        }

        impl<C: AppearsOnTable<QS>, QS> AppearsOnTable<QS> for $node<C> where Self: Expression {}
        impl<C: SelectableExpression<QS>, QS> SelectableExpression<QS> for $node<C> where Self: AppearsOnTable<QS> {}

        impl<C, G> ValidGrouping<G> for $node<C> {
            type IsAggregate = is_aggregate::No;
        }
    )+};
}

expression!(Contains: Text => Bool, Seconds: BigInt => BigInt);
