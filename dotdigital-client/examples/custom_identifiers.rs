//! Custom identifiers: contacts known by the number another system gives them.
//!
//! `cargo run -p dotdigital-client --features simulator --example custom_identifiers`
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod support;

use dotdigital_client::{CustomName, EmailAddress, ErrorKind, Identifier, contacts::ContactUpdate};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> support::Outcome {
    let (client, _simulator) = support::simulated_client()?;
    let name = CustomName::parse("customerNumber")?;
    let created = client.custom_identifiers().create(&name).await?;
    println!("contacts can be known by their {}", created.name);
    let error = client.custom_identifiers().create(&name).await.err().ok_or("created twice")?;
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(client.custom_identifiers().list().await?.len(), 1);

    // The shop knows customer 4711, and her address of today.
    let customer = Identifier::custom(name.as_str(), "4711")?;
    let update = ContactUpdate::new().email(EmailAddress::parse("jane@example.com")?);
    let first = client.contacts().upsert(&customer, &update).await?;
    assert!(first.created);

    // Tomorrow she has another one. The number stays, so it is still one contact.
    let update = ContactUpdate::new().email(EmailAddress::parse("jane.doe@example.com")?);
    let second = client.contacts().upsert(&customer, &update).await?;
    assert!(!second.created);
    assert_eq!(first.contact.contact_id, second.contact.contact_id);

    let found = client.contacts().find(&customer).await?.ok_or("she is gone")?;
    let address = found.identifiers.email.as_deref().unwrap_or("no address");
    println!("customer 4711 is contact {} with {address}", found.contact_id);
    assert_eq!(address, "jane.doe@example.com");
    Ok(())
}
