//! Which server runs the tasks of a database that several can reach.
use crate::{Store, connect::write, schema::secrets};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::Result;

/// The row that says so.
const NAME: &str = "runs-tasks";

impl Store {
    /// Remembers `by` as the server that runs tasks if none is remembered, or if it is to take over. Returns who is
    /// remembered then.
    ///
    /// # Errors
    /// Of the database.
    pub async fn claim_tasks(&self, by: String, take_over: bool) -> Result<String> {
        Ok(write!(self, |conn| {
            let it = secrets::table.find(NAME);
            let there: Option<String> = it.select(secrets::value).first(conn).await.optional()?;
            match there {
                Some(there) if !take_over => Ok(there),
                Some(_) => {
                    diesel::update(it).set(secrets::value.eq(&by)).execute(conn).await?;
                    Ok(by)
                }
                None => {
                    let row = (secrets::name.eq(NAME), secrets::value.eq(&by));
                    diesel::insert_into(secrets::table).values(row).execute(conn).await?;
                    Ok(by)
                }
            }
        })?)
    }
}
