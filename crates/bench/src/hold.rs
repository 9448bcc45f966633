//! The reference for creating a run: the same row into the same kind of database, and nothing else.
//!
//! SQLite has one writer, which writes all that wait in one transaction and tells each once that is on the disk. The
//! others have a connection for each client, which commits every row.
use crate::{
    databases::{Mysql, Postgres, Row, connect_sqlite, insert_sqlite, url},
    load::Sender,
    served::Setup,
};
use anyhow::Context;
use rusqlite::{Connection, types::Value};
use std::{sync::mpsc, thread};
use tokio::sync::oneshot;
use uuid::Uuid;

/// Who writes rows, one at a time.
pub(crate) enum Inserts {
    Sqlite(mpsc::Sender<Waiting>),
    Postgres(Postgres),
    Mysql(Mysql),
}

/// Somebody whose row is to be written.
pub(crate) struct Waiting {
    id: String,
    written: oneshot::Sender<Result<(), String>>,
}

/// So many of them, with a database of their own whose tables are made already.
///
/// # Errors
/// The database cannot be reached.
pub(crate) async fn inserts(setup: &Setup, row: Row, clients: usize) -> anyhow::Result<Vec<Inserts>> {
    match row {
        Row::Sqlite(row) => {
            let (sender, waiting) = mpsc::channel();
            let connection = connect_sqlite(&setup.data())?;
            thread::spawn(move || write(&connection, &row, &waiting));
            Ok((0..clients).map(|_| Inserts::Sqlite(sender.clone())).collect())
        }
        Row::Postgres(row) => {
            let mut all = Vec::new();
            for _ in 0..clients {
                all.push(Inserts::Postgres(Postgres::open(url(setup)?, row.clone()).await?));
            }
            Ok(all)
        }
        Row::Mysql(row) => {
            let mut all = Vec::new();
            for _ in 0..clients {
                all.push(Inserts::Mysql(Mysql::open(url(setup)?, row.clone()).await?));
            }
            Ok(all)
        }
    }
}

/// Ends when nobody is left who could want something.
fn write(connection: &Connection, row: &[(String, Value)], waiting: &mpsc::Receiver<Waiting>) {
    while let Ok(first) = waiting.recv() {
        let group: Vec<Waiting> = std::iter::once(first).chain(waiting.try_iter()).collect();
        let done = commit(connection, row, &group).map_err(|error| error.to_string());
        for one in group {
            // Whoever has gone needs no answer.
            let _ = one.written.send(done.clone());
        }
    }
}

fn commit(connection: &Connection, row: &[(String, Value)], group: &[Waiting]) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    for one in group {
        insert_sqlite(connection, row, &one.id)?;
    }
    connection.execute_batch("COMMIT")
}

impl Sender for Inserts {
    async fn send(&mut self, _number: u64) -> anyhow::Result<()> {
        let id = Uuid::new_v7(uuid::Timestamp::now(uuid::NoContext)).to_string();
        match self {
            Self::Sqlite(writer) => {
                let (written, answer) = oneshot::channel();
                writer.send(Waiting { id, written }).ok().context("the writer has ended")?;
                answer.await?.map_err(anyhow::Error::msg)
            }
            Self::Postgres(connection) => connection.insert(&id).await,
            Self::Mysql(connection) => connection.insert(&id).await,
        }
    }
}
