//! Changing whether people may be written to. Without the feature, these calls do not exist.
//!
//! `cargo run -p dotdigital-client --features simulator,consent-changes --example consent_changes`
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod support;

use dotdigital_client::{
    EmailAddress,
    contacts::IdOrEmail,
    suppressions::{Challenge, ResubscribeOutcome, ReturningContact},
};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> support::Outcome {
    let (client, simulator) = support::simulated_client()?;
    let suppressions = client.suppressions();
    let jane = EmailAddress::parse("jane@example.com")?;
    let john = EmailAddress::parse("john@example.com")?;
    simulator.add_contact(jane.as_str());
    simulator.add_contact(john.as_str());

    // Jane asked to hear no more: she leaves the whole account, not just a list.
    suppressions.unsubscribe(&jane).await?;
    // A court says that John must not be written to; of the third address nothing is known.
    let stranger = EmailAddress::parse("stranger@example.com")?;
    let done = suppressions.suppress(&[john.into(), IdOrEmail::from(stranger)]).await?;
    println!("{} silenced, {} unknown", done.suppressed.len(), done.not_found.len());
    assert_eq!((done.suppressed.len(), done.not_found.len()), (1, 1));

    let since = "2026-01-01T00:00:00Z".parse()?;
    assert_eq!(suppressions.suppressed_since(since).all().await?.len(), 2);
    assert_eq!(suppressions.unsubscribed_since(since).all().await?.len(), 1);

    // May we write to Jane again? She is asked by mail, and it is up to her.
    let returning = ReturningContact::new(jane.clone());
    let asked = suppressions.resubscribe(&returning, &Challenge::new()).await?;
    println!("jane was asked to come back: {}", asked.outcome);
    assert_eq!(asked.outcome, ResubscribeOutcome::ContactChallenged);

    // Or she subscribes on a form of ours: then we hold her consent, and nobody has to ask. Whether
    // she is back stands in the outcome: the service may keep her suppressed and still say 200.
    let back = suppressions.resubscribe_with_no_challenge(&returning).await?;
    println!("jane subscribed on our own form: {}", back.outcome);
    assert_eq!(back.outcome, ResubscribeOutcome::ContactAdded);
    assert!(suppressions.unsubscribed_since(since).all().await?.is_empty());
    Ok(())
}
