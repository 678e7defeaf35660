//! What happens to a segment, its list and its runs, and what must be true in the end.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use activation_core::{
    Activation, Approver, DirectoryStore, Engine, Plan, RunReport, RunStatus, Trip,
    dotdigital::{BatchLimits, Dotdigital},
    sources::MemorySource,
};
use async_trait::async_trait;
use dotdigital_client::{
    Clock as _, Credentials,
    simulator::{Fault, FaultRule, Simulator, SimulatorSettings, VirtualClock},
};
use tempfile::TempDir;

use super::crash::{MortalClock, MortalSource, MortalStore, MortalTransport, Reaper};
use crate::world::{EngineClock, client, monday};

const LIST: &str = "VIP";
const PEOPLE: usize = 30;
const MINUTE: Duration = Duration::from_secs(60);

/// Whether a history was cut at least once.
pub(super) enum Outcome {
    Crashed,
    Undisturbed,
}

/// One step: the segment changes, time passes, and a run is tried.
struct Chapter {
    segment: BTreeSet<usize>,
    pause: Duration,
    faults: Vec<FaultRule>,
    /// Somebody puts a guest on the list by hand.
    guest: bool,
    /// The run is killed at this point; 0 lets it live.
    crash_at: i64,
}

pub(super) struct History {
    chapters: Vec<Chapter>,
    settings: SimulatorSettings,
    contacts_before: BTreeSet<usize>,
}

impl History {
    /// A first run, then some with removals and additions in bulk and singly; each killed at its
    /// `point`-th point, as long as it has so many.
    pub(super) fn fixed(point: i64) -> Self {
        let chapter = |segment: BTreeSet<usize>| Chapter {
            segment,
            pause: MINUTE,
            faults: Vec::new(),
            guest: true,
            crash_at: point,
        };
        Self {
            chapters: vec![
                chapter((0..12).collect()),
                chapter((5..20).collect()),
                chapter((6..21).collect()),
                chapter((0..4).collect()),
            ],
            settings: SimulatorSettings::default(),
            contacts_before: (3..9).collect(),
        }
    }

    /// Everything decided by `seed`.
    pub(super) fn random(seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut segment: BTreeSet<usize> = (0..PEOPLE).filter(|_| dice.bool()).collect();
        let chapters = (0..dice.usize(3..8))
            .map(|_| {
                change(&mut segment, &mut dice);
                Chapter {
                    segment: segment.clone(),
                    pause: pause(&mut dice),
                    faults: (0..dice.usize(0..4)).map(|_| fault(&mut dice)).collect(),
                    guest: dice.u8(0..5) == 0,
                    crash_at: if dice.bool() { dice.i64(1..120) } else { 0 },
                }
            })
            .collect();
        let contacts_before = (0..PEOPLE).filter(|_| dice.bool()).collect();
        let settings = SimulatorSettings { seed, ..SimulatorSettings::default() };
        Self { chapters, settings, contacts_before }
    }

    /// Plays the history, lets calm runs follow, and checks what must be true.
    pub(super) async fn play(self) -> Outcome {
        let stage = Stage::set(self.settings, &self.contacts_before);
        let mut guests = BTreeSet::new();
        let mut outcome = Outcome::Undisturbed;
        let mut last = BTreeSet::new();
        for (number, chapter) in self.chapters.into_iter().enumerate() {
            stage.clock.sleep(chapter.pause).await;
            stage.simulator.finish_jobs(stage.clock.now());
            if let (true, Some(list)) = (chapter.guest, stage.simulator.list_named(LIST)) {
                let guest = format!("guest{number}@example.com");
                stage.simulator.add_member(list.id, stage.simulator.add_contact(&guest));
                guests.insert(guest);
            }
            stage.source.set(chapter.segment.iter().map(|person| address(*person)));
            chapter.faults.into_iter().for_each(|rule| stage.simulator.inject(rule));
            if stage.run(chapter.crash_at).await.is_none() {
                outcome = Outcome::Crashed;
            }
            stage.simulator.clear_faults();
            stage.check_harmless();
            last = chapter.segment;
        }
        let expected: BTreeSet<String> =
            last.iter().map(|person| address(*person)).chain(guests).collect();
        stage.converges_to(&expected).await;
        outcome
    }
}

/// The world of one history.
struct Stage {
    simulator: Simulator,
    credentials: (String, String),
    clock: VirtualClock,
    source: Arc<MemorySource>,
    directory: TempDir,
    contacts_before: usize,
}

impl Stage {
    fn set(settings: SimulatorSettings, contacts: &BTreeSet<usize>) -> Self {
        let credentials = (settings.user.clone(), settings.password.clone());
        let simulator = Simulator::new(settings);
        for person in contacts {
            simulator.add_contact(&address(*person));
        }
        Self {
            simulator,
            credentials,
            clock: VirtualClock::starting_at(monday()),
            source: Arc::new(MemorySource::new(Vec::<String>::new())),
            directory: state_directory(),
            contacts_before: contacts.len(),
        }
    }

    /// One process: opens the store, runs, and perhaps is killed.
    async fn run(&self, crash_at: i64) -> Option<RunReport> {
        let reaper = Reaper::at(crash_at);
        let store = DirectoryStore::open(self.directory.path()).expect("the state is readable");
        let store = Arc::new(MortalStore::new(store, reaper.clone()));
        let transport = self.simulator.transport(Arc::new(self.clock));
        let transport = Arc::new(MortalTransport(Arc::new(transport), reaper.clone()));
        let credentials = Credentials::new(&self.credentials.0, &self.credentials.1);
        // Small batches, so that several are under way together.
        let limits = BatchLimits::default().import_contacts(5).removal_contacts(4);
        let client = client(credentials, transport, &self.clock);
        let destination = Dotdigital::new(&client).batch_limits(limits);
        let clock = MortalClock(Arc::new(EngineClock(self.clock)), reaper.clone());
        let engine = Engine::new(store).clock(Arc::new(clock)).approver(Arc::new(ApproveAll));
        let activation = Activation::new("vip").named(LIST);
        let source = MortalSource(self.source.clone(), reaper.clone());
        tokio::select! {
            report = engine.run(&activation, &source, &destination) => Some(report),
            () = reaper.death() => None,
        }
    }

    /// Undisturbed runs bring the list to `expected`, and then have nothing left to do.
    async fn converges_to(&self, expected: &BTreeSet<String>) {
        let mut last = None;
        for _ in 0..4 {
            // Long enough for every doubt about lost answers to end.
            self.clock.sleep(70 * MINUTE).await;
            last = self.run(0).await;
        }
        let last = last.expect("nobody killed it");
        assert_eq!(last.status, RunStatus::NothingToDo, "{last}");
        assert_eq!(last.total_calls(), 2, "{last}");
        self.simulator.finish_jobs(self.clock.now());
        let lists = self.simulator.lists();
        assert_eq!(lists.iter().filter(|list| list.name == LIST).count(), 1, "{lists:?}");
        let list = self.simulator.list_named(LIST).expect("the list");
        let members = self.simulator.members(list.id).into_iter();
        let members: BTreeSet<String> = members.filter_map(|contact| contact.email).collect();
        assert_eq!(&members, expected);
        self.check_harmless();
        assert!(self.simulator.contact_count() >= self.contacts_before);
        self.check_privacy();
    }

    fn check_harmless(&self) {
        assert_eq!(self.simulator.forbidden_calls(), []);
        assert_eq!(self.simulator.status_writes(), 0);
        assert_eq!(self.simulator.binned().len(), 0);
    }

    /// No address in any file of the state.
    fn check_privacy(&self) {
        let mut directories = vec![self.directory.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).expect("readable") {
                let path = entry.expect("readable").path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    let bytes = std::fs::read(&path).expect("readable");
                    let address = bytes.windows(12).any(|window| window == b"@example.com");
                    assert!(!address, "an address in {}", path.display());
                }
            }
        }
    }
}

/// In memory where the system has such a place: thousands of runs would wear out a disk, and what
/// is tested is the order of operations.
fn state_directory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory")
}

#[derive(Debug)]
struct ApproveAll;

#[async_trait]
impl Approver for ApproveAll {
    async fn approves(&self, _plan: &Plan, _reasons: &[Trip]) -> bool {
        true
    }
}

fn address(person: usize) -> String {
    format!("person{person:02}@example.com")
}

/// Nothing, a few or most people change sides.
fn change(segment: &mut BTreeSet<usize>, dice: &mut fastrand::Rng) {
    let share = dice.choice([0, 1, 1, 3, 8]).unwrap_or(0);
    for person in 0..PEOPLE {
        if dice.usize(0..10) < share && !segment.remove(&person) {
            segment.insert(person);
        }
    }
}

/// Seconds, minutes or hours.
fn pause(dice: &mut fastrand::Rng) -> Duration {
    Duration::from_secs(dice.choice([1, 20, 300, 4_000, 90_000]).unwrap_or(1))
}

fn fault(dice: &mut fastrand::Rng) -> FaultRule {
    let fault = match dice.u8(0..13) {
        0 => Fault::ConnectionRefused,
        1 => Fault::ResetBeforeActing,
        2 | 3 => Fault::ResetAfterActing,
        4 | 5 => Fault::TimeoutAfterActing,
        6 => Fault::Status(500),
        7 => Fault::StatusAfterActing(502),
        8 => Fault::Html(503),
        9 => Fault::RateLimited,
        10 => Fault::TooManyActiveImports,
        11 => Fault::SlowJob(Duration::from_secs(dice.u64(10..3_000))),
        _ => Fault::FailedJob,
    };
    let endpoint = dice.choice(["", "", "P", "PUT", "POST", "GET", "DELETE"]).unwrap_or("");
    FaultRule::new(fault).on(endpoint).from_call(dice.u64(1..12)).times(dice.u64(1..6))
}
