//! From the keys of filters and orders to columns.
use crate::columns;
use domain::{
    Error, StorageState, Timestamp,
    list::{Operation, Predicate, Value},
};

/// A condition on a text column, as values to compare with.
pub(crate) enum TextFilter {
    Equals(String),
    NotEquals(String),
    Greater(String),
    GreaterOrEqual(String),
    Less(String),
    LessOrEqual(String),
    In(Vec<String>),
    /// In any case.
    Contains(String),
}

/// A condition on a time column: microseconds from the first to before the second, or not; or one of some seconds.
pub(crate) enum TimeFilter {
    Within(i64, i64),
    Outside(i64, i64),
    Seconds(Vec<i64>),
}

/// Reads a predicate about text. `read` turns what the client wrote into what the column holds.
pub(crate) fn text_filter(p: &Predicate, read: impl Fn(&str) -> Option<String>) -> Result<TextFilter, Error> {
    let wrong = |want: &str| Error::invalid(format!("filter on {:?}: the operation wants {want}", p.key));
    let read = |text: &str| {
        read(text)
            .ok_or_else(|| Error::invalid(format!("filter on {:?}: {text:?} is not a value of this field", p.key)))
    };
    if p.operation == Operation::In {
        let Value::Texts(values) = &p.value else { return Err(wrong("string_values")) };
        return Ok(TextFilter::In(values.iter().map(|value| read(value)).collect::<Result<_, _>>()?));
    }
    let Value::Text(text) = &p.value else { return Err(wrong("a string_value")) };
    if p.operation == Operation::IsSubstring {
        return Ok(TextFilter::Contains(text.clone()));
    }
    let value = read(text)?;
    Ok(match p.operation {
        Operation::Equals => TextFilter::Equals(value),
        Operation::NotEquals => TextFilter::NotEquals(value),
        Operation::GreaterThan => TextFilter::Greater(value),
        Operation::GreaterThanEquals => TextFilter::GreaterOrEqual(value),
        Operation::LessThan => TextFilter::Less(value),
        Operation::LessThanEquals => TextFilter::LessOrEqual(value),
        Operation::In | Operation::IsSubstring => return Err(wrong("another value")),
    })
}

/// Reads a predicate about a storage state, of which there are two: what is not in one is in the other, and an index
/// finds what is in one.
pub(crate) fn storage_filter(p: &Predicate) -> Result<TextFilter, Error> {
    let (available, archived) = (StorageState::Available.as_str(), StorageState::Archived.as_str());
    Ok(match text_filter(p, columns::storage_state)? {
        TextFilter::NotEquals(state) if state == available => TextFilter::Equals(archived.to_owned()),
        TextFilter::NotEquals(state) if state == archived => TextFilter::Equals(available.to_owned()),
        other => other,
    })
}

/// Reads a predicate about a moment. Clients see whole seconds, so a second is compared as the span that it is.
pub(crate) fn time_filter(p: &Predicate) -> Result<TimeFilter, Error> {
    let wrong = |want: &str| Error::invalid(format!("filter on {:?}: the operation wants {want}", p.key));
    let second =
        |seconds: i64| (Timestamp::from_seconds(seconds).0, Timestamp::from_seconds(seconds.saturating_add(1)).0);
    if p.operation == Operation::In {
        let Value::Ints(values) = &p.value else { return Err(wrong("long_values, in seconds")) };
        return Ok(TimeFilter::Seconds(values.clone()));
    }
    let (from, to) = match p.value {
        Value::Time(time) => second(time.seconds()),
        Value::Int(seconds) => second(seconds),
        _ => return Err(wrong("a timestamp_value, or a long_value in seconds")),
    };
    Ok(match p.operation {
        Operation::Equals => TimeFilter::Within(from, to),
        Operation::NotEquals => TimeFilter::Outside(from, to),
        Operation::GreaterThan => TimeFilter::Within(to, i64::MAX),
        Operation::GreaterThanEquals => TimeFilter::Within(from, i64::MAX),
        Operation::LessThan => TimeFilter::Within(i64::MIN, from),
        Operation::LessThanEquals => TimeFilter::Within(i64::MIN, to),
        Operation::In | Operation::IsSubstring => return Err(wrong("another field")),
    })
}

/// Reads a predicate about a tag: what the column of tags, which is JSON, then contains. A quote within a key or a value
/// is escaped there, so that this is found nowhere else.
pub(crate) fn tag_filter(p: &Predicate, tag: &str) -> Result<String, Error> {
    match (&p.operation, &p.value) {
        (Operation::Equals, Value::Text(value)) => Ok(format!("{}:{}", columns::text(&tag), columns::text(value))),
        _ => Err(Error::invalid(format!("filter on {:?}: tags are compared by EQUALS with a string_value", p.key))),
    }
}

/// A key that the table does not have.
pub(crate) fn unknown(what: &str, key: &str, known: &[&str]) -> Error {
    Error::invalid(format!("{what}: there is no field {key:?}; there are {}", known.join(", ")))
}

/// The keys of a table: which names mean which column, and how its values are read.
///
/// Makes `page` for the table. `text(read)` columns turn a client's value into the
/// column's with `read`; `time` columns hold microseconds, `storage` a storage state. A column of tags is reached by `tags.KEY`.
macro_rules! keys {
    (
        $table:ident, $row:ty,
        {$($($name:literal)|+ => $kind:ident $(($read:expr))? $column:ident),* $(,)?} $(, tags: $tags:ident)?
    ) => {
        type Boxed<'a> = $table::BoxedQuery<'a, crate::any::AnyBackend>;
        const KEYS: &[&str] = &[$($($name),+),*];

        /// Keeps what the predicate says.
        fn filter<'a>(query: Boxed<'a>, p: &domain::list::Predicate) -> domain::Result<Boxed<'a>> {
            $(if let Some(tag) = p.key.strip_prefix("tags.") {
                let part = crate::page::tag_filter(p, tag)?;
                return Ok(query.filter(crate::any::Contains::exactly($table::$tags, part)));
            })?
            match p.key.as_str() {
                $($($name)|+ => crate::page::keys!(@filter $kind $(($read))? $table::$column, query, p),)*
                other => Err(crate::page::unknown("filter", other, KEYS)),
            }
        }

        /// Keeps what comes after the cursor.
        fn seek<'a>(query: Boxed<'a>, sort: &crate::page::Sort, after: &crate::page::Cursor) -> domain::Result<Boxed<'a>> {
            let way = if sort.descending { crate::any::Way::Down } else { crate::any::Way::Up };
            match (sort.field.as_str(), &after.edge) {
                $(($($name)|+, crate::page::keys!(@edge $kind edge)) => {
                    let (column, key, edge, id) = ($table::$column, $table::id, edge.clone(), after.id.clone());
                    Ok(query.filter(crate::any::Beyond { column, key, way, edge, id }))
                })*
                _ => Err(crate::page::unknown("sort_by", &sort.field, KEYS)),
            }
        }

        fn order<'a>(query: Boxed<'a>, sort: &crate::page::Sort) -> domain::Result<Boxed<'a>> {
            Ok(match (sort.field.as_str(), sort.descending) {
                $(($($name)|+, false) => query.order(($table::$column.asc(), $table::id.asc())),
                  ($($name)|+, true) => query.order(($table::$column.desc(), $table::id.desc())),)*
                (other, _) => return Err(crate::page::unknown("sort_by", other, KEYS)),
            })
        }

        /// How many rows there are of what `all` yields, filtered as the plan says. `counted` says how many `all` yields.
        async fn total<'a>(
            conn: &mut crate::connect::Connection,
            plan: &crate::page::Plan,
            counted: Option<crate::counts::Counted>,
            all: impl Fn() -> Boxed<'a>,
        ) -> Result<i64, crate::Error> {
            let matching = plan.predicates.iter().try_fold(all(), filter)?;
            if let Some(counted) = counted
                && let Some(total) = counted.matching(conn, &plan.predicates).await?
            {
                return Ok(total);
            }
            Ok(matching.count().get_result(conn).await?)
        }

        /// One page of what `all` yields, filtered and ordered as the plan says.
        async fn page<'a>(
            conn: &mut crate::connect::Connection,
            plan: crate::page::Plan,
            key: &[u8],
            counted: Option<crate::counts::Counted>,
            all: impl Fn() -> Boxed<'a>,
        ) -> Result<domain::list::Page<$row>, crate::Error> {
            let total = total(conn, &plan, counted, &all).await?;
            let mut query = plan.predicates.iter().try_fold(all(), filter)?;
            if let Some(after) = &plan.after {
                query = seek(query, &plan.sort, after)?;
            }
            // One row more than the page tells whether there is another.
            let mut query = order(query, &plan.sort)?.limit(plan.size + 1);
            if plan.after.is_some() && conn.backend() == crate::any::AnyBackend::Mysql {
                // Where it needs more than an index has, it begins at the list's first row: to it, to read all of the
                // table seems cheaper than to go on in the index, since it does not think of the limit.
                let ids: Vec<String> = query.select($table::id).load(conn).await?;
                query = order(all().filter($table::id.eq_any(ids)), &plan.sort)?;
            }
            let mut items: Vec<$row> = query.select(<$row>::as_select()).load(conn).await?;
            let besides = <$row as crate::page::Weigh>::besides(conn, &items, plan.wanted).await?;
            let weight = |row: &$row| crate::page::Weigh::bytes(row) + besides.get(&row.id).copied().unwrap_or_default();
            let next = plan.cut(&mut items, key, weight, cursor);
            Ok(domain::list::Page { items, total, next })
        }

        fn cursor(row: &$row, field: &str) -> crate::page::Cursor {
            let edge = match field {
                $($($name)|+ => crate::page::keys!(@value $kind row.$column),)*
                _ => crate::page::Edge::Text(String::new()),
            };
            crate::page::Cursor { edge, id: row.id.clone() }
        }
    };
    (@edge text $edge:ident) => { crate::page::Edge::Text($edge) };
    (@edge storage $edge:ident) => { crate::page::Edge::Text($edge) };
    (@edge time $edge:ident) => { crate::page::Edge::Number($edge) };
    (@value text $value:expr) => { crate::page::Edge::Text($value.clone()) };
    (@value storage $value:expr) => { crate::page::Edge::Text($value.clone()) };
    (@value time $value:expr) => { crate::page::Edge::Number($value) };
    (@filter text $column:expr, $query:ident, $p:ident) => {
        crate::page::keys!(@filter text(|text: &str| Some(text.to_owned())) $column, $query, $p)
    };
    (@filter text($read:expr) $column:expr, $query:ident, $p:ident) => {
        crate::page::keys!(@text crate::page::text_filter($p, $read), $column, $query)
    };
    (@filter storage $column:expr, $query:ident, $p:ident) => {
        crate::page::keys!(@text crate::page::storage_filter($p), $column, $query)
    };
    (@text $filter:expr, $column:expr, $query:ident) => {{
        use crate::page::TextFilter as F;
        let column = $column;
        $filter.map(|filter| match filter {
            F::Equals(v) => $query.filter(column.eq(v)),
            F::NotEquals(v) => $query.filter(column.ne(v)),
            F::Greater(v) => $query.filter(column.gt(v)),
            F::GreaterOrEqual(v) => $query.filter(column.ge(v)),
            F::Less(v) => $query.filter(column.lt(v)),
            F::LessOrEqual(v) => $query.filter(column.le(v)),
            F::In(v) => $query.filter(column.eq_any(v)),
            F::Contains(v) => $query.filter(crate::any::Contains::in_any_case(column, &v)),
        })
    }};
    (@filter time $column:expr, $query:ident, $p:ident) => {{
        use crate::page::TimeFilter as F;
        let column = $column;
        crate::page::time_filter($p).map(|filter| match filter {
            F::Within(from, to) => $query.filter(column.ge(from).and(column.lt(to))),
            F::Outside(from, to) => $query.filter(column.lt(from).or(column.ge(to))),
            F::Seconds(v) => $query.filter(crate::any::seconds(column).eq_any(v)),
        })
    }};
}

pub(crate) use keys;
