//! Programs: enrol contacts, and learn who was not taken and why.
//!
//! `cargo run -p dotdigital-client --features simulator --example programs`
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod support;

use dotdigital_client::{
    ContactId,
    imports::PollPolicy,
    programs::{Enrolees, EnrolmentFilter, EnrolmentStatus, ProgramStatus},
    simulator::ProgramState,
};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> support::Outcome {
    let (client, simulator) = support::simulated_client()?;
    simulator.add_program("Old welcome", ProgramState::Deactivated);
    simulator.add_program("Welcome", ProgramState::Active);
    let jane = ContactId::new(simulator.add_contact("jane@example.com"))?;
    let john = ContactId::new(simulator.add_contact("john@example.com"))?;
    simulator.suppress_contact(john.get());

    let programs = client.programs().pages().all().await?;
    for program in &programs {
        println!("program {} {:<12} {}", program.id, program.status.as_str(), program.name);
    }
    // Only an active one takes people in.
    let welcome = programs.iter().find(|program| program.status == ProgramStatus::Active);
    let welcome = welcome.ok_or("no program is active")?.id;

    // Whoever is enrolled is written to: mind whom you enrol, and how often. The service takes 20
    // such calls an hour, so many people go in as the members of a list.
    let who = Enrolees::contacts([jane, john])?;
    let enrolment = client.programs().enrol(welcome, &who).await?;
    println!("enrolment {}: {}", enrolment.id, enrolment.status);
    let ended = client.programs().wait(&enrolment.id, &PollPolicy::default()).await?;
    assert_eq!(ended.status, EnrolmentStatus::Finished);

    let faults = client.programs().enrolment_faults(&enrolment.id).await?;
    for fault in &faults {
        let address = fault.email.as_deref().unwrap_or("somebody");
        println!("{address} was not enrolled: {}", fault.reason);
    }
    assert!(faults.iter().map(|fault| fault.contact_id).eq([Some(john)]));
    assert_eq!(simulator.enrolments(welcome.get()), [(jane.get(), 1)]);

    let ended = client.programs().enrolments(EnrolmentFilter::Finished).all().await?;
    assert_eq!(ended.len(), 1);
    Ok(())
}
