//! Requests about records of Insight data.

use dotdigital_client::insight_data::{RecordKeys, RecordQuery};
use proptest::{collection::vec, option, prelude::*};
use serde_json::Value;

use super::{collection, content, record_key};
use crate::requests::{
    Case, case,
    inputs::{identifier, time},
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = of_the_account();
    cases.extend(of_a_contact());
    cases.push(case(
        "insight_data::InsightData::records_of_all_contacts",
        "GET /insightData/v3/contacts/{collectionName}",
        (collection(), query()),
        |client, (collection, query)| async move {
            let insight = client.insight_data();
            insight.records_of_all_contacts::<Value>(&collection, &query).next_page().await.ok();
        },
    ));
    cases
}

fn of_the_account() -> Vec<Case> {
    vec![
        case(
            "insight_data::AccountRecords::pages",
            "GET /insightData/v3/account/{collectionName}",
            (collection(), query()),
            |client, (collection, query)| async move {
                let records = client.insight_data().account_records(collection);
                records.pages::<Value>(&query).next_page().await.ok();
            },
        ),
        case(
            "insight_data::AccountRecords::find",
            "GET /insightData/v3/account/{collectionName}/{recordId}",
            (collection(), record_key()),
            |client, (collection, key)| async move {
                client.insight_data().account_records(collection).find::<Value>(&key).await.ok();
            },
        ),
        case(
            "insight_data::AccountRecords::put",
            "PUT /insightData/v3/account/{collectionName}/{recordId}",
            (collection(), record_key(), content()),
            |client, (collection, key, content)| async move {
                client.insight_data().account_records(collection).put(&key, &content).await.ok();
            },
        ),
        case(
            "insight_data::AccountRecords::delete",
            "DELETE /insightData/v3/account/{collectionName}/{recordId}",
            (collection(), record_key()),
            |client, (collection, key)| async move {
                client.insight_data().account_records(collection).delete(&key).await.ok();
            },
        ),
        case(
            "insight_data::AccountRecords::delete_many",
            "DELETE /insightData/v3/accounts/{collectionName}/deleteRecords",
            (collection(), keys()),
            |client, (collection, keys)| async move {
                client.insight_data().account_records(collection).delete_many(&keys).await.ok();
            },
        ),
    ]
}

fn of_a_contact() -> Vec<Case> {
    vec![
        case(
            "insight_data::ContactRecords::pages",
            "GET /insightData/v3/contacts/{identifier}/{value}/{collectionName}",
            (identifier(), collection(), query()),
            |client, (contact, collection, query)| async move {
                let records = client.insight_data().contact_records(contact, collection);
                records.pages::<Value>(&query).next_page().await.ok();
            },
        ),
        case(
            "insight_data::ContactRecords::find",
            "GET /insightData/v3/contacts/{identifier}/{value}/{collectionName}/{recordId}",
            (identifier(), collection(), record_key()),
            |client, (contact, collection, key)| async move {
                let records = client.insight_data().contact_records(contact, collection);
                records.find::<Value>(&key).await.ok();
            },
        ),
        case(
            "insight_data::ContactRecords::put",
            "PUT /insightData/v3/contacts/{identifier}/{value}/{collectionName}/{recordId}",
            (identifier(), collection(), record_key(), content()),
            |client, (contact, collection, key, content)| async move {
                let records = client.insight_data().contact_records(contact, collection);
                records.put(&key, &content).await.ok();
            },
        ),
        case(
            "insight_data::ContactRecords::delete",
            "DELETE /insightData/v3/contacts/{identifier}/{value}/{collectionName}/{recordId}",
            (identifier(), collection(), record_key()),
            |client, (contact, collection, key)| async move {
                let records = client.insight_data().contact_records(contact, collection);
                records.delete(&key).await.ok();
            },
        ),
        case(
            "insight_data::ContactRecords::delete_many",
            "DELETE /insightData/v3/contacts/{identifier}/{value}/{collectionName}/deleteRecords",
            (identifier(), collection(), keys()),
            |client, (contact, collection, keys)| async move {
                let records = client.insight_data().contact_records(contact, collection);
                records.delete_many(&keys).await.ok();
            },
        ),
        case(
            "insight_data::ContactRecords::empty",
            "DELETE /insightData/v3/contacts/{identifier}/{value}/{collectionName}/empty",
            (identifier(), collection()),
            |client, (contact, collection)| async move {
                client.insight_data().contact_records(contact, collection).empty().await.ok();
            },
        ),
    ]
}

fn keys() -> impl Strategy<Value = RecordKeys> {
    vec(record_key(), 1..9).prop_map(|keys| RecordKeys::new(keys).unwrap())
}

fn query() -> impl Strategy<Value = RecordQuery> {
    (any::<u16>(), option::of(time())).prop_map(|(limit, since)| {
        since.into_iter().fold(RecordQuery::new().page_size(limit), RecordQuery::modified_since)
    })
}
