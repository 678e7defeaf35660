//! Single contacts: create or update, find by any identifier, change an address, page.
//!
//! `cargo run -p dotdigital-client --features simulator --example contacts`
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod support;

use dotdigital_client::{
    EmailAddress, ErrorKind, Identifier, MobileNumber,
    contacts::{ContactQuery, ContactUpdate},
    imports::MergeOption,
};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> support::Outcome {
    let (client, _simulator) = support::simulated_client()?;
    let contacts = client.contacts();

    // An upsert is the call to use for one person: it creates or updates, and may be repeated.
    let jane = Identifier::email("jane@example.com")?;
    assert!(contacts.find(&jane).await?.is_none());
    let phone = MobileNumber::parse("+44 7700 900123")?;
    let update = ContactUpdate::new().field("FIRSTNAME", "Jane").mobile_number(phone.clone());
    let upserted = contacts.upsert(&jane, &update).await?;
    assert!(upserted.created);
    let id = upserted.contact.contact_id;
    println!("jane is contact {id}");

    // What the account knows already can be left alone.
    let guess = ContactUpdate::new().field("FIRSTNAME", "J.").field("LASTNAME", "Doe");
    let upserted = contacts.upsert_merging(&jane, &guess, MergeOption::OverwriteIfEmpty).await?;
    assert!(!upserted.created && upserted.contact.contact_id == id);

    // Her new address takes the place of the old one; everything else stays.
    let address = EmailAddress::parse("jane.doe@example.com")?;
    contacts.upsert(&jane, &ContactUpdate::new().email(address)).await?;
    assert!(contacts.find(&jane).await?.is_none());
    let phone = Identifier::MobileNumber(phone);
    let found = contacts.find(&phone).await?.ok_or("she has no such number")?;
    assert_eq!(found.contact_id, id);
    println!("and has a new address: {}", found.identifiers.email.as_deref().unwrap_or("none"));

    // An identifier belongs to one contact only.
    let taken = ContactUpdate::new().email(EmailAddress::parse("jane.doe@example.com")?);
    let error = contacts.create(&taken).await.err().ok_or("two contacts of one address")?;
    assert_eq!(error.kind(), ErrorKind::Conflict);
    println!("nobody else can have it: {error}");

    contacts.upsert(&Identifier::email("john@example.com")?, &ContactUpdate::new()).await?;
    // A page shows ids and identifiers, and of the rest what is asked for.
    let query = ContactQuery::new().field("FIRSTNAME").field("LASTNAME").page_size(1);
    let mut pages = contacts.pages(&query);
    let mut seen = 0;
    while let Some(page) = pages.next_page().await? {
        for contact in page {
            let address = contact.identifiers.email.as_deref().unwrap_or("-");
            println!(
                "contact {} {address}, {} data fields",
                contact.contact_id,
                contact.data_fields.len()
            );
            seen += 1;
        }
    }
    assert_eq!(seen, 2);
    Ok(())
}
