//! Any number of contacts in one call, against the simulator.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use dotdigital_client::{
    Client, Credentials, ErrorKind, HttpRequest, HttpResponse, Identifier, LimitSettings, Method,
    Transport, TransportError,
    imports::{
        ContactOutcome, ContactSource, FailureCode, ImportContact, ImportContactError,
        ImportLimits, ImportRun, ImportRunError, ImportRunSettings, ImportState, ImportedBatch,
    },
    simulator::{
        Fault, FaultRule, JobLatency, Simulator, SimulatorSettings, SimulatorTransport,
        VirtualClock, Visibility,
    },
};

use crate::support::{email, epoch, list_id};

const IMPORT: &str = "PUT /contacts/v3/import";

/// Passes calls on to the simulator, and watches bodies and jobs.
#[derive(Debug)]
struct Watch {
    inner: SimulatorTransport,
    simulator: Simulator,
    bodies: Mutex<Vec<Weak<Vec<u8>>>>,
    most_bodies: AtomicUsize,
    most_jobs: AtomicUsize,
}

impl Watch {
    fn bodies_alive(&self) -> usize {
        let mut bodies = self.bodies.lock().unwrap();
        bodies.retain(|body| body.strong_count() > 0);
        bodies.len()
    }
}

#[async_trait]
impl Transport for Watch {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        if let (Method::Put, Some(body)) = (request.method, &request.body) {
            let known = |seen: &Weak<Vec<u8>>| seen.ptr_eq(&Arc::downgrade(body));
            if !self.bodies.lock().unwrap().iter().any(known) {
                self.bodies.lock().unwrap().push(Arc::downgrade(body));
            }
        }
        // Calls take their time, so that several are under way together.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let answer = self.inner.send(request).await;
        self.most_bodies.fetch_max(self.bodies_alive(), Ordering::Relaxed);
        self.most_jobs.fetch_max(self.simulator.pending_jobs(), Ordering::Relaxed);
        answer
    }
}

struct Account {
    simulator: Simulator,
    client: Client,
    watch: Arc<Watch>,
}

fn account(settings: SimulatorSettings) -> Account {
    let credentials = Credentials::new(settings.user.clone(), settings.password.clone());
    let simulator = Simulator::new(settings);
    let clock = Arc::new(VirtualClock::starting_at(epoch()));
    let watch = Arc::new(Watch {
        inner: simulator.transport(clock.clone()),
        simulator: simulator.clone(),
        bodies: Mutex::default(),
        most_bodies: AtomicUsize::new(0),
        most_jobs: AtomicUsize::new(0),
    });
    let slot_wait = Duration::from_secs(600);
    let client = Client::builder()
        .credentials(credentials)
        .endpoint("https://r1-api.dotdigital.com")
        .transport(watch.clone())
        .limits(LimitSettings { slot_wait, low: Some(1000), ..LimitSettings::default() })
        .clock(clock)
        .build()
        .unwrap();
    Account { simulator, client, watch }
}

/// Ten contacts an import.
fn settings(in_flight: usize) -> ImportRunSettings {
    let limits = ImportLimits { max_contacts: 10, ..ImportLimits::default() };
    ImportRunSettings { limits, in_flight, ..ImportRunSettings::default() }
}

fn person(number: usize) -> Identifier {
    email(&format!("P{number}@Example.com"))
}

fn people(count: usize) -> impl Iterator<Item = ImportContact> + Send {
    (0..count).map(|number| ImportContact::new(person(number)))
}

/// How often each contact came back, and in what.
#[derive(Default)]
struct Outcome {
    stored: BTreeMap<Identifier, i64>,
    others: Vec<(Identifier, ContactOutcome)>,
    batches: usize,
    errors: Vec<ImportRunError>,
}

impl Outcome {
    fn add(&mut self, result: Result<ImportedBatch, ImportRunError>) {
        let batch = match result {
            Ok(batch) => batch,
            Err(error) => return self.errors.push(error),
        };
        self.batches += 1;
        assert_eq!(batch.unmatched_rows, 0);
        for outcome in batch.outcomes {
            match outcome.outcome {
                ContactOutcome::Stored { contact_id, .. } => {
                    assert_eq!(self.stored.insert(outcome.contact, contact_id.get()), None);
                }
                other => self.others.push((outcome.contact, other)),
            }
        }
    }

    fn contacts_in_errors(&self) -> Vec<Identifier> {
        self.errors.iter().flat_map(|error| error.contacts().to_vec()).collect()
    }
}

async fn finish<S: ContactSource>(mut run: ImportRun<S>) -> Outcome {
    let mut outcome = Outcome::default();
    while let Some(result) = run.next().await {
        outcome.add(result);
    }
    assert!(run.next().await.is_none());
    outcome
}

#[tokio::test(start_paused = true)]
async fn every_contact_comes_back_once_with_its_id() {
    let Account { simulator, client, watch } = account(SimulatorSettings::default());
    let list = simulator.add_list("VIP", Visibility::Private);
    let contacts = people(95).map(|contact| contact.list(list_id(list)));
    let outcome = finish(client.imports().run(contacts, settings(3))).await;
    assert_eq!((outcome.stored.len(), outcome.batches), (95, 10));
    assert!(outcome.others.is_empty() && outcome.errors.is_empty());
    assert_eq!(simulator.members(list).len(), 95);
    for contact in simulator.contacts() {
        let stored = outcome.stored[&email(contact.email.as_deref().unwrap())];
        assert_eq!(stored, contact.id);
    }
    assert_eq!(watch.most_jobs.load(Ordering::Relaxed), 3);
    assert_eq!(simulator.calls()[IMPORT], 10);
    assert_eq!(simulator.status_writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_to_import_makes_no_call() {
    let Account { simulator, client, .. } = account(SimulatorSettings::default());
    assert_eq!(finish(client.imports().run(Vec::new(), settings(3))).await.batches, 0);
    assert!(simulator.ledger().is_empty());
}

#[tokio::test(start_paused = true)]
async fn imports_are_also_filled_by_bytes() {
    let Account { simulator, client, .. } = account(SimulatorSettings::default());
    let limits = ImportLimits { max_bytes: 500, ..ImportLimits::default() };
    let settings = ImportRunSettings { limits, ..ImportRunSettings::default() };
    let outcome = finish(client.imports().run(people(20), settings)).await;
    assert_eq!(outcome.stored.len(), 20);
    assert_eq!(simulator.calls()[IMPORT], 4);
}

#[tokio::test(start_paused = true)]
async fn contacts_are_pulled_and_bodies_kept_no_further_than_the_imports_at_work_need() {
    let Account { client, watch, .. } = account(SimulatorSettings::default());
    let pulled = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&pulled);
    let contacts = people(120).inspect(move |_| {
        let _ = counter.fetch_add(1, Ordering::Relaxed);
    });
    let mut run = client.imports().run(contacts, settings(4));
    let mut came_back = 0;
    while let Some(batch) = run.next().await {
        came_back += batch.unwrap().outcomes.len();
        let ahead = pulled.load(Ordering::Relaxed) - came_back;
        assert!(ahead <= 3 * 10 + 1, "{ahead} contacts are held");
        assert!(watch.bodies_alive() <= 3);
    }
    assert_eq!(came_back, 120);
    assert_eq!(watch.most_bodies.load(Ordering::Relaxed), 4);
    assert_eq!(watch.most_jobs.load(Ordering::Relaxed), 4);
}

#[tokio::test(start_paused = true)]
async fn a_body_is_let_go_once_its_import_is_at_work() {
    let latency = JobLatency { base: Duration::from_secs(3600), per_member: Duration::ZERO };
    let settings_ = SimulatorSettings { latency, ..SimulatorSettings::default() };
    let Account { client, watch, .. } = account(settings_);
    let mut run = client.imports().run(people(40), settings(4));
    let early = tokio::time::timeout(Duration::from_secs(600), run.next()).await;
    assert!(early.is_err(), "no import ends so early");
    assert_eq!(watch.most_jobs.load(Ordering::Relaxed), 4);
    assert_eq!(watch.bodies_alive(), 0);
    // The dropped future took nothing with it.
    assert_eq!(finish(run).await.stored.len(), 40);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_reported_with_its_contacts_and_nothing_else_is_lost() {
    let Account { simulator, client, .. } = account(SimulatorSettings::default());
    simulator.inject(FaultRule::new(Fault::ResetAfterActing).on(IMPORT).from_call(2));
    let outcome = finish(client.imports().run(people(40), settings(2))).await;
    assert_eq!(outcome.stored.len(), 30);
    let [ImportRunError::SubmissionLost { contacts, source }] = &outcome.errors[..] else {
        panic!("{:?}", outcome.errors)
    };
    assert!(source.may_have_acted());
    assert_eq!(*contacts, (10..20).map(person).collect::<Vec<_>>());
    assert!(contacts.iter().all(|contact| !outcome.stored.contains_key(contact)));
    assert_eq!(simulator.calls()[IMPORT], 4, "what may have acted is not handed in twice");
}

#[tokio::test(start_paused = true)]
async fn what_never_reached_the_service_is_reported_as_such_and_the_run_goes_on() {
    let Account { simulator, client, .. } = account(SimulatorSettings::default());
    simulator.inject(FaultRule::new(Fault::ConnectionRefused).on(IMPORT).times(6));
    let outcome = finish(client.imports().run(people(20), settings(1))).await;
    let [ImportRunError::NotSubmitted { contacts, source }] = &outcome.errors[..] else {
        panic!("{:?}", outcome.errors)
    };
    assert_eq!(source.kind(), ErrorKind::NotSent);
    assert_eq!(*contacts, (0..10).map(person).collect::<Vec<_>>());
    assert_eq!(outcome.stored.len(), 10);
    assert_eq!(simulator.contact_count(), 10);
}

#[tokio::test(start_paused = true)]
async fn full_slots_are_waited_for() {
    let settings_ = SimulatorSettings { max_active_imports: 2, ..SimulatorSettings::default() };
    let Account { simulator, client, watch } = account(settings_);
    let outcome = finish(client.imports().run(people(100), settings(6))).await;
    assert_eq!((outcome.stored.len(), outcome.errors.len()), (100, 0));
    assert_eq!(watch.most_jobs.load(Ordering::Relaxed), 2);
    assert_eq!(simulator.contact_count(), 100);
}

#[tokio::test(start_paused = true)]
async fn slots_that_stay_full_and_imports_that_never_end_are_reported() {
    let settings_ = SimulatorSettings { max_active_imports: 1, ..SimulatorSettings::default() };
    let Account { simulator, client, .. } = account(settings_);
    simulator.inject(FaultRule::new(Fault::StuckJob).on(IMPORT));
    let outcome = finish(client.imports().run(people(20), settings(2))).await;
    assert!(outcome.stored.is_empty());
    let [
        ImportRunError::NotSubmitted { source: full, .. },
        ImportRunError::NoReport { source: endless, contacts, .. },
    ] = &outcome.errors[..]
    else {
        panic!("{:?}", outcome.errors)
    };
    assert_eq!((full.kind(), endless.kind()), (ErrorKind::SlotsFull, ErrorKind::GaveUp));
    assert_eq!(*contacts, (0..10).map(person).collect::<Vec<_>>());
    assert_eq!(outcome.contacts_in_errors().len(), 20);
}

#[tokio::test(start_paused = true)]
async fn contacts_that_fit_into_no_import_come_back_and_the_others_go() {
    let Account { simulator, client, .. } = account(SimulatorSettings::default());
    let crowded =
        (1..=101).fold(ImportContact::new(person(1000)), |contact, id| contact.list(list_id(id)));
    let large = email(&format!("{}@example.com", "x".repeat(60)));
    let large = (1..=99)
        .fold(ImportContact::new(large), |contact, id| contact.list(list_id(1_000_000 + id)));
    let again = ImportContact::new(email("p1@EXAMPLE.com"));
    let contacts: Vec<ImportContact> = people(5)
        .chain([crowded.clone(), large.clone(), again.clone()])
        .chain(people(7).skip(5))
        .collect();
    let limits = ImportLimits { max_bytes: 800, max_contacts: 0 };
    let one_each = ImportRunSettings { limits, ..settings(2) };
    let limits = ImportLimits { max_contacts: 10, ..limits };
    let outcome =
        finish(client.imports().run(contacts, ImportRunSettings { limits, ..settings(2) })).await;
    assert_eq!(outcome.stored.len(), 7);
    assert_eq!(outcome.batches, 1, "a refused contact does not close an import");
    let refused: Vec<_> = outcome
        .errors
        .into_iter()
        .map(|error| match error {
            ImportRunError::Refused { contact, reason } => (*contact, reason),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(refused[0].0, crowded);
    assert!(matches!(refused[0].1, ImportContactError::Invalid(_)));
    assert_eq!(refused[1].0, large);
    assert!(matches!(refused[1].1, ImportContactError::TooLarge { most: 800, .. }));
    assert_eq!(refused[2], (again, ImportContactError::Duplicate));
    let calls = simulator.calls()[IMPORT];
    assert_eq!(finish(client.imports().run(people(3), one_each)).await.stored.len(), 3);
    assert_eq!(simulator.calls()[IMPORT], calls + 3, "an import takes one contact at least");
}

#[tokio::test(start_paused = true)]
async fn refused_rows_come_back_with_their_reasons() {
    let Account { simulator, client, .. } = account(SimulatorSettings::default());
    let fault = Fault::FailRows { code: "invalidEmail".to_owned(), every: 2 };
    simulator.inject(FaultRule::new(fault).on(IMPORT));
    let outcome = finish(client.imports().run(people(10), settings(2))).await;
    assert_eq!((outcome.stored.len(), outcome.others.len()), (5, 5));
    for (contact, failed) in &outcome.others {
        assert!(!outcome.stored.contains_key(contact));
        let ContactOutcome::Failed { failures, .. } = failed else { panic!("{failed:?}") };
        assert_eq!(failures[0].code, FailureCode::InvalidEmail);
    }
}

#[tokio::test(start_paused = true)]
async fn an_import_that_is_rejected_as_a_whole_stores_nobody() {
    let Account { simulator, client, .. } = account(SimulatorSettings::default());
    simulator.inject(FaultRule::new(Fault::RejectedByWatchdog).on(IMPORT));
    let mut run = client.imports().run(people(10), settings(2));
    let batch = run.next().await.unwrap().unwrap();
    assert_eq!(batch.state, ImportState::RejectedByWatchdog);
    assert_eq!(batch.outcomes.len(), 10);
    assert!(batch.outcomes.iter().all(|row| row.outcome == ContactOutcome::NotReported));
    assert_eq!(simulator.contact_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_run_leaves_its_imports_at_work_and_submits_no_more() {
    let Account { simulator, client, .. } = account(SimulatorSettings::default());
    simulator
        .inject(FaultRule::new(Fault::SlowJob(Duration::from_secs(600))).on(IMPORT).from_call(2));
    let mut run = client.imports().run(people(100), settings(2));
    assert_eq!(run.next().await.unwrap().unwrap().outcomes.len(), 10);
    drop(run);
    assert_eq!(simulator.calls()[IMPORT], 2);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    simulator.finish_jobs(epoch() + Duration::from_secs(3600));
    assert_eq!(simulator.contact_count(), 20);
    assert_eq!(simulator.calls()[IMPORT], 2);
}

#[tokio::test(start_paused = true)]
async fn a_run_can_be_moved_to_a_task_of_its_own() {
    let Account { client, .. } = account(SimulatorSettings::default());
    let run = client.imports().run(people(30), settings(2));
    let outcome = tokio::spawn(finish(run)).await.unwrap();
    assert_eq!(outcome.stored.len(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_source_is_not_asked_again_after_its_end() {
    let Account { client, .. } = account(SimulatorSettings::default());
    let (mut left, mut ended) = (people(25), false);
    let source = std::iter::from_fn(move || {
        assert!(!ended, "asked again after its end");
        let next = left.next();
        ended = next.is_none();
        next
    });
    assert_eq!(finish(client.imports().run(source, settings(4))).await.stored.len(), 25);
}

/// Contacts that arrive over time.
struct Channel(tokio::sync::mpsc::Receiver<ImportContact>);

impl ContactSource for Channel {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<ImportContact>> {
        self.0.poll_recv(context)
    }
}

#[tokio::test(start_paused = true)]
async fn contacts_are_waited_for_while_imports_are_at_work() {
    let Account { simulator, client, .. } = account(SimulatorSettings::default());
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let mut run = client.imports().run_from(Channel(receiver), settings(4));
    let slow = tokio::spawn(async move {
        for contact in people(25) {
            // An import of ten contacts takes two seconds at the simulator.
            tokio::time::sleep(Duration::from_secs(1)).await;
            sender.send(contact).await.unwrap();
        }
    });
    let mut outcome = Outcome::default();
    outcome.add(run.next().await.unwrap());
    assert!(!slow.is_finished(), "the first import ends before the last contact arrives");
    // A future that is dropped while it waits takes no contact with it.
    assert!(tokio::time::timeout(Duration::from_millis(1500), run.next()).await.is_err());
    while let Some(result) = run.next().await {
        outcome.add(result);
    }
    assert_eq!((outcome.stored.len(), outcome.batches), (25, 3));
    assert_eq!(simulator.contact_count(), 25);
}

#[cfg(feature = "simulator-server")]
#[tokio::test]
async fn a_run_over_http() {
    use dotdigital_client::{SystemClock, imports::PollPolicy, simulator::SimulatorServer};
    // Jobs are done when first asked about, and are asked about at once.
    let settings_ = SimulatorSettings { latency: JobLatency::NONE, ..SimulatorSettings::default() };
    let credentials = Credentials::new(settings_.user.clone(), settings_.password.clone());
    let simulator = Simulator::new(settings_);
    let server =
        SimulatorServer::on_any_port(simulator.clone(), Arc::new(SystemClock)).await.unwrap();
    let client = Client::builder().credentials(credentials).endpoint(server.url()).build().unwrap();
    let poll = PollPolicy { base: Duration::ZERO, ..PollPolicy::default() };
    let outcome =
        finish(client.imports().run(people(95), ImportRunSettings { poll, ..settings(3) })).await;
    assert_eq!((outcome.stored.len(), outcome.batches), (95, 10));
    assert_eq!(simulator.contact_count(), 95);
}
