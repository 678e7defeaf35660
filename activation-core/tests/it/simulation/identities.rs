//! Histories of people whose addresses change while a warehouse key stays: whatever is cut, lost or
//! refused, the list ends up equal to the segment, and whoever stayed keeps her contact.
//!
//! Seeds are played, and replayed, as those of the other histories.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use activation_core::{
    Activation, Engine, RunReport, RunStatus, StateStore,
    dotdigital::{BatchLimits, Dotdigital},
    sources::MemorySource,
};
use dotdigital_client::{
    Clock as _, Credentials,
    simulator::{
        Fault, FaultRule, JobLatency, Simulator, SimulatorSettings, SuppressedAddition, Switches,
        VirtualClock,
    },
};
use tempfile::TempDir;

use super::{
    Witnessed,
    clock::Machine,
    crash::{MortalClock, MortalLedger, MortalSource, MortalStore, MortalTransport},
    disk::Disk,
    fate::{Fate, Reaper},
    history::{ApproveAll, state_directory},
    place::Place,
    seeds::Seeds,
    with_paused_time,
};
use crate::{
    ledger::Book,
    world::{client, key, monday},
};

const PEOPLE: usize = 16;
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Rows of the warehouse: who has which addresses.
type Segment = BTreeMap<usize, BTreeSet<String>>;

struct Chapter {
    segment: Segment,
    pause: Duration,
    faults: Vec<FaultRule>,
    /// The run is killed at this point; 0 lets it live.
    crash_at: i64,
}

struct History {
    first: Segment,
    chapters: Vec<Chapter>,
    latency: JobLatency,
    /// People who were in the segment all the time, with an address that was always theirs alone.
    steady: BTreeSet<usize>,
}

/// What happens to the warehouse of a history.
struct Author {
    segment: Segment,
    steady: BTreeSet<usize>,
    addresses: usize,
}

impl Author {
    fn new(people: std::ops::Range<usize>) -> Self {
        let segment: Segment =
            people.map(|person| (person, [format!("person{person}@example.com")].into())).collect();
        Self { steady: segment.keys().copied().collect(), segment, addresses: 0 }
    }

    fn rename(&mut self, person: usize) {
        self.addresses += 1;
        let address = format!("renamed{}@example.com", self.addresses);
        if let Some(addresses) = self.segment.get_mut(&person) {
            *addresses = [address].into();
        }
    }

    fn leave(&mut self, person: usize) {
        self.segment.remove(&person);
        self.steady.remove(&person);
    }

    fn join(&mut self, person: usize) {
        if self.segment.entry(person).or_default().is_empty() {
            self.rename(person);
        }
    }

    /// Both go by the address of the first from now on.
    fn merge(&mut self, person: usize, other: usize) {
        if let (Some(addresses), true) =
            (self.segment.get(&person).cloned(), self.segment.contains_key(&other))
        {
            self.segment.insert(other, addresses);
            self.steady.remove(&person);
            self.steady.remove(&other);
        }
    }

    fn split(&mut self, person: usize) {
        self.addresses += 1;
        let address = format!("split{}@example.com", self.addresses);
        if let Some(addresses) = self.segment.get_mut(&person) {
            addresses.insert(address);
            self.steady.remove(&person);
        }
    }

    fn swap(&mut self, person: usize, other: usize) {
        if let (Some(mine), Some(others)) =
            (self.segment.get(&person).cloned(), self.segment.get(&other).cloned())
        {
            self.segment.insert(person, others);
            self.segment.insert(other, mine);
            self.steady.remove(&person);
            self.steady.remove(&other);
        }
    }
}

impl History {
    /// Moves singly and in bulk, somebody who leaves, a merge and a split; each run killed at its
    /// `point`-th point, as long as it has so many.
    fn fixed(point: i64) -> Self {
        let mut author = Author::new(0..10);
        let first = author.segment.clone();
        let mut chapters = Vec::new();
        let acts: [fn(&mut Author); 4] = [
            |author| author.rename(1),
            |author| (0..8).for_each(|person| author.rename(person)),
            |author| {
                author.leave(9);
                author.merge(8, 7);
                (0..5).for_each(|person| author.rename(person));
            },
            |author| {
                author.split(6);
                author.rename(6);
                author.join(12);
                author.rename(2);
            },
        ];
        for act in acts {
            act(&mut author);
            chapters.push(Chapter {
                segment: author.segment.clone(),
                pause: Duration::from_secs(60),
                faults: Vec::new(),
                crash_at: point,
            });
        }
        Self { first, chapters, latency: JobLatency::default(), steady: author.steady }
    }

    /// Everything decided by `seed`.
    fn random(seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut author = Author::new(0..PEOPLE);
        let first = author.segment.clone();
        let chapters = (0..dice.usize(2..7))
            .map(|_| {
                let share = dice.choice([0, 1, 3, 8]).unwrap_or(0);
                for person in 0..PEOPLE + 4 {
                    if dice.usize(0..10) >= share {
                        continue;
                    }
                    let other = dice.usize(0..PEOPLE);
                    match dice.u8(0..12) {
                        0 => author.leave(person),
                        1 | 2 => author.join(person),
                        3 => author.merge(person, other),
                        4 => author.split(person),
                        5 => author.swap(person, other),
                        _ => author.rename(person),
                    }
                }
                let pause = dice.choice([1, 20, 300, 4_000, 90_000]).unwrap_or(1);
                Chapter {
                    segment: author.segment.clone(),
                    pause: Duration::from_secs(pause),
                    faults: (0..dice.usize(0..4)).map(|_| fault(&mut dice)).collect(),
                    crash_at: if dice.bool() { dice.i64(1..90) } else { 0 },
                }
            })
            .collect();
        let latency = match dice.u8(0..3) {
            0 => JobLatency::NONE,
            1 => JobLatency { base: Duration::from_secs(1_500), per_member: Duration::ZERO },
            _ => JobLatency::default(),
        };
        Self { first, chapters, latency, steady: author.steady }
    }

    /// Gives whether a run was killed, and how many are in conflict in the end.
    async fn play(self, seed: u64) -> (bool, u64) {
        let stage = Stage::set(self.latency, seed);
        stage.write(&self.first);
        stage.calm_runs().await;
        let contacts = stage.contacts();
        let known = contacts.len();
        let mut is_killed = false;
        let mut segment = self.first.clone();
        for chapter in self.chapters {
            stage.clock.sleep(chapter.pause).await;
            stage.write(&chapter.segment);
            segment = chapter.segment;
            chapter.faults.into_iter().for_each(|rule| stage.simulator.inject(rule));
            match stage.run(chapter.crash_at).await {
                Some(report) => check_report(&report),
                None => is_killed = true,
            }
            stage.simulator.clear_faults();
            stage.check_harmless(known);
        }
        let last = stage.calm_runs().await;
        let expected: BTreeSet<String> = segment.values().flatten().cloned().collect();
        let contacts_now = stage.contacts();
        let on_list: BTreeSet<String> = contacts_now.keys().cloned().collect();
        // Somebody's address may be that of a contact who left the list with it. Then she stays on it
        // under the old one.
        assert_eq!(last.held, last.conflicts, "{last}");
        assert_eq!((&expected - &on_list).len() as u64, last.conflicts, "{last}");
        assert_eq!((&on_list - &expected).len() as u64, last.identities.waiting, "{last}");
        for person in self.steady {
            let addresses = [&self.first[&person], &segment[&person]].map(|one| one.first());
            let [Some(before), Some(now)] = addresses else { panic!("everybody has an address") };
            assert_eq!(contacts_now.get(now), contacts.get(before), "person {person}");
        }
        stage.check_harmless(known);
        stage.check_ledger(last.conflicts).await;
        (is_killed, last.conflicts)
    }
}

/// A run that was not killed tells the truth: its counts add up.
fn check_report(report: &RunReport) {
    let Some(plan) = &report.planned else { return };
    let wanted = plan.add + plan.remove + plan.moves;
    let done = report.added + report.removed + report.moved - report.recovered;
    // Who waits from earlier runs counts as held too.
    assert!(done + report.failed <= wanted, "{report}");
    assert!(wanted <= done + report.failed + report.held, "{report}");
}

struct Stage {
    simulator: Simulator,
    credentials: (String, String),
    clock: VirtualClock,
    machine: Machine,
    source: Arc<MemorySource>,
    book: Arc<Book>,
    directory: TempDir,
}

impl Stage {
    fn set(latency: JobLatency, seed: u64) -> Self {
        let switches =
            Switches { suppressed_addition: SuppressedAddition::Fails, ..Switches::default() };
        let settings =
            SimulatorSettings { seed, latency, switches, ..SimulatorSettings::default() };
        let credentials = (settings.user.clone(), settings.password.clone());
        let (simulator, clock) = (Simulator::new(settings), VirtualClock::starting_at(monday()));
        Self {
            machine: Machine::new(clock, simulator.clone()),
            simulator,
            credentials,
            clock,
            source: Arc::new(MemorySource::new(Vec::<String>::new())),
            book: Arc::new(Book::default()),
            directory: state_directory(),
        }
    }

    fn write(&self, segment: &Segment) {
        let rows = segment.iter().flat_map(|(person, addresses)| {
            addresses.iter().map(move |address| (address.clone(), person.to_string()))
        });
        self.source.set_keyed(rows);
    }

    /// One process: opens the store, runs, and perhaps is killed.
    async fn run(&self, crash_at: i64) -> Option<RunReport> {
        let disk = Arc::new(Disk::beneath(self.directory.path()));
        let reaper = Arc::new(Reaper::new(Fate::killed_at(crash_at), self.machine.clone(), disk));
        let store = Place::Directory(self.directory.path().to_owned()).open_for(&reaper);
        let store = Arc::new(MortalStore::new(store, reaper.clone(), Arc::default()));
        let transport = self.simulator.transport(Arc::new(self.clock));
        let transport = Arc::new(MortalTransport(Arc::new(transport), reaper.clone()));
        let credentials = Credentials::new(&self.credentials.0, &self.credentials.1);
        let client = client(credentials, transport, Arc::new(self.clock));
        let limits = BatchLimits::default().import_contacts(5).removal_contacts(4);
        let destination = Dotdigital::new(&client).batch_limits(limits);
        let engine = Engine::new(store)
            .clock(Arc::new(MortalClock(self.machine.clone(), reaper.clone())))
            .ledger(Arc::new(MortalLedger(self.book.clone(), reaper.clone())))
            .approver(Arc::new(ApproveAll));
        let source = MortalSource(self.source.clone(), reaper.clone());
        let activation = vip();
        tokio::select! {
            report = engine.run(&activation, &source, &destination) => Some(report),
            () = reaper.death() => None,
        }
    }

    /// Runs until doubts have passed and there is nothing left to do but what stays in conflict.
    async fn calm_runs(&self) -> RunReport {
        for round in 0..12 {
            self.clock.sleep(8 * DAY).await;
            check_report(&self.run(0).await.expect("nobody kills it"));
            let report = self.run(0).await.expect("nobody kills it");
            check_report(&report);
            let is_over = matches!(report.status, RunStatus::NothingToDo | RunStatus::Incomplete);
            // What a fault held is tried again in the round after the one that learns of it.
            if round > 1 && is_over && report.held == report.conflicts && report.total_calls() == 2
            {
                return report;
            }
        }
        panic!("it never ends: {}", self.run(0).await.expect("nobody kills it"));
    }

    /// Contacts on the list by address.
    fn contacts(&self) -> BTreeMap<String, i64> {
        self.simulator.finish_jobs(self.clock.now());
        let list = self.simulator.list_named("vip").expect("the list");
        let members = self.simulator.members(list.id).into_iter();
        members.map(|one| (one.email.expect("an address"), one.id)).collect()
    }

    fn check_harmless(&self, known: usize) {
        assert_eq!(self.simulator.forbidden_calls(), []);
        assert_eq!(self.simulator.status_writes(), 0);
        assert_eq!(self.simulator.binned().len(), 0);
        assert!(self.simulator.contact_count() >= known, "somebody was deleted");
    }

    /// The ledger and the list tell the same. Who is in conflict may go by the address that a move
    /// gave her whose answer was lost.
    async fn check_ledger(&self, conflicts: u64) {
        let store = Place::Directory(self.directory.path().to_owned()).open();
        let head = store.load(&vip().key()).await.expect("readable").head;
        let on_list = self.contacts();
        let expected: BTreeSet<_> =
            on_list.keys().map(|address| key().fingerprint(address.as_bytes())).collect();
        let told = self.book.members(head.generation);
        assert_eq!(told.len(), expected.len());
        assert!((&told - &expected).len() as u64 <= conflicts, "{told:?} {expected:?}");
    }
}

fn vip() -> Activation {
    Activation::new("vip")
}

fn fault(dice: &mut fastrand::Rng) -> FaultRule {
    let rows = |code: &str, every| Fault::FailRows { code: code.to_owned(), every };
    let fault = match dice.u8(0..12) {
        0 => Fault::ConnectionRefused,
        1 | 2 => Fault::ResetAfterActing,
        3 | 4 => Fault::TimeoutAfterActing,
        5 => Fault::Status(500),
        6 => Fault::RateLimited,
        7 => Fault::SlowJob(Duration::from_secs(dice.u64(10..1_500))),
        8 => rows("invalidEmail", dice.u64(2..4)),
        9 => rows("duplicateIdentifier", dice.u64(2..4)),
        10 => rows("ApiSchemaViolation", dice.u64(1..4)),
        _ => Fault::FailedJob,
    };
    let endpoint = dice.choice(["", "PUT", "PATCH", "POST", "GET", "DELETE"]).unwrap_or("");
    FaultRule::new(fault).on(endpoint).from_call(dice.u64(1..8)).times(dice.u64(1..6))
}

#[test]
fn a_move_killed_at_any_point_is_made_good_by_the_next_runs() {
    let mut crashes = 0;
    for point in 1.. {
        match with_paused_time(History::fixed(point).play(1)) {
            (true, conflicts) => {
                crashes += 1;
                assert_eq!(conflicts, 0);
            }
            (false, _) => break,
        }
    }
    assert!(crashes > 60, "only {crashes} points to crash at");
}

#[test]
fn whoever_stays_keeps_her_contact_in_random_histories() {
    let in_conflict = AtomicU64::new(0);
    let seen = Seeds::from_environment().play(|seed| {
        let (is_killed, conflicts) = with_paused_time(History::random(seed).play(seed));
        in_conflict.fetch_add(u64::from(conflicts > 0), Ordering::Relaxed);
        Witnessed { histories: 1, killed: u64::from(is_killed), ..Witnessed::default() }
    });
    if seen.histories < 100 {
        return;
    }
    assert!(seen.killed > seen.histories / 3, "{seen:?}");
    let in_conflict = in_conflict.into_inner();
    assert!(in_conflict <= seen.histories / 20, "{in_conflict} of {seen:?} ended with a conflict");
}
