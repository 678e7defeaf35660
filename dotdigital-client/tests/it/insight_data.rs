//! Insight data over real HTTP: collections, imports and jobs.

#[cfg(feature = "account-deletion")]
mod deletion;
mod records;

use std::time::Duration;

use dotdigital_client::{
    Client, ErrorKind, InsightImportId, InsightJobId, TransportErrorKind,
    imports::PollPolicy,
    insight_data::{
        CollectionName, CollectionScope, CollectionType, ImportFailureReason, InsightImport,
        InsightImportLimits, JobState, RecordKey,
    },
};
use serde_json::{Value, json};

use crate::{
    calls::check,
    support::{Script, answer, email, serve, virtual_client},
};

const JOB: &str = "d7de900d-d337-43f6-b1e1-c8ec73e1a434";

fn orders() -> CollectionName {
    CollectionName::parse("Orders").unwrap()
}

fn key(text: &str) -> RecordKey {
    RecordKey::parse(text).unwrap()
}

fn import() -> InsightImport {
    let limits = InsightImportLimits::default();
    let mut import = InsightImport::of_contacts(&orders(), &CollectionType::Orders, limits);
    let _ = import.push_for(&email("jané@example.com"), &key("A/1"), &json!({"total": 5})).unwrap();
    import
}

#[tokio::test]
async fn collections_are_read() {
    let body = r#"[{"collectionName":"Orders","collectionType":"orders","collectionScope":"contact",
        "recordCount":100,"new":1},{"collectionName":"x","collectionType":"unheardOf"}]"#;
    let (server, client) = serve(200, body).await;
    let all = client.insight_data().collections().await.unwrap();
    check(&server, "GET /insightData/v3/collections").await;
    assert_eq!((all[0].name.as_str(), &all[0].kind), ("Orders", &CollectionType::Orders));
    assert_eq!((all[0].scope, all[0].record_count), (Some(CollectionScope::Contact), 100));
    assert_eq!(all[1].kind, CollectionType::Other("unheardOf".into()));

    let (server, client) = serve(200, body).await;
    assert_eq!(client.insight_data().account_collections().await.unwrap(), all);
    check(&server, "GET /insightData/v3/account").await;

    let (server, client) = serve(200, body).await;
    let jane = email("jane+x@example.com");
    assert_eq!(client.insight_data().contact_collections(&jane).await.unwrap(), all);
    check(&server, "GET /insightData/v3/contacts/email/jane%2Bx%40example.com").await;
}

#[tokio::test]
async fn a_contact_that_does_not_exist_is_told() {
    let (_server, client) = serve(404, r#"{"errorCode":"insightData:contactNotFound"}"#).await;
    let contact = email("jane@example.com");
    let error = client.insight_data().contact_collections(&contact).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_collection_is_created_or_left_as_it_is() {
    for (status, is_new) in [(201, true), (200, false)] {
        let (server, client) = serve(status, "").await;
        let insight = client.insight_data();
        let (scope, kind) = (CollectionScope::Contact, CollectionType::CartInsight);
        assert_eq!(insight.create_collection(&orders(), scope, &kind).await.unwrap(), is_new);
        let query = "collectionScope=contact&collectionType=cartInsight";
        check(&server, &format!("POST /insightData/v3/collections/Orders?{query}")).await;
    }
}

#[tokio::test]
async fn the_schema_of_a_collection_is_read() {
    let body = r#"{"collectionName":"Orders","collectionType":"orders",
        "schema":[{"name":"key","mode":"NULLABLE","type":"STRING","fields":[]}]}"#;
    let (server, client) = serve(200, body).await;
    let schema = client.insight_data().schema::<Value>(&orders()).await.unwrap().unwrap();
    check(&server, "GET /insightData/v3/collections/Orders/schema").await;
    assert_eq!((schema.name.as_str(), &schema.schema[0]["type"]), ("Orders", &json!("STRING")));

    let (_server, client) = serve(404, r#"{"errorCode":"insightData:collectionNotFound"}"#).await;
    assert_eq!(client.insight_data().schema::<Value>(&orders()).await.unwrap(), None);
}

#[tokio::test]
async fn records_are_submitted_for_import() {
    let (server, client) = serve(202, &format!(r#"{{"importId":"{JOB}"}}"#)).await;
    let submitted = client.insight_data().submit(&import()).await.unwrap();
    let expected = concat!(
        r#"PUT /insightData/v3/import {"collectionName":"Orders","collectionScope":"contact","#,
        r#""collectionType":"orders","records":[{"contactIdentity":{"identifier":"email","#,
        r#""value":"jané@example.com"},"json":{"total":5},"key":"A/1"}]}"#
    );
    check(&server, expected).await;
    assert_eq!(submitted.as_str(), JOB);
}

#[tokio::test(start_paused = true)]
async fn an_import_is_not_submitted_twice_once_it_may_have_been_acted_on() {
    let script = Script::new([Err(TransportErrorKind::MaybeSent)]);
    let (client, _clock) = virtual_client(script.clone());
    let error = client.insight_data().submit(&import()).await.unwrap_err();
    assert_eq!((error.kind(), script.requests().len()), (ErrorKind::MaybeSent, 1));
}

#[tokio::test]
async fn an_import_without_records_is_not_sent() {
    let (server, client) = serve(202, "").await;
    let empty =
        InsightImport::new(&orders(), &CollectionType::Orders, InsightImportLimits::default());
    let error = client.insight_data().submit(&empty).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_report_of_an_import_is_read() {
    let body = format!(
        r#"{{"importId":"{JOB}","status":"finished","collectionName":"Orders",
        "summary":{{"totalRecords":10,"totalImported":9,"totalRejected":1}},
        "failures":[{{"collectionOwner":{{"ownerType":"contact","contactIdentity":
        {{"identifier":"email","value":"jane@example.com"}}}},"failureReason":"InvalidJson",
        "details":["broken"],"key":24938,"json":{{}}}}]}}"#
    );
    let (server, client) = serve(200, &body).await;
    let import = InsightImportId::new(JOB).unwrap();
    let status = client.insight_data().status(&import).await.unwrap();
    check(&server, &format!("GET /insightData/v3/import/{JOB}")).await;
    assert_eq!(status.state, JobState::Finished);
    let summary = status.summary.unwrap();
    assert_eq!((summary.records, summary.imported, summary.rejected), (10, 9, 1));
    let failure = &status.failures[0];
    assert_eq!(failure.contact(), Some(("email", "jane@example.com")));
    assert_eq!(
        (failure.key.as_str(), &failure.reason),
        ("24938", &ImportFailureReason::InvalidJson)
    );
}

#[tokio::test]
async fn the_state_of_a_job_is_read() {
    let body = format!(
        r#"{{"jobId":"{JOB}","status":"Failed","summary":{{"totalRecords":3,"totalProcessed":2,
        "totalFailed":1}},"failures":[{{"errorCode":"insightData:x","description":"y"}}]}}"#
    );
    let (server, client) = serve(200, &body).await;
    let status = client.insight_data().job(&InsightJobId::new(JOB).unwrap()).await.unwrap();
    check(&server, &format!("GET /insightData/v3/async/{JOB}")).await;
    assert_eq!(status.state, JobState::Failed);
    let summary = status.summary.unwrap();
    assert_eq!((summary.records, summary.processed, summary.failed), (3, 2, 1));
    assert_eq!(status.failures[0].code, "insightData:x");
}

#[tokio::test(start_paused = true)]
async fn imports_and_jobs_are_waited_for() {
    let states = |id: &str| {
        let state = |state| Ok(answer(200, &format!(r#"{{"{id}":"{JOB}","status":"{state}"}}"#)));
        ["NotStarted", "Processing", "NotFinished", "Complete"].map(state)
    };
    let policy = PollPolicy::default();
    let (client, clock) = virtual_client(Script::new(states("importId")));
    let import = InsightImportId::new(JOB).unwrap();
    let status = client.insight_data().wait(&import, &policy).await.unwrap();
    assert_eq!((status.state, clock.elapsed()), (JobState::Complete, Duration::from_secs(15)));

    let (client, clock) = virtual_client(Script::new(states("jobId")));
    let job = InsightJobId::new(JOB).unwrap();
    let status = client.insight_data().wait_for_job(&job, &policy).await.unwrap();
    assert_eq!((status.state, clock.elapsed()), (JobState::Complete, Duration::from_secs(15)));
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_when_the_caller_said() {
    let answers = (0..20).map(|_| Ok(answer(200, r#"{"status":"Processing"}"#)));
    let (client, clock): (Client, _) = virtual_client(Script::new(answers));
    let policy = PollPolicy { give_up_after: Duration::from_secs(20), ..PollPolicy::default() };
    let import = InsightImportId::new(JOB).unwrap();
    let error = client.insight_data().wait(&import, &policy).await.unwrap_err();
    assert_eq!((error.kind(), clock.elapsed()), (ErrorKind::GaveUp, Duration::from_secs(20)));
}
