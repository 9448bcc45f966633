//! Moves definitions from the rows that held them to `specs`: SQL can neither compress nor hash everywhere.
//!
//! It is done before the migration that drops the old columns. What was interrupted goes on: a row that was moved has a
//! hash.
use crate::{
    Error,
    any::with_nul,
    specs::{hash, pack},
};
use diesel::{RunQueryDsl, SqliteConnection, prelude::*};
use diesel_async::{AsyncMysqlConnection, AsyncPgConnection, async_connection_wrapper::AsyncConnectionWrapper};

/// The migration before which they are moved.
pub(super) const BEFORE: &str = "0007";
/// How many rows are in memory at once.
const BATCH: i64 = 100;

/// The tables as they are in between.
mod between {
    diesel::table! {
        specs (namespace, hash) {
            namespace -> Text,
            hash -> Text,
            content -> Binary,
            size -> BigInt,
        }
    }

    diesel::table! {
        runs (id) {
            id -> Text,
            namespace -> Text,
            spec -> Text,
            spec_hash -> Text,
        }
    }

    diesel::table! {
        recurring_runs (id) {
            id -> Text,
            namespace -> Text,
            spec -> Text,
            spec_hash -> Text,
        }
    }

    diesel::table! {
        pipeline_versions (id) {
            id -> Text,
            namespace -> Text,
            spec -> Text,
            spec_hash -> Text,
        }
    }
}

/// A database whose definitions can be moved.
pub(super) trait MoveSpecs {
    fn move_specs(&mut self) -> Result<(), Error>;
}

/// A text as a database holds it, and as it is.
type Read = fn(String) -> String;

macro_rules! moves {
    ($connection:ty, $read:expr) => {
        impl MoveSpecs for $connection {
            fn move_specs(&mut self) -> Result<(), Error> {
                use between::specs;
                let read: Read = $read;
                moves!(@table runs, self, read);
                moves!(@table recurring_runs, self, read);
                moves!(@table pipeline_versions, self, read);
                Ok(())
            }
        }
    };
    (@table $table:ident, $connection:ident, $read:ident) => {{
        use between::$table;
        let mut last = String::new();
        loop {
            let left = $table::table.filter($table::id.gt(&last)).filter($table::spec_hash.eq(""));
            let left = left.filter($table::spec.ne("")).order($table::id).limit(BATCH);
            let columns = ($table::id, $table::namespace, $table::spec);
            let rows: Vec<(String, String, String)> = left.select(columns).load($connection)?;
            let Some((id, ..)) = rows.last() else { break };
            last.clone_from(id);
            for (id, namespace, text) in rows {
                let text = $read(text);
                let hash = hash(&text);
                let there: i64 = specs::table.find((&namespace, &hash)).count().get_result($connection)?;
                if there == 0 {
                    let values = (
                        specs::namespace.eq(&namespace),
                        specs::hash.eq(&hash),
                        specs::content.eq(pack(&text)),
                        specs::size.eq(i64::try_from(text.len()).unwrap_or(i64::MAX)),
                    );
                    diesel::insert_into(specs::table).values(values).execute($connection)?;
                }
                let moved = diesel::update($table::table.find(&id)).set($table::spec_hash.eq(&hash));
                moved.execute($connection)?;
            }
        }
    }};
}

moves!(SqliteConnection, |text| text);
moves!(AsyncConnectionWrapper<AsyncPgConnection>, with_nul);
moves!(AsyncConnectionWrapper<AsyncMysqlConnection>, |text| text);
