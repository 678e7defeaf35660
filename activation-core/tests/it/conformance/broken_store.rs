//! Stores that break one clause each.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use activation_core::{
    Acquired, ActivationKey, Commit, FingerprintKey, Head, JournalEntry, Lease, MemoryStore,
    SnapshotRead, SnapshotRef, SnapshotWrite, State, StateStore, StoreError, StoreErrorKind,
    conformance,
};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::each_breach_is_found;
use crate::world::key;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Breach {
    NamesNoHolder,
    LooksThenTakes,
    ForgetsToRelease,
    LeasesNeverEnd,
    ForgetsToRenew,
    TokensFall,
    ReleasesWhoeverHolds,
    LetsFormerHoldersWrite,
    LetsReleasedHoldersWrite,
    LetsStrangersWrite,
    FencesByTime,
    BeginsAtGenerationOne,
    ForgetsToHold,
    IgnoresTheExpectedGeneration,
    CorrectsTheNewGeneration,
    CommitsMissingSnapshots,
    IgnoresLengths,
    SharesSnapshots,
    KeepsDroppedSnapshots,
    TurnsTheJournalRound,
    CutsJournalBodies,
    NeverReplacesHeldMembers,
    UnholdsLast,
    NeverReplacesAbsentMembers,
    FoldsNames,
    ChangesItsKey,
    ListsWhatCommittedOnly,
    ScrubsNothing,
    ScrubsForFormerHolders,
    CannotReadNothing,
    LosesAChunk,
    EndsScansOnCommit,
    ReadsNothingForVanishedSnapshots,
    StumblesOverUnfinishedSnapshots,
    CountsFinishedSnapshots,
    LosesItsJournal,
    LosesItsHead,
    StartsTokensAgain,
    LosesItsFence,
    LosesItsKey,
}

use Breach::*;

/// What outlives the closing of a store.
struct Kept {
    store: MemoryStore,
    newest: Mutex<HashMap<ActivationKey, Lease>>,
    ends: Mutex<HashMap<ActivationKey, DateTime<Utc>>>,
    released: Mutex<BTreeSet<ActivationKey>>,
    finished: Mutex<BTreeMap<ActivationKey, SnapshotRef>>,
    acquiring: AtomicUsize,
    unfinished: AtomicUsize,
    commits: AtomicUsize,
}

struct BrokenStore {
    kept: Arc<Kept>,
    breach: Option<Breach>,
    reopened: bool,
    other_key: FingerprintKey,
}

impl std::fmt::Debug for BrokenStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BrokenStore").field("breach", &self.breach).finish_non_exhaustive()
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap()
}

fn end_of_time() -> DateTime<Utc> {
    DateTime::<Utc>::MAX_UTC - TimeDelta::days(400)
}

impl BrokenStore {
    fn new(breach: Option<Breach>) -> Self {
        let kept = Kept {
            store: MemoryStore::new(key()),
            newest: Mutex::default(),
            ends: Mutex::default(),
            released: Mutex::default(),
            finished: Mutex::default(),
            acquiring: AtomicUsize::new(0),
            unfinished: AtomicUsize::new(0),
            commits: AtomicUsize::new(0),
        };
        Self::on(Arc::new(kept), breach, false)
    }

    fn on(kept: Arc<Kept>, breach: Option<Breach>, reopened: bool) -> Self {
        Self { kept, breach, reopened, other_key: FingerprintKey::new([8; 16]) }
    }

    fn is(&self, breach: Breach) -> bool {
        self.breach == Some(breach)
    }

    fn name(&self, activation: &ActivationKey) -> ActivationKey {
        if self.is(FoldsNames) {
            return ActivationKey::new(activation.as_str().to_lowercase());
        }
        activation.clone()
    }

    /// The lease as the store below knows it.
    fn below(&self, lease: &Lease) -> Lease {
        let token = match self.breach {
            Some(TokensFall) => u64::MAX - lease.token,
            Some(StartsTokensAgain) if self.reopened => lease.token + 1,
            _ => lease.token,
        };
        Lease { activation: self.name(&lease.activation), token }
    }

    fn above(&self, lease: Lease) -> Lease {
        let token = match self.breach {
            Some(TokensFall) => u64::MAX - lease.token,
            Some(StartsTokensAgain) if self.reopened => lease.token - 1,
            _ => lease.token,
        };
        Lease { token, ..lease }
    }

    /// The lease that a write is let through with.
    async fn writing(&self, lease: &Lease) -> Lease {
        let lease = self.below(lease);
        let newest = lock(&self.kept.newest).get(&lease.activation).cloned();
        match self.breach {
            Some(LetsFormerHoldersWrite) => newest.unwrap_or(lease),
            Some(LosesItsFence) if self.reopened => newest.unwrap_or(lease),
            Some(LetsStrangersWrite) if newest.is_none() => {
                let taken = self.take(&lease.activation).await;
                taken.unwrap_or(lease)
            }
            _ => lease,
        }
    }

    /// A lease of the store below, whoever holds it.
    async fn take(&self, activation: &ActivationKey) -> Option<Lease> {
        let ttl = Duration::from_secs(60);
        match self.kept.store.acquire(activation, "taken", end_of_time(), ttl).await {
            Ok(Acquired::Lease(lease)) => Some(lease),
            _ => None,
        }
    }

    async fn broken_commit(&self, lease: &Lease, mut commit: Commit) -> Result<(), StoreError> {
        let stored = self.kept.store.load(&lease.activation).await?;
        let generation = stored.head.generation;
        match self.breach {
            Some(ForgetsToHold) => commit.hold.clear(),
            Some(IgnoresTheExpectedGeneration) => {
                commit.expected_generation = generation;
                commit.head.generation = generation + 1;
            }
            Some(CorrectsTheNewGeneration) if commit.expected_generation == generation => {
                commit.head.generation = generation + 1;
            }
            Some(KeepsDroppedSnapshots) if commit.head.snapshot.is_none() => {
                commit.head.snapshot = stored.head.snapshot;
            }
            Some(NeverReplacesAbsentMembers) if !stored.absent.is_empty() => commit.absent = None,
            Some(NeverReplacesHeldMembers) => {
                commit.hold.retain(|new| stored.held.iter().all(|old| old.member != new.member));
            }
            Some(UnholdsLast) => {
                let unhold = commit.unhold.clone();
                commit.hold.retain(|held| !unhold.contains(&held.member));
            }
            _ => {}
        }
        let result = self.kept.store.commit(lease, commit.clone()).await;
        let corrupt = result.as_ref().is_err_and(|error| error.kind == StoreErrorKind::Corrupt);
        match (self.breach, commit.head.snapshot.clone()) {
            (Some(CommitsMissingSnapshots), Some(_)) if corrupt => {
                commit.head.snapshot = None;
                self.kept.store.commit(lease, commit).await
            }
            (Some(IgnoresLengths), Some(snapshot)) if corrupt => {
                for bytes in 0..100 {
                    commit.head.snapshot = Some(SnapshotRef { bytes, ..snapshot.clone() });
                    if self.kept.store.commit(lease, commit.clone()).await.is_ok() {
                        return Ok(());
                    }
                }
                result
            }
            (Some(SharesSnapshots), Some(snapshot)) if corrupt => {
                let bytes = self.read_anywhere(&snapshot).await?;
                let mut writer = self.kept.store.write_snapshot(lease).await?;
                writer.write_chunk(&bytes).await?;
                let name = writer.finish().await?;
                commit.head.snapshot = Some(SnapshotRef { name, ..snapshot });
                self.kept.store.commit(lease, commit).await
            }
            _ => result,
        }
    }

    async fn read_anywhere(&self, snapshot: &SnapshotRef) -> Result<Vec<u8>, StoreError> {
        let activations: Vec<_> = lock(&self.kept.newest).keys().cloned().collect();
        for activation in activations {
            if let Ok(mut reader) = self.kept.store.read_snapshot(&activation, snapshot).await {
                return Ok(reader.next_chunk().await?.unwrap_or_default());
            }
        }
        Err(StoreError::new(StoreErrorKind::Corrupt, "nowhere"))
    }
}

#[async_trait]
impl StateStore for BrokenStore {
    fn fingerprint_key(&self) -> &FingerprintKey {
        let changed = self.is(ChangesItsKey) && self.kept.commits.load(Ordering::SeqCst) > 0;
        if changed || self.is(LosesItsKey) && self.reopened {
            return &self.other_key;
        }
        self.kept.store.fingerprint_key()
    }

    async fn acquire(
        &self,
        activation: &ActivationKey,
        holder: &str,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Acquired, StoreError> {
        let activation = self.name(activation);
        let now = if self.is(LeasesNeverEnd) { DateTime::UNIX_EPOCH } else { now };
        let at_once = self.kept.acquiring.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        let mut answer = self.kept.store.acquire(&activation, holder, now, ttl).await?;
        self.kept.acquiring.fetch_sub(1, Ordering::SeqCst);
        let released = lock(&self.kept.released).remove(&activation);
        if let Acquired::Busy { holder, .. } = &mut answer {
            if self.is(NamesNoHolder) {
                holder.clear();
            }
            let gives_it_all_the_same = self.is(LooksThenTakes) && at_once > 0
                || self.is(LetsReleasedHoldersWrite) && released;
            if gives_it_all_the_same && let Some(lease) = self.take(&activation).await {
                answer = Acquired::Lease(lease);
            }
        }
        Ok(match answer {
            Acquired::Lease(lease) => {
                let end = now + TimeDelta::from_std(ttl).unwrap();
                lock(&self.kept.ends).insert(activation.clone(), end);
                lock(&self.kept.newest).insert(activation, lease.clone());
                Acquired::Lease(self.above(lease))
            }
            busy => busy,
        })
    }

    async fn renew(
        &self,
        lease: &Lease,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        let end = lock(&self.kept.ends).get(&lease.activation).copied();
        if self.is(FencesByTime) && end.is_some_and(|end| end < now) {
            return Err(StoreError::new(StoreErrorKind::Fenced, "too late"));
        }
        let lease = self.writing(lease).await;
        if self.is(ForgetsToRenew) {
            return Ok(());
        }
        self.kept.store.renew(&lease, now, ttl).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let mut lease = self.below(lease);
        if self.is(LetsReleasedHoldersWrite) {
            lock(&self.kept.released).insert(lease.activation);
            return Ok(());
        }
        if self.is(ReleasesWhoeverHolds)
            && let Some(newest) = lock(&self.kept.newest).get(&lease.activation)
        {
            lease = newest.clone();
        }
        if self.is(ForgetsToRelease) {
            return Ok(());
        }
        self.kept.store.release(&lease).await
    }

    async fn activations(&self) -> Result<Vec<ActivationKey>, StoreError> {
        let mut activations = self.kept.store.activations().await?;
        if self.is(ListsWhatCommittedOnly) && self.kept.commits.load(Ordering::SeqCst) == 0 {
            activations.clear();
        }
        Ok(activations)
    }

    async fn load(&self, activation: &ActivationKey) -> Result<State, StoreError> {
        let activation = self.name(activation);
        let mut state = self.kept.store.load(&activation).await?;
        match self.breach {
            Some(BeginsAtGenerationOne) => state.head.generation = state.head.generation.max(1),
            Some(TurnsTheJournalRound) => state.journal.reverse(),
            Some(CountsFinishedSnapshots) => {
                let finished = lock(&self.kept.finished).get(&activation).cloned();
                state.head.snapshot = finished.or(state.head.snapshot);
            }
            Some(LosesItsJournal) if self.reopened => state.journal.clear(),
            Some(LosesItsHead) if self.reopened => state.head = Head::default(),
            _ => {}
        }
        Ok(state)
    }

    async fn append(&self, lease: &Lease, mut entry: JournalEntry) -> Result<(), StoreError> {
        if self.is(CutsJournalBodies) {
            entry.body.truncate(65_535);
        }
        self.kept.store.append(&self.writing(lease).await, entry).await
    }

    async fn read_snapshot(
        &self,
        activation: &ActivationKey,
        snapshot: &SnapshotRef,
    ) -> Result<Box<dyn SnapshotRead>, StoreError> {
        if self.is(CannotReadNothing) && snapshot.bytes == 0 {
            return Err(StoreError::new(StoreErrorKind::Corrupt, "nothing"));
        }
        let activation = self.name(activation);
        let reader = match self.kept.store.read_snapshot(&activation, snapshot).await {
            Ok(reader) => Some(reader),
            Err(_) if self.is(ReadsNothingForVanishedSnapshots) => None,
            Err(error) => return Err(error),
        };
        let (kept, breach) = (self.kept.clone(), self.breach);
        let commits = kept.commits.load(Ordering::SeqCst);
        Ok(Box::new(BrokenReader { reader, kept, breach, commits, chunks: 0 }))
    }

    async fn write_snapshot(&self, lease: &Lease) -> Result<Box<dyn SnapshotWrite>, StoreError> {
        if self.is(StumblesOverUnfinishedSnapshots)
            && self.kept.unfinished.load(Ordering::SeqCst) > 0
        {
            return Err(StoreError::new(StoreErrorKind::Failed, "the file exists"));
        }
        let lease = self.writing(lease).await;
        let writer = self.kept.store.write_snapshot(&lease).await?;
        self.kept.unfinished.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(BrokenWriter { writer, kept: self.kept.clone(), lease, bytes: 0 }))
    }

    async fn commit(&self, lease: &Lease, commit: Commit) -> Result<(), StoreError> {
        let lease = self.writing(lease).await;
        self.broken_commit(&lease, commit).await?;
        lock(&self.kept.finished).remove(&lease.activation);
        self.kept.commits.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn scrub(&self, lease: &Lease) -> Result<(), StoreError> {
        let mut scrubbing = self.writing(lease).await;
        if self.is(ScrubsNothing) {
            return Ok(());
        }
        if self.is(ScrubsForFormerHolders)
            && let Some(newest) = lock(&self.kept.newest).get(&scrubbing.activation)
        {
            scrubbing = newest.clone();
        }
        self.kept.store.scrub(&scrubbing).await
    }
}

struct BrokenReader {
    reader: Option<Box<dyn SnapshotRead>>,
    kept: Arc<Kept>,
    breach: Option<Breach>,
    commits: usize,
    chunks: usize,
}

#[async_trait]
impl SnapshotRead for BrokenReader {
    async fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let overtaken = self.kept.commits.load(Ordering::SeqCst) > self.commits;
        if self.breach == Some(EndsScansOnCommit) && overtaken {
            return Err(StoreError::new(StoreErrorKind::Moved, "overtaken"));
        }
        self.chunks += 1;
        if self.breach == Some(LosesAChunk) && self.chunks == 2 {
            reader.next_chunk().await?;
        }
        reader.next_chunk().await
    }
}

struct BrokenWriter {
    writer: Box<dyn SnapshotWrite>,
    kept: Arc<Kept>,
    lease: Lease,
    bytes: u64,
}

#[async_trait]
impl SnapshotWrite for BrokenWriter {
    async fn write_chunk(&mut self, chunk: &[u8]) -> Result<(), StoreError> {
        self.bytes += chunk.len() as u64;
        self.writer.write_chunk(chunk).await
    }

    async fn finish(self: Box<Self>) -> Result<String, StoreError> {
        let name = self.writer.finish().await?;
        self.kept.unfinished.fetch_sub(1, Ordering::SeqCst);
        let snapshot = SnapshotRef { name: name.clone(), members: 1, bytes: self.bytes };
        lock(&self.kept.finished).insert(self.lease.activation.clone(), snapshot);
        Ok(name)
    }
}

#[tokio::test]
async fn each_breach_of_a_stores_contract_is_found() {
    let breaches = [
        (NamesNoHolder, "a_lease_keeps_others_out_and_names_its_holder"),
        (LooksThenTakes, "one_of_many_at_once_gets_the_lease"),
        (ForgetsToRelease, "a_released_lease_is_free_at_once"),
        (LeasesNeverEnd, "a_lease_ends_with_its_time"),
        (ForgetsToRenew, "a_renewed_lease_ends_later"),
        (TokensFall, "tokens_grow_whatever_ended_the_lease_before"),
        (ReleasesWhoeverHolds, "releasing_an_old_lease_does_not_end_the_new_one"),
        (LetsFormerHoldersWrite, "a_holder_who_was_followed_can_write_nothing"),
        (LetsReleasedHoldersWrite, "a_lease_that_was_given_back_can_write_nothing"),
        (LetsStrangersWrite, "a_lease_of_nobody_can_write_nothing"),
        (FencesByTime, "a_late_holder_whom_nobody_followed_may_write"),
        (BeginsAtGenerationOne, "an_activation_never_committed_is_empty"),
        (ForgetsToHold, "a_commit_changes_head_journal_and_held_members_together"),
        (IgnoresTheExpectedGeneration, "a_commit_from_another_generation_changes_nothing"),
        (CorrectsTheNewGeneration, "a_commit_that_skips_a_generation_changes_nothing"),
        (CommitsMissingSnapshots, "a_commit_of_a_missing_snapshot_changes_nothing"),
        (IgnoresLengths, "a_commit_of_a_snapshot_of_another_length_changes_nothing"),
        (SharesSnapshots, "a_commit_of_the_snapshot_of_another_activation_changes_nothing"),
        (KeepsDroppedSnapshots, "a_commit_may_keep_the_snapshot_or_drop_it"),
        (TurnsTheJournalRound, "the_journal_keeps_its_order_until_its_batches_retire"),
        (CutsJournalBodies, "journal_bodies_come_back_byte_for_byte"),
        (NeverReplacesHeldMembers, "held_members_are_inserted_replaced_and_removed"),
        (UnholdsLast, "a_member_held_and_no_longer_held_in_one_commit_is_held"),
        (NeverReplacesAbsentMembers, "absent_members_are_replaced_together_or_kept"),
        (FoldsNames, "activations_with_any_name_do_not_influence_each_other"),
        (ChangesItsKey, "the_fingerprint_key_stays"),
        (ListsWhatCommittedOnly, "activations_are_listed_once_they_had_a_lease"),
        (ScrubsNothing, "a_scrub_keeps_the_state_and_nothing_else"),
        (ScrubsForFormerHolders, "a_scrub_needs_its_lease"),
        (CannotReadNothing, "an_empty_snapshot_comes_back_empty"),
        (LosesAChunk, "a_snapshot_of_many_chunks_comes_back_byte_for_byte"),
        (EndsScansOnCommit, "a_scan_opened_before_a_commit_reads_on"),
        (ReadsNothingForVanishedSnapshots, "a_reader_overtaken_by_a_commit_is_told_to_start_again"),
        (StumblesOverUnfinishedSnapshots, "an_unfinished_snapshot_counts_for_nothing"),
        (CountsFinishedSnapshots, "a_finished_snapshot_counts_for_nothing_until_committed"),
    ];
    each_breach_is_found(&breaches, async |breach| {
        conformance::state_store(async || BrokenStore::new(breach)).await
    })
    .await;
}

#[tokio::test]
async fn each_breach_of_a_durable_stores_contract_is_found() {
    let breaches = [
        (LosesItsJournal, "an_appended_entry_is_still_there"),
        (LosesItsHead, "a_commit_is_still_there"),
        (CountsFinishedSnapshots, "what_no_commit_named_still_counts_for_nothing"),
        (StartsTokensAgain, "tokens_go_on_growing"),
        (LosesItsFence, "a_holder_of_before_is_fenced"),
        (LosesItsKey, "the_key_is_the_same"),
    ];
    each_breach_is_found(&breaches, async |breach| {
        let disk: Mutex<HashMap<u32, Arc<Kept>>> = Mutex::default();
        let open = async |number| match lock(&disk).entry(number) {
            std::collections::hash_map::Entry::Occupied(kept) => {
                BrokenStore::on(kept.get().clone(), breach, true)
            }
            std::collections::hash_map::Entry::Vacant(empty) => {
                let store = BrokenStore::new(breach);
                empty.insert(store.kept.clone());
                store
            }
        };
        conformance::durable_state_store(open).await
    })
    .await;
}
