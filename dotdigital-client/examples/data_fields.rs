//! Data fields: make one, fill it from the text of a table, read it back.
//!
//! `cargo run -p dotdigital-client --features simulator --example data_fields`
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod support;

use dotdigital_client::{
    ErrorKind, Identifier,
    contacts::ContactUpdate,
    data_fields::{FieldName, FieldType, FieldValue, NewDataField},
};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> support::Outcome {
    let (client, _simulator) = support::simulated_client()?;
    let fields = client.data_fields();

    let points = NewDataField::new(FieldName::parse("POINTS")?, FieldType::Numeric);
    let points = points.default_value(FieldType::Numeric.parse("0")?);
    let created = fields.create(&points).await?;
    println!("created {} for {} values", created.name, created.kind);

    // Name and type stay for good.
    let error = fields.create(&points).await.err().ok_or("two fields of one name")?;
    assert_eq!(error.kind(), ErrorKind::Conflict);
    println!("a second one is refused: {error}");
    for field in fields.list().await? {
        println!("field {:<15} {}", field.name, field.kind);
    }

    // The field's type says how a text is to be read, and which texts it does not take.
    assert!(created.kind.parse("many").is_err());
    let jane = Identifier::email("jane@example.com")?;
    let update = ContactUpdate::new()
        .field(&created.name, created.kind.parse("1250.5")?)
        .field("FIRSTNAME", "Jane");
    client.contacts().upsert(&jane, &update).await?;

    // Leaving a field out keeps its value; clearing it takes an order.
    let update = ContactUpdate::new().field("FIRSTNAME", FieldValue::Clear);
    client.contacts().upsert(&jane, &update).await?;
    let jane = client.contacts().find(&jane).await?.ok_or("she is gone")?;
    let value = |name: &str| jane.data_fields.get(name).map(FieldValue::to_text);
    println!("jane has {} points", value("POINTS").unwrap_or_default());
    assert_eq!(value("POINTS").as_deref(), Some("1250.5"));
    assert_eq!(value("FIRSTNAME").unwrap_or_default(), "");
    Ok(())
}
