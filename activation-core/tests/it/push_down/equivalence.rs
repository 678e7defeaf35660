//! A run whose difference was computed in the warehouse is the run that reads the segment in full.

use std::{sync::Arc, time::Duration};

use activation_core::{
    AbsentMember, Activation, ExcludedSegments, HeldMember, ListPin, Settings, SettingsPatch,
    sources::MemorySource,
};
use dotdigital_client::simulator::{Fault, FaultRule};
use proptest::{collection::vec, prelude::*, sample};
use serde_json::Value;

use super::{Host, Side};

/// Spellings of members, and rows that are none: `None` is NULL.
pub(super) const ROWS: [Option<&[u8]>; 24] = [
    None,
    Some(b""),
    Some(b"  "),
    Some(b"no address"),
    Some(b"not utf-8 \xff@example.com"),
    Some(b"nul\0l@example.com"),
    Some(b"ann@example.com"),
    Some(b"ANN@example.com"),
    Some(b" ann@example.com "),
    Some(b"Ann@Example.com"),
    Some(b"bo@example.com"),
    Some(b"Bo@example.com"),
    Some(b"cleo@example.com"),
    Some(b"cleo@example.com "),
    Some(b"dora@example.com"),
    Some(b"o'hara@example.com"),
    Some(b"back\\slash@example.com"),
    Some("b\u{e9}a@example.com".as_bytes()),
    Some("be\u{301}a@example.com".as_bytes()),
    Some("B\u{c9}A@example.com".as_bytes()),
    Some("\u{df}@example.com".as_bytes()),
    Some("ss@example.com".as_bytes()),
    Some("\u{130}@example.com".as_bytes()),
    Some("i@example.com".as_bytes()),
];

/// What happens before a run.
#[derive(Clone, Debug)]
struct Step {
    /// Rows of the segment.
    rows: Vec<Option<&'static [u8]>>,
    excluded: Vec<Option<&'static [u8]>>,
    /// Hours since the run before.
    hours: u64,
    /// Every so many rows are refused.
    refuse: Option<u64>,
    leave_after_runs: u32,
    /// A run that reads in full also where the warehouse could do it.
    reads_in_full: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let rows = vec(sample::select(&ROWS[..]), 0..24);
    let excluded = prop_oneof![3 => Just(Vec::new()), 1 => vec(sample::select(&ROWS[..]), 1..3)];
    let refuse = prop_oneof![2 => Just(None), 1 => (1_u64..4).prop_map(Some)];
    let leave = prop_oneof![2 => Just(1_u32), 1 => Just(2), 1 => Just(3)];
    let in_full = prop::bool::weighted(0.1);
    (rows, excluded, 0_u64..200, refuse, leave, in_full).prop_map(
        |(rows, excluded, hours, refuse, leave_after_runs, reads_in_full)| Step {
            rows,
            excluded,
            hours,
            refuse,
            leave_after_runs,
            reads_in_full,
        },
    )
}

fn activation(step: &Step) -> Activation {
    let patch =
        SettingsPatch::default().leave_after_runs(step.leave_after_runs.try_into().unwrap());
    Activation::new("vip").settings(Settings::resolve(&SettingsPatch::default(), &patch))
}

/// What can be seen of a run: its report, and what it left for the next one.
#[derive(Debug, PartialEq)]
struct Seen {
    report: Value,
    snapshot: Vec<u8>,
    held: Vec<HeldMember>,
    absent: Vec<AbsentMember>,
    pin: Option<ListPin>,
}

async fn run(side: &Side, step: &Step) -> Seen {
    side.world.wait(Duration::from_secs(step.hours * 3600)).await;
    if let Some(every) = step.refuse {
        let code = "invalidEmail".to_owned();
        side.world.simulator.inject(FaultRule::new(Fault::FailRows { code, every }));
    }
    let rows = step.excluded.iter().map(|row| row.unwrap_or_default());
    let excluded = Arc::new(MemorySource::new(rows));
    let exclusions = ExcludedSegments::default().segment("complained", excluded);
    let activation = activation(step);
    let report = side.run_excluding(&activation, Arc::new(exclusions)).await;
    let (snapshot, state) = (side.snapshot(&activation).await, side.state(&activation).await);
    let (mut held, mut absent) = (state.held, state.absent);
    held.sort_unstable_by_key(|held| held.member);
    absent.sort_unstable_by_key(|absent| absent.member);
    let report = serde_json::to_value(report).unwrap();
    Seen { report, snapshot, held, absent, pin: state.head.pin }
}

/// Lives through a history, in a time of its own.
fn live_through(steps: &[Step], seed: Option<u64>, pushes_down: bool) -> Vec<Seen> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let host = Host::new("CREATE TABLE members (email)");
        let mut side = Side::new(host.read_in_full());
        let pushed_down = Side::new(host.pushed_down()).source;
        let in_full = side.source.clone();
        if let Some(seed) = seed {
            side.world.simulator.faults_from_seed(seed, 0.05);
        }
        let mut seen = Vec::new();
        for step in steps {
            let rows: Vec<_> = step.rows.iter().map(|row| row.map(<[u8]>::to_vec)).collect();
            host.set(&rows);
            let pushes_down = pushes_down && !step.reads_in_full;
            side.source = if pushes_down { pushed_down.clone() } else { in_full.clone() };
            seen.push(run(&side, step).await);
            if pushes_down {
                side.assert_tidy(&activation(step), &host).await;
            }
        }
        seen
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn histories_are_alike_whoever_computes_the_difference(
        steps in vec(step(), 2..8),
        seed in prop::option::weighted(0.3, any::<u64>()),
    ) {
        let expected = live_through(&steps, seed, false);
        for (number, seen) in live_through(&steps, seed, true).into_iter().enumerate() {
            prop_assert_eq!(&seen, &expected[number], "run {}", number);
        }
    }
}
