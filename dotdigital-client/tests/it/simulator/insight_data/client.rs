//! The client's calls against the simulator, in process and under either shape of its answers.

use std::sync::Arc;

use dotdigital_client::{
    Client, Credentials, ErrorKind,
    imports::PollPolicy,
    insight_data::{
        CollectionName, CollectionScope, CollectionType, ImportFailureReason, InsightImport,
        InsightImportLimits, RecordKey, RecordKeys, RecordQuery,
    },
    simulator::{InsightDataShapes, Simulator, SimulatorSettings, Switches},
};
use serde_json::{Value, json};

use crate::support::{email, epoch, simulated};

fn connected(insight_data: InsightDataShapes) -> (Client, Simulator) {
    let settings = SimulatorSettings {
        switches: Switches { insight_data, ..Switches::default() },
        ..SimulatorSettings::default()
    };
    let (client, simulator, _) = simulated(settings);
    (client, simulator)
}

fn orders() -> CollectionName {
    CollectionName::parse("Orders").unwrap()
}

fn key(text: &str) -> RecordKey {
    RecordKey::parse(text).unwrap()
}

fn import(people: &[&str]) -> InsightImport {
    let limits = InsightImportLimits::default();
    let mut import = InsightImport::of_contacts(&orders(), &CollectionType::Orders, limits);
    for (number, person) in people.iter().enumerate() {
        let record = json!({"number": number});
        let _ = import.push_for(&email(person), &key(&number.to_string()), &record).unwrap();
    }
    import
}

#[tokio::test(start_paused = true)]
async fn an_import_is_waited_for_and_its_refusals_are_told() {
    for shapes in [InsightDataShapes::AsDeclared, InsightDataShapes::AsInExamples] {
        let (client, simulator) = connected(shapes);
        simulator.add_contact("ann@example.com");
        let insight = client.insight_data();
        let people = ["ann@example.com", "bob@example.com"];
        let submitted = insight.submit(&import(&people)).await.unwrap();
        let report = insight.wait(&submitted, &PollPolicy::default()).await.unwrap();
        let summary = report.summary.unwrap();
        assert_eq!((summary.records, summary.imported, summary.rejected), (2, 1, 1));
        let failure = &report.failures[0];
        assert_eq!(failure.reason, ImportFailureReason::ContactEmailDoesNotExist);
        assert_eq!(failure.contact(), Some(("email", "bob@example.com")));
        assert_eq!(simulator.insight_records("Orders").len(), 1);
        let schema = insight.schema::<Value>(&orders()).await.unwrap().unwrap();
        assert_eq!(schema.kind, CollectionType::Orders);
        assert!(schema.schema.to_string().contains("number"));
    }
}

#[tokio::test(start_paused = true)]
async fn more_imports_than_slots_all_get_done() {
    let (client, simulator) = connected(InsightDataShapes::default());
    simulator.add_contact("ann@example.com");
    let mut ids = Vec::new();
    for _ in 0..8 {
        ids.push(client.insight_data().submit(&import(&["ann@example.com"])).await.unwrap());
    }
    let last = ids.pop().unwrap();
    client.insight_data().wait(&last, &PollPolicy::default()).await.unwrap();
    let refused = simulator.ledger().iter().filter(|entry| entry.status == Some(429)).count();
    assert!(refused > 0, "no slot was ever missing");
}

#[tokio::test(start_paused = true)]
async fn records_of_a_contact_are_kept() {
    let (client, simulator) = connected(InsightDataShapes::default());
    let ann = simulator.add_contact("ann@example.com");
    let insight = client.insight_data();
    let (scope, kind) = (CollectionScope::Contact, CollectionType::WishList);
    assert!(insight.create_collection(&orders(), scope, &kind).await.unwrap());
    assert!(!insight.create_collection(&orders(), scope, &kind).await.unwrap());
    let records = insight.contact_records(email("ann@example.com"), orders());
    for number in 0..5 {
        assert!(records.put(&key(&format!("A/{number}")), &json!({"n": number})).await.unwrap());
    }
    assert!(!records.put(&key("A/0"), &json!({"n": 9})).await.unwrap());
    let found = records.find::<Value>(&key("A/0")).await.unwrap().unwrap();
    assert_eq!((found.json, found.owner_contact_id.unwrap().get()), (json!({"n": 9}), ann));
    assert_eq!(records.find::<Value>(&key("A/9")).await.unwrap(), None);
    let query = RecordQuery::new().page_size(2).modified_since(epoch());
    assert_eq!(records.pages::<Value>(&query).all().await.unwrap().len(), 5);
    let all = insight.records_of_all_contacts::<Value>(&orders(), &query).all().await.unwrap();
    assert_eq!(all.len(), 5);
    let collections = insight.contact_collections(&email("ann@example.com")).await.unwrap();
    assert_eq!((collections.len(), collections[0].record_count), (1, 5));
    assert_eq!(insight.collections().await.unwrap(), collections);
    assert!(insight.account_collections().await.unwrap().is_empty());
    assert!(records.delete(&key("A/0")).await.unwrap());
    assert!(!records.delete(&key("A/0")).await.unwrap());
    let keys = RecordKeys::new(vec![key("A/0"), key("A/1")]).unwrap();
    let deleted = records.delete_many(&keys).await.unwrap();
    assert_eq!((deleted.deleted, deleted.not_found), (1, vec!["A/0".to_owned()]));
    assert_eq!(simulator.insight_records("Orders").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn records_of_the_account_are_kept() {
    let (client, simulator) = connected(InsightDataShapes::default());
    let insight = client.insight_data();
    let records = insight.account_records(orders());
    let error = records.put(&key("1"), &json!({})).await.unwrap_err();
    assert_eq!(error.code(), Some("insightData:collectionNotFound"));
    let (scope, kind) = (CollectionScope::Account, CollectionType::Custom);
    insight.create_collection(&orders(), scope, &kind).await.unwrap();
    assert!(records.put(&key("1"), &json!({"price": 1})).await.unwrap());
    let error = records.put(&key("1"), &json!({"price": "low"})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    let found = records.find::<Value>(&key("1")).await.unwrap().unwrap();
    assert_eq!((found.json, found.owner_contact_id), (json!({"price": 1}), None));
    assert_eq!(records.pages::<Value>(&RecordQuery::new()).all().await.unwrap().len(), 1);
    let keys = RecordKeys::new(vec![key("1")]).unwrap();
    assert_eq!(records.delete_many(&keys).await.unwrap().deleted, 1);
    assert!(!records.delete(&key("1")).await.unwrap());
    assert!(simulator.forbidden_calls().is_empty());
}

#[cfg(feature = "account-deletion")]
#[tokio::test(start_paused = true)]
async fn collections_are_emptied_and_deleted() {
    use dotdigital_client::insight_data::JobState;
    let (client, simulator) = connected(InsightDataShapes::default());
    for person in ["ann@example.com", "bob@example.com"] {
        simulator.add_contact(person);
    }
    let insight = client.insight_data();
    let people = ["ann@example.com", "bob@example.com", "bob@example.com"];
    let policy = PollPolicy::default();
    let submitted = insight.submit(&import(&people)).await.unwrap();
    insight.wait(&submitted, &policy).await.unwrap();
    let of_ann = insight.contact_records(email("ann@example.com"), orders());
    for (job, deleted) in [
        (of_ann.empty().await.unwrap(), 1),
        (insight.empty_collection(&orders()).await.unwrap(), 2),
        (insight.delete_collection(&orders()).await.unwrap(), 0),
    ] {
        let status = insight.wait_for_job(&job, &policy).await.unwrap();
        assert_eq!(
            (status.state, status.summary.unwrap().processed),
            (JobState::Finished, deleted)
        );
    }
    assert_eq!(insight.schema::<Value>(&orders()).await.unwrap(), None);
    assert_eq!(simulator.forbidden_calls().len(), 3);
}

#[cfg(feature = "simulator-server")]
#[tokio::test]
async fn keys_to_delete_arrive_over_http() {
    use dotdigital_client::{SystemClock, simulator::SimulatorServer};
    let settings = SimulatorSettings::default();
    let credentials = Credentials::new(settings.user.clone(), settings.password.clone());
    let simulator = Simulator::new(settings);
    let clock = Arc::new(SystemClock);
    let server = SimulatorServer::on_any_port(simulator.clone(), clock).await.unwrap();
    let client = Client::builder().credentials(credentials).endpoint(server.url()).build().unwrap();
    let (scope, kind) = (CollectionScope::Account, CollectionType::Custom);
    client.insight_data().create_collection(&orders(), scope, &kind).await.unwrap();
    let records = client.insight_data().account_records(orders());
    records.put(&key("A/1 ü"), &json!({"price": 1})).await.unwrap();
    let keys = RecordKeys::new(vec![key("A/1 ü"), key("A/2")]).unwrap();
    let deleted = records.delete_many(&keys).await.unwrap();
    assert_eq!((deleted.deleted, deleted.not_found), (1, vec!["A/2".to_owned()]));
    assert!(simulator.insight_records("Orders").is_empty());
}
