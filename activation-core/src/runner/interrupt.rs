//! How a run is brought to a stop that leaves nothing to guess: through what it works with.
//!
//! A run that is to park finds its source and destination out of reach and its waits over, so it
//! settles and commits what it knows, gives back its lease and ends, as it does when a service goes
//! down. What was handed in stays in the journal, and the next run asks about it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::sync::watch;

use crate::{
    Batch, BatchMember, Clock, ContactId, Destination, DestinationError, DestinationErrorKind,
    Dialect, Identifier, KeyBatch, Limits, ListMember, ListState, ListWish, MemberScan,
    MissingContacts, Operation, Receipt, SegmentScan, SegmentSource, Settlement, SourceError,
    Submission, Warehouse,
};

/// What a run is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Go on.
    Go,
    /// Begin nothing and wait for nothing; calls under way may end.
    Park,
    /// Give up calls under way.
    Cut,
}

/// Tells a run.
#[derive(Debug)]
pub(super) struct Interrupt(watch::Sender<Stage>);

/// Hears it.
#[derive(Clone, Debug)]
pub(super) struct Signal(watch::Receiver<Stage>);

impl Interrupt {
    pub(super) fn new() -> (Self, Signal) {
        let (sender, receiver) = watch::channel(Stage::Go);
        (Self(sender), Signal(receiver))
    }

    pub(super) fn reach(&self, stage: Stage) {
        self.0.send_replace(stage);
    }
}

impl Signal {
    fn has_reached(&self, stage: Stage) -> bool {
        *self.0.borrow() >= stage
    }

    async fn reached(&self, stage: Stage) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|now| *now >= stage).await.is_err() {
            // Nobody is left to say so.
            std::future::pending::<()>().await;
        }
    }

    /// The result of `work`, unless the stage is reached first.
    async fn before<T>(&self, stage: Stage, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.reached(stage) => None,
            result = work => Some(result),
        }
    }
}

const STOPPING: &str = "the runner stops this run; the next one goes on from here";

/// A clock whose sleepers wake when the run is to park.
#[derive(Debug)]
pub(super) struct ParkingClock(pub(super) Arc<dyn Clock>, pub(super) Signal);

#[async_trait]
impl Clock for ParkingClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.1.before(Stage::Park, self.0.sleep(duration)).await;
    }
}

/// A source that cannot be read on when the run is to park.
#[derive(Debug)]
pub(super) struct ParkingSource(pub(super) Arc<dyn SegmentSource>, pub(super) Signal);

/// A warehouse that carries out nothing more when the run is to park. What it was doing then is made
/// good by the next run.
#[derive(Debug)]
struct ParkingWarehouse(Arc<dyn Warehouse>, Signal);

struct ParkingScan(Box<dyn SegmentScan>, Signal);

fn unread() -> SourceError {
    SourceError::temporary(STOPPING)
}

#[async_trait]
impl SegmentSource for ParkingSource {
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError> {
        let scan = self.1.before(Stage::Park, self.0.open()).await.ok_or_else(unread)??;
        Ok(Box::new(ParkingScan(scan, self.1.clone())))
    }

    fn warehouse(&self) -> Option<Arc<dyn Warehouse>> {
        let warehouse = self.0.warehouse()?;
        Some(Arc::new(ParkingWarehouse(warehouse, self.1.clone())))
    }
}

#[async_trait]
impl Warehouse for ParkingWarehouse {
    fn dialect(&self) -> &Dialect {
        self.0.dialect()
    }

    fn schema(&self) -> &[String] {
        self.0.schema()
    }

    async fn segment(&self) -> Result<String, SourceError> {
        self.1.before(Stage::Park, self.0.segment()).await.ok_or_else(unread)?
    }

    async fn as_of(&self) -> Result<Option<DateTime<Utc>>, SourceError> {
        self.1.before(Stage::Park, self.0.as_of()).await.ok_or_else(unread)?
    }

    async fn check(&self) -> Result<(), SourceError> {
        self.1.before(Stage::Park, self.0.check()).await.ok_or_else(unread)?
    }

    async fn execute(&self, statement: &str) -> Result<(), SourceError> {
        self.1.before(Stage::Park, self.0.execute(statement)).await.ok_or_else(unread)?
    }

    async fn scan(&self, statement: &str) -> Result<Box<dyn SegmentScan>, SourceError> {
        let scan = self.0.scan(statement);
        let scan = self.1.before(Stage::Park, scan).await.ok_or_else(unread)??;
        Ok(Box::new(ParkingScan(scan, self.1.clone())))
    }
}

#[async_trait]
impl SegmentScan for ParkingScan {
    fn expected_rows(&self) -> Option<u64> {
        self.0.expected_rows()
    }

    fn as_of(&self) -> Option<DateTime<Utc>> {
        self.0.as_of()
    }

    async fn next_batch(&mut self) -> Result<Option<KeyBatch>, SourceError> {
        self.1.before(Stage::Park, self.0.next_batch()).await.ok_or_else(unread)?
    }
}

/// A destination that is asked for nothing more when the run is to park.
#[derive(Debug)]
pub(super) struct ParkingDestination(pub(super) Arc<dyn Destination>, pub(super) Signal);

struct ParkingMembers(Box<dyn MemberScan>, Signal);

fn unasked() -> DestinationError {
    DestinationError::new(DestinationErrorKind::Unavailable { until: None }, STOPPING)
}

/// Asks, unless the run is to park.
async fn ask<T>(
    signal: &Signal,
    call: impl Future<Output = Result<T, DestinationError>>,
) -> Result<T, DestinationError> {
    if signal.has_reached(Stage::Park) {
        return Err(unasked());
    }
    signal.before(Stage::Cut, call).await.unwrap_or_else(|| Err(unasked()))
}

/// Has something done, unless the run is to park. Given up, it may have been done.
async fn have_done<T>(
    signal: &Signal,
    call: impl Future<Output = Result<T, DestinationError>>,
) -> Result<T, DestinationError> {
    if signal.has_reached(Stage::Park) {
        return Err(unasked());
    }
    let unknown = || {
        let message = format!("a call was given up, and it may have been acted on: {STOPPING}");
        DestinationError::new(DestinationErrorKind::Unknown, message)
    };
    signal.before(Stage::Cut, call).await.unwrap_or_else(|| Err(unknown()))
}

#[async_trait]
impl Destination for ParkingDestination {
    async fn account(&self) -> Result<String, DestinationError> {
        ask(&self.1, self.0.account()).await
    }

    async fn list(&self, list_id: u64) -> Result<Option<ListState>, DestinationError> {
        ask(&self.1, self.0.list(list_id)).await
    }

    async fn list_named(&self, name: &str) -> Result<Option<ListState>, DestinationError> {
        ask(&self.1, self.0.list_named(name)).await
    }

    async fn create_list(&self, wanted: &ListWish) -> Result<ListState, DestinationError> {
        have_done(&self.1, self.0.create_list(wanted)).await
    }

    async fn update_list(
        &self,
        list_id: u64,
        wanted: &ListWish,
    ) -> Result<ListState, DestinationError> {
        have_done(&self.1, self.0.update_list(list_id, wanted)).await
    }

    fn limits(&self) -> Limits {
        self.0.limits()
    }

    fn batch_size(&self, list_id: u64, operation: Operation, members: &[BatchMember]) -> usize {
        self.0.batch_size(list_id, operation, members)
    }

    fn estimate_calls(&self, operation: Operation, members: u64, policy: MissingContacts) -> u64 {
        self.0.estimate_calls(operation, members, policy)
    }

    fn can_move(&self) -> bool {
        self.0.can_move()
    }

    async fn find_contacts(
        &self,
        identifiers: &[Identifier],
    ) -> Result<Vec<Option<ContactId>>, DestinationError> {
        ask(&self.1, self.0.find_contacts(identifiers)).await
    }

    async fn submit(&self, list_id: u64, batch: &Batch) -> Result<Submission, DestinationError> {
        have_done(&self.1, self.0.submit(list_id, batch)).await
    }

    async fn settle(&self, receipt: &Receipt) -> Result<Settlement, DestinationError> {
        ask(&self.1, self.0.settle(receipt)).await
    }

    fn members(&self, list_id: u64) -> Box<dyn MemberScan> {
        Box::new(ParkingMembers(self.0.members(list_id), self.1.clone()))
    }

    fn calls(&self) -> BTreeMap<String, u64> {
        self.0.calls()
    }
}

#[async_trait]
impl MemberScan for ParkingMembers {
    async fn next_page(&mut self) -> Result<Option<Vec<ListMember>>, DestinationError> {
        ask(&self.1, self.0.next_page()).await
    }
}
