//! The one writer of a SQLite file. Writes that wait are made in one transaction, so that the disk is waited for once.
use super::{Connection, Pool, blocking::transaction};
use crate::{Error, recent::Recent};
use diesel::result::Error as Query;
use diesel_async::pooled_connection::bb8::RunError;
use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
};
use tokio::sync::{mpsc, oneshot};

/// The most writes in one transaction.
const MOST: usize = 128;

/// Where writes wait for their turn. They are made once they wait, whether somebody still does for them or not.
#[derive(Clone)]
pub(crate) struct Group {
    waiting: mpsc::Sender<Box<dyn Write>>,
}

type Writes = Vec<Box<dyn Write>>;

/// A write that waits.
trait Write: Send {
    /// Makes it, in a transaction of its own or inside of the one that is open.
    fn make(&mut self, connection: &mut Connection, recent: &Recent) -> Made;

    /// Says what has come of it to whoever waits.
    fn answer(self: Box<Self>);

    /// Says that it could not be made.
    fn refuse(self: Box<Self>, error: Error);
}

/// What has come of one write in the transaction of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    /// It is in, or it was found that it must not be, and nothing of it is.
    Answered,
    /// The database has failed, and may have given up the transaction.
    Failed,
}

/// What is written to.
struct File {
    pool: Pool,
    recent: Recent,
}

struct Waiting<T, F> {
    body: F,
    outcome: Option<Result<T, Error>>,
    answer: oneshot::Sender<Result<T, Error>>,
}

impl Group {
    /// Writes by the connection of a pool that has one, and says what is not recent any more.
    pub(super) fn new(pool: Pool, recent: Recent) -> Self {
        let (waiting, writes) = mpsc::channel(MOST);
        tokio::spawn(serve(File { pool, recent }, writes));
        Self { waiting }
    }

    /// Runs a body in a transaction, and returns what it gave once that is on the disk.
    pub(crate) async fn write<T, F>(&self, body: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> AsyncFnOnce(&'c mut Connection) -> Result<T, Error> + Clone + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let write = Box::new(Waiting { body, outcome: None, answer });
        let left = |_| Error::from(Query::BrokenTransactionManager);
        self.waiting.send(write).await.map_err(|_| left(()))?;
        answered.await.map_err(|_| left(()))?
    }
}

impl<T, F> Write for Waiting<T, F>
where
    T: Send + 'static,
    F: for<'c> AsyncFnOnce(&'c mut Connection) -> Result<T, Error> + Clone + Send + 'static,
{
    fn make(&mut self, connection: &mut Connection, recent: &Recent) -> Made {
        let body = self.body.clone();
        let outcome = transaction(connection, async move |connection: &mut Connection| {
            let value = body(connection).await;
            recent.forget();
            value
        });
        let made = match &outcome {
            Err(error) if !error.is_answer() => Made::Failed,
            Ok(_) | Err(_) => Made::Answered,
        };
        self.outcome = Some(outcome);
        made
    }

    fn answer(self: Box<Self>) {
        if let Some(outcome) = self.outcome {
            // Nobody hears it if the client has left.
            let _ = self.answer.send(outcome);
        }
    }

    fn refuse(self: Box<Self>, error: Error) {
        let _ = self.answer.send(Err(error));
    }
}

/// Makes writes as they come, those together that have come while others were being made.
async fn serve(file: File, mut writes: mpsc::Receiver<Box<dyn Write>>) {
    let mut waiting = Vec::with_capacity(MOST);
    while writes.recv_many(&mut waiting, MOST).await > 0 {
        let mut group = mem::take(&mut waiting);
        if group.len() > 1 {
            group = make(&file, group, together).await;
        }
        // What did not come about together is made one by one, so that whoever spoils it does so for himself alone.
        for write in group {
            make(&file, vec![write], alone).await;
        }
    }
}

/// Has writes made by a thread that may block, and returns those that were not.
async fn make(file: &File, group: Writes, how: fn(&mut Connection, &Recent, Writes) -> Writes) -> Writes {
    let mut connection = match file.pool.get_owned().await {
        Ok(connection) => connection,
        Err(error) => {
            // The cause is told once: each is as lost without a connection.
            let mut cause = Some(error);
            let mut next = || Error::Pool(cause.take().unwrap_or(RunError::TimedOut));
            group.into_iter().for_each(|write| write.refuse(next()));
            return Vec::new();
        }
    };
    // A body that panics takes its answer along, and whoever waits for it is told so.
    let recent = file.recent.clone();
    tokio::task::spawn_blocking(move || how(&mut connection, &recent, group)).await.unwrap_or_default()
}

fn alone(connection: &mut Connection, recent: &Recent, group: Writes) -> Writes {
    for mut write in group {
        recent.begin();
        write.make(connection, recent);
        recent.end();
        write.answer();
    }
    Vec::new()
}

fn together(connection: &mut Connection, recent: &Recent, mut group: Writes) -> Writes {
    let all = async |connection: &mut Connection| match group
        .iter_mut()
        .all(|write| write.make(connection, recent) == Made::Answered)
    {
        true => Ok(()),
        false => Err(Error::from(Query::RollbackTransaction)),
    };
    // A connection that a panic has left in a transaction is not used again by the pool.
    recent.begin();
    let committed = catch_unwind(AssertUnwindSafe(|| transaction(connection, all)));
    recent.end();
    if let Ok(Ok(())) = committed {
        group.drain(..).for_each(|write| write.answer());
    }
    group
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Store,
        connect::{Access, write},
        schema::secrets,
    };
    use diesel::{ExpressionMethods as _, QueryDsl as _, TextExpressionMethods as _};
    use diesel_async::RunQueryDsl;
    use futures::future::join_all;

    async fn insert(conn: &mut Connection, name: String, value: &str) -> Result<(), Error> {
        let row = (secrets::name.eq(name), secrets::value.eq(value));
        diesel::insert_into(secrets::table).values(row).execute(conn).await?;
        Ok(())
    }

    /// What a write may come to.
    #[derive(Clone, Copy)]
    enum Ends {
        Well,
        /// It has written before it finds that it must not.
        Refused,
        Taken,
        /// As when the disk is full.
        Broken,
        Panicking,
    }

    async fn write(store: Store, number: usize, ends: Ends) -> Result<(), Error> {
        write!(store, |conn| {
            insert(conn, format!("row {number}"), "").await?;
            match ends {
                Ends::Well => Ok(()),
                Ends::Refused => Err(domain::Error::precondition("not now").into()),
                Ends::Taken => insert(conn, "there".to_owned(), "").await,
                Ends::Broken => Err(Query::RollbackTransaction.into()),
                Ends::Panicking => panic!("a bug"),
            }
        })
    }

    /// Three writes in one transaction, of which one must not be.
    #[tokio::test]
    async fn writes_are_made_together() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db").to_string_lossy()).await.unwrap();
        let Access::File { readers, .. } = &store.access else { panic!("it is a file") };
        // It may write too, when nobody says that it only reads.
        let mut connection = readers.get_owned().await.unwrap();
        let (mut group, mut answers) = (Writes::new(), Vec::new());
        for name in ["one", "one", "two"] {
            let (answer, answered) = oneshot::channel();
            let body = async move |conn: &mut Connection| insert(conn, name.to_owned(), "").await;
            group.push(Box::new(Waiting { body, outcome: None, answer }));
            answers.push(answered);
        }
        assert!(together(&mut connection, &Recent::default(), group).is_empty());
        let answers: Vec<_> = join_all(answers).await.into_iter().map(|answer| answer.unwrap().is_ok()).collect();
        assert_eq!(answers, [true, false, true]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_write_that_fails_does_so_for_itself_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db").to_string_lossy()).await.unwrap();
        write!(store, |conn| insert(conn, "there".to_owned(), "").await).unwrap();
        let bad = [Ends::Refused, Ends::Taken, Ends::Broken, Ends::Panicking];
        let ends = |number: usize| if number.is_multiple_of(5) { bad[number / 5 % 4] } else { Ends::Well };
        let all = (0..400).map(|number| tokio::spawn(write(store.clone(), number, ends(number))));
        for (number, done) in join_all(all).await.into_iter().enumerate() {
            assert_eq!(done.unwrap().is_ok(), matches!(ends(number), Ends::Well), "{number}");
        }
        let names: Vec<String> = crate::connect::read!(store, |conn| {
            let rows = secrets::table.filter(secrets::name.like("row %"));
            Ok(rows.select(secrets::name).load(conn).await?)
        })
        .unwrap();
        assert_eq!(names.len(), 320);
    }
}
