//! Measures whole runs in one process, and prints one line of JSON for each measurement.
//!
//! ```text
//! runs thin first|changed|unchanged MEMBERS STATE    a run on an account that keeps next to nothing
//! runs keyed first|changed|unchanged MEMBERS STATE   the same with a warehouse key in each row
//! runs simulator MEMBERS STATE                       all three runs in turn on the simulator
//! runs calls MEMBERS PER_MINUTE                      a first run and a change under a limit, ours
//!                                                    and contact by contact, on the simulator
//! runs reading MEMBERS                               what reading the segment costs by itself
//! ```
//!
//! STATE is a directory for the embedded store. `changed` goes on from what `first` left there, and
//! `unchanged` from what `changed` left.
//!
//! Time at the destination is virtual: jobs take as long as the simulator says, and waiting costs
//! nothing. Seconds are therefore the engine's own work, and the account's.

mod members;
mod per_contact;
mod process;
mod segment;
mod thin;

use std::{
    collections::BTreeMap,
    error::Error,
    io::{self, Write},
    ops::Range,
    sync::Arc,
    time::Duration,
};

use activation_core::{
    Activation, Clock, DirectoryStore, Engine, FingerprintKey, IdentifierKind, MemoryStore,
    RunReport, RunStatus, SegmentSource, StateStore, dotdigital::Dotdigital,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use dotdigital_client::{
    Client, Clock as _, Credentials, ListId, Transport,
    simulator::{RateLimits, Simulator, SimulatorSettings, TierLimits, VirtualClock, Visibility},
};
use serde::Serialize;

use crate::{
    members::changed,
    process::{Meter, Used},
    segment::Numbered,
    thin::ThinAccount,
};

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(async {
        match arguments[..] {
            ["thin", run, members, state] => {
                thin("thin", Run::named(run)?, members.parse()?, state).await
            }
            ["keyed", run, members, state] => {
                thin(KEYED, Run::named(run)?, members.parse()?, state).await
            }
            ["simulator", members, state] => simulated(members.parse()?, state).await,
            ["calls", members, limit] => calls(members.parse()?, limit.parse()?).await,
            ["reading", members] => reading(members.parse()?).await,
            _ => Err("expected: thin|keyed RUN MEMBERS STATE, simulator MEMBERS STATE, \
                      calls MEMBERS PER_MINUTE or reading MEMBERS"
                .into()),
        }
    })
}

/// The thin account, and a segment whose rows have warehouse keys.
const KEYED: &str = "thin, with keys";

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Run {
    First,
    Changed,
    Unchanged,
}

impl Run {
    const ALL: [Self; 3] = [Self::First, Self::Changed, Self::Unchanged];

    fn named(name: &str) -> Fallible<Self> {
        match name {
            "first" => Ok(Self::First),
            "changed" => Ok(Self::Changed),
            "unchanged" => Ok(Self::Unchanged),
            _ => Err("a run is first, changed or unchanged".into()),
        }
    }

    fn segment(self, members: u32) -> Range<u32> {
        if self == Self::First { 0..members } else { changed(members) }
    }

    /// Whether the report is that of this run, so that nothing else is measured by mistake.
    fn check(self, members: u32, report: &RunReport) -> Fallible<()> {
        let (members, changed) = (u64::from(members), u64::from(members / 100));
        let expected = match self {
            Self::First => (RunStatus::Done, members, 0),
            Self::Changed => (RunStatus::Done, changed, changed),
            Self::Unchanged => (RunStatus::NothingToDo, 0, 0),
        };
        if (report.status, report.added, report.removed) == expected {
            return Ok(());
        }
        Err(format!("the run did something else:\n{report}").into())
    }
}

/// One measurement.
#[derive(Serialize)]
struct Line<'a> {
    account: &'a str,
    run: Run,
    members: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_minute: Option<u32>,
    seconds: f64,
    cpu_seconds: f64,
    before_mib: f64,
    peak_mib: f64,
    /// By the account's clock.
    virtual_minutes: f64,
    calls: BTreeMap<String, u64>,
}

impl<'a> Line<'a> {
    fn new(
        account: &'a str,
        run: Run,
        members: u32,
        used: &Used,
        virtual_time: Duration,
        calls: BTreeMap<String, u64>,
    ) -> Self {
        Self {
            account,
            run,
            members,
            per_minute: None,
            seconds: rounded(used.seconds),
            cpu_seconds: rounded(used.cpu_seconds),
            before_mib: rounded(used.before_mib),
            peak_mib: rounded(used.peak_mib),
            virtual_minutes: rounded(virtual_time.as_secs_f64() / 60.0),
            calls,
        }
    }
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

fn print(line: &impl Serialize) -> Fallible<()> {
    Ok(writeln!(io::stdout(), "{}", serde_json::to_string(line)?)?)
}

/// Where runs are made: an account, its clock and a store.
struct World {
    clock: VirtualClock,
    client: Client,
    store: Arc<dyn StateStore>,
}

impl World {
    fn new(
        clock: VirtualClock,
        account: Arc<dyn Transport>,
        store: Arc<dyn StateStore>,
    ) -> Fallible<Self> {
        let settings = SimulatorSettings::default();
        let client = Client::builder()
            .credentials(Credentials::new(&settings.user, &settings.password))
            .endpoint("http://127.0.0.1:9")
            .transport(account)
            .clock(Arc::new(clock))
            .build()?;
        Ok(Self { clock, client, store })
    }

    async fn run(&self, account: &'static str, run: Run, members: u32) -> Fallible<Line<'static>> {
        let engine = Engine::new(self.store.clone()).clock(Arc::new(EngineClock(self.clock)));
        let destination = Dotdigital::new(&self.client);
        let began = self.clock.now();
        let meter = Meter::start()?;
        let source = Numbered { members: run.segment(members), keyed: account == KEYED };
        let report = engine.run(&Activation::new("everybody"), &source, &destination).await;
        let used = meter.stop()?;
        run.check(members, &report)?;
        let virtual_time = (self.clock.now() - began).to_std()?;
        Ok(Line::new(account, run, members, &used, virtual_time, report.calls))
    }
}

async fn thin(name: &'static str, run: Run, members: u32, state: &str) -> Fallible<()> {
    let clock = VirtualClock::starting_at(monday()?);
    let account = Arc::new(ThinAccount::new(clock, run != Run::First));
    let world = World::new(clock, account, Arc::new(DirectoryStore::open(state)?))?;
    print(&world.run(name, run, members).await?)
}

async fn simulated(members: u32, state: &str) -> Fallible<()> {
    let clock = VirtualClock::starting_at(monday()?);
    let simulator = Simulator::new(SimulatorSettings::default());
    let account = Arc::new(simulator.transport(Arc::new(clock)));
    let world = World::new(clock, account, Arc::new(DirectoryStore::open(state)?))?;
    for run in Run::ALL {
        print(&world.run("simulator", run, members).await?)?;
    }
    Ok(())
}

async fn calls(members: u32, per_minute: u32) -> Fallible<()> {
    let limits = TierLimits { low: per_minute, medium: per_minute, high: per_minute };
    let limited = || {
        let limits = RateLimits::Tiered(limits);
        Simulator::new(SimulatorSettings { limits, ..SimulatorSettings::default() })
    };
    let clock = VirtualClock::starting_at(monday()?);
    let world = |simulator: &Simulator| {
        let account = Arc::new(simulator.transport(Arc::new(clock)));
        World::new(clock, account, Arc::new(MemoryStore::new(FingerprintKey::new([7; 16]))))
    };
    let ours = world(&limited())?;
    for run in [Run::First, Run::Changed] {
        let line = ours.run("lists", run, members).await?;
        print(&Line { per_minute: Some(per_minute), ..line })?;
    }
    let simulator = limited();
    let list = ListId::new(simulator.add_list("everybody", Visibility::Private))?;
    let theirs = world(&simulator)?;
    for (run, before) in [(Run::First, 0..0), (Run::Changed, 0..members)] {
        simulator.reset_ledger();
        let began = clock.now();
        let meter = Meter::start()?;
        per_contact::sync(&theirs.client, list, &before, &run.segment(members)).await?;
        let used = meter.stop()?;
        let virtual_time = (clock.now() - began).to_std()?;
        let calls = simulator.calls();
        let line = Line::new("per_contact", run, members, &used, virtual_time, calls);
        print(&Line { per_minute: Some(per_minute), ..line })?;
    }
    Ok(())
}

/// The floor of a run without changes: making up the rows, and what every row goes through before
/// it can be compared.
async fn reading(members: u32) -> Fallible<()> {
    #[derive(Serialize)]
    struct Reading {
        members: u32,
        rows_cpu_seconds: f64,
        normalised_cpu_seconds: f64,
        fingerprinted_cpu_seconds: f64,
    }
    let segment = Numbered { members: changed(members), keyed: false };
    let meter = Meter::start()?;
    let bytes = each_row(&segment, |row| row.len() as u64).await?;
    let rows = meter.stop()?;
    let meter = Meter::start()?;
    let normal = each_row(&segment, |row| {
        IdentifierKind::Email.normalise(row).map_or(0, |email| email.to_text().len() as u64)
    });
    let normal = normal.await?;
    let normalised = meter.stop()?;
    if normal != bytes {
        return Err("an address was refused".into());
    }
    let key = FingerprintKey::new([7; 16]);
    let meter = Meter::start()?;
    each_row(&segment, |row| {
        let email = IdentifierKind::Email.normalise(row).map(|email| email.to_text());
        email.map_or(0, |email| key.fingerprint(email.as_bytes()).as_bytes()[0].into())
    })
    .await?;
    let fingerprinted = meter.stop()?;
    print(&Reading {
        members,
        rows_cpu_seconds: rounded(rows.cpu_seconds),
        normalised_cpu_seconds: rounded(normalised.cpu_seconds),
        fingerprinted_cpu_seconds: rounded(fingerprinted.cpu_seconds),
    })
}

/// The sum of what `of_row` says, so that nothing is optimised away.
async fn each_row(segment: &Numbered, of_row: impl Fn(&[u8]) -> u64) -> Fallible<u64> {
    let mut scan = segment.open().await?;
    let mut sum = 0;
    while let Some(batch) = scan.next_batch().await? {
        sum += batch.iter().map(&of_row).sum::<u64>();
    }
    Ok(sum)
}

fn monday() -> Fallible<DateTime<Utc>> {
    Ok("2026-11-23T06:00:00Z".parse()?)
}

/// The engine's view of the account's clock.
#[derive(Debug)]
struct EngineClock(VirtualClock);

#[async_trait]
impl Clock for EngineClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration).await;
    }
}
