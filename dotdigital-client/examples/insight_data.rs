//! Insight data: import orders of contacts, see what was refused, read what changed.
//!
//! `cargo run -p dotdigital-client --features simulator --example insight_data`
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod support;

use dotdigital_client::{
    Identifier,
    imports::PollPolicy,
    insight_data::{
        CollectionName, CollectionScope, CollectionType, ImportFailureReason, InsightImport,
        InsightImportLimits, RecordKey, RecordQuery,
    },
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Order {
    total: f64,
    items: Vec<String>,
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> support::Outcome {
    let (client, simulator) = support::simulated_client()?;
    simulator.add_contact("jane@example.com");
    let insight = client.insight_data();
    let orders = CollectionName::parse("Orders")?;

    // The import creates the collection. It creates no contacts.
    let limits = InsightImportLimits::default();
    let mut import = InsightImport::of_contacts(&orders, &CollectionType::Orders, limits);
    let (jane, stranger) =
        (Identifier::email("jane@example.com")?, Identifier::email("x@example.com")?);
    for (contact, key, total) in
        [(&jane, "24938", 56.0), (&jane, "24939", 7.5), (&stranger, "1", 9.0)]
    {
        let order = Order { total, items: vec!["Hat".to_owned()] };
        let pushed = import.push_for(contact, &RecordKey::parse(key)?, &order)?;
        println!("order {key}: {pushed:?}");
    }
    let job = insight.submit(&import).await?;
    let report = insight.wait(&job, &PollPolicy::default()).await?;
    println!("import ended as {:?}: {:?}", report.state, report.summary);
    for refused in &report.failures {
        assert_eq!(refused.reason, ImportFailureReason::ContactEmailDoesNotExist);
        println!("order {} was refused: {}", refused.key, refused.reason);
    }

    // A single record is written at once.
    let of_jane = insight.contact_records(jane, orders.clone());
    let order = Order { total: 5.0, items: Vec::new() };
    let is_new = of_jane.put(&RecordKey::parse("24939")?, &order).await?;
    assert!(!is_new);

    let since = "2026-01-01T00:00:00Z".parse()?;
    let mut pages = of_jane.pages::<Order>(&RecordQuery::new().modified_since(since));
    while let Some(page) = pages.next_page().await? {
        for order in page {
            println!(
                "order {} of {} items: {}",
                order.key,
                order.json.items.len(),
                order.json.total
            );
        }
    }

    // Records that belong to nobody in particular, such as a catalogue.
    let catalogue = CollectionName::parse("catalog_main")?;
    let (scope, kind) = (CollectionScope::Account, CollectionType::Catalog);
    insight.create_collection(&catalogue, scope, &kind).await?;
    let products = insight.account_records(catalogue);
    products.put(&RecordKey::parse("hat-1")?, &serde_json::json!({"name": "Hat"})).await?;
    for collection in insight.collections().await? {
        println!("{} holds {} records", collection.name, collection.record_count);
    }
    Ok(())
}
