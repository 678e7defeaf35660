//! The connections of a store, the transactions on them, and what is done when one is cut.
//!
//! A connection may be cut while a COMMIT is under way, and then nobody knows whether it was done.
//! So each piece of work is done once more on a new connection, and is written so that it first
//! sees, under the lock of its lease, whether it was done before. That lock is free only after
//! the server has ended the first attempt, and no attempt ends in a COMMIT without having held it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time,
};
use tokio_postgres::{
    Client, Row,
    error::SqlState,
    types::{ToSql, Type},
};

use super::schema::Schema;
use crate::{
    PostgresServer,
    postgres::{Failure, Session, is_cut},
    state::{StoreError, StoreErrorKind},
};

/// The way to the tables.
pub(super) struct Link {
    server: PostgresServer,
    schema: Schema,
    writable: bool,
    /// One for each connection that may be in use.
    permits: Semaphore,
    /// Connections that nobody uses just now.
    idle: Mutex<Vec<Session>>,
}

/// A transaction under way, or a connection without one.
#[derive(Clone)]
pub(super) struct Tx<'a> {
    client: Arc<Client>,
    schema: &'a Schema,
    /// Whether an attempt before this one was cut, and may have done it all.
    pub(super) is_repeated: bool,
}

/// Why work on a connection stopped.
pub(super) enum Fault {
    /// The server could not do its part, or was cut off.
    Server(tokio_postgres::Error),
    /// The contract does not allow it.
    Store(StoreError),
}

/// A value of a statement, with its type.
pub(super) type Value<'a> = (&'a (dyn ToSql + Sync), Type);

/// How statements are put together.
#[derive(Clone, Copy)]
enum Mode {
    /// A transaction that sees one state of the database.
    Read,
    /// A transaction in which each statement sees what was committed before it.
    Write,
    /// Statements each for itself, which may take longer.
    Each,
}

impl Link {
    pub(super) fn new(server: PostgresServer, schema: Schema, writable: bool) -> Self {
        let (permits, idle) = (Semaphore::new(CONNECTIONS), Mutex::default());
        Self { server, schema, writable, permits, idle }
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(super) fn server(&self) -> &PostgresServer {
        &self.server
    }

    /// What errors are about.
    pub(super) fn place(&self) -> String {
        format!("the state in {} on {}", self.schema, self.server)
    }

    /// Fails when the store was opened for reading only.
    pub(super) fn check_writable(&self) -> Result<(), StoreError> {
        if self.writable {
            return Ok(());
        }
        let message = format!("{} was opened for reading only", self.place());
        Err(StoreError::new(StoreErrorKind::Failed, message))
    }

    /// Runs `work` on one consistent view of the tables.
    pub(super) async fn read<'a, T, W>(
        &'a self,
        work: impl Fn(Tx<'a>) -> W + Send + Sync,
    ) -> Result<T, StoreError>
    where
        T: Send,
        W: Future<Output = Result<T, Fault>> + Send,
    {
        self.run(Mode::Read, &work).await
    }

    /// Runs `work` in a transaction: all of it becomes durable, or nothing. `work` may be run twice,
    /// and the first time may have counted.
    pub(super) async fn write<'a, T, W>(
        &'a self,
        work: impl Fn(Tx<'a>) -> W + Send + Sync,
    ) -> Result<T, StoreError>
    where
        T: Send,
        W: Future<Output = Result<T, Fault>> + Send,
    {
        self.check_writable()?;
        self.run(Mode::Write, &work).await
    }

    /// Runs `work`, which does no harm when it is repeated, outside of a transaction.
    pub(super) async fn maintain<'a, T, W>(
        &'a self,
        work: impl Fn(Tx<'a>) -> W + Send + Sync,
    ) -> Result<T, StoreError>
    where
        T: Send,
        W: Future<Output = Result<T, Fault>> + Send,
    {
        self.check_writable()?;
        self.run(Mode::Each, &work).await
    }

    /// A connection of its own that sees the tables as they are now, for as long as it lives.
    pub(super) async fn view(&self) -> Result<Session, StoreError> {
        self.connect(VIEW).await
    }

    /// Runs `work` on a connection from [`view`](Self::view).
    pub(super) async fn look<'a, T, W>(
        &'a self,
        session: &Session,
        work: impl FnOnce(Tx<'a>) -> W + Send,
    ) -> Result<T, Fault>
    where
        T: Send,
        W: Future<Output = Result<T, Fault>> + Send,
    {
        let client = session.shared_client();
        let tx = Tx { client, schema: &self.schema, is_repeated: false };
        self.in_time(Mode::Read, work(tx)).await?
    }

    async fn run<'a, T, W>(
        &'a self,
        mode: Mode,
        work: &(impl Fn(Tx<'a>) -> W + Send + Sync),
    ) -> Result<T, StoreError>
    where
        T: Send,
        W: Future<Output = Result<T, Fault>> + Send,
    {
        let _permit = self.permit().await?;
        let idle = self.idle().pop();
        let session = match idle {
            Some(session) => session,
            None => self.connect("").await?,
        };
        let done = match self.attempt(session, mode, false, work).await? {
            Err(Fault::Server(error)) if is_cut(&error) => {
                // Those that were open beside it have most likely been cut too.
                self.idle().clear();
                self.attempt(self.connect("").await?, mode, true, work).await?
            }
            done => done,
        };
        done.map_err(|fault| self.tell(fault))
    }

    /// Runs `work` once. The outer error is one that is not to be tried again.
    async fn attempt<'a, T, W>(
        &'a self,
        mut session: Session,
        mode: Mode,
        is_repeated: bool,
        work: &(impl Fn(Tx<'a>) -> W + Send + Sync),
    ) -> Result<Result<T, Fault>, StoreError>
    where
        W: Future<Output = Result<T, Fault>> + Send,
    {
        // Whoever drops this half-way ends the connection, and the server undoes the transaction.
        session.work();
        let client = session.shared_client();
        let tx = Tx { client: session.shared_client(), schema: &self.schema, is_repeated };
        let steps = async {
            if let Some(begin) = mode.begin() {
                client.batch_execute(begin).await?;
            }
            let done = work(tx).await;
            match (&done, mode) {
                (_, Mode::Each) => {}
                (Ok(_), _) => client.batch_execute("COMMIT").await?,
                (Err(Fault::Server(error)), _) if is_cut(error) => {}
                (Err(_), _) => client.batch_execute("ROLLBACK").await?,
            }
            done
        };
        let done = self.in_time(mode, steps).await?;
        match &done {
            Err(Fault::Server(error)) if is_cut(error) => session.rest(),
            Err(Fault::Server(_)) if matches!(mode, Mode::Each) => {}
            _ => {
                session.rest();
                self.idle().push(session);
            }
        }
        Ok(done)
    }

    /// A new connection on which `begin` has been run.
    async fn connect(&self, begin: &str) -> Result<Session, StoreError> {
        match self.try_to_connect(begin).await {
            Err(Fault::Server(error)) if is_cut(&error) => self.try_to_connect(begin).await,
            connected => connected,
        }
        .map_err(|fault| self.tell(fault))
    }

    async fn try_to_connect(&self, begin: &str) -> Result<Session, Fault> {
        let mut session = Session::open(&self.server).await.map_err(StoreError::from)?;
        let prepared = async {
            session.client().batch_execute(SESSION).await?;
            match begin {
                "" => Ok(()),
                begin => session.client().batch_execute(begin).await,
            }
        };
        let prepared = self.in_time(Mode::Read, prepared).await?;
        if let Err(error) = prepared {
            session.rest();
            return Err(error.into());
        }
        Ok(session)
    }

    async fn in_time<T>(&self, mode: Mode, work: impl Future<Output = T>) -> Result<T, StoreError> {
        time::timeout(mode.limit(), work).await.map_err(|_| {
            let (place, seconds) = (self.place(), mode.limit().as_secs());
            let message = format!("{place} gave no answer within {seconds} seconds");
            StoreError::new(StoreErrorKind::Unavailable, message)
        })
    }

    async fn permit(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        // Never closed.
        self.permits
            .acquire()
            .await
            .map_err(|_| StoreError::new(StoreErrorKind::Unavailable, "the store is being closed"))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tell(&self, fault: Fault) -> StoreError {
        match fault {
            Fault::Server(error) => self.explain(&error),
            Fault::Store(error) => error,
        }
    }

    /// What an error of the server means for a run.
    pub(super) fn explain(&self, error: &tokio_postgres::Error) -> StoreError {
        let place = self.place();
        let failed = |what: String| StoreError::new(StoreErrorKind::Failed, what);
        match error.code() {
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                let told = Failure::of_statement(&place, error).message;
                failed(format!("{told}: {NEEDED}"))
            }
            Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => failed(format!(
                "{place} cannot be written: the server only reads, as a standby does"
            )),
            Some(&SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED) => {
                StoreError::new(StoreErrorKind::Corrupt, format!("{place} is damaged"))
            }
            _ => Failure::of_statement(&place, error).into(),
        }
    }
}

impl Tx<'_> {
    /// The rows of a statement. `@` stands for the schema.
    pub(super) async fn rows(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, Fault> {
        Ok(self.client.query_typed(&self.schema.fill(sql), values).await?)
    }

    /// At most one row.
    pub(super) async fn row(&self, sql: &str, values: &[Value<'_>]) -> Result<Option<Row>, Fault> {
        Ok(self.rows(sql, values).await?.pop())
    }

    /// Runs a statement. Gives how many rows it touched.
    pub(super) async fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, Fault> {
        Ok(self.client.execute_typed(&self.schema.fill(sql), values).await?)
    }

    /// Runs statements without values.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), Fault> {
        Ok(self.client.batch_execute(&self.schema.fill(sql)).await?)
    }
}

impl Mode {
    /// Said in full, whatever the defaults of user and database are.
    fn begin(self) -> Option<&'static str> {
        match self {
            Self::Read => Some("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
            Self::Write => Some("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"),
            Self::Each => None,
        }
    }

    /// Longer than the server's own limits, so that it is the server who gives up.
    fn limit(self) -> Duration {
        match self {
            Self::Read | Self::Write => Duration::from_secs(120),
            Self::Each => Duration::from_secs(1_800),
        }
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Server(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        let kind = match failure.temporary {
            true => StoreErrorKind::Unavailable,
            false => StoreErrorKind::Failed,
        };
        Self::new(kind, failure.message)
    }
}

/// So that a lease can be prolonged while a snapshot is being written.
const CONNECTIONS: usize = 2;

/// * Nothing waits for long, and a transaction of a process that stands still is undone, so that
///   its locks keep nobody out.
/// * A commit is durable when it returns, even where the user's default is otherwise.
const SESSION: &str = "SET statement_timeout = '60s'; SET lock_timeout = '10s'; \
    SET idle_in_transaction_session_timeout = '30s'; SET search_path = pg_catalog; \
    SELECT set_config('synchronous_commit', 'on', false) \
    WHERE current_setting('synchronous_commit') = 'off'";

/// A scan may wait for whoever reads something else beside it.
const VIEW: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
    SET LOCAL idle_in_transaction_session_timeout = '15min'";

const NEEDED: &str = "USAGE on the schema, and SELECT, INSERT, UPDATE and DELETE on its tables";
