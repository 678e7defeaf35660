use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use segment_diff::delta::{
    Change, Delta, DeltaReader, DeltaWriter, FoldError, Mismatch, compose, fold,
};
use segment_diff::merge::MergeError;
use segment_diff::snapshot::{
    Decoder, Layout, SnapshotError, SnapshotErrorKind as Kind, SnapshotReader, SnapshotWriter,
};

type Members = BTreeMap<Vec<u8>, Vec<u8>>;

const LAYOUT: Layout = Layout::Bytes { payload: 1 };
const FIXED: Layout = Layout::Fixed { key: 1, payload: 1 };

/// Few keys and payloads, so that changes meet.
fn members() -> impl Strategy<Value = Members> {
    btree_map(vec(b'a'..b'i', 1), vec(0..3_u8, 1), 0..8)
}

fn between(previous: &Members, current: &Members) -> Delta {
    Delta::between_maps(previous, current)
}

fn applied(base: &Members, delta: &Delta) -> Members {
    let mut base = base.clone();
    delta.apply(&mut base).unwrap();
    base
}

proptest! {
    #[test]
    fn applying_the_difference_leads_from_one_to_the_other(a in members(), b in members()) {
        prop_assert_eq!(applied(&a, &between(&a, &b)), b);
    }

    #[test]
    fn a_delta_has_one_change_for_each_key_that_differs(a in members(), b in members()) {
        let keys = a.keys().chain(b.keys());
        let mut expected = Members::new();
        for key in keys.filter(|key| a.get(*key) != b.get(*key)) {
            expected.insert(key.clone(), Vec::new());
        }
        let delta = between(&a, &b);
        let found: Vec<_> = delta.iter().map(|(key, _)| key.to_vec()).collect();
        prop_assert_eq!(found, expected.into_keys().collect::<Vec<_>>());
        for (key, change) in delta.iter() {
            prop_assert_eq!(change.before().copied(), a.get(key).map(Vec::as_slice));
            prop_assert_eq!(change.after().copied(), b.get(key).map(Vec::as_slice));
        }
    }

    #[test]
    fn inverted_a_delta_leads_back_and_inverted_twice_it_is_itself(a in members(), b in members()) {
        let delta = between(&a, &b);
        prop_assert_eq!(applied(&b, &delta.clone().invert()), a.clone());
        prop_assert_eq!(delta.clone().invert(), between(&b, &a));
        prop_assert_eq!(delta.clone().invert().invert(), delta);
    }

    #[test]
    fn one_after_the_other_is_both_at_once(a in members(), b in members(), c in members()) {
        let (first, second) = (between(&a, &b), between(&b, &c));
        let both = first.then(&second).unwrap();
        prop_assert_eq!(&both, &between(&a, &c));
        prop_assert_eq!(applied(&a, &both), applied(&applied(&a, &first), &second));
        prop_assert_eq!(first.then(&first.clone().invert()).unwrap(), Delta::new());
        prop_assert_eq!(first.then(&Delta::new()).unwrap(), first.clone());
        prop_assert_eq!(Delta::new().then(&first).unwrap(), first);
    }

    /// For any three deltas, not only those that lead on from each other.
    #[test]
    fn composing_is_associative_also_in_refusing(
        sides in vec((members(), members()), 3),
        lead_on in any::<bool>(),
    ) {
        let delta = |index: usize| {
            let from = if lead_on && index > 0 { &sides[index - 1].1 } else { &sides[index].0 };
            between(from, &sides[index].1)
        };
        let (d, e, f) = (delta(0), delta(1), delta(2));
        let left = d.then(&e).and_then(|both| both.then(&f)).ok();
        let right = e.then(&f).and_then(|both| d.then(&both)).ok();
        if let (Some(left), Some(right)) = (&left, &right) {
            prop_assert_eq!(left, right);
        }
        prop_assert!(!lead_on || left.is_some() && right.is_some());
    }

    #[test]
    fn a_base_that_differs_in_a_changed_key_is_refused_and_left_alone(
        a in members(),
        b in members(),
        other in members(),
    ) {
        let delta = between(&a, &b);
        let misfit = delta.iter().position(|(key, _)| other.get(key) != a.get(key));
        let mut base = other.clone();
        let result = delta.apply(&mut base);
        prop_assert_eq!(result, misfit.map_or(Ok(()), |at| Err(Mismatch { index: at as u64 })));
        prop_assert!(misfit.is_none() || base == other);
        prop_assert_eq!(folded(LAYOUT, &other, &[&delta]).is_err(), misfit.is_some());
    }

    #[test]
    fn files_carry_deltas_there_and_back(a in members(), b in members(), fixed in any::<bool>()) {
        let delta = between(&a, &b);
        let layout = if fixed { FIXED } else { LAYOUT };
        prop_assert_eq!(read(&written(layout, &delta)).unwrap(), delta);
    }

    #[test]
    fn folding_applies_one_delta_after_the_other(
        states in vec(members(), 1..5),
        fixed in any::<bool>(),
    ) {
        let layout = if fixed { FIXED } else { LAYOUT };
        let deltas: Vec<_> = states.windows(2).map(|pair| between(&pair[0], &pair[1])).collect();
        let deltas: Vec<&Delta> = deltas.iter().collect();
        let last = states.last().unwrap();
        prop_assert_eq!(folded(layout, &states[0], &deltas).unwrap(), snapshot(layout, last));
        let whole = read(&composed(layout, &deltas).unwrap()).unwrap();
        prop_assert_eq!(whole, between(&states[0], last));
    }

    #[test]
    fn any_altered_byte_of_a_delta_is_an_error(
        a in members(),
        b in members(),
        place in any::<prop::sample::Index>(),
        change in 1..=255_u8,
    ) {
        let mut file = written(LAYOUT, &between(&a, &b));
        let place = place.index(file.len());
        file[place] ^= change;
        prop_assert!(read(&file).is_err());
    }
}

fn snapshot(layout: Layout, members: &Members) -> Vec<u8> {
    let mut writer = SnapshotWriter::new(Vec::new(), layout);
    for (key, payload) in members {
        writer.push(key, payload).unwrap();
    }
    writer.finish().unwrap().1
}

fn written(layout: Layout, delta: &Delta) -> Vec<u8> {
    let mut writer = DeltaWriter::new(Vec::new(), layout).unwrap();
    for (key, change) in delta.iter() {
        writer.push(key, change).unwrap();
    }
    writer.finish().unwrap().1
}

fn read(file: &[u8]) -> Result<Delta, SnapshotError> {
    let (mut reader, mut delta) = (DeltaReader::new(file)?, Delta::new());
    while let Some((key, change)) = reader.next_change()? {
        let change = match change {
            Change::Added(after) => Change::Added(after.to_vec()),
            Change::Removed(before) => Change::Removed(before.to_vec()),
            Change::Changed { before, after } => {
                Change::Changed { before: before.to_vec(), after: after.to_vec() }
            }
        };
        delta.push(key.to_vec(), change).unwrap();
    }
    Ok(delta)
}

fn folded(layout: Layout, base: &Members, deltas: &[&Delta]) -> Result<Vec<u8>, FoldError> {
    let base = snapshot(layout, base);
    let files: Vec<_> = deltas.iter().map(|delta| written(layout, delta)).collect();
    let mut readers: Vec<_> =
        files.iter().map(|file| DeltaReader::new(file.as_slice()).unwrap()).collect();
    let mut next = SnapshotWriter::new(Vec::new(), layout);
    fold(&mut SnapshotReader::new(base.as_slice()).unwrap(), &mut readers, &mut next)?;
    Ok(next.finish().unwrap().1)
}

fn composed(layout: Layout, deltas: &[&Delta]) -> Result<Vec<u8>, FoldError> {
    let files: Vec<_> = deltas.iter().map(|delta| written(layout, delta)).collect();
    let mut readers: Vec<_> =
        files.iter().map(|file| DeltaReader::new(file.as_slice()).unwrap()).collect();
    let mut whole = DeltaWriter::new(Vec::new(), layout).unwrap();
    compose(layout, &mut readers, &mut whole)?;
    Ok(whole.finish().unwrap().1)
}

fn map(list: &[(&str, u8)]) -> Members {
    list.iter().map(|(key, payload)| (key.as_bytes().to_vec(), vec![*payload])).collect()
}

#[test]
fn a_delta_out_of_turn_is_refused_with_its_place() {
    let (a, b, c) = (map(&[("a", 1), ("b", 1)]), map(&[("b", 2)]), map(&[("b", 3), ("c", 1)]));
    let (first, second) = (between(&a, &b), between(&b, &c));
    let place = |result: Result<Vec<u8>, FoldError>| match result.unwrap_err() {
        FoldError::Mismatch { delta, change } => (delta, change),
        other => panic!("{other}"),
    };
    assert_eq!(place(folded(LAYOUT, &a, &[&first, &first])), (1, 0));
    assert_eq!(place(folded(LAYOUT, &a, &[&second])), (0, 0));
    assert_eq!(place(composed(LAYOUT, &[&second, &first])), (1, 1));
    assert_eq!(first.then(&first).unwrap_err(), Mismatch { index: 0 });
}

#[test]
fn deltas_and_snapshots_are_not_taken_for_each_other() {
    let members = map(&[("a", 1)]);
    let snapshot = snapshot(LAYOUT, &members);
    let delta = written(LAYOUT, &between(&members, &map(&[])));
    assert_eq!(DeltaReader::new(snapshot.as_slice()).unwrap_err().kind(), Kind::WrongContent);
    assert_eq!(SnapshotReader::new(delta.as_slice()).unwrap_err().kind(), Kind::WrongContent);
    let mut decoder = Decoder::new();
    decoder.feed(&delta);
    assert_eq!(decoder.next_record().unwrap_err().kind(), Kind::WrongContent);
    let file = segment_diff::snapshot::SnapshotFile::open(&delta[..]);
    assert_eq!(file.unwrap_err().kind(), Kind::WrongContent);
}

#[test]
fn a_delta_between_snapshots_of_another_layout_is_refused() {
    let delta = written(Layout::Bytes { payload: 2 }, &Delta::new());
    let base = snapshot(LAYOUT, &map(&[]));
    let error = fold(
        &mut SnapshotReader::new(base.as_slice()).unwrap(),
        &mut [DeltaReader::new(delta.as_slice()).unwrap()],
        &mut SnapshotWriter::new(Vec::new(), LAYOUT),
    );
    assert!(matches!(error, Err(FoldError::Layout { delta: 0 })), "{error:?}");
}

#[test]
fn a_truncated_base_or_delta_is_an_error_and_no_shorter_result() {
    let (a, b) = (map(&[("a", 1), ("b", 1)]), map(&[("b", 2), ("c", 1)]));
    let (base, delta) = (snapshot(LAYOUT, &a), written(LAYOUT, &between(&a, &b)));
    let fold = |base: &[u8], delta: &[u8]| {
        let mut next = SnapshotWriter::new(Vec::new(), LAYOUT);
        let mut deltas = [DeltaReader::new(delta).unwrap()];
        fold(&mut SnapshotReader::new(base).unwrap(), &mut deltas, &mut next)
    };
    assert!(fold(&base, &delta).is_ok());
    let short = fold(&base[..base.len() - 1], &delta);
    assert!(matches!(short, Err(FoldError::Base(_))), "{short:?}");
    let short = fold(&base, &delta[..delta.len() - 1]);
    assert!(matches!(short, Err(FoldError::Delta { delta: 0, .. })), "{short:?}");
}

#[test]
fn records_that_are_no_changes_are_malformed() {
    // Content 1 in the header of a hand-made snapshot, with the checksum that this needs.
    let delta = |record: [u8; 3]| {
        let layout = Layout::Fixed { key: 1, payload: 3 };
        let mut file = snapshot(layout, &[(b"a".to_vec(), record.to_vec())].into());
        file[14] = 1;
        let checksum = crc32fast::hash(&file[..16]);
        file[16..20].copy_from_slice(&checksum.to_le_bytes());
        let mut reader = DeltaReader::new(file.as_slice()).unwrap();
        let failed = reader.next_change().is_err();
        // A failure is no end: it stays.
        assert_eq!(reader.next_change().is_err(), failed);
        let mut reader = DeltaReader::new(file.as_slice()).unwrap();
        reader.next_change().map(|change| change.is_some()).map_err(|error| error.kind())
    };
    assert_eq!([delta([1, 0, 5]), delta([2, 5, 0]), delta([3, 5, 0])], [Ok(true); 3]);
    for record in [[0, 0, 5], [4, 0, 5], [1, 5, 5], [2, 5, 5], [3, 5, 5]] {
        assert_eq!(delta(record), Err(Kind::Malformed), "{record:?}");
    }
}

#[test]
fn changes_of_the_wrong_shape_are_refused_and_spoil_the_file() {
    type Case<'a> = (&'a [u8], Change<&'a [u8]>, Kind);
    let cases: [Case<'_>; 4] = [
        (b"b", Change::Added(b"12"), Kind::WrongWidth),
        (b"b", Change::Changed { before: b"1", after: b"" }, Kind::WrongWidth),
        (b"b", Change::Changed { before: b"1", after: b"1" }, Kind::Malformed),
        (b"a", Change::Added(b"1"), Kind::NotAscending),
    ];
    for (key, change, kind) in cases {
        let mut writer = DeltaWriter::new(Vec::new(), LAYOUT).unwrap();
        writer.push(b"a", Change::Removed(b"1")).unwrap();
        assert_eq!(writer.push(key, change).unwrap_err().kind(), kind);
        assert_eq!(writer.finish().unwrap_err().kind(), kind);
    }
    let wide = DeltaWriter::new(Vec::new(), Layout::Bytes { payload: 40_000 });
    assert_eq!(wide.unwrap_err().kind(), Kind::WrongWidth);
}

#[test]
fn unsorted_inputs_make_no_delta() {
    let unsorted = snapshot(LAYOUT, &map(&[("a", 1)]));
    let sorted = || SnapshotReader::new(unsorted.as_slice()).unwrap();
    assert!(Delta::between(sorted(), sorted()).unwrap().is_empty());
    let cut = SnapshotReader::new(&unsorted[..unsorted.len() - 1]).unwrap();
    let error = Delta::between(sorted(), cut).unwrap_err();
    assert!(matches!(error, MergeError::Current { index: 1, .. }), "{error}");
    let mut delta = Delta::new();
    delta.push(b"b".to_vec(), Change::Added(vec![])).unwrap();
    assert_eq!(delta.push(b"b".to_vec(), Change::Added(vec![])).unwrap_err().index, 1);
}

#[test]
fn a_result_that_could_not_be_made_as_a_whole_cannot_be_finished() {
    let (a, b) = (map(&[("a", 1), ("b", 1)]), map(&[("a", 1), ("b", 2)]));
    let (base, delta) = (snapshot(LAYOUT, &a), written(LAYOUT, &between(&a, &b)));
    let twice = || [0, 1].map(|_| DeltaReader::new(delta.as_slice()).unwrap());
    let mut next = SnapshotWriter::new(Vec::new(), LAYOUT);
    let mut base = SnapshotReader::new(base.as_slice()).unwrap();
    assert!(fold(&mut base, &mut twice(), &mut next).is_err());
    assert_eq!(next.finish().unwrap_err().kind(), Kind::Incomplete);
    let mut whole = DeltaWriter::new(Vec::new(), LAYOUT).unwrap();
    assert!(compose(LAYOUT, &mut twice(), &mut whole).is_err());
    assert_eq!(whole.finish().unwrap_err().kind(), Kind::Incomplete);
}

/// Made by another implementation, written from the format's description.
#[test]
fn delta_files_are_as_the_format_says() {
    let golden = include_bytes!("../golden/bytes.v2.delta");
    let mut delta = Delta::new();
    delta.push(b"ada@example.com".to_vec(), Change::Added(vec![5, 6])).unwrap();
    delta.push(b"bo@example.com".to_vec(), Change::Removed(vec![7, 8])).unwrap();
    let changed = Change::Changed { before: vec![1, 2], after: vec![3, 4] };
    delta.push(b"cy@example.com".to_vec(), changed).unwrap();
    assert_eq!(written(Layout::Bytes { payload: 2 }, &delta), golden);
    assert_eq!(read(golden).unwrap(), delta);
}

#[test]
fn debug_output_shows_neither_keys_nor_payloads() {
    let delta = between(&map(&[("ada", 99)]), &map(&[("bo", 98)]));
    let file = written(LAYOUT, &delta);
    let mut reader = DeltaReader::new(file.as_slice()).unwrap();
    let change = reader.next_change().unwrap().map(|(_, change)| format!("{change:?}"));
    let writer = DeltaWriter::new(Vec::new(), LAYOUT).unwrap();
    let printed = format!("{delta:?} {reader:?} {writer:?} {change:?}");
    assert!(!["ada", "97, 100", "99"].iter().any(|part| printed.contains(part)), "{printed}");
}
