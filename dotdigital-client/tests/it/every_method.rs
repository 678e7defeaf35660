//! Every endpoint of the simulator that the client has a method for, used with success, and what it
//! does to the account.

use std::net::Ipv4Addr;

use chrono::{DateTime, Utc};
use dotdigital_client::{
    Client, ContactId, CustomName, CustomValue, EmailAddress, Identifier, ListId, MobileNumber,
    PreferenceId, ProgramId, SegmentId,
    account::AccountInfo,
    contacts::{
        ConsentRecord, ContactPart, ContactQuery, ContactUpdate, ContactsToDelete, DeletionState,
        IdOrEmail,
    },
    data_fields::{FieldDeletion, FieldName, FieldType, FieldValue, NewDataField},
    imports::{ImportBody, ImportContact, ImportLimits, MergeOption, PollPolicy},
    list_members::{ContactIds, Removal, RemovalState},
    preferences::{NewPreference, PreferenceChoice},
    programs::{Enrolees, EnrolmentFilter, EnrolmentStatus},
    segments::RefreshStatus,
    simulator::{DataFieldType, ProgramState, Simulator, SimulatorSettings, Visibility},
    suppressions::{Challenge, ResubscribeOutcome, ReturningContact},
};

use crate::support::{email, epoch, list_id, new_list, simulated};

/// What the simulator answers and the client has no method for: it is not described, or has a
/// counterpart that takes any identifier.
const WITHOUT_METHOD: [&str; 2] =
    ["DELETE /v2/address-books/{addressBookId}/contacts", "DELETE /v2/contacts/{id}"];

struct World {
    simulator: Simulator,
    client: Client,
}

#[tokio::test(start_paused = true)]
async fn every_endpoint_with_a_method_is_used_with_success() {
    let world = World::new();
    world.account().await;
    world.lists().await;
    world.contacts().await;
    world.members().await;
    world.preferences().await;
    world.programs_and_segments().await;
    world.consent().await;
    world.deletions().await;
    let ledger = world.simulator.ledger();
    let used = |endpoint: &&str| {
        ledger.iter().any(|call| {
            call.endpoint == *endpoint && call.status.is_some_and(|status| status < 300)
        })
    };
    // Insight data has a tour of its own.
    let expected = Simulator::endpoints().into_iter().filter(|one| !one.contains("/insightData/"));
    let unused: Vec<&str> = expected.filter(|endpoint| !used(endpoint)).collect();
    assert_eq!(unused, WITHOUT_METHOD);
}

impl World {
    fn new() -> Self {
        let settings = SimulatorSettings::default();
        let (client, simulator, _) = simulated(settings);
        Self { simulator, client }
    }

    fn add(&self, address: &str) -> ContactId {
        ContactId::new(self.simulator.add_contact(address)).unwrap()
    }

    /// A list with one person on it.
    fn list_with(&self, name: &str, address: &str) -> (ListId, ContactId) {
        let (list, contact) =
            (self.simulator.add_list(name, Visibility::Private), self.add(address));
        self.simulator.add_member(list, contact.get());
        (list_id(list), contact)
    }

    fn on_list(&self, list: ListId) -> usize {
        self.simulator.members(list.get()).len()
    }

    async fn account(&self) {
        let account = self.client.account();
        let info: AccountInfo = account.info().await.unwrap();
        assert_eq!(info.property("Name"), Some("Simulator"));
        assert_eq!(account.server_time().await.unwrap(), epoch());
        let name = CustomName::parse("crm-id").unwrap();
        let identifiers = self.client.custom_identifiers();
        let created = identifiers.create(&name).await.unwrap();
        assert_eq!(identifiers.list().await.unwrap(), [created]);
        let field = NewDataField::new(FieldName::parse("AGE").unwrap(), FieldType::Numeric);
        let created = self.client.data_fields().create(&field).await.unwrap();
        assert!(self.client.data_fields().list().await.unwrap().contains(&created));
        let last = self.simulator.data_fields().pop();
        assert_eq!(last, Some(("AGE".to_owned(), DataFieldType::Numeric)));
    }

    async fn lists(&self) {
        let lists = self.client.lists();
        let (list, _) = self.list_with("Spring", "spring@example.com");
        self.simulator.add_campaign(list.get(), "May", "News of May");
        let renamed = lists.update(list, &new_list("Summer")).await.unwrap();
        assert_eq!(lists.find(list).await.unwrap(), Some(renamed));
        let created = lists.create(&new_list("Autumn")).await.unwrap();
        let names = |page: Vec<dotdigital_client::lists::ContactList>| {
            page.into_iter().map(|list| list.name).collect::<Vec<_>>()
        };
        let all = names(lists.pages().all().await.unwrap());
        assert_eq!(all, ["Test", "Summer", created.name.as_str()]);
        assert_eq!(names(lists.private_pages().all().await.unwrap()), all);
        assert!(lists.public_pages().all().await.unwrap().is_empty());
        assert_eq!(lists.campaigns(list).all().await.unwrap().len(), 1);
    }

    async fn contacts(&self) {
        let (list, _) = self.list_with("VIP", "first@example.com");
        let contacts = self.client.contacts();
        let update = ContactUpdate::new()
            .email(EmailAddress::parse("ann@example.com").unwrap())
            .mobile_number(MobileNumber::parse("+44 7123 123123").unwrap())
            .custom(CustomName::parse("crm-id").unwrap(), CustomValue::parse("A/1").unwrap())
            .field("FIRSTNAME", "Ann")
            .list(list)
            .consent(consent());
        let created = contacts.create(&update).await.unwrap();
        let aged = ContactUpdate::new().field("AGE", FieldType::Numeric.parse("41").unwrap());
        let custom = Identifier::Custom {
            name: CustomName::parse("crm-id").unwrap(),
            value: CustomValue::parse("A/1").unwrap(),
        };
        assert!(!contacts.upsert(&custom, &aged).await.unwrap().created);
        let found = contacts.find(&email("ann@example.com")).await.unwrap().unwrap();
        assert_eq!(self.simulator.contact(created.contact_id.get()), Some(found.clone()));
        assert_eq!(found.identifiers.mobile_number.as_deref(), Some("447123123123"));
        assert_eq!(found.data_fields["AGE"], FieldType::Numeric.parse("41").unwrap());
        assert_eq!((found.lists[0].id, found.consent_records.len()), (list, 1));
        let query = ContactQuery::new().on_list(list).all_fields().include(ContactPart::Lists);
        let page = contacts.pages(&query.page_size(1)).all().await.unwrap();
        assert_eq!(page[1].data_fields, found.data_fields);
        let query = ContactQuery::new().on_list(list).field("FIRSTNAME");
        let page = contacts.pages(&query).all().await.unwrap();
        assert_eq!(page[1].data_fields.keys().collect::<Vec<_>>(), ["FIRSTNAME"]);
        assert_eq!(page[1].data_fields["FIRSTNAME"], FieldValue::from("Ann"));

        let mut body = ImportBody::new(MergeOption::Overwrite, ImportLimits::default());
        let _ = body.push(&ImportContact::new(email("bob@example.com")).list(list)).unwrap();
        let import = self.client.imports().submit(&body).await.unwrap();
        let report = self.client.imports().wait(&import, &PollPolicy::default()).await.unwrap();
        assert_eq!((report.created.len(), self.on_list(list)), (1, 3));
    }

    async fn members(&self) {
        let (list, ann) = self.list_with("Members", "member@example.com");
        let members = self.client.list_members(list);
        let added =
            members.add_by_email(&EmailAddress::parse("added@example.com").unwrap()).await.unwrap();
        let shown = members.v2_pages(true).all().await.unwrap();
        assert_eq!(
            shown.iter().filter_map(|one| one.id).collect::<Vec<_>>(),
            [ann, added.id.unwrap()]
        );
        assert_eq!(members.v2_modified_since(opened(), false).all().await.unwrap().len(), 2);
        assert_eq!(members.pages(1).all().await.unwrap().len(), 2);
        assert_eq!(members.remove(ann).await.unwrap(), Removal::Removed);
        let rest = ContactIds::new(vec![added.id.unwrap()]).unwrap();
        let job = members.remove_many(&rest).await.unwrap();
        let state = members.wait(&job.id, &PollPolicy::default()).await.unwrap();
        assert_eq!((state, self.on_list(list)), (RemovalState::Completed, 0));
    }

    async fn preferences(&self) {
        let (list, ann) = self.list_with("Choosers", "chooser@example.com");
        let preferences = self.client.preferences();
        let topics =
            preferences.create(&NewPreference::category("Topics", "topics")).await.unwrap();
        let new = NewPreference::preference_in(topics.id, "News", "news");
        let news: PreferenceId = preferences.create(&new).await.unwrap().id;
        let renamed = NewPreference::preference_in(topics.id, "Novelties", "news");
        assert_eq!(preferences.update(news, &renamed).await.unwrap().public_name, "Novelties");
        let tree = preferences.list().await.unwrap();
        assert_eq!(tree[0].preferences[0].id, news);
        assert!(tree[0].created.is_some() && tree[0].last_modified.is_some());
        assert_eq!(preferences.modified_since(opened()).await.unwrap(), tree);
        let choice =
            PreferenceChoice { preference: news, category: Some(topics.id), opted_in: true };
        let who = IdOrEmail::Id(ann);
        preferences.set_for_contact(&who, &[choice]).await.unwrap();
        let chosen = preferences.of_contact(&who).await.unwrap().unwrap();
        assert_eq!(chosen[0].preferences[0].opted_in, Some(true));
        assert!(self.simulator.preferences_of(ann.get())[&news.get()]);
        let ids = |page: Vec<dotdigital_client::contacts::EmailContact>| {
            page.into_iter().filter_map(|one| one.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(preferences.opted_into(news).all().await.unwrap()), [ann]);
        assert_eq!(preferences.choices_since(news, opened()).all().await.unwrap().len(), 1);
        let members = self.client.list_members(list);
        assert_eq!(ids(members.opted_into(news).all().await.unwrap()), [ann]);
        assert_eq!(members.choices_since(news, opened()).all().await.unwrap().len(), 1);
        let address = EmailAddress::parse("chooser@example.com").unwrap();
        let all = self.client.suppressions().subscriptions_of(&address).await.unwrap().unwrap();
        assert!(all.opt_ins[0].opted_in);
    }

    async fn programs_and_segments(&self) {
        let ann = self.add("traveller@example.com");
        let bob = self.add("silent@example.com");
        self.simulator.suppress_contact(bob.get());
        let id = self.simulator.add_program("Welcome", ProgramState::Active);
        let (programs, program) = (self.client.programs(), ProgramId::new(id).unwrap());
        let found = programs.find(program).await.unwrap().unwrap();
        assert_eq!(programs.pages().all().await.unwrap(), [found]);
        let enrolment =
            programs.enrol(program, &Enrolees::contacts([ann, bob]).unwrap()).await.unwrap();
        assert!(enrolment.created.is_some_and(|at| at >= epoch()));
        let at_work = programs.enrolments(EnrolmentFilter::Processing).all().await.unwrap();
        assert_eq!(at_work[0].id, enrolment.id);
        let done = programs.wait(&enrolment.id, &PollPolicy::default()).await.unwrap();
        assert_eq!(done.status, EnrolmentStatus::Finished);
        assert_eq!(programs.enrolment_faults(&enrolment.id).await.unwrap().len(), 1);
        assert_eq!(self.simulator.enrolments(id), [(ann.get(), 1)]);

        let id = self.simulator.add_segment("Lapsed");
        self.simulator.add_segment_member(id, ann.get());
        let (segments, segment) = (self.client.segments(), SegmentId::new(id).unwrap());
        assert_eq!(segments.list().await.unwrap()[0].contacts, 1);
        segments.refresh(segment).await.unwrap();
        let state = segments.wait(segment, &PollPolicy::default()).await.unwrap();
        assert_eq!(state, RefreshStatus::Finished);
        let query = ContactQuery::new().in_segment(segment);
        let page = self.client.contacts().pages(&query).all().await.unwrap();
        assert_eq!(page[0].contact_id, ann);
    }

    async fn consent(&self) {
        let (list, _) = self.list_with("Leavers", "leaver@example.com");
        let address = EmailAddress::parse("leaver@example.com").unwrap();
        let back = ReturningContact::new(address.clone());
        let (members, asking) = (self.client.list_members(list), Challenge::new());
        members.unsubscribe(&address).await.unwrap();
        assert_eq!(
            (self.on_list(list), members.unsubscribed_since(opened()).all().await.unwrap().len()),
            (0, 1)
        );
        let asked = members.resubscribe(&back, &asking).await.unwrap();
        assert_eq!((asked.outcome, self.on_list(list)), (ResubscribeOutcome::ContactChallenged, 0));
        let added = members.resubscribe_with_no_challenge(&back).await.unwrap();
        assert_eq!((added.outcome, self.on_list(list)), (ResubscribeOutcome::ContactAdded, 1));

        let suppressions = self.client.suppressions();
        suppressions.unsubscribe(&address).await.unwrap();
        assert_eq!(suppressions.unsubscribed_since(opened()).all().await.unwrap().len(), 1);
        let asked = suppressions.resubscribe(&back, &asking).await.unwrap();
        assert_eq!(asked.outcome, ResubscribeOutcome::ContactChallenged);
        suppressions.resubscribe_with_no_challenge(&back).await.unwrap();
        assert!(suppressions.unsubscribed_since(opened()).all().await.unwrap().is_empty());
        let before = suppressions.suppressed_since(opened()).all().await.unwrap().len();
        let who = [IdOrEmail::Email(address)];
        assert_eq!(suppressions.suppress(&who).await.unwrap().suppressed.len(), 1);
        let now = suppressions.suppressed_since(opened()).all().await.unwrap().len();
        assert_eq!(now, before + 1);
    }

    async fn deletions(&self) {
        let (list, ann) = self.list_with("Gone", "gone@example.com");
        let members = self.client.list_members(list);
        let job = members.remove_all().await.unwrap();
        members.wait(&job.id, &PollPolicy::default()).await.unwrap();
        assert_eq!(self.on_list(list), 0);
        assert!(self.client.lists().delete(list).await.unwrap());
        let contacts = self.client.contacts();
        let other = EmailAddress::parse("other@example.com").unwrap();
        contacts
            .replace(&Identifier::ContactId(ann), &ContactUpdate::new().email(other))
            .await
            .unwrap();
        assert_eq!(contacts.delete(&email("other@example.com")).await.unwrap(), Some(ann));
        let bob = self.add("gone-too@example.com");
        let all = ContactsToDelete::new(vec![Identifier::ContactId(bob)]).unwrap();
        let job = contacts.delete_many(&all).await.unwrap();
        let status = contacts.wait_for_deletion(&job, &PollPolicy::default()).await.unwrap();
        assert_eq!((status.state, self.simulator.binned().len()), (DeletionState::Finished, 2));
        assert!(self.simulator.contact(bob.get()).is_none());
        self.client.account().empty_recycle_bin().await.unwrap();
        assert!(self.simulator.binned().is_empty());
        let age = FieldName::parse("AGE").unwrap();
        let deleted = self.client.data_fields().delete(&age).await.unwrap();
        assert_eq!(deleted, FieldDeletion::Deleted);
        let name = CustomName::parse("crm-id").unwrap();
        self.client.custom_identifiers().delete(&name).await.unwrap();
        let topics = self.client.preferences().list().await.unwrap()[0].id;
        assert!(self.client.preferences().delete(topics).await.unwrap());
        assert!(self.client.preferences().list().await.unwrap().is_empty());
    }
}

/// Before anything happened.
fn opened() -> DateTime<Utc> {
    SimulatorSettings::default().opened
}

fn consent() -> ConsentRecord {
    let (text, page) = ("Yes, please", "https://www.example.com/");
    ConsentRecord::new(text, epoch(), page, Ipv4Addr::LOCALHOST.into(), "Test").unwrap()
}
