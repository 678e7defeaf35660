//! Calls that the crate has no method for, with the same limits, retries and errors.
//!
//! `cargo run -p dotdigital-client --features simulator --example raw`
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod support;

use dotdigital_client::{ErrorKind, RawCall, Tier, simulator::Visibility};
use serde::Deserialize;

/// As much of the answer as is wanted.
#[derive(Deserialize)]
struct Member {
    id: i64,
    email: String,
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> support::Outcome {
    let (client, simulator) = support::simulated_client()?;
    let list = simulator.add_list("VIP", Visibility::Private);
    let jane = simulator.add_contact("jane@example.com");
    simulator.add_member(list, jane);

    // This one has a method by now; it stands for any of the calls that have none. Values go in
    // through arguments: they are encoded, and appear in no log.
    let call = RawCall::new("GET /v2/address-books/{id}/contacts")
        .arg(list)
        .query("select", 10)
        .tier(Tier::Low);
    let members: Vec<Member> = client.raw().json(&call).await?;
    for member in &members {
        println!("contact {} {}", member.id, member.email);
    }
    assert_eq!(members.len(), 1);

    // An empty argument never leaves the machine: without its last part, the path of this call is
    // that of one which empties the list.
    let call = RawCall::new("DELETE /v2/address-books/{id}/contacts/{contact}").arg(list).arg("");
    let error = client.raw().send(&call).await.err().ok_or("an empty argument was sent")?;
    assert_eq!(error.kind(), ErrorKind::Rejected);
    println!("refused: {error}");

    // What the typed calls need a feature for, raw ones need it for too.
    let call = RawCall::new("DELETE /v2/contacts/{id}").arg(jane);
    if cfg!(not(feature = "account-deletion")) {
        let error = client.raw().send(&call).await.err().ok_or("a contact was deleted")?;
        assert_eq!(error.kind(), ErrorKind::Rejected);
        println!("refused: {error}");
    }
    assert!(simulator.forbidden_calls().is_empty());
    assert_eq!(simulator.members(list).len(), 1);
    Ok(())
}
