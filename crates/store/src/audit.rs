//! Decisions about access, kept in the database where the configuration says so.
use crate::{
    Error, Store,
    connect::{read, write},
    schema::audit_events,
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{Result, Timestamp};
use serde::Serialize;

/// A decision as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditEvent {
    /// Made when it was decided, so that events of one moment keep their order nowhere but in time.
    pub id: String,
    pub at: Timestamp,
    pub request_id: String,
    /// The gRPC path, or what the server acts for by itself.
    pub what: String,
    pub user: String,
    pub proof: String,
    pub verb: String,
    pub resource: String,
    /// A namespace, `(shared)`, `(cluster)`, or empty where there is none.
    pub namespace: String,
    pub object: String,
    pub allowed: bool,
    pub reason: String,
}

#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = audit_events, check_for_backend(crate::any::AnyBackend))]
struct Row {
    id: String,
    at: i64,
    request_id: String,
    what: String,
    username: String,
    proof: String,
    verb: String,
    resource: String,
    namespace: String,
    object: String,
    allowed: bool,
    reason: String,
}

impl From<AuditEvent> for Row {
    fn from(event: AuditEvent) -> Self {
        Row {
            id: event.id,
            at: event.at.0,
            request_id: event.request_id,
            what: event.what,
            username: event.user,
            proof: event.proof,
            verb: event.verb,
            resource: event.resource,
            namespace: event.namespace,
            object: event.object,
            allowed: event.allowed,
            reason: event.reason,
        }
    }
}

impl From<Row> for AuditEvent {
    fn from(row: Row) -> Self {
        AuditEvent {
            id: row.id,
            at: Timestamp(row.at),
            request_id: row.request_id,
            what: row.what,
            user: row.username,
            proof: row.proof,
            verb: row.verb,
            resource: row.resource,
            namespace: row.namespace,
            object: row.object,
            allowed: row.allowed,
            reason: row.reason,
        }
    }
}

/// Which events are meant; what is empty means all.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Those from then on.
    pub since: Timestamp,
    pub user: Option<String>,
    pub namespace: Option<String>,
    /// Refusals alone.
    pub denied: bool,
}

impl Store {
    /// The last events that are meant, oldest first, `most` of them. For the operator: they are about all tenants.
    ///
    /// # Errors
    /// Of the database.
    pub async fn audit_events(&self, query: AuditQuery, most: i64) -> Result<Vec<AuditEvent>> {
        let mut rows: Vec<Row> = read!(self, |conn| {
            let mut it = audit_events::table.filter(audit_events::at.ge(query.since.0)).into_boxed();
            if let Some(user) = query.user {
                it = it.filter(audit_events::username.eq(user));
            }
            if let Some(namespace) = query.namespace {
                it = it.filter(audit_events::namespace.eq(namespace));
            }
            if query.denied {
                it = it.filter(audit_events::allowed.eq(false));
            }
            let it = it.order((audit_events::at.desc(), audit_events::id.desc())).limit(most);
            Ok(it.select(Row::as_select()).load(conn).await?)
        })?;
        rows.reverse();
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Keeps events. They are durable once this returns.
    ///
    /// # Errors
    /// Of the database.
    pub async fn keep_audit_events(&self, events: Vec<AuditEvent>) -> Result<()> {
        let rows: Vec<Row> = events.into_iter().map(Into::into).collect();
        Ok(write!(self, |conn| {
            for row in rows {
                diesel::insert_into(audit_events::table).values(row).execute(conn).await?;
            }
            Ok::<_, Error>(())
        })?)
    }
}
