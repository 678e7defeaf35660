//! What happens to a segment, its list and its runs, and what must be true in the end.

mod others;
mod promises;
mod rival;
mod stops;
mod story;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use activation_core::{
    Activation, ActivationKey, Approver, Engine, ExcludedSegments, ExistingList, GuardLimits,
    MissingContacts, Plan, ReconcileMode, ReconcileReport, Reconciliation, RunReport, RunStatus,
    State, StateStore, Trip,
    dotdigital::{BatchLimits, Dotdigital},
    sources::MemorySource,
};
use async_trait::async_trait;
use dotdigital_client::{
    Clock as _, Credentials,
    simulator::{Simulator, VirtualClock, Visibility},
};
use tempfile::TempDir;

pub(super) use self::{rival::Rival, story::History};
use super::{
    clock::Machine,
    crash::{MortalClock, MortalLedger, MortalSource, MortalStore, MortalTransport},
    disk::Disk,
    fate::{Fate, Reaper},
    gauge::{Gauge, GaugedTransport},
    place::Place,
    terrain::Terrain,
};
use crate::{
    ledger::Book,
    world::{client, key, monday},
};

const LIST: &str = "VIP";
pub(super) const PEOPLE: usize = 30;
const MINUTE: Duration = Duration::from_secs(60);
/// As long as the engine's.
pub(super) const LEASE: Duration = Duration::from_secs(300);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// The world of one history.
struct Stage {
    terrain: Terrain,
    simulator: Simulator,
    credentials: (String, String),
    /// The right time.
    clock: VirtualClock,
    /// The clock that processes see.
    machine: Machine,
    disk: Arc<Disk>,
    gauges: Mutex<Vec<Arc<Gauge>>>,
    /// Whether a process was killed, and by a power cut.
    deaths: Mutex<(u64, u64)>,
    source: Arc<MemorySource>,
    /// Who is excluded, as a source.
    complaints: Arc<MemorySource>,
    /// The host's ledger, which no crash touches.
    book: Arc<Book>,
    directory: TempDir,
    /// Where the state is kept: in that directory, or elsewhere.
    place: Place,
    /// The store as those see it who only read.
    reader: Mutex<Option<Arc<dyn StateStore>>>,
    /// A process may have died with a lease, and nobody has cared for that yet.
    is_unburied: AtomicBool,
    /// People who were suppressed after the beginning.
    suppressed_later: BTreeSet<usize>,
    /// What the list is called by now.
    list_name: String,
    segment: BTreeSet<usize>,
    excluded: BTreeSet<usize>,
    /// People who are contacts already, whatever the runs do.
    contacts: BTreeSet<usize>,
    guests: BTreeSet<String>,
    /// Who was on the list before the first run, and is owned with it.
    early: BTreeSet<String>,
    /// Somebody was taken off the list by hand, or forgotten amid a change of hers, which no run can
    /// know.
    taken_off: bool,
    /// Who was forgotten, and so stays on the list when the segment is without her.
    forgotten: BTreeSet<usize>,
}

impl Stage {
    fn set(terrain: Terrain, mut contacts: BTreeSet<usize>, place: Option<Place>) -> Self {
        let settings = terrain.settings.clone();
        let credentials = (settings.user.clone(), settings.password.clone());
        let simulator = Simulator::new(settings);
        contacts.extend(&terrain.silent);
        for person in &contacts {
            let contact = terrain.add_contact(&simulator, *person);
            if terrain.silent.contains(person) {
                simulator.suppress_contact(contact);
            }
        }
        terrain.suppressed.iter().for_each(|person| {
            simulator.globally_suppress(&terrain.shown(*person));
        });
        let mut early = BTreeSet::new();
        if terrain.existing_list != ExistingList::OnlyIfEmpty {
            let list = simulator.add_list(LIST, Visibility::Public);
            for email in ["early0@example.com", "early1@example.com"] {
                simulator.add_member(list, simulator.add_contact(email));
                early.insert(email.to_owned());
            }
        }
        let mut guests = BTreeSet::new();
        if terrain.existing_list == ExistingList::KeepMembers {
            guests.append(&mut early);
        }
        let clock = VirtualClock::starting_at(monday());
        let directory = state_directory();
        Self {
            terrain,
            machine: Machine::new(clock, simulator.clone()),
            simulator,
            credentials,
            clock,
            disk: Arc::new(Disk::beneath(directory.path())),
            gauges: Mutex::default(),
            deaths: Mutex::default(),
            source: Arc::new(MemorySource::new(Vec::<String>::new())),
            complaints: Arc::new(MemorySource::new(Vec::<String>::new())),
            book: Arc::new(Book::default()),
            place: place.unwrap_or_else(|| Place::Directory(directory.path().to_owned())),
            directory,
            reader: Mutex::default(),
            is_unburied: AtomicBool::new(false),
            suppressed_later: BTreeSet::new(),
            list_name: LIST.to_owned(),
            segment: BTreeSet::new(),
            excluded: BTreeSet::new(),
            contacts,
            guests,
            early,
            taken_off: false,
            forgotten: BTreeSet::new(),
        }
    }

    /// One process: opens the store, runs, and perhaps is killed.
    async fn run(&self, fate: Fate) -> Option<RunReport> {
        self.lay_to_rest().await;
        let (engine, source, destination, reaper) = self.process(fate);
        let report = tokio::select! {
            report = self.run_and_approve(&engine, &source, &destination) => Some(report),
            () = reaper.death() => None,
        };
        drop((engine, source, destination, reaper));
        if report.is_none() {
            self.bury(fate);
        }
        report
    }

    /// A process was killed and is gone: perhaps the power went with it.
    fn bury(&self, fate: Fate) {
        let (killed, power_cut) = &mut *self.deaths.lock().expect("no poison");
        *killed = 1;
        self.is_unburied.store(true, Ordering::SeqCst);
        if let Some(seed) = fate.power_cut {
            *power_cut = 1;
            // Nothing that is open survives.
            *self.reader.lock().expect("no poison") = None;
            self.disk.cut(&mut fastrand::Rng::with_seed(seed));
        }
    }

    /// All processes are over. Where a store cannot know that, either the rest of their leases passes,
    /// or somebody tells it.
    async fn lay_to_rest(&self) {
        let is_due = self.is_unburied.swap(false, Ordering::SeqCst);
        if !is_due || self.place.knows_the_dead() {
            return;
        }
        if self.terrain.settings.seed.is_multiple_of(2) {
            self.clock.sleep(LEASE).await;
        }
        // A clock that was set back puts off the end of a lease.
        if self.terrain.settings.seed % 2 == 1 || self.machine.jumps() > 0 {
            self.place.free_leases().await;
        }
    }

    /// One process: opens the store, reconciles, and perhaps is killed.
    async fn reconcile(&self, fate: Fate, mode: ReconcileMode) -> Option<ReconcileReport> {
        self.lay_to_rest().await;
        let (engine, source, destination, reaper) = self.process(fate);
        let how = match mode {
            ReconcileMode::Report => Reconciliation::report(),
            ReconcileMode::Repair => Reconciliation::repair(),
            ReconcileMode::Rebuild => Reconciliation::rebuild(),
        };
        let how = how.memory(64 << 10).directory(self.directory.path());
        let mut settings = self.terrain.activation();
        // All may have vanished.
        settings.guard = GuardLimits::default();
        let activation = self.activation().settings(settings);
        let report = tokio::select! {
            report = engine.reconcile(&activation, &source, &destination, &how) => Some(report),
            () = reaper.death() => None,
        };
        drop((engine, source, destination, reaper));
        if report.is_none() {
            self.bury(fate);
        }
        report
    }

    /// One process: opens the store, forgets somebody, and perhaps is killed.
    async fn erase(&mut self, fate: Fate, person: usize) -> Option<()> {
        self.forgotten.insert(person);
        self.taken_off = true;
        self.lay_to_rest().await;
        // Its own clock may be set back before it asks for the lease, which puts off the end of one that
        // a dead process had; that is told as it must be, but nobody would be forgotten.
        if fate.jump.is_some() {
            self.place.free_leases().await;
        }
        let (engine, source, destination, reaper) = self.process(fate);
        let who = self.terrain.spelling(person);
        let kind = self.terrain.activation().identifier;
        let identifier = kind.normalise(who.as_bytes()).expect("an identifier");
        let normal = identifier.to_text();
        let person = [identifier];
        let report = tokio::select! {
            report = engine.erase(&person) => Some(report.expect("the state is readable")),
            () = reaper.death() => None,
        };
        drop((engine, source, destination, reaper));
        let Some(report) = report else {
            self.bury(fate);
            return None;
        };
        assert!(report.is_complete(), "{report}");
        let fingerprint = key().fingerprint(normal.as_bytes());
        self.place.check_no_trace_of(&[&fingerprint.as_bytes()[..]]);
        Some(())
    }

    fn process(&self, fate: Fate) -> (Engine, MortalSource, Dotdigital, Arc<Reaper>) {
        let reaper = Arc::new(Reaper::new(fate, self.machine.clone(), self.disk.clone()));
        let gauge = Arc::new(Gauge::default());
        self.gauges.lock().expect("no poison").push(gauge.clone());
        let store = self.place.open_for(&reaper);
        let store = Arc::new(MortalStore::new(store, reaper.clone(), gauge.clone()));
        let transport = Arc::new(self.simulator.transport(Arc::new(self.clock)));
        let (world, machine) = (self.clock, self.machine.clone());
        let transport = Arc::new(GaugedTransport { transport, gauge, world, machine });
        let transport = Arc::new(MortalTransport(transport, reaper.clone()));
        let credentials = Credentials::new(&self.credentials.0, &self.credentials.1);
        let client = client(credentials, transport, Arc::new(self.machine.clone()));
        let destination = Dotdigital::new(&client).batch_limits(small_batches());
        let clock = MortalClock(self.machine.clone(), reaper.clone());
        let complaints = MortalSource(self.complaints.clone(), reaper.clone());
        let exclusions = ExcludedSegments::default().segment("complained", Arc::new(complaints));
        let engine = Engine::new(store).clock(Arc::new(clock)).exclusions(Arc::new(exclusions));
        let ledger = MortalLedger(self.book.clone(), reaper.clone());
        let engine = engine.ledger(Arc::new(ledger));
        let engine = match self.terrain.records_approvals {
            true => engine,
            false => engine.approver(Arc::new(ApproveAll)),
        };
        let source = MortalSource(self.source.clone(), reaper.clone());
        (engine, source, destination, reaper)
    }

    /// Whether the state knows a list.
    async fn has_list(&self) -> bool {
        self.state().await.head.pin.is_some()
    }

    async fn state(&self) -> State {
        let store = self.reader.lock().expect("no poison").clone();
        let store = store.unwrap_or_else(|| self.place.open());
        *self.reader.lock().expect("no poison") = Some(store.clone());
        store.load(&ActivationKey::new("vip")).await.expect("the state is readable")
    }

    /// Runs, and where the guard trips somebody looks at the plan and approves it.
    async fn run_and_approve(
        &self,
        engine: &Engine,
        source: &MortalSource,
        destination: &Dotdigital,
    ) -> RunReport {
        let activation = self.activation();
        let mut report = engine.run(&activation, source, destination).await;
        for _ in 0..3 {
            self.check_report(&report).await;
            if report.status != RunStatus::Blocked {
                break;
            }
            let digest = report.plan_digest.clone().expect("what to approve");
            let approved = engine.approve(&activation, &digest, "Ada", "a test", DAY).await;
            approved.expect("nobody else is running");
            report = engine.apply(&activation, source, destination, &digest).await;
            self.check_approval(engine, &digest, &report).await;
        }
        report
    }

    fn activation(&self) -> Activation {
        Activation::new("vip").named(LIST).settings(self.terrain.activation())
    }

    /// Who must be on the list once everything is settled.
    fn expected(&self) -> BTreeSet<String> {
        let existing_only = self.terrain.missing_contacts == MissingContacts::ExistingOnly;
        (self.segment.iter())
            .filter(|person| !self.excluded.contains(person))
            .filter(|person| !self.terrain.suppressed.contains(person))
            .filter(|person| !self.terrain.silent.contains(person))
            .filter(|person| !existing_only || self.contacts.contains(person))
            .map(|person| self.terrain.shown(*person))
            .chain(self.guests.iter().cloned())
            .collect()
    }

    /// Who is on the list, without those who were forgotten and may stay.
    fn on_list(&self) -> BTreeSet<String> {
        let wanted: BTreeSet<usize> = &self.segment - &self.excluded;
        let forgotten = (&self.forgotten - &wanted).into_iter();
        let may_stay: BTreeSet<String> =
            forgotten.map(|person| self.terrain.shown(person)).collect();
        self.simulator.finish_jobs(self.clock.now());
        let list = self.list().expect("the list");
        let members = self.simulator.members(list.id).into_iter();
        members
            .map(|contact| contact.email.or(contact.mobile).unwrap_or_default().to_lowercase())
            .filter(|shown| !may_stay.contains(shown))
            .collect()
    }

    /// A run that was not killed tells the truth: its counts add up, and when it says that nothing
    /// is left to do, nothing is.
    async fn check_report(&self, report: &RunReport) {
        let Some(plan) = &report.planned else { return };
        self.check_guard(report, plan);
        if report.status == RunStatus::Blocked {
            // At most additions were let through.
            let through = report.removed == 0 || report.recovered > 0;
            assert!(through && report.added - report.recovered.min(report.added) <= plan.add);
            return;
        }
        // Who waits from earlier runs counts as held or skipped too.
        let waiting = plan.counts.current - report.unchanged - plan.add;
        assert_eq!(
            plan.add + plan.remove + waiting,
            report.added + report.removed - report.recovered
                + report.failed
                + report.held
                + report.skipped
                + report.under_way,
            "{report}"
        );
        let counted: u64 = report.failed_by_cause.values().sum();
        assert_eq!(counted, report.failed, "{report}");
        let state = self.state().await;
        let calm = matches!(
            report.status,
            RunStatus::Done | RunStatus::NothingToDo | RunStatus::Incomplete
        );
        // Held ones may be there by now for other reasons than a run; that is looked at in the end.
        let all_tried = report.failed == 0 && report.held + report.skipped + report.dwelling == 0;
        if calm && all_tried && state.journal.is_empty() && !self.taken_off {
            assert_eq!(self.on_list(), self.expected(), "{report}");
        }
    }

    /// Undisturbed runs bring the list to what is expected, and then have nothing left to do.
    async fn converges(&mut self) {
        self.machine.set_right();
        // A run does not wait long for jobs of earlier ones, so they are given time to end.
        self.run(Fate::default()).await;
        self.clock.sleep(70 * MINUTE).await;
        self.run(Fate::default()).await;
        // A repair leaves out those of whom a run is in doubt, counted by the clock of then.
        self.clock.sleep(180 * MINUTE + self.machine.most_ahead()).await;
        self.run(Fate::default()).await;
        let repaired =
            self.reconcile(Fate::default(), ReconcileMode::Repair).await.expect("nobody killed it");
        assert!(repaired.error.is_none() && repaired.reasons.is_empty(), "{repaired}");
        self.taken_off = false;
        self.run(Fate::default()).await;
        // What was under way may have ended in members held; after this time they are tried again.
        self.clock.sleep(8 * DAY + self.machine.most_ahead()).await;
        let mut last = None;
        for _ in 0..4 {
            // Long enough for every doubt about lost answers to end.
            self.clock.sleep(70 * MINUTE).await;
            last = self.run(Fate::default()).await;
            self.check_report(last.as_ref().expect("nobody killed it")).await;
        }
        let last = last.expect("nobody killed it");
        let wanted: BTreeSet<usize> = &self.segment - &self.excluded;
        let refused: BTreeSet<usize> = &wanted & &self.terrain.refused();
        // Whoever was on the list and is shown there counts as on it.
        let may_count =
            self.terrain.shows_suppressed() && refused.is_subset(&self.suppressed_later);
        match last.status {
            RunStatus::NothingToDo => assert!(refused.is_empty() || may_count, "{last}"),
            RunStatus::Incomplete => assert!(!refused.is_empty(), "{last}"),
            _ => panic!("{last}"),
        }
        assert_eq!(last.total_calls(), 2, "{last}");
        let lists = self.simulator.lists();
        assert_eq!(lists.iter().filter(|list| list.name == self.list_name).count(), 1, "{lists:?}");
        assert_eq!(self.on_list(), self.expected());
        self.check_harmless();
        self.check_privacy();
        self.check_ledger().await;
    }

    /// The ledger and the state tell the same about everybody.
    async fn check_ledger(&self) {
        let (engine, ..) = self.process(Fate::default());
        let head = self.state().await.head;
        let members = self.book.members(head.generation);
        assert_eq!(members.len() as u64, head.snapshot.map_or(0, |snapshot| snapshot.members));
        // A few in each history, and everybody in any eight.
        let share = self.terrain.settings.seed as usize % 8;
        for person in (0..PEOPLE).filter(|person| person % 8 == share) {
            let who = self.terrain.spelling(person);
            let known = engine.explain(&self.activation(), who.as_bytes(), None).await;
            let known = known.expect("an explanation");
            assert_eq!(members.contains(&known.member), known.is_ours, "{known}");
        }
    }

    fn check_harmless(&self) {
        assert_eq!(self.simulator.forbidden_calls(), []);
        assert_eq!(self.simulator.status_writes(), 0);
        let gauges = self.gauges.lock().expect("no poison").clone();
        let broken: Vec<String> = gauges.iter().flat_map(|gauge| gauge.broken()).collect();
        assert!(broken.is_empty(), "limits were not kept: {broken:?}");
        assert_eq!(self.simulator.binned().len(), 0);
        let known = self.contacts.len() + self.guests.len() + self.early.len();
        let contacts = self.simulator.contact_count();
        match self.terrain.missing_contacts {
            MissingContacts::Create => assert!(contacts >= known, "somebody was deleted"),
            MissingContacts::ExistingOnly => assert_eq!(contacts, known, "somebody was created"),
        }
    }

    /// No address in what the state keeps.
    fn check_privacy(&self) {
        self.place.check_no_trace_of(&[&b"@example.com"[..], b"44712300"]);
    }
}

/// So small that several are under way together.
fn small_batches() -> BatchLimits {
    BatchLimits::default().import_contacts(5).removal_contacts(4)
}

/// In memory where the system has such a place: thousands of runs would wear out a disk, and what
/// is tested is the order of operations.
pub(super) fn state_directory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory")
}

#[derive(Debug)]
pub(super) struct ApproveAll;

#[async_trait]
impl Approver for ApproveAll {
    async fn approves(&self, _plan: &Plan, _reasons: &[Trip]) -> bool {
        true
    }
}
