//! Every engine against every other and against two sets: the same differences, in the same order,
//! whatever the budget, the threads and the way the lines come in.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::ops::{ControlFlow, Range};

use proptest::collection::vec;
use proptest::prelude::*;
use segment_diff::lines::{Engine, LineDiff, LineInput, LinesError};
use segment_diff::merge::DiffSink;

const ENGINES: [Engine; 4] = [Engine::Merge, Engine::Partition, Engine::Sketch, Engine::Spill];

/// What a sink was told, in the order in which it was told.
#[derive(Default, Debug, PartialEq)]
struct Told(Vec<(char, Vec<u8>)>);

impl DiffSink<[u8]> for Told {
    type Break = Infallible;

    fn added(&mut self, key: &[u8], (): &()) -> ControlFlow<Infallible> {
        self.0.push(('+', key.to_vec()));
        ControlFlow::Continue(())
    }

    fn removed(&mut self, key: &[u8], (): &()) -> ControlFlow<Infallible> {
        self.0.push(('-', key.to_vec()));
        ControlFlow::Continue(())
    }
}

/// What two sets say, and how many lines they share.
fn oracle(previous: &[u8], current: &[u8]) -> (Told, u64) {
    let set = |bytes: &[u8]| -> BTreeSet<Vec<u8>> {
        let lines = bytes.split(|byte| *byte == b'\n');
        lines.filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
    };
    let (previous, current) = (set(previous), set(current));
    let differences = previous.symmetric_difference(&current);
    let mark = |key: &Vec<u8>| if current.contains(key) { '+' } else { '-' };
    let told = differences.map(|key| (mark(key), key.clone())).collect();
    (Told(told), previous.intersection(&current).count() as u64)
}

fn assert_like_sets(diff: &LineDiff<'_>, previous: &[u8], current: &[u8], inputs: Inputs) {
    let (expected, unchanged) = oracle(previous, current);
    let mut told = Told::default();
    let (before, after) = (inputs.before(&previous), inputs.after(&current));
    let ControlFlow::Continue(report) = diff.run(before, after, &mut told).unwrap();
    assert_eq!(told, expected, "{diff:?} {inputs:?}");
    let added = expected.0.iter().filter(|(mark, _)| *mark == '+').count() as u64;
    let told_of = (report.added, report.removed);
    assert_eq!(told_of, (added, expected.0.len() as u64 - added), "{diff:?} {inputs:?}");
    if report.engine == Engine::Sketch {
        assert_eq!(report.unchanged, None);
    } else {
        assert_eq!(report.unchanged, Some(unchanged), "{diff:?} {inputs:?}");
    }
}

/// Which sides can be read only once.
#[derive(Clone, Copy, Debug)]
struct Inputs {
    previous_once: bool,
    current_once: bool,
}

impl Inputs {
    const REREADABLE: Self = Self { previous_once: false, current_once: false };

    fn before<'a>(self, previous: &'a &'a [u8]) -> LineInput<'a> {
        side(previous, self.previous_once)
    }

    fn after<'a>(self, current: &'a &'a [u8]) -> LineInput<'a> {
        side(current, self.current_once)
    }
}

fn side<'a>(bytes: &'a &'a [u8], once: bool) -> LineInput<'a> {
    if once { LineInput::stream(*bytes) } else { LineInput::Rereadable(bytes) }
}

/// Lines out of a pool small enough to repeat and to be shared, of bytes around the line feed and
/// around what decides a comparison.
fn lines() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let byte = prop_oneof![Just(b'a'), Just(b'b'), 0..32_u8, Just(0xff), any::<u8>()];
    let byte = byte.prop_map(|byte| if byte == b'\n' { 11 } else { byte });
    let short = vec(byte.clone(), 0..4);
    let long = (0..4_usize, vec(byte, 0..4)).prop_map(|(repeats, tail)| {
        [b"someone.with.a.long.name@example.com".repeat(repeats), tail].concat()
    });
    vec(prop_oneof![short, long], 0..120)
}

fn join(lines: &[Vec<u8>], last_feed: bool) -> Vec<u8> {
    let mut bytes = lines.join(&b'\n');
    if last_feed && !bytes.is_empty() {
        bytes.push(b'\n');
    }
    bytes
}

// More of these, as a fuzzer would: PROPTEST_CASES=100000 cargo test --release -p segment-diff engines
proptest! {
    #[test]
    fn every_engine_says_what_sets_say(
        mut previous in lines(),
        mut current in lines(),
        shared in 0..120_usize,
        sorted in any::<bool>(),
        last_feed in any::<bool>(),
        threads in 1..5_usize,
        memory in prop_oneof![Just(1_usize << 20), Just(8 << 20), Just(64 << 20)],
        previous_once in any::<bool>(),
        current_once in any::<bool>(),
    ) {
        current.extend(previous.iter().take(shared).cloned());
        if sorted {
            previous.sort();
            current.sort();
        }
        let (previous, current) = (join(&previous, last_feed), join(&current, last_feed));
        let any_engine = LineDiff::new().memory(memory).threads(threads);
        assert_like_sets(&any_engine, &previous, &current, Inputs::REREADABLE);
        assert_like_sets(&any_engine.clone().exact(), &previous, &current, Inputs::REREADABLE);
        assert_like_sets(&any_engine, &previous, &current, Inputs { previous_once, current_once });
        for engine in ENGINES {
            if sorted || engine != Engine::Merge {
                let diff = any_engine.clone().engine(engine);
                assert_like_sets(&diff, &previous, &current, Inputs::REREADABLE);
            }
        }
    }

    /// A claim that does not hold is an error, or did no harm.
    #[test]
    fn a_merge_of_what_is_not_sorted_is_never_wrong(
        previous in lines(),
        mut current in lines(),
        shared in 0..120_usize,
        threads in 1..4_usize,
    ) {
        current.extend(previous.iter().take(shared).cloned());
        let (previous, current) = (join(&previous, true), join(&current, true));
        let mut told = Told::default();
        let diff = LineDiff::new().engine(Engine::Merge).threads(threads);
        let result = diff.run(&previous.as_slice(), &current.as_slice(), &mut told);
        match result {
            Ok(_) => prop_assert_eq!(told, oracle(&previous, &current).0),
            Err(error) => prop_assert!(matches!(error, LinesError::Unordered { .. }), "{error}"),
        }
    }
}

fn addresses(range: Range<u64>) -> Vec<u8> {
    let scrambled = |index: u64| index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    range
        .flat_map(|index| format!("{:016x}@example.com\n", scrambled(index)).into_bytes())
        .collect()
}

#[test]
fn engines_agree_on_more_than_fits_into_one_block_and_one_mebibyte() {
    let (previous, current) = (addresses(0..60_000), addresses(1_500..61_000));
    for engine in [Engine::Partition, Engine::Sketch, Engine::Spill] {
        for (threads, memory) in [(1, 1 << 20), (2, 1 << 20), (3, 64 << 20)] {
            let diff = LineDiff::new().engine(engine).threads(threads).memory(memory);
            assert_like_sets(&diff, &previous, &current, Inputs::REREADABLE);
        }
    }
}

#[test]
fn a_file_that_only_looks_sorted_is_compared_all_the_same() {
    let mut lines: Vec<_> = (0..50_000).map(|number| format!("{number:08}")).collect();
    let current = lines.join("\n");
    // Far from the places that are looked into.
    lines.swap(20_011, 20_012);
    let previous = lines.join("\n");
    assert_like_sets(&LineDiff::new(), previous.as_bytes(), current.as_bytes(), Inputs::REREADABLE);
}
