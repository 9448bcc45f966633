//! Where a page goes on, so written that each database begins to read there and not at the beginning of the list.
use super::AnyBackend;
use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{Bool, HasSqlType, Text},
};

/// In which direction a list goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Down,
}

/// Whether a row comes after another one, in the order of a column and then of the id.
#[derive(Clone, Debug)]
pub(crate) struct Beyond<C, K, V> {
    pub(crate) column: C,
    pub(crate) key: K,
    pub(crate) way: Way,
    /// The other row's value in the column, and its id.
    pub(crate) edge: V,
    pub(crate) id: String,
}

impl<C, K, V> QueryFragment<AnyBackend> for Beyond<C, K, V>
where
    C: Expression + QueryFragment<AnyBackend>,
    K: QueryFragment<AnyBackend>,
    V: ToSql<C::SqlType, AnyBackend>,
    AnyBackend: HasSqlType<C::SqlType>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, AnyBackend>) -> QueryResult<()> {
        let comes = match self.way {
            Way::Up => " > ",
            Way::Down => " < ",
        };
        // MySQL reads a range of an index for the longer form alone, the others for the shorter one.
        if *out.backend() == AnyBackend::Mysql {
            out.push_sql("(");
            self.column.walk_ast(out.reborrow())?;
            out.push_sql(comes);
            out.push_bind_param::<C::SqlType, V>(&self.edge)?;
            out.push_sql(" OR (");
            self.column.walk_ast(out.reborrow())?;
            out.push_sql(" = ");
            out.push_bind_param::<C::SqlType, V>(&self.edge)?;
            out.push_sql(" AND ");
            self.key.walk_ast(out.reborrow())?;
            out.push_sql(comes);
            out.push_bind_param::<Text, String>(&self.id)?;
            out.push_sql("))");
            return Ok(());
        }
        out.push_sql("((");
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        self.key.walk_ast(out.reborrow())?;
        out.push_sql(")");
        out.push_sql(comes);
        out.push_sql("(");
        out.push_bind_param::<C::SqlType, V>(&self.edge)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, String>(&self.id)?;
        out.push_sql("))");
        Ok(())
    }
}

impl<C, K, V> QueryId for Beyond<C, K, V> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C, K, V> Expression for Beyond<C, K, V> {
    type SqlType = Bool;
}

impl<C: AppearsOnTable<QS>, K: AppearsOnTable<QS>, V, QS> AppearsOnTable<QS> for Beyond<C, K, V> {}
impl<C: SelectableExpression<QS>, K: SelectableExpression<QS>, V, QS> SelectableExpression<QS> for Beyond<C, K, V> {}

impl<C, K, V, G> ValidGrouping<G> for Beyond<C, K, V> {
    type IsAggregate = is_aggregate::No;
}
