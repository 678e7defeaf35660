//! Who must not be written to: the daily question of every system that mails the same people.
//!
//! `cargo run -p dotdigital-client --features simulator --example suppressions`
//!
//! Reading is all it does. The example `consent_changes` shows the calls that change it.
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod support;

use dotdigital_client::EmailAddress;

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> support::Outcome {
    let (client, simulator) = support::simulated_client()?;
    let suppressions = client.suppressions();
    let jane = simulator.add_contact("jane@example.com");
    simulator.add_contact("john@example.com");
    simulator.suppress_contact(jane);

    // Remember when you asked, and ask for what came since. An hour more than needed does no harm.
    let since = "2020-01-01T00:00:00Z".parse()?;
    let mut pages = suppressions.suppressed_since(since);
    let mut silenced = Vec::new();
    while let Some(page) = pages.next_page().await? {
        for suppressed in page {
            let reason = suppressed.reason.as_ref().map_or("not told", |reason| reason.as_str());
            let address = suppressed.contact.email.unwrap_or_default();
            println!("never write to {address}: {reason}");
            silenced.push(address);
        }
    }
    assert_eq!(silenced, ["jane@example.com"]);

    // She did not leave by herself.
    let left = suppressions.unsubscribed_since(since).all().await?;
    println!("{} contacts unsubscribed", left.len());
    assert!(left.is_empty());

    // One person: is she known at all, and may she be written to?
    for address in ["jane@example.com", "john@example.com", "nobody@example.com"] {
        let found = suppressions.subscriptions_of(&EmailAddress::parse(address)?).await?;
        let status = found.as_ref().and_then(|it| it.contact.status.as_ref());
        println!("{address}: {}", status.map_or("no contact", |status| status.as_str()));
        assert_eq!(found.is_some(), address != "nobody@example.com");
    }
    Ok(())
}
