use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use segment_diff::external::{
    ExactDiff, ExternalError, ExternalSorter, Report, WrongWidth, compare,
};
use segment_diff::lines::LineReader;
use segment_diff::memory::{Options, PackedKeys, diff_keys};
use segment_diff::merge::{Collect, CountOnly, Counts, DiffSink, SortedInput, byte_keys, diff};
use segment_diff::snapshot::MAX_KEY;

/// An empty directory, removed at the end of a test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("external-{test}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The temporary files that are there.
    fn files(&self) -> Vec<PathBuf> {
        let list = |path: &Path| -> Vec<PathBuf> {
            fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect()
        };
        list(&self.0).iter().flat_map(|directory| list(directory)).collect()
    }

    fn is_empty(&self) -> bool {
        fs::read_dir(&self.0).unwrap().next().is_none()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn sorter<'a>(
    scratch: &Scratch,
    budget: usize,
    keys: impl IntoIterator<Item = &'a Vec<u8>>,
) -> Result<ExternalSorter, ExternalError> {
    let mut sorter = ExternalSorter::new(&scratch.0, budget)?;
    for key in keys {
        sorter.push(key)?;
    }
    Ok(sorter)
}

fn addresses(range: std::ops::Range<u32>) -> Vec<Vec<u8>> {
    let scrambled = |index: u32| index.wrapping_mul(2_654_435_761);
    range.map(|index| format!("{:08x}@example.com", scrambled(index)).into_bytes()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn out_of_core_and_in_memory_agree(
        previous in vec(vec(any::<u8>(), 0..40), 0..600),
        shared in 0..600_usize,
        current in vec(vec(prop_oneof![Just(b'a'), any::<u8>()], 0..40), 0..600),
        budget in 0..40_000_usize,
    ) {
        let scratch = Scratch::new("agree");
        let mut current = current;
        current.extend(previous.iter().take(shared).cloned());

        let (mut before, mut after) = (PackedKeys::new(), PackedKeys::new());
        previous.iter().for_each(|key| before.push(key).unwrap());
        current.iter().for_each(|key| after.push(key).unwrap());
        let mut in_memory = Collect::new();
        let ControlFlow::Continue(expected) =
            diff_keys(&mut before, &mut after, Options::new(), &mut in_memory);

        let sort = |keys| sorter(&scratch, budget, keys).unwrap().finish().unwrap();
        let mut out_of_core = Collect::new();
        let ControlFlow::Continue(counts) =
            diff(sort(&previous), sort(&current), &mut out_of_core).unwrap();
        prop_assert_eq!((out_of_core, counts), (in_memory, expected));
        prop_assert!(scratch.is_empty());
    }
}

#[test]
fn hundreds_of_runs_are_merged_in_several_passes() {
    let scratch = Scratch::new("passes");
    let keys = addresses(0..20_000);
    let mut sorter = sorter(&scratch, 4 << 10, keys.iter().chain(&keys[..5_000])).unwrap();
    sorter = sorter.threads(2);
    assert!(scratch.files().len() > 200, "{} runs", scratch.files().len());

    let sorted = sorter.finish().unwrap();
    assert!(sorted.is_spilled());
    let mut files = scratch.files();
    files.sort();
    assert_eq!(files.len(), 2, "what was merged is removed");

    let expected: BTreeSet<_> = keys.iter().collect();
    let ControlFlow::Continue(counts) = diff(byte_keys(expected), sorted, &mut CountOnly).unwrap();
    assert_eq!((counts.added, counts.removed, counts.unchanged), (0, 0, 20_000));
    assert!(scratch.is_empty());
}

#[test]
fn keys_that_fit_never_touch_the_disk() {
    let missing = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no such directory");
    let mut sorter = ExternalSorter::new(&missing, 1 << 20).unwrap();
    for key in addresses(0..1000) {
        sorter.push(&key).unwrap();
    }
    let mut sorted = sorter.finish().unwrap();
    assert!(!sorted.is_spilled());
    assert!(sorted.advance().unwrap());
    assert_eq!(sorted.key(), addresses(0..1000).iter().min().unwrap());
}

#[test]
fn a_directory_that_is_not_there_is_an_error_that_names_it() {
    let scratch = Scratch::new("missing");
    let missing = scratch.0.join("absent");
    let mut sorter = ExternalSorter::new(&missing, 4 << 10).unwrap();
    let error = addresses(0..1000).iter().find_map(|key| sorter.push(key).err()).unwrap();
    assert!(matches!(error, ExternalError::File { .. }));
    assert!(error.to_string().contains("absent"), "{error}");
}

#[test]
fn temporary_files_go_away_with_the_sorter_and_on_a_panic() {
    let scratch = Scratch::new("cleanup");
    let started = sorter(&scratch, 4 << 10, &addresses(0..1000)).unwrap();
    assert!(!scratch.is_empty());
    drop(started);
    assert!(scratch.is_empty());

    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _sorted = sorter(&scratch, 4 << 10, &addresses(0..1000)).unwrap().finish().unwrap();
        assert!(!scratch.is_empty());
        panic!("a sink fails");
    }));
    assert!(panicked.is_err());
    assert!(scratch.is_empty());
}

#[cfg(unix)]
#[test]
fn temporary_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new("private");
    let _sorter = sorter(&scratch, 4 << 10, &addresses(0..1000)).unwrap();
    let directory = scratch.files()[0].parent().unwrap().to_path_buf();
    assert_eq!(fs::metadata(directory).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_damaged_temporary_file_is_an_error_and_never_a_wrong_answer() {
    let damages: [fn(&mut Vec<u8>); 3] =
        [|file| file[100] ^= 1, |file| file.truncate(file.len() - 1), |file| file.push(0)];
    for damage in damages {
        let scratch = Scratch::new("damage");
        let sorter = sorter(&scratch, 32 << 10, &addresses(0..3000)).unwrap();
        let path = scratch.files().pop().unwrap();
        let mut file = fs::read(&path).unwrap();
        damage(&mut file);
        fs::write(&path, file).unwrap();

        let result = sorter
            .finish()
            .map_err(Box::<dyn Error>::from)
            .and_then(|sorted| diff(byte_keys([""; 0]), sorted, &mut CountOnly).map_err(Box::from));
        let (mut messages, error) = (String::new(), result.unwrap_err());
        let mut cause: Option<&dyn Error> = Some(&*error);
        while let Some(error) = cause {
            messages += &format!("{error}: ");
            cause = error.source();
        }
        assert!(messages.contains("temporary file"), "{messages}");
        assert!(messages.contains("snapshot: "), "{messages}");
        assert!(scratch.is_empty());
    }
}

#[test]
fn a_key_too_long_for_the_budget_is_refused() {
    let scratch = Scratch::new("long");
    let mut small = ExternalSorter::new(&scratch.0, 64 << 10).unwrap();
    assert_eq!(small.key_limit(), 4 << 10);
    small.push(&[b'a'; 4 << 10]).unwrap();
    let error = small.push(&[b'a'; (4 << 10) + 1]).unwrap_err();
    assert!(matches!(error, ExternalError::KeyTooLong(_)), "{error}");
    assert_eq!(ExternalSorter::new(&scratch.0, 64 << 20).unwrap().key_limit(), MAX_KEY);
}

#[test]
fn a_budget_beyond_all_memory_is_an_error() {
    let error = ExternalSorter::new("", usize::MAX / 2).unwrap_err();
    assert!(matches!(error, ExternalError::Memory { .. }), "{error}");
}

#[test]
fn a_payload_travels_with_the_first_record_of_its_key() {
    for budget in [4 << 10, 1 << 20] {
        let scratch = Scratch::new("payload");
        let keys = addresses(0..3000);
        let mut sorter = ExternalSorter::with_payload(&scratch.0, budget, 4).unwrap();
        for (number, key) in keys.iter().chain(&keys).enumerate() {
            sorter.push_record(key, &(number as u32).to_le_bytes()).unwrap();
        }
        let refused = sorter.push_record(b"ada", &[0; 5]).unwrap_err();
        let expected = WrongWidth { width: 5, agreed: 4 };
        assert!(matches!(refused, ExternalError::WrongWidth(wrong) if wrong == expected));

        let mut sorted = sorter.finish_records().unwrap();
        assert_eq!(sorted.is_spilled(), budget == 4 << 10);
        let expected: BTreeMap<_, _> = keys.iter().zip(0_u32..).collect();
        for (key, number) in expected {
            assert!(sorted.advance().unwrap());
            assert_eq!((sorted.key(), sorted.version()), (&key[..], &number.to_le_bytes()[..]));
        }
        assert!(!sorted.advance().unwrap());
    }
}

type Records = Vec<(Vec<u8>, Vec<u8>)>;

/// What a sink of records is told, in this order.
#[derive(Debug, Default, PartialEq)]
struct Told(Vec<Difference>);

/// A mark, the key, the previous value and the current one.
type Difference = (char, Vec<u8>, Vec<u8>, Vec<u8>);

impl DiffSink<[u8], [u8]> for Told {
    type Break = std::convert::Infallible;

    fn added(&mut self, key: &[u8], value: &[u8]) -> ControlFlow<Self::Break> {
        self.0.push(('+', key.to_vec(), Vec::new(), value.to_vec()));
        ControlFlow::Continue(())
    }

    fn removed(&mut self, key: &[u8], value: &[u8]) -> ControlFlow<Self::Break> {
        self.0.push(('-', key.to_vec(), value.to_vec(), Vec::new()));
        ControlFlow::Continue(())
    }

    fn changed(&mut self, key: &[u8], old: &[u8], new: &[u8]) -> ControlFlow<Self::Break> {
        self.0.push(('~', key.to_vec(), old.to_vec(), new.to_vec()));
        ControlFlow::Continue(())
    }
}

/// What two maps say that a sink should be told, and how many records are unchanged.
fn expected(previous: &Records, current: &Records, version: usize) -> (Told, u64) {
    let first = |records: &Records| -> BTreeMap<Vec<u8>, Vec<u8>> {
        records.iter().rev().cloned().collect()
    };
    let (before, after) = (first(previous), first(current));
    let (mut told, mut unchanged) = (Told::default(), 0);
    for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let (mark, old, new) = match (before.get(key), after.get(key)) {
            (Some(old), Some(new)) if old[..version] == new[..version] => {
                unchanged += 1;
                continue;
            }
            (Some(old), Some(new)) => ('~', old.clone(), new.clone()),
            (Some(old), None) => ('-', old.clone(), Vec::new()),
            (None, new) => ('+', Vec::new(), new.cloned().unwrap_or_default()),
        };
        told.0.push((mark, key.clone(), old, new));
    }
    (told, unchanged)
}

fn compare_records(
    options: &ExactDiff,
    previous: &Records,
    current: &Records,
) -> (Told, Counts, Report) {
    let (mut before, mut after) = options.sides().unwrap();
    previous.iter().for_each(|(key, value)| before.push(key, value).unwrap());
    current.iter().for_each(|(key, value)| after.push(key, value).unwrap());
    let found = compare(before, after).unwrap();
    let (report, mut told) = (found.report(), Told::default());
    let ControlFlow::Continue(counts) = found.deliver_records(&mut told).unwrap();
    (told, counts, report)
}

/// Few different keys, many, or nothing but one; of any length up to some hundred bytes.
fn some_records(width: usize) -> impl Strategy<Value = Records> {
    let long = (0..400_usize, any::<u8>()).prop_map(|(length, byte)| vec![byte; length]);
    let any_key = prop_oneof![
        3 => vec(any::<u8>(), 0..40),
        1 => vec(Just(b'a'), 0..12),
        1 => long,
    ];
    let value = move || vec(0..2_u8, width);
    prop_oneof![
        4 => vec((any_key, value()), 0..900),
        1 => vec((Just(b"ada".to_vec()), value()), 0..900),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn records_differ_as_maps_do(
        (version, previous, current) in (0..3_usize, 0..3_usize).prop_flat_map(|(version, payload)| {
            let width = version + payload;
            (Just(version), some_records(width), some_records(width))
        }),
        shared in 0..900_usize,
        memory in 32_000..200_000_usize,
        expecting in prop::option::of(0..1_000_000_u64),
        threads in 1..5_usize,
    ) {
        let scratch = Scratch::new("records");
        let width = previous.iter().chain(&current).map(|(_, value)| value.len()).max();
        let payload = width.map_or(0, |width| width - version);
        let mut current = current;
        current.extend(previous.iter().take(shared).cloned());

        let mut options = ExactDiff::new(&scratch.0, memory)
            .threads(threads)
            .values(version as u16, payload as u16);
        if let Some(bytes) = expecting {
            options = options.expecting(bytes);
        }
        let fits = |(key, _): &(Vec<u8>, Vec<u8>)| key.len() <= options.key_limit();
        let keep = |records: Records| records.into_iter().filter(fits).collect::<Records>();
        let (previous, current) = (keep(previous), keep(current));
        let (told, counts, _) = compare_records(&options, &previous, &current);
        let (expected, unchanged) = expected(&previous, &current, version);
        let count = |mark| expected.0.iter().filter(|told| told.0 == mark).count() as u64;
        prop_assert_eq!(counts.added, count('+'));
        prop_assert_eq!(counts.removed, count('-'));
        prop_assert_eq!(counts.changed, count('~'));
        prop_assert_eq!(counts.unchanged, unchanged);
        prop_assert!(told == expected);
        prop_assert!(scratch.is_empty());
    }
}

fn members(range: std::ops::Range<u32>) -> Records {
    addresses(range).into_iter().map(|key| (key, Vec::new())).collect()
}

#[test]
fn partitions_too_large_are_partitioned_again_on_any_number_of_threads() {
    let scratch = Scratch::new("divided");
    let (previous, current) = (members(0..20_000), members(200..20_300));
    let (expected, unchanged) = expected(&previous, &current, 0);
    for threads in 1..=4 {
        let options = ExactDiff::new(&scratch.0, 64 << 10).threads(threads);
        let (told, counts, report) = compare_records(&options, &previous, &current);
        assert!(report.divided > 0 && report.spilled > 900_000, "{report:?}");
        assert!(told == expected, "{threads} threads");
        assert_eq!(counts.unchanged, unchanged);
        assert!(scratch.is_empty());
    }
}

#[test]
fn what_fits_never_touches_the_disk() {
    let missing = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no such directory");
    let (previous, current) = (members(0..2000), members(20..2030));
    let options = ExactDiff::new(missing, 1 << 20).threads(2);
    let (told, counts, report) = compare_records(&options, &previous, &current);
    assert_eq!((report.spilled, report.divided), (0, 0));
    assert_eq!((counts.added, counts.removed, counts.unchanged), (30, 20, 1980));
    assert!(told == expected(&previous, &current, 0).0);
}

#[test]
fn a_key_repeated_beyond_the_budget_is_no_reason_to_divide() {
    let scratch = Scratch::new("repeated");
    let mut previous = members(0..50);
    previous.extend(std::iter::repeat_n((b"ada@example.com".to_vec(), Vec::new()), 20_000));
    let mut current = members(40..100);
    current.extend(std::iter::repeat_n((b"bo@example.com".to_vec(), Vec::new()), 20_000));
    let options = ExactDiff::new(&scratch.0, 64 << 10);
    let (told, counts, report) = compare_records(&options, &previous, &current);
    assert!(report.spilled > 300_000 && report.divided == 0, "{report:?}");
    assert_eq!((counts.added, counts.removed, counts.unchanged), (51, 41, 10));
    assert!(told == expected(&previous, &current, 0).0);
}

#[test]
fn whole_lines_are_taken_as_keys_one_by_one_are() {
    let scratch = Scratch::new("lines");
    let text = |records: &Records| {
        let lines = records.iter().flat_map(|(key, _)| [key.as_slice(), b"\n"]);
        lines.collect::<Vec<_>>().concat()
    };
    let (previous, mut current) = (members(0..3000), members(30..3040));
    current.push((vec![b'x'; 200], Vec::new()));
    for memory in [32 << 10, 1 << 20] {
        let (mut before, mut after) = ExactDiff::new(&scratch.0, memory).sides().unwrap();
        for (side, records) in [(&mut before, &previous), (&mut after, &current)] {
            let text = text(records);
            let mut reader = LineReader::with_block(&text[..], 1000);
            while let Some(block) = reader.next_block().unwrap() {
                side.push_lines(block).unwrap();
            }
        }
        let found = compare(before, after).unwrap();
        assert_eq!(found.report().spilled > 0, memory == 32 << 10);
        let mut delta = Collect::new();
        let ControlFlow::Continue(counts) = found.deliver(&mut delta).unwrap();
        assert_eq!((counts.added, counts.removed, counts.unchanged), (41, 30, 2970));
        let (told, _) = expected(&previous, &current, 0);
        let of = |mark| told.0.iter().filter(move |told| told.0 == mark).map(|told| &told.1);
        assert!(delta.added.iter().eq(of('+')) && delta.removed.iter().eq(of('-')));
    }
}

#[test]
fn a_side_refuses_what_was_not_agreed() {
    let scratch = Scratch::new("agreed");
    let options = ExactDiff::new(&scratch.0, 1 << 20).values(2, 1);
    let (mut side, _) = options.sides().unwrap();
    let width = side.push(b"ada", &[0; 2]).unwrap_err();
    assert!(matches!(width, ExternalError::WrongWidth(_)), "{width}");
    let long = side.push(&vec![0; options.key_limit() + 1], &[0; 3]).unwrap_err();
    assert!(matches!(long, ExternalError::KeyTooLong(_)), "{long}");
    side.push(&vec![0; options.key_limit()], &[0; 3]).unwrap();

    let (mut side, _) = ExactDiff::new(&scratch.0, 1 << 20).sides().unwrap();
    let line = vec![b'a'; (8 << 10) + 1];
    let mut reader = LineReader::new(&line[..]);
    let long = side.push_lines(reader.next_block().unwrap().unwrap()).unwrap_err();
    assert!(matches!(long, ExternalError::KeyTooLong(_)), "{long}");
}

#[test]
fn sides_of_different_pairs_are_not_compared() {
    let options = ExactDiff::new("", 1 << 20);
    let ((previous, _), (_, current)) = (options.sides().unwrap(), options.sides().unwrap());
    let error = compare(previous, current).unwrap_err();
    assert!(matches!(error, ExternalError::NotAPair), "{error}");
}

#[test]
fn partitions_are_private_and_go_away_with_their_side_and_on_a_panic() {
    let scratch = Scratch::new("sides");
    let fill = || {
        let (mut before, after) = ExactDiff::new(&scratch.0, 32 << 10).sides().unwrap();
        members(0..3000).iter().for_each(|(key, value)| before.push(key, value).unwrap());
        assert_eq!(scratch.files().len(), 1);
        (before, after)
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let _sides = fill();
        let directory = scratch.files()[0].parent().unwrap().to_path_buf();
        assert_eq!(fs::metadata(directory).unwrap().permissions().mode() & 0o777, 0o700);
    }
    assert!(scratch.is_empty());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _sides = fill();
        panic!("a source fails");
    }));
    assert!(panicked.is_err());
    assert!(scratch.is_empty());
}

#[test]
fn a_side_without_its_directory_is_an_error_that_names_it() {
    let scratch = Scratch::new("no-directory");
    let (mut side, _) = ExactDiff::new(scratch.0.join("absent"), 32 << 10).sides().unwrap();
    let members = members(0..3000);
    let error = members.iter().find_map(|(key, value)| side.push(key, value).err()).unwrap();
    assert!(matches!(error, ExternalError::File { .. }));
    assert!(error.to_string().contains("absent"), "{error}");
}

#[test]
fn partitions_damaged_on_disk_are_an_error_and_never_a_wrong_answer() {
    let damages: [fn(&mut Vec<u8>); 3] =
        [|file| file[100] ^= 1, |file| file.truncate(100), |file| file.rotate_left(1)];
    for damage in damages {
        let scratch = Scratch::new("side-damage");
        let (mut before, mut after) = ExactDiff::new(&scratch.0, 32 << 10).sides().unwrap();
        for (key, value) in &members(0..3000) {
            before.push(key, value).unwrap();
            after.push(key, value).unwrap();
        }
        for path in scratch.files() {
            let mut file = fs::read(&path).unwrap();
            damage(&mut file);
            fs::write(&path, file).unwrap();
        }
        let error = compare(before, after).unwrap_err();
        assert!(matches!(error, ExternalError::Altered { .. }), "{error:?}");
        assert!(scratch.is_empty());
    }
}

#[test]
fn a_sink_that_has_seen_enough_stops_the_telling() {
    struct Once;
    impl DiffSink<[u8]> for Once {
        type Break = Vec<u8>;
        fn added(&mut self, key: &[u8], _: &()) -> ControlFlow<Vec<u8>> {
            ControlFlow::Break(key.to_vec())
        }
    }
    let scratch = Scratch::new("enough");
    let (before, mut after) = ExactDiff::new(&scratch.0, 32 << 10).sides().unwrap();
    let members = members(0..3000);
    members.iter().for_each(|(key, value)| after.push(key, value).unwrap());
    let flow = compare(before, after).unwrap().deliver(&mut Once).unwrap();
    let smallest = members.iter().map(|(key, _)| key.clone()).min().unwrap();
    assert_eq!(flow, ControlFlow::Break(smallest));
    assert!(scratch.is_empty());
}

#[test]
fn memory_that_is_not_there_is_an_error() {
    let error = ExactDiff::new("", usize::MAX / 2).sides().unwrap_err();
    assert!(matches!(error, ExternalError::Memory { .. }), "{error}");
}
