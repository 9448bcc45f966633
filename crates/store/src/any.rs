//! One connection type over SQLite, PostgreSQL and MySQL or MariaDB, so that each query is written and compiled once.
//!
//! It is what diesel's `MultiConnection` derives, for asynchronous connections. A query is turned into text and values
//! for the database at hand, and those are given to its own connection.
mod connection;
mod fragments;
mod keyset;
mod row;
mod statement;

use diesel::{
    backend::{Backend, DieselReserveSpecialization, SqlDialect, TrustedBackend, sql_dialect},
    sql_types::{
        BigInt, Binary, Bool, Date, Double, Float, HasSqlType, Integer, SmallInt, Text, Time, Timestamp, TypeMetadata,
    },
};

pub(crate) use connection::{AnyConnection, Purpose, Sqlite, Transactions};
pub(crate) use fragments::{Contains, seconds};
pub(crate) use keyset::{Beyond, Way};
pub(crate) use statement::with_nul;

/// The database at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnyBackend {
    Sqlite,
    Postgres,
    /// Or MariaDB.
    Mysql,
}

impl Backend for AnyBackend {
    type QueryBuilder = statement::Builder;
    type RawValue<'a> = row::RawValue<'a>;
    type BindCollector<'a> = statement::Values;
}

impl TypeMetadata for AnyBackend {
    // Each database's own metadata is looked up when the values are handed to it.
    type TypeMetadata = ();
    type MetadataLookup = ();
}

impl TrustedBackend for AnyBackend {}
impl DieselReserveSpecialization for AnyBackend {}

/// What all of them understand. Where they do not agree, `fragments` writes for each what it wants.
impl SqlDialect for AnyBackend {
    type ReturningClause = sql_dialect::returning_clause::DoesNotSupportReturningClause;
    type OnConflictClause = sql_dialect::on_conflict_clause::DoesNotSupportOnConflictClause;
    // It is never written: no column that is inserted may be absent.
    type InsertWithDefaultKeyword = sql_dialect::default_keyword_for_insert::IsoSqlDefaultKeyword;
    type BatchInsertSupport = sql_dialect::batch_insert_support::PostgresLikeBatchInsertSupport;
    type ConcatClause = NoConcat;
    type DefaultValueClauseForInsert = sql_dialect::default_value_clause::AnsiDefaultValueClause;
    type EmptyFromClauseSyntax = sql_dialect::from_clause_syntax::AnsiSqlFromClauseSyntax;
    type ExistsSyntax = sql_dialect::exists_syntax::AnsiSqlExistsSyntax;
    type ArrayComparison = sql_dialect::array_comparison::AnsiSqlArrayComparison;
    type SelectStatementSyntax = sql_dialect::select_statement_syntax::AnsiSqlSelectStatement;
    type AliasSyntax = sql_dialect::alias_syntax::AsAliasSyntax;
    type WindowFrameClauseGroupSupport = sql_dialect::window_frame_clause_group_support::NoGroupWindowFrameUnit;
    type WindowFrameExclusionSupport = sql_dialect::window_frame_exclusion_support::NoFrameFrameExclusionSupport;
    type AggregateFunctionExpressions = sql_dialect::aggregate_function_expressions::NoAggregateFunctionExpressions;
    type BuiltInWindowFunctionRequireOrder = sql_dialect::built_in_window_function_require_order::NoOrderRequired;
}

/// MySQL takes `||` for an OR: texts are not joined in queries.
pub(crate) struct NoConcat;

macro_rules! has_types {
    ($($type:ty),+) => {$(
        impl HasSqlType<$type> for AnyBackend {
            fn metadata(_: &mut Self::MetadataLookup) -> Self::TypeMetadata {}
        }
    )+};
}

// The last six are wanted of every backend; no column has them.
has_types!(Text, BigInt, Integer, Double, Bool, Binary, SmallInt, Float, Date, Time, Timestamp);
