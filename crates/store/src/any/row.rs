//! Rows and values as the databases give them.
use super::{AnyBackend, connection, statement::with_nul};
use diesel::{
    backend::Backend,
    deserialize::{FromSql, Result},
    mysql::Mysql,
    pg::Pg,
    row::{Field, PartialRow, Row, RowIndex, RowSealed},
    sql_types::{BigInt, Binary, Bool, Double, Integer, Text},
    sqlite::Sqlite,
};
use diesel_async::{AsyncConnectionCore, AsyncMysqlConnection, AsyncPgConnection};
use std::ops::Range;

type RowOf<C> = <C as AsyncConnectionCore>::Row<'static, 'static>;
pub(super) type SqliteRow = RowOf<connection::Sqlite>;
pub(super) type PostgresRow = RowOf<AsyncPgConnection>;
pub(super) type MysqlRow = RowOf<AsyncMysqlConnection>;

/// A row of one of the databases.
pub(crate) enum AnyRow {
    Sqlite(SqliteRow),
    Postgres(PostgresRow),
    Mysql(MysqlRow),
}

/// A field of such a row.
pub(crate) enum AnyField<'f> {
    Sqlite(<SqliteRow as Row<'f, Sqlite>>::Field<'f>),
    Postgres(<PostgresRow as Row<'f, Pg>>::Field<'f>),
    Mysql(<MysqlRow as Row<'f, Mysql>>::Field<'f>),
}

/// What such a field holds.
pub(crate) enum RawValue<'a> {
    Sqlite(<Sqlite as Backend>::RawValue<'a>),
    Postgres(<Pg as Backend>::RawValue<'a>),
    Mysql(<Mysql as Backend>::RawValue<'a>),
}

impl RowSealed for AnyRow {}

impl RowIndex<usize> for AnyRow {
    fn idx(&self, idx: usize) -> Option<usize> {
        match self {
            AnyRow::Sqlite(row) => row.idx(idx),
            AnyRow::Postgres(row) => row.idx(idx),
            AnyRow::Mysql(row) => row.idx(idx),
        }
    }
}

impl<'b> RowIndex<&'b str> for AnyRow {
    fn idx(&self, name: &'b str) -> Option<usize> {
        match self {
            AnyRow::Sqlite(row) => row.idx(name),
            AnyRow::Postgres(row) => row.idx(name),
            AnyRow::Mysql(row) => row.idx(name),
        }
    }
}

impl<'a> Row<'a, AnyBackend> for AnyRow {
    type Field<'f>
        = AnyField<'f>
    where
        'a: 'f,
        Self: 'f;
    type InnerPartialRow = Self;

    fn field_count(&self) -> usize {
        match self {
            AnyRow::Sqlite(row) => row.field_count(),
            AnyRow::Postgres(row) => row.field_count(),
            AnyRow::Mysql(row) => row.field_count(),
        }
    }

    fn get<'b, I>(&'b self, idx: I) -> Option<Self::Field<'b>>
    where
        'a: 'b,
        Self: RowIndex<I>,
    {
        let idx = self.idx(idx)?;
        Some(match self {
            AnyRow::Sqlite(row) => AnyField::Sqlite(Row::<Sqlite>::get(row, idx)?),
            AnyRow::Postgres(row) => AnyField::Postgres(Row::<Pg>::get(row, idx)?),
            AnyRow::Mysql(row) => AnyField::Mysql(Row::<Mysql>::get(row, idx)?),
        })
    }

    fn partial_row(&self, range: Range<usize>) -> PartialRow<'_, Self::InnerPartialRow> {
        PartialRow::new(self, range)
    }
}

impl<'f> Field<'f, AnyBackend> for AnyField<'f> {
    fn field_name(&self) -> Option<&str> {
        match self {
            AnyField::Sqlite(field) => field.field_name(),
            AnyField::Postgres(field) => field.field_name(),
            AnyField::Mysql(field) => field.field_name(),
        }
    }

    fn value(&self) -> Option<RawValue<'_>> {
        match self {
            AnyField::Sqlite(field) => field.value().map(RawValue::Sqlite),
            AnyField::Postgres(field) => field.value().map(RawValue::Postgres),
            AnyField::Mysql(field) => field.value().map(RawValue::Mysql),
        }
    }
}

macro_rules! from_sql {
    ($($type:ty => $native:ty),+ $(,)?) => {$(
        impl FromSql<$type, AnyBackend> for $native {
            fn from_sql(value: RawValue<'_>) -> Result<Self> {
                match value {
                    RawValue::Sqlite(value) => FromSql::<$type, Sqlite>::from_sql(value),
                    RawValue::Postgres(value) => FromSql::<$type, Pg>::from_sql(value),
                    RawValue::Mysql(value) => FromSql::<$type, Mysql>::from_sql(value),
                }
            }
        }
    )+};
}

impl FromSql<Text, AnyBackend> for String {
    fn from_sql(value: RawValue<'_>) -> Result<Self> {
        match value {
            RawValue::Sqlite(value) => FromSql::<Text, Sqlite>::from_sql(value),
            RawValue::Postgres(value) => FromSql::<Text, Pg>::from_sql(value).map(with_nul),
            RawValue::Mysql(value) => FromSql::<Text, Mysql>::from_sql(value),
        }
    }
}

from_sql!(BigInt => i64, Integer => i32, Double => f64, Bool => bool, Binary => Vec<u8>);
