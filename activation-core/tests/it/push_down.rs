//! The difference in the warehouse: every run does, reports and remembers what a run does that reads
//! the segment in full, and leaves no table behind but the one that the head names.

mod changing;
mod crash;
mod engines;
mod equivalence;
mod files;
mod observed;
#[cfg(all(feature = "adbc", unix))]
mod parsed;

use std::{path::PathBuf, sync::Arc, time::Duration};

use activation_core::{
    Activation, Engine, Exclusions, RunReport, SegmentSource, State, StateStore,
    sources::SqliteSource,
};
use dotdigital_client::simulator::SimulatorSettings;
use rusqlite::Connection;
use tempfile::TempDir;

use self::observed::{Observed, Steps};
use crate::world::{EngineClock, World};

/// A host's file with a segment, and a place for our tables.
struct Host {
    directory: TempDir,
    query: String,
}

impl Host {
    /// A file in which `members` is as `ddl` makes it, and the segment is its column `email`.
    fn new(ddl: &str) -> Self {
        let host = Self { directory: directory(), query: "SELECT email FROM members".to_owned() };
        host.execute(ddl);
        host
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("warehouse.db")
    }

    fn tables_file(&self) -> PathBuf {
        self.directory.path().join("tables.db")
    }

    fn execute(&self, sql: &str) {
        Connection::open(self.file()).unwrap().execute_batch(sql).unwrap();
    }

    /// Replaces the members; `None` is NULL.
    fn set(&self, members: &[Option<Vec<u8>>]) {
        let mut connection = Connection::open(self.file()).unwrap();
        let transaction = connection.transaction().unwrap();
        transaction.execute("DELETE FROM members", []).unwrap();
        for member in members {
            let insert = "INSERT INTO members (email) VALUES (CAST(?1 AS TEXT))";
            transaction.execute(insert, [member]).unwrap();
        }
        transaction.commit().unwrap();
    }

    fn set_texts<T: AsRef<str>>(&self, members: &[T]) {
        let members: Vec<_> =
            members.iter().map(|text| Some(text.as_ref().as_bytes().to_vec())).collect();
        self.set(&members);
    }

    fn read_in_full(&self) -> SqliteSource {
        SqliteSource::new(self.file(), &self.query)
    }

    fn pushed_down(&self) -> SqliteSource {
        self.read_in_full().push_down(self.tables_file())
    }

    /// The names of our tables.
    fn tables(&self) -> Vec<String> {
        let connection = Connection::open(self.tables_file()).unwrap();
        let mut query = connection.prepare("SELECT name FROM sqlite_schema ORDER BY name").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

/// An account and a store, with a source of a host's that is watched.
struct Side {
    world: World,
    source: Observed,
    steps: Arc<Steps>,
}

impl Side {
    fn new(source: SqliteSource) -> Self {
        Self::with(Arc::new(source), SimulatorSettings::default())
    }

    fn with(source: Arc<dyn SegmentSource>, settings: SimulatorSettings) -> Self {
        let steps = Arc::new(Steps::default());
        let mut world = World::with(settings);
        world.store = Arc::new(observed::DyingStore::new(world.store, steps.clone()));
        Self { world, source: Observed::new(source, steps.clone()), steps }
    }

    fn engine(&self) -> Engine {
        Engine::new(self.world.store.clone()).clock(Arc::new(EngineClock(self.world.clock)))
    }

    async fn run(&self, activation: &Activation) -> RunReport {
        self.engine().run(activation, &self.source, &self.world.destination()).await
    }

    async fn run_excluding(
        &self,
        activation: &Activation,
        exclusions: Arc<dyn Exclusions>,
    ) -> RunReport {
        let engine = self.engine().exclusions(exclusions);
        engine.run(activation, &self.source, &self.world.destination()).await
    }

    async fn state(&self, activation: &Activation) -> State {
        self.world.store.load(&activation.key()).await.unwrap()
    }

    /// The bytes of the snapshot.
    async fn snapshot(&self, activation: &Activation) -> Vec<u8> {
        let Some(snapshot) = self.state(activation).await.head.snapshot else { return Vec::new() };
        let mut chunks =
            self.world.store.read_snapshot(&activation.key(), &snapshot).await.unwrap();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next_chunk().await.unwrap() {
            bytes.extend(chunk);
        }
        bytes
    }

    /// Makes sure that the only table is the one that the head names.
    async fn assert_tidy(&self, activation: &Activation, host: &Host) {
        let named: Vec<String> = self.state(activation).await.head.table.into_iter().collect();
        assert_eq!(host.tables(), named);
    }
}

/// A directory; in memory where that can be, since nothing here is about what a disk keeps.
fn directory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn vip() -> Activation {
    Activation::new("vip")
}

const MINUTE: Duration = Duration::from_secs(60);

/// A source that is no more than one.
fn plain(source: &dyn SegmentSource) -> bool {
    source.warehouse().is_none()
}
