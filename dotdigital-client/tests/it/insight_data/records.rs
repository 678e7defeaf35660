//! Records of Insight data over real HTTP, read into a type of the caller's own.

use dotdigital_client::{
    Client, ErrorKind,
    insight_data::{AccountRecords, ContactRecords, RecordKeys, RecordQuery},
};
use serde::{Deserialize, Serialize};

use super::{key, orders};
use crate::{
    calls::check,
    support::{email, serve},
};

const RECORD: &str = r#"{"key":"A/1","json":{"total":5,"new":true},
    "created":"2023-04-17T11:50:40.390Z","updated":"2023-04-17T11:50:41","ownerContactId":12}"#;
const ACCOUNT: &str = "/insightData/v3/account/Orders";
const CONTACT: &str = "/insightData/v3/contacts/email/jane%2Bx%40example.com/Orders";

#[derive(Debug, PartialEq, Deserialize, Serialize)]
struct Order {
    total: u32,
}

fn of_account(client: &Client) -> AccountRecords {
    client.insight_data().account_records(orders())
}

fn of_contact(client: &Client) -> ContactRecords {
    client.insight_data().contact_records(email("jane+x@example.com"), orders())
}

fn page() -> String {
    format!(r#"{{"_items":[{RECORD}],"_links":{{"self":{{}},"first":{{}}}}}}"#)
}

fn missing(what: &str) -> String {
    format!(r#"{{"errorCode":"insightData:{what}NotFound","description":"none"}}"#)
}

#[tokio::test]
async fn pages_of_records_are_read() {
    let since = "2021-12-17T00:00:00Z".parse().unwrap();
    let query = RecordQuery::new().page_size(9000).modified_since(since);
    let sent = "~modified=gte%3A%3A2021-12-17T00%3A00%3A00.000Z&limit=5000";

    let (server, client) = serve(200, &page()).await;
    let page = of_account(&client).pages::<Order>(&query).next_page().await.unwrap().unwrap();
    check(&server, &format!("GET {ACCOUNT}?{sent}")).await;
    assert_eq!((page[0].key.as_str(), &page[0].json), ("A/1", &Order { total: 5 }));
    assert!(page[0].updated > page[0].created);
    assert_eq!(page[0].owner_contact_id.unwrap().get(), 12);

    let (server, client) = serve(200, &self::page()).await;
    let mut pages = of_contact(&client).pages::<Order>(&RecordQuery::default());
    assert_eq!(pages.next_page().await.unwrap().unwrap(), page);
    check(&server, &format!("GET {CONTACT}?limit=1000")).await;

    let (server, client) = serve(200, &self::page()).await;
    let insight = client.insight_data();
    let pages =
        insight.records_of_all_contacts::<Order>(&orders(), &RecordQuery::new().page_size(0));
    assert_eq!(pages.all().await.unwrap(), page);
    check(&server, "GET /insightData/v3/contacts/Orders?limit=1").await;
}

#[tokio::test]
async fn a_record_is_found_by_its_key() {
    let (server, client) = serve(200, RECORD).await;
    let record = of_account(&client).find::<Order>(&key("A/1")).await.unwrap().unwrap();
    check(&server, &format!("GET {ACCOUNT}/A%2F1")).await;
    assert_eq!(record.json, Order { total: 5 });

    let (server, client) = serve(200, RECORD).await;
    let found = of_contact(&client).find::<Order>(&key("A/1")).await.unwrap();
    check(&server, &format!("GET {CONTACT}/A%2F1")).await;
    assert_eq!(found, Some(record));
}

#[tokio::test]
async fn a_record_that_is_not_there_is_no_error_and_a_collection_is_one() {
    let (_server, client) = serve(404, &missing("record")).await;
    assert_eq!(of_account(&client).find::<Order>(&key("1")).await.unwrap(), None);
    assert!(!of_account(&client).delete(&key("1")).await.unwrap());
    assert_eq!(of_contact(&client).find::<Order>(&key("1")).await.unwrap(), None);
    assert!(!of_contact(&client).delete(&key("1")).await.unwrap());
    for what in ["collection", "contact"] {
        let (_server, client) = serve(404, &missing(what)).await;
        let error = of_contact(&client).find::<Order>(&key("1")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        of_contact(&client).delete(&key("1")).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_record_is_stored_as_the_object_it_is() {
    for (status, is_new) in [(201, true), (204, false)] {
        let (server, client) = serve(status, "").await;
        let stored = of_account(&client).put(&key("A 1"), &Order { total: 5 }).await.unwrap();
        check(&server, &format!(r#"PUT {ACCOUNT}/A%201 {{"total":5}}"#)).await;
        assert_eq!(stored, is_new);

        let (server, client) = serve(status, "").await;
        let stored = of_contact(&client).put(&key("1"), &Order { total: 5 }).await.unwrap();
        check(&server, &format!(r#"PUT {CONTACT}/1 {{"total":5}}"#)).await;
        assert_eq!(stored, is_new);
    }
}

#[tokio::test]
async fn what_is_no_object_is_not_sent() {
    let (server, client) = serve(201, "").await;
    for refused in [
        of_account(&client).put(&key("1"), "{}").await,
        of_contact(&client).put(&key("1"), &[Order { total: 5 }]).await,
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Rejected);
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn one_record_is_deleted() {
    let (server, client) = serve(204, "").await;
    assert!(of_account(&client).delete(&key("A/1")).await.unwrap());
    check(&server, &format!("DELETE {ACCOUNT}/A%2F1")).await;

    let (server, client) = serve(204, "").await;
    assert!(of_contact(&client).delete(&key("A/1")).await.unwrap());
    check(&server, &format!("DELETE {CONTACT}/A%2F1")).await;
}

#[tokio::test]
async fn many_records_are_deleted_by_their_keys() {
    let body = r#"{"summary":{"totalRecords":3,"totalDeleted":2,"totalNotFound":1},
        "notFound":["XXX"],"failures":null}"#;
    let keys = RecordKeys::new(vec![key("A/1"), key("XXX")]).unwrap();

    let (server, client) = serve(200, body).await;
    let deleted = of_account(&client).delete_many(&keys).await.unwrap();
    let sent = r#"{"keys":["A/1","XXX"]}"#;
    let path = "/insightData/v3/accounts/Orders/deleteRecords";
    check(&server, &format!("DELETE {path} {sent}")).await;
    assert_eq!((deleted.deleted, deleted.not_found.as_slice()), (2, &["XXX".to_owned()][..]));

    let (server, client) = serve(200, body).await;
    assert_eq!(of_contact(&client).delete_many(&keys).await.unwrap(), deleted);
    check(&server, &format!("DELETE {CONTACT}/deleteRecords {sent}")).await;
}
