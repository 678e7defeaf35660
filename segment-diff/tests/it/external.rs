use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use segment_diff::external::{ExternalError, ExternalSorter};
use segment_diff::memory::{Options, PackedKeys, diff_keys};
use segment_diff::merge::{Collect, CountOnly, SortedInput, byte_keys, diff};
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
