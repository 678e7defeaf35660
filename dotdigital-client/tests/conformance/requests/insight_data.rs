//! Requests about Insight data: collections, imports and jobs.

mod records;

use dotdigital_client::{
    InsightImportId, InsightJobId,
    insight_data::{
        CollectionName, CollectionScope, CollectionType, InsightImport, InsightImportLimits,
        RecordKey,
    },
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Map, Value};

use super::{
    Case, case,
    inputs::{guid, identifier, soon},
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        case(
            "insight_data::InsightData::collections",
            "GET /insightData/v3/collections",
            Just(()),
            |client, ()| async move {
                client.insight_data().collections().await.ok();
            },
        ),
        case(
            "insight_data::InsightData::account_collections",
            "GET /insightData/v3/account",
            Just(()),
            |client, ()| async move {
                client.insight_data().account_collections().await.ok();
            },
        ),
        case(
            "insight_data::InsightData::contact_collections",
            "GET /insightData/v3/contacts/{identifier}/{value}",
            identifier(),
            |client, contact| async move {
                client.insight_data().contact_collections(&contact).await.ok();
            },
        ),
        case(
            "insight_data::InsightData::create_collection",
            "POST /insightData/v3/collections/{collectionName}",
            (collection(), scope(), kind()),
            |client, (collection, scope, kind)| async move {
                client.insight_data().create_collection(&collection, scope, &kind).await.ok();
            },
        ),
        case(
            "insight_data::InsightData::schema",
            "GET /insightData/v3/collections/{collectionName}/schema",
            collection(),
            |client, collection| async move {
                client.insight_data().schema::<Value>(&collection).await.ok();
            },
        ),
        case(
            "insight_data::InsightData::delete_collection",
            "DELETE /insightData/v3/collections/{collectionName}",
            collection(),
            |client, collection| async move {
                client.insight_data().delete_collection(&collection).await.ok();
            },
        ),
        case(
            "insight_data::InsightData::empty_collection",
            "DELETE /insightData/v3/collections/{collectionName}/empty",
            collection(),
            |client, collection| async move {
                client.insight_data().empty_collection(&collection).await.ok();
            },
        ),
    ];
    cases.extend(imports_and_jobs());
    cases.extend(records::cases());
    cases
}

fn imports_and_jobs() -> Vec<Case> {
    let import_id = || guid().prop_map(|id| InsightImportId::new(id).unwrap());
    let job_id = || guid().prop_map(|id| InsightJobId::new(id).unwrap());
    vec![
        case(
            "insight_data::InsightData::submit",
            "PUT /insightData/v3/import",
            import(),
            |client, import| async move {
                client.insight_data().submit(&import).await.ok();
            },
        ),
        case(
            "insight_data::InsightData::status",
            "GET /insightData/v3/import/{importId}",
            import_id(),
            |client, import| async move {
                client.insight_data().status(&import).await.ok();
            },
        ),
        case(
            "insight_data::InsightData::wait",
            "GET /insightData/v3/import/{importId}",
            import_id(),
            |client, import| async move {
                client.insight_data().wait(&import, &soon()).await.ok();
            },
        ),
        case(
            "insight_data::InsightData::job",
            "GET /insightData/v3/async/{jobId}",
            job_id(),
            |client, job| async move {
                client.insight_data().job(&job).await.ok();
            },
        ),
        case(
            "insight_data::InsightData::wait_for_job",
            "GET /insightData/v3/async/{jobId}",
            job_id(),
            |client, job| async move {
                client.insight_data().wait_for_job(&job, &soon()).await.ok();
            },
        ),
    ]
}

fn collection() -> impl Strategy<Value = CollectionName> {
    "[-A-Za-z_][-A-Za-z0-9_]{1,254}".prop_map(|name| CollectionName::parse(&name).unwrap())
}

fn record_key() -> impl Strategy<Value = RecordKey> {
    let hostile = "(empty|EMPTY|deleteRecords|\\.|\\.\\.|/| |a){1,3}";
    prop_oneof![".{1,40}", hostile]
        .prop_filter_map("another call", |text| RecordKey::parse(&text).ok())
}

/// The content of a record.
fn content() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    vec((".{0,9}", value), 0..4)
        .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>()))
}

fn scope() -> impl Strategy<Value = CollectionScope> {
    prop_oneof![Just(CollectionScope::Account), Just(CollectionScope::Contact)]
}

fn kind() -> impl Strategy<Value = CollectionType> {
    prop::sample::select(vec![
        CollectionType::CartInsight,
        CollectionType::Catalog,
        CollectionType::ConsentInsight,
        CollectionType::Custom,
        CollectionType::EasyEditorExtensions,
        CollectionType::NostoEmailCampaigns,
        CollectionType::Orders,
        CollectionType::ProductCategories,
        CollectionType::WebInsight,
        CollectionType::WishList,
    ])
}

fn import() -> impl Strategy<Value = InsightImport> {
    let record = (identifier(), record_key(), content());
    (collection(), kind(), scope(), vec(record, 1..4)).prop_map(
        |(collection, kind, scope, records)| {
            let limits = InsightImportLimits::default();
            let mut import = match scope {
                CollectionScope::Account => InsightImport::new(&collection, &kind, limits),
                CollectionScope::Contact => InsightImport::of_contacts(&collection, &kind, limits),
            };
            for (contact, key, content) in records {
                let pushed = match scope {
                    CollectionScope::Account => import.push(&key, &content),
                    CollectionScope::Contact => import.push_for(&contact, &key, &content),
                };
                pushed.map(|_| ()).unwrap();
            }
            import
        },
    )
}
