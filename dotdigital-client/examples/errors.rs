//! What can go wrong, and what to do then: a lost answer, a limit, a conflict, refused contacts.
//!
//! `cargo run -p dotdigital-client --features simulator --example errors`
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod support;

use std::time::Duration;

use dotdigital_client::{
    Client, EmailAddress, Error, ErrorKind, Identifier,
    contacts::ContactUpdate,
    imports::{ContactOutcome, FailureCode, FailureDetail, ImportContact, ImportRunSettings},
    lists::{ContactList, ListName, NewList, Visibility},
    simulator::{Fault, FaultRule, RateLimits, Simulator, SimulatorSettings, TierLimits},
};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> support::Outcome {
    // Four updates a minute, and a client that waits half a minute for its turn and no longer.
    let limits = RateLimits::Tiered(TierLimits { low: 35, medium: 4, high: 150 });
    let settings = SimulatorSettings { limits, ..SimulatorSettings::default() };
    let (builder, simulator) = support::builder_through(settings, |transport| transport)?;
    let client = builder.deadline(Duration::from_secs(30)).build()?;

    lost_answer(&client, &simulator).await?;
    limit(&client).await?;
    conflict(&client).await?;
    refused_contacts(&client, &simulator).await
}

/// The service created the list, and its answer got lost. Creating is never repeated blindly.
async fn lost_answer(client: &Client, simulator: &Simulator) -> support::Outcome {
    let fault = FaultRule::new(Fault::ResetAfterActing);
    simulator.inject(fault.on("POST /v2/address-books"));
    let vip = NewList { name: ListName::parse("VIP")?, visibility: Visibility::Private };
    let list = create_or_find(client, &vip).await?;
    assert_eq!(simulator.list_named("VIP").map(|it| it.id), Some(list.id.get()));
    println!("list {} was created all the same", list.id);
    Ok(())
}

async fn create_or_find(client: &Client, list: &NewList) -> Result<ContactList, Error> {
    match client.lists().create(list).await {
        Err(error) if error.may_have_acted() => {
            println!("no answer: {error}");
            match client.lists().find_by_name(list.name.as_str()).await? {
                Some(created) => Ok(created),
                None => client.lists().create(list).await,
            }
        }
        answered => answered,
    }
}

/// The client waits for its turn by itself. Only when that takes too long it says until when.
async fn limit(client: &Client) -> support::Outcome {
    let jane = Identifier::email("jane@example.com")?;
    let mut throttled = 0;
    for number in 0..5 {
        let update = ContactUpdate::new().field("POSTCODE", number.to_string());
        while let Err(error) = client.contacts().upsert(&jane, &update).await {
            let ErrorKind::Throttled { .. } = error.kind() else { return Err(error.into()) };
            assert!(error.is_temporary() && !error.may_have_acted());
            println!("come back later: {error}");
            throttled += 1;
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
    }
    assert_eq!(throttled, 1);
    Ok(())
}

/// Trying again does not help: somebody has to decide which of two contacts is meant.
async fn conflict(client: &Client) -> support::Outcome {
    let jane = EmailAddress::parse("jane@example.com")?;
    let john = Identifier::email("john@example.com")?;
    let update = ContactUpdate::new().email(jane);
    client.contacts().upsert(&john, &ContactUpdate::new()).await?;
    let error = client.contacts().upsert(&john, &update).await.err().ok_or("no conflict")?;
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(!error.is_temporary());
    println!("for a person to decide: {error}");
    Ok(())
}

/// An import ends well although some of its contacts were refused. Some of those may go in again
/// some day; others never should.
async fn refused_contacts(client: &Client, simulator: &Simulator) -> support::Outcome {
    simulator.globally_suppress("jack@example.com");
    let contacts = ["jill@example.com", "jack@example.com", "jim@example.invalid"];
    let contacts = contacts.map(|address| Identifier::email(address).map(ImportContact::new));
    let contacts = contacts.into_iter().collect::<Result<Vec<_>, _>>()?;
    let (mut held, mut faulty) = (Vec::new(), Vec::new());
    let mut run = client.imports().run(contacts, ImportRunSettings::default());
    while let Some(result) = run.next().await {
        for contact in result?.outcomes {
            match contact.outcome {
                ContactOutcome::Failed { failures, .. } if declines(&failures) => {
                    held.push(contact.contact);
                }
                ContactOutcome::Failed { .. } => faulty.push(contact.contact),
                _ => {}
            }
        }
    }
    println!("{} to leave alone, {} to correct", held.len(), faulty.len());
    assert_eq!(held, [Identifier::email("jack@example.com")?]);
    assert_eq!(faulty, [Identifier::email("jim@example.invalid")?]);
    Ok(())
}

/// Whether the contact must not be written to: nothing to correct, and never to be tried again.
fn declines(failures: &[FailureDetail]) -> bool {
    use FailureCode::{Blocker, GloballySuppressed, SuppressedByDomain};
    failures.iter().any(|it| matches!(it.code, Blocker | GloballySuppressed | SuppressedByDomain))
}
