//! Every call can be made from any thread and task. Compiling is the test: nothing is sent.

use std::vec;

use chrono::{DateTime, Utc};
use dotdigital_client::{
    Client, ClientBuilder, ContactId, CustomName, EmailAddress, EnrolmentId, Error, Identifier,
    ImportId, InsightImportId, InsightJobId, ListId, Pages, PreferenceId, ProgramId, RawCall,
    RemovalJobId, SegmentId,
    contacts::{Contact, ContactQuery, ContactUpdate, EmailContact, IdOrEmail},
    data_fields::NewDataField,
    imports::{ImportBody, ImportContact, ImportRun, MergeOption, PollPolicy},
    insight_data::{
        AccountRecords, CollectionName, CollectionScope, CollectionType, ContactRecords,
        InsightImport, Record, RecordKey, RecordKeys,
    },
    list_members::{ContactIds, Removals},
    lists::NewList,
    preferences::{NewPreference, PreferenceChoice},
    programs::Enrolees,
};
use serde_json::Value;

fn send<T: Send>(_: T) {}

fn shared<T: Clone + Send + Sync + 'static>() {}

#[test]
fn clients_are_shared_between_threads() {
    shared::<Client>();
    shared::<ClientBuilder>();
    shared::<ImportBody>();
    shared::<InsightImport>();
    shared::<RawCall>();
    shared::<ContactQuery>();
    fn moved<T: Send + 'static>() {}
    moved::<Error>();
    moved::<Pages<Contact>>();
    moved::<Pages<EmailContact>>();
    moved::<ImportRun<vec::IntoIter<ImportContact>>>();
    moved::<Removals<vec::IntoIter<ContactId>>>();
}

/// What the calls are made with.
struct Given {
    client: Client,
    builder: ClientBuilder,
    poll: PollPolicy,
    since: DateTime<Utc>,
    contact: ContactId,
    list: ListId,
    preference: PreferenceId,
    program: ProgramId,
    segment: SegmentId,
    enrolment: EnrolmentId,
    import: ImportId,
    insight_import: InsightImportId,
    insight_job: InsightJobId,
    removal: RemovalJobId,
    email: EmailAddress,
    identifier: Identifier,
    id_or_email: IdOrEmail,
    custom: CustomName,
}

#[expect(dead_code, reason = "it only has to compile")]
fn calls_about_contacts(
    given: Given,
    body: &ImportBody,
    update: &ContactUpdate,
    field: &NewDataField,
) {
    let Given { client, poll, .. } = &given;
    send(given.builder.clone().connect());
    send(client.account().info());
    send(client.account().server_time());
    send(client.contacts().find(&given.identifier));
    send(client.contacts().create(update));
    send(client.contacts().upsert(&given.identifier, update));
    let merge = MergeOption::Overwrite;
    send(client.contacts().upsert_merging(&given.identifier, update, merge));
    send(client.contacts().pages(&ContactQuery::new()).next_page());
    send(client.contacts().pages(&ContactQuery::new()).all());
    send(client.custom_identifiers().list());
    send(client.custom_identifiers().create(&given.custom));
    send(client.data_fields().list());
    send(client.data_fields().create(field));
    send(client.imports().submit(body));
    send(client.imports().status(&given.import));
    send(client.imports().wait(&given.import, poll));
    send(client.imports().wait_with(&given.import, poll, |_| ()));
    send(client.suppressions().suppressed_since(given.since).next_page());
    send(client.suppressions().subscriptions_of(&given.email));
    send(client.raw().send(&RawCall::new("GET /v2/campaigns")));
    send(client.raw().json::<Value>(&RawCall::new("GET /v2/campaigns")));
}

#[expect(dead_code, reason = "it only has to compile")]
fn calls_about_lists_and_the_rest(
    given: Given,
    list: &NewList,
    preference: &NewPreference,
    choices: &[PreferenceChoice],
    ids: &ContactIds,
    who: &Enrolees,
) {
    let Given { client, poll, .. } = &given;
    send(client.lists().create(list));
    send(client.lists().find(given.list));
    send(client.lists().find_by_name("VIP"));
    send(client.lists().update(given.list, list));
    send(client.lists().campaigns(given.list).next_page());
    let members = client.list_members(given.list);
    send(members.remove(given.contact));
    send(members.remove_many(ids));
    send(members.removal_status(&given.removal));
    send(members.wait(&given.removal, poll));
    send(members.wait_with(&given.removal, poll, |_| ()));
    send(members.remove_in_batches(Vec::new(), *poll).next_batch());
    send(members.add_by_email(&given.email));
    send(members.choices_since(given.preference, given.since).next_page());
    send(client.preferences().list());
    send(client.preferences().modified_since(given.since));
    send(client.preferences().create(preference));
    send(client.preferences().update(given.preference, preference));
    send(client.preferences().of_contact(&given.id_or_email));
    send(client.preferences().set_for_contact(&given.id_or_email, choices));
    send(client.programs().find(given.program));
    send(client.programs().enrol(given.program, who));
    send(client.programs().enrolment(&given.enrolment));
    send(client.programs().enrolment_faults(&given.enrolment));
    send(client.programs().wait(&given.enrolment, poll));
    send(client.segments().list());
    send(client.segments().refresh(given.segment));
    send(client.segments().refresh_progress(given.segment));
    send(client.segments().wait(given.segment, poll));
}

#[expect(dead_code, reason = "it only has to compile")]
fn calls_about_insight_data(
    given: Given,
    import: &InsightImport,
    name: &CollectionName,
    (key, keys): (&RecordKey, &RecordKeys),
    (of_account, of_contact): (&AccountRecords, &ContactRecords),
) {
    let insight = given.client.insight_data();
    let kind = CollectionType::Custom;
    send(insight.collections());
    send(insight.account_collections());
    send(insight.contact_collections(&given.identifier));
    send(insight.create_collection(name, CollectionScope::Account, &kind));
    send(insight.schema::<Value>(name));
    send(insight.submit(import));
    send(insight.status(&given.insight_import));
    send(insight.wait(&given.insight_import, &given.poll));
    send(insight.job(&given.insight_job));
    send(insight.wait_for_job(&given.insight_job, &given.poll));
    send(of_account.find::<Value>(key));
    send(of_account.put(key, &Value::Null));
    send(of_account.delete(key));
    send(of_account.delete_many(keys));
    send(of_contact.find::<Value>(key));
    send(of_contact.put(key, &Value::Null));
    send(of_contact.delete(key));
    send(of_contact.delete_many(keys));
    fn moved<T: Send + 'static>() {}
    moved::<Pages<Record<Value>>>();
}

#[cfg(feature = "account-deletion")]
#[expect(dead_code, reason = "it only has to compile")]
fn calls_that_delete(
    given: Given,
    update: &ContactUpdate,
    contacts: &dotdigital_client::contacts::ContactsToDelete,
    job: &dotdigital_client::DeletionJobId,
    field: &dotdigital_client::data_fields::FieldName,
    name: &CollectionName,
    records: &ContactRecords,
) {
    let client = &given.client;
    send(client.account().empty_recycle_bin());
    send(client.contacts().replace(&given.identifier, update));
    send(client.contacts().delete(&given.identifier));
    send(client.contacts().delete_many(contacts));
    send(client.contacts().deletion_status(job));
    send(client.contacts().wait_for_deletion(job, &given.poll));
    send(client.custom_identifiers().delete(&given.custom));
    send(client.data_fields().delete(field));
    send(client.lists().delete(given.list));
    send(client.list_members(given.list).remove_all());
    send(client.preferences().delete(given.preference));
    send(client.insight_data().delete_collection(name));
    send(client.insight_data().empty_collection(name));
    send(records.empty());
}

#[cfg(feature = "consent-changes")]
#[expect(dead_code, reason = "it only has to compile")]
fn calls_that_change_consent(
    given: Given,
    contact: &dotdigital_client::suppressions::ReturningContact,
    challenge: &dotdigital_client::suppressions::Challenge,
) {
    let (members, all) = (given.client.list_members(given.list), given.client.suppressions());
    send(members.unsubscribe(&given.email));
    send(members.resubscribe(contact, challenge));
    send(members.resubscribe_with_no_challenge(contact));
    send(all.unsubscribe(&given.email));
    send(all.resubscribe(contact, challenge));
    send(all.resubscribe_with_no_challenge(contact));
    send(all.suppress(&[given.id_or_email]));
}
