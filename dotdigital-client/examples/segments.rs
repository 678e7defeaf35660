//! Segments: have one computed anew, and read who is in it.
//!
//! `cargo run -p dotdigital-client --features simulator --example segments`
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod support;

use dotdigital_client::{contacts::ContactQuery, imports::PollPolicy, segments::RefreshStatus};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> support::Outcome {
    let (client, simulator) = support::simulated_client()?;
    let id = simulator.add_segment("Lives in London");
    for address in ["jane@example.com", "john@example.com"] {
        simulator.add_segment_member(id, simulator.add_contact(address));
    }
    simulator.add_contact("jack@example.com");

    let segments = client.segments().list().await?;
    let london = segments.iter().find(|segment| segment.name == "Lives in London");
    let london = london.ok_or("there is no such segment")?;
    println!("segment {} \"{}\"", london.id, london.name);

    // Who is in a segment is as old as its last computing.
    let begun = client.segments().refresh(london.id).await?;
    println!("computing it anew: {begun}");
    let ended = client.segments().wait(london.id, &PollPolicy::default()).await?;
    println!("and then: {ended}");
    assert_eq!(ended, RefreshStatus::Finished);

    let query = ContactQuery::new().in_segment(london.id).field("POSTCODE");
    let members = client.contacts().pages(&query).all().await?;
    for member in &members {
        println!(
            "contact {} {}",
            member.contact_id,
            member.identifiers.email.as_deref().unwrap_or("-")
        );
    }
    assert_eq!(members.len(), 2);
    Ok(())
}
