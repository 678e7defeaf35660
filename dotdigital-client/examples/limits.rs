//! Many callers, one account: how much of its call limit they use, and how often they are refused.
//!
//! `cargo run --release -p dotdigital-client --features simulator --example limits`
//!
//! Each row is 20 simulated minutes in which all callers call as fast as they may, over a network on
//! which an answer takes a fifth of a second.
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod support;

use std::time::Duration;

use async_trait::async_trait;
use dotdigital_client::{
    HttpRequest, HttpResponse, ListId, Transport, TransportError,
    simulator::{RateLimits, SimulatorSettings, SimulatorTransport, TierLimits},
};
use tokio::task::JoinSet;

const MINUTES: u32 = 20;

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> support::Outcome {
    println!("calls a minute | callers | used of what is allowed | refused (429)");
    for (limit, callers) in
        [(1, 1), (1, 64), (10, 8), (35, 1), (35, 64), (150, 64), (500, 64), (1000, 64)]
    {
        let (used, refused) = press(limit, callers).await?;
        let allowed = u64::from(limit) * u64::from(MINUTES);
        let share = used as f64 * 100.0 / allowed as f64;
        println!(
            "{limit:>14} | {callers:>7} | {used:>6} of {allowed:>5} {share:>8.1} % | {refused}"
        );
        assert_eq!(refused, 0, "the limit was exceeded");
        assert!(share >= 98.0, "the limit was not used up");
    }
    Ok(())
}

/// A network that takes its time.
#[derive(Debug)]
struct Network(SimulatorTransport);

#[async_trait]
impl Transport for Network {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let answer = self.0.send(request).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        answer
    }
}

/// Calls taken and calls refused while `callers` call as fast as they may.
async fn press(limit: u32, callers: u32) -> Result<(u64, u64), Box<dyn std::error::Error>> {
    let limits = RateLimits::Tiered(TierLimits { low: limit, medium: limit, high: limit });
    let settings = SimulatorSettings { limits, ..SimulatorSettings::default() };
    let (client, simulator) = support::client_through(settings, Network)?;
    let test_list = ListId::new(1)?;
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let client = client.clone();
        tasks.spawn(async move { while client.lists().find(test_list).await.is_ok() {} });
    }
    tokio::time::sleep(Duration::from_secs(60) * MINUTES - Duration::from_millis(1)).await;
    let ledger = simulator.ledger();
    let refused = ledger.iter().filter(|entry| entry.status == Some(429)).count();
    Ok(((ledger.len() - refused) as u64, refused as u64))
}
