//! The client under either position of every switch: what is not known about the service does not
//! change what its callers see, or they are told in so many words.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use dotdigital_client::{
    Client, Clock, ContactId, EmailAddress, ErrorKind, Identifier, ListId, ProgramId,
    contacts::ContactUpdate,
    data_fields::{FieldName, FieldType, NewDataField},
    imports::{
        FailureCode, ImportBody, ImportContact, ImportLimits, ImportStatus, MergeOption, PollPolicy,
    },
    list_members::{ContactIds, Removal, RemovalState},
    programs::Enrolees,
    simulator::{
        BadList, ConflictCode, ContactIdForm, DataFieldCreated, DataFieldType, EmailEcho,
        FailureCodeCase, JobLatency, ListCreated, ListReading, MistypedDataField, NonMemberRemoval,
        OversizeImport, ProgramState, RateLimits, RateReset, Reenrolment, RemovalStatusCase,
        ServerTimeBody, SimulatedTier, Simulator, SimulatorSettings, SuppressedAddition, Switches,
        ThrottleBody, TierLimits, UnknownDataField, UnknownRemoval, VirtualClock, Visibility,
    },
    transport::Method,
};

use crate::support::{email, epoch, list_id, new_list, simulated};

const NOWHERE: i32 = 999;

/// One account and a client of it, in virtual time.
struct World {
    simulator: Simulator,
    client: Client,
    clock: Arc<VirtualClock>,
}

impl World {
    fn with(settings: SimulatorSettings) -> Self {
        let (client, simulator, clock) = simulated(settings);
        Self { simulator, client, clock }
    }

    fn switched(switches: Switches) -> Self {
        Self::with(SimulatorSettings { switches, ..SimulatorSettings::default() })
    }

    /// A list with these people on it.
    fn list_of(&self, people: &[&str]) -> (ListId, Vec<ContactId>) {
        let list = self.simulator.add_list("VIP", Visibility::Private);
        let add = |address: &&str| {
            let contact = self.simulator.add_contact(address);
            self.simulator.add_member(list, contact);
            ContactId::new(contact).unwrap()
        };
        (list_id(list), people.iter().map(add).collect())
    }

    async fn import(&self, contacts: &[ImportContact]) -> ImportStatus {
        let import = self.client.imports().submit(&body(contacts)).await.unwrap();
        self.client.imports().wait(&import, &PollPolicy::default()).await.unwrap()
    }

    async fn remove(&self, list: ListId, contacts: Vec<ContactId>) -> RemovalState {
        let members = self.client.list_members(list);
        let job = members.remove_many(&ContactIds::new(contacts).unwrap()).await.unwrap();
        self.clock.sleep(Duration::from_secs(60)).await;
        members.removal_status(&job.id).await.unwrap()
    }
}

fn body(contacts: &[ImportContact]) -> ImportBody {
    let mut body = ImportBody::new(MergeOption::Overwrite, ImportLimits::default());
    for contact in contacts {
        let _ = body.push(contact).unwrap();
    }
    body
}

fn person(address: &str) -> ImportContact {
    ImportContact::new(email(address))
}

fn on(list: ListId) -> ContactUpdate {
    ContactUpdate::new().list(list)
}

fn failures(report: &ImportStatus) -> Vec<FailureCode> {
    report.failures.iter().flat_map(|row| &row.failures).map(|one| one.code.clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn list_created() {
    for list_created in [ListCreated::Ok200, ListCreated::Created201] {
        let world = World::switched(Switches { list_created, ..Switches::default() });
        let list = world.client.lists().create(&new_list("VIP")).await.unwrap();
        assert_eq!(world.simulator.list_named("VIP").unwrap().id, list.id.get());
    }
}

#[cfg(feature = "account-deletion")]
#[tokio::test(start_paused = true)]
async fn list_deleted() {
    use dotdigital_client::simulator::ListDeleted;
    for list_deleted in [ListDeleted::NoContent204, ListDeleted::Ok200] {
        let world = World::switched(Switches { list_deleted, ..Switches::default() });
        let (list, _) = world.list_of(&[]);
        assert!(world.client.lists().delete(list).await.unwrap());
        assert!(!world.client.lists().delete(list).await.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn email_echo() {
    for email_echo in [EmailEcho::AsSent, EmailEcho::LowerCase] {
        let world = World::switched(Switches { email_echo, ..Switches::default() });
        let report = world.import(&[person("Ann@Example.com")]).await;
        let echoed = report.created[0].identifiers.email.as_deref().unwrap();
        assert!(echoed.eq_ignore_ascii_case("ann@example.com"));
        let found = world.client.contacts().find(&email("ANN@example.com")).await.unwrap().unwrap();
        assert_eq!(found.contact_id, report.created[0].contact_id);
    }
}

/// Somebody else uses up the minute; the client is refused once and goes on in the next one.
async fn is_throttled_for_a_minute(switches: Switches) {
    let limits = RateLimits::Tiered(TierLimits { low: 9, medium: 9, high: 1 });
    let world = World::with(SimulatorSettings { limits, switches, ..SimulatorSettings::default() });
    let (list, _) = world.list_of(&[]);
    let other = super::request(Method::Get, "/v2/account-info", None);
    assert_eq!(world.simulator.handle(&other, world.clock.now()).status, 200);
    assert!(world.client.lists().find(list).await.unwrap().is_some());
    let refused = world.simulator.ledger().iter().filter(|one| one.status == Some(429)).count();
    assert_eq!(refused, 1);
    let waited = world.clock.now() - epoch();
    assert!(waited <= chrono::TimeDelta::seconds(75), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn rate_reset() {
    for rate_reset in [RateReset::EpochSeconds, RateReset::SecondsFromNow] {
        is_throttled_for_a_minute(Switches { rate_reset, ..Switches::default() }).await;
    }
}

#[tokio::test(start_paused = true)]
async fn throttle_body() {
    for throttle_body in [ThrottleBody::Empty, ThrottleBody::Json, ThrottleBody::Text] {
        is_throttled_for_a_minute(Switches { throttle_body, ..Switches::default() }).await;
    }
}

#[tokio::test(start_paused = true)]
async fn non_member_removal() {
    for (non_member_removal, expected) in [
        (NonMemberRemoval::NoContent204, Removal::Removed),
        (NonMemberRemoval::NotFound404, Removal::ContactUnknown),
    ] {
        let world = World::switched(Switches { non_member_removal, ..Switches::default() });
        let (list, _) = world.list_of(&[]);
        let stranger = ContactId::new(world.simulator.add_contact("ann@example.com")).unwrap();
        let removal = world.client.list_members(list).remove(stranger).await.unwrap();
        assert_eq!(removal, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_removal() {
    for (unknown_removal, expected, left) in [
        (UnknownRemoval::Ignored, RemovalState::Completed, 0),
        (UnknownRemoval::JobFails, RemovalState::Failed, 1),
    ] {
        let world = World::switched(Switches { unknown_removal, ..Switches::default() });
        let (list, people) = world.list_of(&["ann@example.com"]);
        let unknown = ContactId::new(4_711).unwrap();
        assert_eq!(world.remove(list, vec![people[0], unknown]).await, expected);
        assert_eq!(world.simulator.members(list.get()).len(), left);
    }
}

#[tokio::test(start_paused = true)]
async fn removal_status() {
    for removal_status in [RemovalStatusCase::Pascal, RemovalStatusCase::Camel] {
        let world = World::switched(Switches { removal_status, ..Switches::default() });
        let (list, people) = world.list_of(&["ann@example.com"]);
        assert_eq!(world.remove(list, people).await, RemovalState::Completed);
    }
}

#[tokio::test(start_paused = true)]
async fn list_reading() {
    for (list_reading, shown) in
        [(ListReading::HidesSuppressed, 1), (ListReading::ShowsSuppressed, 2)]
    {
        let world = World::switched(Switches { list_reading, ..Switches::default() });
        let (list, people) = world.list_of(&["ann@example.com", "bob@example.com"]);
        world.simulator.suppress_contact(people[0].get());
        let members = world.client.list_members(list).pages(1).all().await.unwrap();
        assert_eq!(members.len(), shown);
        assert_eq!(members.last().unwrap().contact_id, people[1]);
        let read = world.client.lists().find(list).await.unwrap().unwrap();
        assert_eq!(usize::try_from(read.contacts).unwrap(), shown);
    }
}

#[tokio::test(start_paused = true)]
async fn bad_list() {
    for (bad_list, stored) in [(BadList::ContactFails, 0), (BadList::ListSkipped, 1)] {
        let world = World::switched(Switches { bad_list, ..Switches::default() });
        let nowhere = list_id(NOWHERE);
        let upsert = world.client.contacts().upsert(&email("ann@example.com"), &on(nowhere)).await;
        match upsert {
            Ok(done) => assert!(done.contact.lists.is_empty() && stored == 1),
            Err(error) => assert_eq!((error.kind(), stored), (ErrorKind::Rejected, 0)),
        }
        let report = world.import(&[person("bob@example.com").list(nowhere)]).await;
        assert_eq!(failures(&report), [FailureCode::InvalidAddressBookIds]);
        assert_eq!(report.created.len(), stored);
    }
}

#[tokio::test(start_paused = true)]
async fn suppressed_addition() {
    for (suppressed_addition, updated) in
        [(SuppressedAddition::SilentlyDropped, 1), (SuppressedAddition::Fails, 0)]
    {
        let world = World::switched(Switches { suppressed_addition, ..Switches::default() });
        let (list, people) = world.list_of(&["ann@example.com"]);
        world.simulator.suppress_contact(people[0].get());
        let report = world.import(&[person("ann@example.com").list(list)]).await;
        assert_eq!(report.updated.len(), updated);
        let refused = failures(&report);
        assert!(refused.iter().all(|code| *code == FailureCode::GloballySuppressed));
        assert_eq!(refused.len(), 1 - updated);
        let upsert = world.client.contacts().upsert(&email("ann@example.com"), &on(list)).await;
        assert_eq!(upsert.is_ok(), updated == 1);
        assert!(world.simulator.members(list.get()).is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn contact_id() {
    for contact_id in [ContactIdForm::Number, ContactIdForm::Text] {
        let world = World::switched(Switches { contact_id, ..Switches::default() });
        let created = world.import(&[person("ann@example.com")]).await.created[0].contact_id;
        let found = world.client.contacts().find(&Identifier::ContactId(created)).await.unwrap();
        assert_eq!(found.unwrap().contact_id, created);
    }
}

#[tokio::test(start_paused = true)]
async fn conflict_code() {
    for conflict_code in [ConflictCode::IdentifierConflict, ConflictCode::IdAlreadyExists] {
        let world = World::switched(Switches { conflict_code, ..Switches::default() });
        world.simulator.add_contact("ann@example.com");
        let ann = ContactUpdate::new().email(EmailAddress::parse("ann@example.com").unwrap());
        let contacts = world.client.contacts();
        let refused = [
            contacts.create(&ann).await.unwrap_err(),
            contacts.upsert(&email("bob@example.com"), &ann).await.map(|_| ()).unwrap_err(),
        ];
        assert!(refused.iter().all(|error| error.kind() == ErrorKind::Conflict));
    }
}

#[tokio::test(start_paused = true)]
async fn oversize_import() {
    for oversize_import in [OversizeImport::TooLarge413, OversizeImport::BadRequest400] {
        let world = World::with(SimulatorSettings {
            max_import_bytes: 99,
            switches: Switches { oversize_import, ..Switches::default() },
            ..SimulatorSettings::default()
        });
        let rows = ["ann", "bob", "cid"].map(|name| person(&format!("{name}@example.com")));
        let error = world.client.imports().submit(&body(&rows)).await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_acted()), (ErrorKind::Rejected, false));
        assert_eq!(world.simulator.pending_jobs(), 0);
    }
}

/// Sends one good value and one that the account may refuse; `stored` says whether it does.
async fn sends_a_doubtful_value(switches: Switches, name: &str, stored: bool) {
    let world = World::switched(switches);
    world.simulator.add_data_field("AGE", DataFieldType::Numeric);
    let fields = ContactUpdate::new().field("FIRSTNAME", "Ann").field(name, "old");
    let upsert = world.client.contacts().upsert(&email("ann@example.com"), &fields).await;
    match upsert {
        Ok(done) => {
            assert!(stored);
            assert_eq!(done.contact.data_fields.keys().collect::<Vec<_>>(), ["FIRSTNAME"]);
        }
        Err(error) => assert_eq!((error.kind(), stored), (ErrorKind::Rejected, false)),
    }
    let report = world.import(&[ImportContact::with(email("bob@example.com"), fields)]).await;
    assert_eq!(report.created.len(), usize::from(stored));
    let expected = if stored { vec![] } else { vec![FailureCode::InvalidContact] };
    assert_eq!(failures(&report), expected);
}

#[tokio::test(start_paused = true)]
async fn unknown_data_field() {
    for (unknown_data_field, stored) in
        [(UnknownDataField::Fails, false), (UnknownDataField::Ignored, true)]
    {
        let switches = Switches { unknown_data_field, ..Switches::default() };
        sends_a_doubtful_value(switches, "SHOESIZE", stored).await;
    }
}

#[tokio::test(start_paused = true)]
async fn mistyped_data_field() {
    for (mistyped_data_field, stored) in
        [(MistypedDataField::Fails, false), (MistypedDataField::Ignored, true)]
    {
        let switches = Switches { mistyped_data_field, ..Switches::default() };
        sends_a_doubtful_value(switches, "AGE", stored).await;
    }
}

#[tokio::test(start_paused = true)]
async fn failure_codes() {
    for failure_codes in [FailureCodeCase::Camel, FailureCodeCase::Pascal] {
        let world = World::switched(Switches { failure_codes, ..Switches::default() });
        world.simulator.globally_suppress("gone@example.com");
        let rows = ["gone@example.com", "ann@nowhere.invalid"].map(person);
        let expected = [FailureCode::GloballySuppressed, FailureCode::InvalidDomain];
        assert_eq!(failures(&world.import(&rows).await), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn data_field_created() {
    for data_field_created in [DataFieldCreated::Echoed, DataFieldCreated::Empty] {
        let world = World::switched(Switches { data_field_created, ..Switches::default() });
        let age = NewDataField::new(FieldName::parse("AGE").unwrap(), FieldType::Numeric);
        let created = world.client.data_fields().create(&age).await.unwrap();
        assert!(world.client.data_fields().list().await.unwrap().contains(&created));
        let again = world.client.data_fields().create(&age).await.unwrap_err();
        assert_eq!(again.kind(), ErrorKind::Conflict);
    }
}

#[tokio::test(start_paused = true)]
async fn server_time() {
    for server_time in [ServerTimeBody::PlainText, ServerTimeBody::JsonString] {
        let world = World::switched(Switches { server_time, ..Switches::default() });
        let time: DateTime<Utc> = world.client.account().server_time().await.unwrap();
        assert_eq!(time, epoch());
    }
}

#[cfg(feature = "account-deletion")]
#[tokio::test(start_paused = true)]
async fn custom_identifier_errors() {
    use dotdigital_client::{CustomName, simulator::CustomIdentifierErrors};
    for custom_identifier_errors in
        [CustomIdentifierErrors::AsDeclared, CustomIdentifierErrors::AsInExamples]
    {
        let world = World::switched(Switches { custom_identifier_errors, ..Switches::default() });
        world.simulator.use_custom_identifier("crm-id", "segment:1002");
        let identifiers = world.client.custom_identifiers();
        let delete = async |name: &str| {
            identifiers.delete(&CustomName::parse(name).unwrap()).await.unwrap_err()
        };
        let unknown = delete("loyalty").await;
        assert_eq!(unknown.kind(), ErrorKind::NotFound);
        assert_eq!(unknown.code(), Some("customIdentifiers:notExist"));
        let used = delete("crm-id").await;
        assert_eq!(
            (used.kind(), used.code()),
            (ErrorKind::Rejected, Some("customIdentifiers:inUse"))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn reenrolment() {
    for (reenrolment, times, faults) in [
        (Reenrolment::EnrolledAgain, 2, vec![]),
        (Reenrolment::AlreadyInProgram, 1, vec!["AlreadyInProgram"]),
    ] {
        let world = World::switched(Switches { reenrolment, ..Switches::default() });
        let ann = ContactId::new(world.simulator.add_contact("ann@example.com")).unwrap();
        let id = world.simulator.add_program("Welcome", ProgramState::Active);
        let (programs, program) = (world.client.programs(), ProgramId::new(id).unwrap());
        let enrol = async || {
            let who = Enrolees::contacts([ann]).unwrap();
            let enrolment = programs.enrol(program, &who).await.unwrap().id;
            programs.wait(&enrolment, &PollPolicy::default()).await.unwrap();
            programs.enrolment_faults(&enrolment).await.unwrap()
        };
        assert_eq!(enrol().await, []);
        let again = enrol().await;
        assert_eq!(again.iter().map(|fault| &*fault.reason).collect::<Vec<_>>(), faults);
        assert_eq!(world.simulator.enrolments(id), [(ann.get(), times)]);
    }
}

#[tokio::test(start_paused = true)]
async fn largest_bulk_removal() {
    let settings = SimulatorSettings { max_bulk_removal: 1, ..SimulatorSettings::default() };
    let world = World::with(settings);
    let (list, people) = world.list_of(&["ann@example.com", "bob@example.com"]);
    let members = world.client.list_members(list);
    let both = ContactIds::new(people.clone()).unwrap();
    let error = members.remove_many(&both).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_acted()), (ErrorKind::Rejected, false));
    assert_eq!(world.remove(list, people[..1].to_vec()).await, RemovalState::Completed);
    assert_eq!(world.simulator.members(list.get()).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn latency_of_jobs() {
    for seconds in [0, 1, 7_200] {
        let base = Duration::from_secs(seconds);
        let latency = JobLatency { base, per_member: Duration::ZERO };
        let world = World::with(SimulatorSettings { latency, ..SimulatorSettings::default() });
        let report = world.import(&[person("ann@example.com")]).await;
        assert_eq!(report.created.len(), 1);
        let waited = (world.clock.now() - epoch()).to_std().unwrap();
        assert!(waited >= base && waited <= base + Duration::from_secs(60), "{waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn tiers_of_endpoints() {
    for tier in [SimulatedTier::Low, SimulatedTier::Medium, SimulatedTier::High] {
        let tiers = [("GET /v2/address-books/{id}".to_owned(), tier)];
        let world = World::with(SimulatorSettings {
            limits: RateLimits::Tiered(TierLimits { low: 2, medium: 2, high: 2 }),
            tiers: tiers.into_iter().collect(),
            ..SimulatorSettings::default()
        });
        let (list, _) = world.list_of(&[]);
        for _ in 0..5 {
            assert!(world.client.lists().find(list).await.unwrap().is_some());
        }
    }
}
