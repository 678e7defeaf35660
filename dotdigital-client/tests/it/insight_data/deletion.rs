//! Calls that delete all records at once, over real HTTP.

use dotdigital_client::TransportErrorKind;

use super::{JOB, orders};
use crate::{
    calls::check,
    support::{Script, email, serve, virtual_client},
};

#[tokio::test]
async fn a_collection_is_deleted_by_a_job() {
    let (server, client) = serve(202, &format!(r#"{{"jobId":"{JOB}"}}"#)).await;
    let job = client.insight_data().delete_collection(&orders()).await.unwrap();
    check(&server, "DELETE /insightData/v3/collections/Orders").await;
    assert_eq!(job.as_str(), JOB);
}

#[tokio::test]
async fn a_collection_is_emptied_by_a_job() {
    let (server, client) = serve(202, &format!(r#"{{"jobId":"{JOB}"}}"#)).await;
    let job = client.insight_data().empty_collection(&orders()).await.unwrap();
    check(&server, "DELETE /insightData/v3/collections/Orders/empty").await;
    assert_eq!(job.as_str(), JOB);
}

#[tokio::test]
async fn a_contact_loses_all_its_records_by_a_job() {
    let (server, client) = serve(202, &format!(r#"{{"jobId":"{JOB}"}}"#)).await;
    let records = client.insight_data().contact_records(email("jane@example.com"), orders());
    let job = records.empty().await.unwrap();
    let path = "/insightData/v3/contacts/email/jane%40example.com/Orders/empty";
    check(&server, &format!("DELETE {path}")).await;
    assert_eq!(job.as_str(), JOB);
}

#[tokio::test(start_paused = true)]
async fn none_of_them_is_repeated_once_it_may_have_been_acted_on() {
    let script = Script::new([(); 3].map(|()| Err(TransportErrorKind::TimedOut)));
    let (client, _clock) = virtual_client(script.clone());
    let insight = client.insight_data();
    insight.delete_collection(&orders()).await.unwrap_err();
    insight.empty_collection(&orders()).await.unwrap_err();
    insight.contact_records(email("a@example.com"), orders()).empty().await.unwrap_err();
    assert_eq!(script.requests().len(), 3);
}
