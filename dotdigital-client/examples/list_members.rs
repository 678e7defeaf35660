//! The members of a list: put on, read, take off. Nobody leaves the account by it.
//!
//! `cargo run -p dotdigital-client --features simulator --example list_members`
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod support;

use dotdigital_client::{
    Identifier,
    contacts::ContactUpdate,
    list_members::{PollPolicy, Removal},
    lists::{ListName, NewList, Visibility},
};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> support::Outcome {
    let (client, simulator) = support::simulated_client()?;
    let list = NewList { name: ListName::parse("VIP")?, visibility: Visibility::Private };
    let list = client.lists().create(&list).await?.id;
    let members = client.list_members(list);

    // A few contacts one by one; thousands go in with an import.
    for number in 1..=5 {
        let contact = Identifier::email(&format!("customer{number}@example.com"))?;
        client.contacts().upsert(&contact, &ContactUpdate::new().list(list)).await?;
    }
    let before = members.pages(1000).all().await?;
    println!("{} members", before.len());
    assert_eq!(before.len(), 5);

    // One of them goes. Keep contact ids: this is what they are for.
    let mut ids = before.iter().map(|contact| contact.contact_id);
    let first = ids.next().ok_or("the list is empty")?;
    assert_eq!(members.remove(first).await?, Removal::Removed);
    println!("contact {first} is off the list");

    // Then three at once. Any number would do: each batch is a job that is waited for.
    let mut removals = members.remove_in_batches(ids.take(3), PollPolicy::default());
    while let Some(batch) = removals.next_batch().await {
        println!("a batch of {}: {}", batch.contacts.as_slice().len(), batch.outcome?);
    }

    let mut pages = members.pages(1000);
    let mut left = 0;
    while let Some(page) = pages.next_page().await? {
        left += page.len();
    }
    println!("{left} member is left, {} contacts in the account", simulator.contact_count());
    assert_eq!((left, simulator.contact_count()), (1, 5));
    Ok(())
}
