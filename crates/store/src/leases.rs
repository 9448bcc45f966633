//! Which of several servers does what only one may do. Nothing here compares clocks: whoever waits for a lease sees for
//! himself for how long its beat has not gone up.
use crate::{
    Error, Store,
    connect::{Connection, read, write},
    schema::leases,
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{Code, Fence, Lease, Result};

/// The row of whoever fires schedules.
const NAME: &str = "scheduler";

impl Store {
    /// Who fires schedules, if anybody ever has.
    ///
    /// # Errors
    /// Of the database.
    pub async fn lease(&self) -> Result<Option<Lease>> {
        let found: Option<(String, i64, i64)> = read!(self, |conn| {
            let it = leases::table.find(NAME).select((leases::holder, leases::fencing_token, leases::beat));
            Ok(it.first(conn).await.optional()?)
        })?;
        Ok(found.map(|(holder, fencing_token, beat)| Lease { holder, fencing_token, beat }))
    }

    /// Takes the lease over if it still is as it was `seen`, and returns the new fencing token; nothing if it is not.
    ///
    /// # Errors
    /// Of the database.
    pub async fn take_lease(&self, seen: Option<Lease>, holder: &str) -> Result<Option<i64>> {
        let holder = holder.to_owned();
        let taken = write!(self, |conn| {
            let Some(seen) = seen else {
                let row =
                    (leases::name.eq(NAME), leases::holder.eq(holder), leases::fencing_token.eq(1), leases::beat.eq(0));
                diesel::insert_into(leases::table).values(row).execute(conn).await?;
                return Ok(Some(1));
            };
            let it = leases::table.find(NAME).filter(leases::fencing_token.eq(seen.fencing_token));
            let it = it.filter(leases::beat.eq(seen.beat)).filter(leases::holder.eq(seen.holder));
            let token = seen.fencing_token + 1;
            let changes = (leases::holder.eq(holder), leases::fencing_token.eq(token), leases::beat.eq(0));
            Ok((diesel::update(it).set(changes).execute(conn).await? > 0).then_some(token))
        });
        match taken {
            Err(error) if Error::is_taken(&error) => Ok(None),
            other => Ok(other?),
        }
    }

    /// Says that the holder of a token is still there. It is false if another one has taken over.
    ///
    /// # Errors
    /// Of the database.
    pub async fn beat_lease(&self, token: i64) -> Result<bool> {
        Ok(write!(self, |conn| {
            let it = leases::table.find(NAME).filter(leases::fencing_token.eq(token));
            Ok(diesel::update(it).set(leases::beat.eq(leases::beat + 1)).execute(conn).await? > 0)
        })?)
    }

    /// Gives the lease up, so that another server need not wait to take it over.
    ///
    /// # Errors
    /// Of the database.
    pub async fn give_up_lease(&self, token: i64) -> Result<()> {
        Ok(write!(self, |conn| {
            let it = leases::table.find(NAME).filter(leases::fencing_token.eq(token));
            diesel::update(it).set(leases::holder.eq("")).execute(conn).await?;
            Ok(())
        })?)
    }
}

/// Passes if nobody has taken over from the holder of a token. It comes last in a transaction: MySQL keeps others from
/// taking over until that ends, and a server can be stopped in the middle of one.
pub(crate) async fn hold(conn: &mut Connection, fence: Fence) -> Result<(), Error> {
    let Fence::Token(token) = fence else { return Ok(()) };
    let current: Option<i64> = leases::table.find(NAME).select(leases::fencing_token).first(conn).await.optional()?;
    if current != Some(token) {
        return Err(domain::Error::new(Code::Aborted, "another server fires the schedules by now").into());
    }
    Ok(())
}
