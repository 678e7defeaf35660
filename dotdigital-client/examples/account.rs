//! The account: which one the credentials belong to, and where it lives.
//!
//! `cargo run -p dotdigital-client --features simulator --example account`
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod support;

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> support::Outcome {
    let (client, _simulator) = support::simulated_client()?;
    let account = client.account().info().await?;
    println!(
        "account {} lives at {}",
        account.id,
        account.endpoint().unwrap_or("an unknown place")
    );
    for name in ["Name", "TimeZoneIana", "ApiCallsRemaining"] {
        println!("{name}: {}", account.property(name).unwrap_or("not told"));
    }
    Ok(())
}
