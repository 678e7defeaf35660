//! A segment that changes between two statements of a run: the run goes by what was staged, and the next
//! one by what is there then.

use std::sync::{Arc, Mutex};

use activation_core::{
    Dialect, RunStatus, SegmentScan, SegmentSource, SourceError, Warehouse, sources::SqliteSource,
};
use async_trait::async_trait;

use super::{Host, Side, vip};
use crate::world::people;

/// What happens to the segment once it has been staged.
type Change = Box<dyn FnOnce() + Send>;

#[derive(Clone)]
struct Changing {
    source: SqliteSource,
    warehouse: Arc<dyn Warehouse>,
    next: Arc<Mutex<Option<Change>>>,
}

impl std::fmt::Debug for Changing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Changing")
    }
}

#[async_trait]
impl SegmentSource for Changing {
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError> {
        self.source.open().await
    }

    fn warehouse(&self) -> Option<Arc<dyn Warehouse>> {
        Some(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Warehouse for Changing {
    fn dialect(&self) -> &Dialect {
        self.warehouse.dialect()
    }

    fn schema(&self) -> &[String] {
        self.warehouse.schema()
    }

    async fn segment(&self) -> Result<String, SourceError> {
        self.warehouse.segment().await
    }

    async fn execute(&self, statement: &str) -> Result<(), SourceError> {
        self.warehouse.execute(statement).await?;
        if statement.starts_with("CREATE") {
            let change = self.next.lock().unwrap().take();
            change.into_iter().for_each(|change| change());
        }
        Ok(())
    }

    async fn scan(&self, statement: &str) -> Result<Box<dyn SegmentScan>, SourceError> {
        self.warehouse.scan(statement).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_segment_that_changes_after_it_was_staged_counts_as_it_was_staged() {
    let host = Arc::new(Host::new("CREATE TABLE members (email TEXT)"));
    let source = host.pushed_down();
    let warehouse = source.warehouse().unwrap();
    let source = Changing { source, warehouse, next: Arc::default() };
    let side = Side::with(Arc::new(source.clone()), Default::default());
    let everybody = people(40);
    // Before each run, and after its stage: read in full, then only what changed.
    let states = [0..10, 5..20, 5..20, 8..30, 0..40, 0..40];
    for (before, after) in states.iter().zip(states.iter().skip(1)) {
        host.set_texts(&everybody[before.clone()]);
        let (later, rows) = (host.clone(), everybody[after.clone()].to_vec());
        *source.next.lock().unwrap() = Some(Box::new(move || later.set_texts(&rows)));
        let report = side.run(&vip()).await;
        assert!(matches!(report.status, RunStatus::Done | RunStatus::NothingToDo), "{report}");
        assert!(source.next.lock().unwrap().is_none(), "it changed amid the run");
        assert_eq!(side.world.on_list("vip"), everybody[before.clone()], "{report}");
    }
    side.run(&vip()).await;
    assert_eq!(side.world.on_list("vip"), everybody);
}
