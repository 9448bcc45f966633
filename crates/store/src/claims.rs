//! Which server runs the tasks of a database that several can reach.
use crate::{
    Error, Store,
    connect::{Connection, write},
    schema::secrets,
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// The row that says so.
const NAME: &str = "runs-tasks";

impl Store {
    /// Remembers `by` as the server that runs tasks if none is remembered, or if it is to take over. Returns who is
    /// remembered then.
    ///
    /// # Errors
    /// Of the database.
    pub async fn claim_tasks(&self, by: String, take_over: bool) -> domain::Result<String> {
        Ok(write!(self, |conn| {
            if take_over {
                diesel::update(secrets::table.find(NAME)).set(secrets::value.eq(&by)).execute(conn).await?;
            }
            remembered(conn, NAME, by).await
        })?)
    }
}

/// What is kept under a name: `fresh` from now on, if there is nothing yet.
pub(crate) async fn remembered(conn: &mut Connection, name: &str, fresh: String) -> Result<String, Error> {
    let there: Option<String> = secrets::table.find(name).select(secrets::value).first(conn).await.optional()?;
    if let Some(there) = there {
        return Ok(there);
    }
    diesel::insert_into(secrets::table)
        .values((secrets::name.eq(name), secrets::value.eq(&fresh)))
        .execute(conn)
        .await
        .map_err(|error| Error::from(error).after_looking())?;
    Ok(fresh)
}
