//! Decisions about access, kept in the database where the configuration says so.
use crate::{Error, Store, connect::write, schema::audit_events};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{Result, Timestamp};

/// A decision as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
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

#[derive(Insertable)]
#[diesel(table_name = audit_events, check_for_backend(diesel::sqlite::Sqlite))]
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

impl Store {
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
