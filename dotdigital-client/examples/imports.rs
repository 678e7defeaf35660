//! Bulk imports: one by hand, and 12,000 contacts with what became of each.
//!
//! `cargo run -p dotdigital-client --features simulator --example imports`
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod support;

use std::collections::BTreeMap;

use dotdigital_client::{
    Client, Identifier, InvalidIdentifier, ListId,
    contacts::ContactUpdate,
    imports::{
        ContactOutcome, ImportBody, ImportContact, ImportLimits, ImportRunError, ImportRunSettings,
        ImportStatus, MergeOption, PollPolicy, Pushed,
    },
    lists::{ListName, NewList, Visibility},
};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> support::Outcome {
    let (client, simulator) = support::simulated_client()?;
    let list = NewList { name: ListName::parse("Customers")?, visibility: Visibility::Private };
    let list = client.lists().create(&list).await?.id;

    by_hand(&client, list).await?;

    // Two people the service refuses, for reasons that no address shows.
    simulator.globally_suppress("customer17@example.com");
    simulator.block_address("customer4711@example.com");
    any_number(&client, list).await?;
    assert_eq!(simulator.members(list.get()).len(), 1 + 11_998);
    Ok(())
}

/// One import, whose body, id and report are kept in hand.
async fn by_hand(client: &Client, list: ListId) -> support::Outcome {
    let mut body = ImportBody::new(MergeOption::Overwrite, ImportLimits::default());
    let update = ContactUpdate::new().field("FIRSTNAME", "Jane").list(list);
    let jane = ImportContact::with(Identifier::email("jane@example.com")?, update);
    assert_eq!(body.push(&jane)?, Pushed::Added);
    let import = client.imports().submit(&body).await?;
    let progress = |status: &ImportStatus| println!("import {import}: {}", status.state);
    let report = client.imports().wait_with(&import, &PollPolicy::default(), progress).await?;
    assert_eq!(report.created.len(), 1);
    Ok(())
}

/// As many imports as the contacts need, a few of them at a time.
async fn any_number(client: &Client, list: ListId) -> support::Outcome {
    let addresses = (1..=12_000).map(|number| format!("customer{number}@example.com"));
    // The last one is there twice; in another case it is still the same person.
    let addresses = addresses.chain(["Customer12000@example.com".to_owned()]);
    let contacts = addresses
        .map(|address| Identifier::email(&address))
        .map(|identifier| identifier.map(|it| ImportContact::new(it).list(list)))
        .collect::<Result<Vec<_>, InvalidIdentifier>>()?;

    let (mut stored, mut refused) = (0, BTreeMap::new());
    let mut run = client.imports().run(contacts, ImportRunSettings::default());
    while let Some(ended) = run.next().await {
        match ended {
            Ok(batch) => {
                let count = batch.outcomes.len();
                println!("import {}: {}, {count} contacts", batch.import, batch.state);
                for outcome in &batch.outcomes {
                    match &outcome.outcome {
                        ContactOutcome::Stored { .. } => stored += 1,
                        ContactOutcome::Failed { failures, .. } => {
                            for failure in failures {
                                *refused.entry(failure.code.to_string()).or_insert(0) += 1;
                            }
                        }
                        unclear => return Err(format!("not reported: {unclear:?}").into()),
                    }
                }
            }
            // One contact that was never handed in. All other errors are about a whole import.
            Err(ImportRunError::Refused { reason, .. }) => {
                *refused.entry(reason.to_string()).or_insert(0) += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
    println!("{stored:>6} stored");
    for (reason, count) in &refused {
        println!("{count:>6} refused: {reason}");
    }
    assert_eq!(stored, 11_998);
    assert_eq!(refused.values().sum::<u32>(), 3);
    Ok(())
}
