//! A day of scheduled activations at two accounts, on simulated services and in a moment:
//! schedules, a trigger, an account that is out of reach, and a stop in the middle of a run.
//!
//! ```text
//! cargo run --release --example scheduled_runner
//! ```

use std::{error::Error, io::Write, sync::Arc, time::Duration};

use activation_core::{
    Activation, ActivationKey, Clock, DuplicateActivation, Engine, FingerprintKey, MemoryStore,
    Runner, Schedule, ScheduledActivation, SegmentSource, dotdigital::Dotdigital,
    sources::MemorySource,
};
use chrono::{DateTime, Utc};
use dotdigital_client::{
    Client, Clock as _, Credentials,
    simulator::{Fault, FaultRule, JobLatency, Simulator, SimulatorSettings, VirtualClock},
};

const MINUTE: Duration = Duration::from_secs(60);

/// A host brings its own time where it wants to; this one makes hours pass in a moment.
#[derive(Clone, Copy, Debug)]
struct Time(VirtualClock);

#[async_trait::async_trait]
impl Clock for Time {
    fn now(&self) -> DateTime<Utc> {
        self.0.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration).await;
    }
}

/// One account: its service, and the way to it.
struct Account {
    name: &'static str,
    service: Simulator,
    client: Client,
}

impl Account {
    fn open(name: &'static str, time: Time) -> Result<Self, Box<dyn Error>> {
        let latency = JobLatency { base: 5 * MINUTE, per_member: Duration::ZERO };
        let settings = SimulatorSettings { latency, ..SimulatorSettings::default() };
        let credentials = Credentials::new(&settings.user, &settings.password);
        let service = Simulator::new(settings);
        let client = Client::builder()
            .credentials(credentials)
            .endpoint("http://127.0.0.1:1")
            .transport(Arc::new(service.transport(Arc::new(time.0))))
            .clock(Arc::new(time.0))
            .build()?;
        Ok(Self { name, service, client })
    }

    /// An activation of `segment`, each with a handle of its own on the account.
    fn activation(
        &self,
        segment: &str,
        source: Arc<dyn SegmentSource>,
        schedule: Schedule,
    ) -> ScheduledActivation {
        let destination = Arc::new(Dotdigital::new(&self.client));
        ScheduledActivation::new(Activation::new(segment), source, self.name, destination)
            .schedule(schedule)
    }
}

/// A runner that prints a line for each run.
fn runner(
    engine: &Engine,
    activations: &[ScheduledActivation],
) -> Result<Runner, DuplicateActivation> {
    Ok(Runner::new(engine.clone(), activations.to_vec())?.on_report(|report, next| {
        let next =
            next.map_or("when triggered".to_owned(), |next| next.format("%H:%M").to_string());
        let began = report.started_at.format("%H:%M");
        say(&format!(
            "{began}  {}: {}, {} added, {} removed; next {next}",
            report.segment, report.status, report.added, report.removed
        ));
    }))
}

fn say(line: &str) {
    // If nobody listens, the runs matter all the same.
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn people(count: usize) -> Arc<MemorySource> {
    Arc::new(MemorySource::new((0..count).map(|number| format!("person{number}@example.com"))))
}

async fn day() -> Result<(), Box<dyn Error>> {
    let time = Time(VirtualClock::starting_at("2027-03-27T04:00:00Z".parse()?));
    let (europe, america) = (Account::open("Europe", time)?, Account::open("America", time)?);
    let vip = people(500);
    let activations = [
        // On the night to the 28th, clocks in Berlin are put forward.
        europe.activation("vip", vip.clone(), Schedule::cron("30 6 * * *", "Europe/Berlin")?),
        europe.activation("newsletter", people(2_000), Schedule::manual()),
        america.activation(
            "basket",
            people(40),
            Schedule::every(240 * MINUTE)?.jitter(10 * MINUTE),
        ),
    ];
    let engine =
        Engine::new(Arc::new(MemoryStore::new(FingerprintKey::new([7; 16])))).clock(Arc::new(time));

    say("-- two accounts, one runner (times are UTC)");
    let first = runner(&engine, &activations)?;
    let handle = first.handle();
    let running = tokio::spawn(first.run());
    time.sleep(240 * MINUTE).await;

    say("-- America is out of reach for a while; three triggers for the newsletter make one run");
    america.service.inject(FaultRule::new(Fault::ConnectionRefused).times(u64::MAX));
    for _ in 0..3 {
        handle.trigger(&ActivationKey::new("newsletter"))?;
    }
    time.sleep(30 * MINUTE).await;
    america.service.clear_faults();
    time.sleep(40 * MINUTE).await;

    say("-- a day later: 20 people left, and the runner is stopped in the middle of the run");
    vip.set((20..500).map(|number| format!("person{number}@example.com")));
    time.sleep(1_161 * MINUTE).await;
    handle.stop(Duration::from_secs(30));
    let unfinished = running.await?;
    for activation in &unfinished {
        say(&format!("-- {activation} is not finished; another runner goes on"));
    }
    let second = runner(&engine, &activations)?;
    let handle = second.handle();
    let running = tokio::spawn(second.run());
    for activation in &unfinished {
        handle.trigger(activation)?;
    }
    time.sleep(30 * MINUTE).await;
    handle.stop(Duration::from_secs(30));
    running.await?;

    for account in [&europe, &america] {
        let lists = account.service.lists().into_iter().filter(|list| list.name != "Test");
        for list in lists {
            let members = account.service.members(list.id).len();
            say(&format!("{}: {members} people are on the list \"{}\"", account.name, list.name));
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    // Paused time jumps to the next thing that anybody waits for.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(day())
}
