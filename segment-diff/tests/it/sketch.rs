use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use segment_diff::fingerprint::FingerprintKey;
use segment_diff::lines::{ChangesError, changes_since, sketch_lines};
use segment_diff::sketch::{Cell, Decoded, FingerprintPrefix, Shape, Sketch, SketchError};
use segment_diff::{Fingerprint, ReadAt};

fn fingerprint(member: u32) -> Fingerprint {
    FingerprintKey::new([3; 16]).fingerprint(&member.to_le_bytes())
}

fn prefixes(members: impl IntoIterator<Item = u32>) -> BTreeSet<FingerprintPrefix> {
    members.into_iter().map(|member| FingerprintPrefix::of(fingerprint(member))).collect()
}

fn sketch(shape: Shape, members: impl IntoIterator<Item = u32>) -> Sketch {
    let mut sketch = Sketch::new(shape);
    members.into_iter().for_each(|member| sketch.insert(fingerprint(member)));
    sketch
}

fn difference(left: &Sketch, right: &Sketch) -> Sketch {
    let mut difference = left.clone();
    difference.subtract(right).unwrap();
    difference
}

/// What the definition says, with a map for the GROUP BY and exact sums.
fn by_definition(shape: Shape, members: impl IntoIterator<Item = u32>) -> Sketch {
    let mut sums = BTreeMap::<u128, (i64, i128, i128, i128)>::new();
    for member in members {
        let hex = fingerprint(member).to_hex();
        let digits = |range| u128::from_str_radix(&hex[range], 16).unwrap();
        let (a, b) = (digits(0..15), digits(15..30));
        let (g, m) = (u128::from(shape.groups()), u128::from(shape.cells()));
        let two30 = 1 << 30;
        let p = (1_u128 << 31) - 1;
        let check = (a % p) * (a % p) + (b % p) * (b % p);
        let group = b % two30 * g / two30;
        let windows = [a / two30, a % two30, b / two30];
        for (sub, window) in windows.into_iter().enumerate() {
            let place = (3 * group + sub as u128) * m + window * m / two30;
            let sums = sums.entry(place).or_default();
            *sums = (sums.0 + 1, sums.1 + a as i128, sums.2 + b as i128, sums.3 + check as i128);
        }
    }
    let mut sketch = Sketch::new(shape);
    for (place, (count, a, b, check)) in sums {
        sketch.add_cell(place as u64, Cell::from_sums(count, a, b, check)).unwrap();
    }
    sketch
}

fn small_shape() -> impl Strategy<Value = Shape> {
    (1..6_u32, 2..40_u32).prop_map(|(groups, cells)| Shape::new(groups, cells).unwrap())
}

fn members() -> impl Strategy<Value = BTreeSet<u32>> {
    prop::collection::btree_set(0..300_u32, 0..120)
}

proptest! {
    #[test]
    fn a_sketch_is_what_the_definition_says(shape in small_shape(), members in members()) {
        let expected = by_definition(shape, members.iter().copied());
        let made = sketch(shape, members);
        prop_assert!(made.cells() == expected.cells());
    }

    #[test]
    fn what_decodes_is_the_difference(
        shape in small_shape(),
        left in members(),
        right in members(),
        shared in 0..1000_u32,
    ) {
        let (left, right) = (&left, &right);
        let with_shared = |own: &BTreeSet<u32>| sketch(shape, own.iter().copied().chain(300..300 + shared));
        if let Ok(decoded) = difference(&with_shared(left), &with_shared(right)).decode() {
            prop_assert_eq!(decoded.only_left().collect::<BTreeSet<_>>(), prefixes(left - right));
            prop_assert_eq!(decoded.only_right().collect::<BTreeSet<_>>(), prefixes(right - left));
        } else {
            prop_assert!(left != right);
        }
    }

    #[test]
    fn copies_are_counted(left in prop::collection::vec(0..20_u32, 0..40), right in prop::collection::vec(0..20_u32, 0..40)) {
        let shape = Shape::for_differences(40);
        let mut expected = BTreeMap::new();
        for (members, copies) in [(&left, 1), (&right, -1)] {
            members.iter().for_each(|member| *expected.entry(*member).or_default() += copies);
        }
        let mut expected: Vec<_> = expected
            .into_iter()
            .filter(|(_, copies)| *copies != 0)
            .map(|(member, copies)| (FingerprintPrefix::of(fingerprint(member)), copies))
            .collect();
        expected.sort_unstable();
        let decoded = difference(&sketch(shape, left), &sketch(shape, right)).decode().unwrap();
        prop_assert_eq!(decoded.members(), &expected[..]);
    }

    #[test]
    fn parts_merge_into_the_whole(shape in small_shape(), members in members(), at in 0..300_u32) {
        let mut low = sketch(shape, members.iter().copied().filter(|member| *member < at));
        let high = sketch(shape, members.iter().copied().filter(|member| *member >= at));
        low.merge(&high).unwrap();
        prop_assert!(low == sketch(shape, members));
    }

    #[test]
    fn a_folded_sketch_is_the_sketch_of_the_smaller_shape(
        groups in 1..9_u32,
        cells in 2..50_u32,
        members in members(),
    ) {
        let mut folded = sketch(Shape::new(groups, cells).unwrap(), members.iter().copied());
        let (mut groups, mut cells) = (groups, cells);
        while let Some(next) = folded.fold() {
            if groups % 2 == 0 { groups /= 2 } else { cells /= 2 }
            prop_assert!(next == sketch(Shape::new(groups, cells).unwrap(), members.iter().copied()));
            folded = next;
        }
        prop_assert!(groups % 2 == 1 && (cells % 2 == 1 || cells == 2));
    }

    #[test]
    fn bytes_are_read_back(shape in small_shape(), members in members()) {
        let sketch = sketch(shape, members);
        prop_assert!(Sketch::from_bytes(&sketch.to_bytes()).unwrap() == sketch);
    }

    #[test]
    fn damaged_bytes_are_refused(members in members(), at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let bytes = sketch(Shape::new(2, 5).unwrap(), members).to_bytes();
        let mut altered = bytes.clone();
        altered[at.index(bytes.len())] ^= 1 << bit;
        prop_assert!(Sketch::from_bytes(&altered).is_err());
        prop_assert!(Sketch::from_bytes(&bytes[..at.index(bytes.len())]).is_err());
    }

    #[test]
    fn bytes_of_any_content_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), genuine in 0..21_usize) {
        let mut start = Sketch::new(Shape::new(1, 2).unwrap()).to_bytes();
        start.truncate(genuine);
        start.extend(bytes);
        let checksum = crc32(&start);
        prop_assert!(Sketch::from_bytes(&start).is_err());
        start.extend(checksum.to_le_bytes());
        if let Ok(sketch) = Sketch::from_bytes(&start) {
            prop_assert_eq!(sketch.to_bytes(), start);
        }
    }
}

/// The checksum bit by bit, as it is specified.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}

#[test]
fn a_shape_that_the_bytes_do_not_bear_out_is_refused_before_anything_is_allocated() {
    let with_shape = |groups: u32, cells: u32, more: &[u8]| {
        let mut bytes = Sketch::new(Shape::new(1, 2).unwrap()).to_bytes();
        bytes.truncate(bytes.len() - 4);
        bytes[12..16].copy_from_slice(&groups.to_le_bytes());
        bytes[16..20].copy_from_slice(&cells.to_le_bytes());
        bytes.extend_from_slice(more);
        bytes.extend(crc32(&bytes).to_le_bytes());
        Sketch::from_bytes(&bytes).map(|sketch| sketch.shape())
    };
    assert_eq!(with_shape(1, 2, &[]), Ok(Shape::new(1, 2).unwrap()));
    assert_eq!(with_shape(1, 3, &[]), Err(SketchError::Length));
    assert_eq!(with_shape(1, 2, &[0]), Err(SketchError::Length));
    assert_eq!(with_shape(1, 2, &[0; 32]), Err(SketchError::Length));
    assert_eq!(with_shape(1 << 15, 1 << 13, &[]), Err(SketchError::Length));
    assert_eq!(with_shape(u32::MAX, u32::MAX, &[]), Err(SketchError::Malformed));
    assert_eq!(with_shape(0, 2, &[]), Err(SketchError::Malformed));
}

#[test]
fn the_bytes_of_a_sketch_never_change_between_releases() {
    let mut sketch = Sketch::new(Shape::new(2, 3).unwrap());
    sketch.insert(Fingerprint::from_hex("a3817f04ba25a8e66df67214c7550293").unwrap());
    let bytes = sketch.to_bytes();
    assert_eq!(bytes.len(), 20 + 2 * 3 * 3 * 32 + 4);
    assert_eq!(bytes[bytes.len() - 4..], CHECKSUM_OF_ONE_MEMBER.to_le_bytes());
}

/// Worked out from the definition by a program in another language.
const CHECKSUM_OF_ONE_MEMBER: u32 = 0x8713_3d09;

#[test]
fn too_small_a_sketch_says_so_and_estimates_what_it_would_take() {
    let shape = Shape::new(2, 500).unwrap();
    let (left, right) = (sketch(shape, 0..20_000), sketch(shape, 6_000..30_000));
    let failure = difference(&left, &right).decode().unwrap_err();
    assert!((14_000..18_000).contains(&failure.estimate), "{failure}");

    let shape = Shape::for_differences(failure.estimate * 5 / 4);
    let difference = difference(&sketch(shape, 0..20_000), &sketch(shape, 6_000..30_000));
    let decoded = difference.decode().unwrap();
    assert_eq!(decoded.only_left().count(), 6_000);
    assert_eq!(decoded.only_right().collect::<BTreeSet<_>>(), prefixes(20_000..30_000));
}

#[test]
fn so_many_copies_that_their_number_is_a_multiple_of_32_do_not_decode() {
    let shape = Shape::for_differences(10);
    let copies = |count| sketch(shape, std::iter::repeat_n(7, count)).decode();
    assert_eq!(copies(5_000).unwrap().members(), [(FingerprintPrefix::of(fingerprint(7)), 5_000)]);
    assert!(copies(64).is_err());
}

#[test]
fn the_recommended_shape_decodes_what_it_is_recommended_for() {
    for (number, differences) in [0, 1, 5, 30, 200, 1_000, 4_000, 20_000].into_iter().enumerate() {
        let first = 1_000_000 * number as u32;
        let shape = Shape::for_differences(differences);
        let made = sketch(shape, first..first + differences as u32);
        let decoded = made.decode().map(|decoded| decoded.only_left().count() as u64);
        assert_eq!(decoded, Ok(differences), "{shape:?}");
    }
}

#[test]
fn sketches_of_different_shapes_are_not_combined() {
    let mut sketch = Sketch::new(Shape::new(1, 8).unwrap());
    let other = Sketch::new(Shape::new(2, 4).unwrap());
    let error = sketch.subtract(&other).unwrap_err();
    assert_eq!(error.to_string(), "sketches of 1×3×8 and 2×3×4 cells cannot be combined");
    assert!(sketch.merge(&other).is_err());
    assert!(sketch.add_cell(24, Cell::default()).is_err());
}

#[test]
fn neither_sketches_nor_cells_nor_differences_show_a_fingerprint() {
    let sketch = sketch(Shape::new(1, 2).unwrap(), [1]);
    let shown = format!("{sketch:?} {:?}", sketch.cells());
    let (count, prefix) = (Decoded::members, FingerprintPrefix::of(fingerprint(1)));
    let decoded = sketch.decode().unwrap();
    assert_eq!(count(&decoded).len(), 1);
    let shown = format!("{shown} {decoded:?}");
    let half = u64::from_str_radix(&prefix.to_hex()[..15], 16).unwrap();
    assert!(!shown.contains(&prefix.to_hex()) && !shown.contains(&half.to_string()), "{shown}");
}

fn key() -> FingerprintKey {
    FingerprintKey::new([5; 16])
}

fn line_file(lines: &[u8]) -> Vec<u8> {
    lines.iter().flat_map(|line| [b'a' + line / 10, b'0' + line % 10, b'\n']).collect()
}

fn line_set(lines: &[u8]) -> BTreeSet<Vec<u8>> {
    line_file(lines)
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

proptest! {
    #[test]
    fn lines_are_compared_with_a_stored_sketch(
        previous in prop::collection::vec(0..40_u8, 0..80),
        current in prop::collection::vec(0..40_u8, 0..80),
        next in prop::collection::vec(0..40_u8, 0..80),
        threads in 1..4_usize,
    ) {
        let shape = Shape::for_differences(100);
        let stored = sketch_lines(&line_file(&previous).as_slice(), &key(), shape, threads).unwrap();
        let mut stored = Sketch::from_bytes(&stored.to_bytes()).unwrap();
        for (previous, current) in [(&previous, &current), (&current, &next)] {
            let file = line_file(current);
            let changes = changes_since(&stored, &file.as_slice(), &key(), threads).unwrap();
            let (previous, current) = (line_set(previous), line_set(current));
            prop_assert!(changes.added.iter().eq(&current - &previous));
            let removed = &previous - &current;
            let removed = removed.iter().map(|line| FingerprintPrefix::of(key().fingerprint(line)));
            prop_assert_eq!(changes.removed, removed.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>());
            stored = changes.sketch;
        }
    }
}

#[test]
fn the_sketch_of_a_line_file_is_that_of_the_fingerprints_of_its_lines() {
    let lines: Vec<u8> = (0..90).collect();
    let shape = Shape::new(2, 9).unwrap();
    let mut expected = Sketch::new(shape);
    line_set(&lines).iter().for_each(|line| expected.insert(key().fingerprint(line)));
    let file = line_file(&lines);
    assert!(sketch_lines(&file.as_slice(), &key(), shape, 2).unwrap() == expected);
}

#[test]
fn a_stored_sketch_that_is_too_small_says_how_many_differences_there_are() {
    let (previous, current): (Vec<u8>, Vec<u8>) = ((0..90).collect(), (90..180).collect());
    let shape = Shape::new(1, 20).unwrap();
    let stored = sketch_lines(&line_file(&previous).as_slice(), &key(), shape, 1).unwrap();
    match changes_since(&stored, &line_file(&current).as_slice(), &key(), 1) {
        Err(ChangesError::TooMany(error)) => {
            assert!((90..360).contains(&error.estimate), "{error}")
        }
        other => panic!("{other:?}"),
    }
}

/// Where one copy of the line `a0` would be, `copies` of it.
fn stored_with(shape: Shape, copies: i64) -> Sketch {
    let one = sketch_lines(&&b"a0\n"[..], &key(), shape, 1).unwrap();
    let mut many = Sketch::new(shape);
    for (place, cell) in one.cells().iter().enumerate().filter(|(_, cell)| cell.count() == 1) {
        let [_, a, b, check] = cell.to_words().map(|word| i128::from(word) * i128::from(copies));
        many.add_cell(place as u64, Cell::from_sums(copies, a, b, check)).unwrap();
    }
    many
}

#[test]
fn numbers_of_copies_that_cannot_be_are_found_out_without_a_panic() {
    let stored = stored_with(Shape::for_differences(10), -i64::MAX);
    let changes = changes_since(&stored, &&b"a0\na0\n"[..], &key(), 1);
    assert!(matches!(changes, Err(ChangesError::Altered)), "{changes:?}");
}

proptest! {
    #[test]
    fn cells_of_any_content_decode_or_do_not_without_a_panic(
        cells in prop::collection::vec(any::<[i64; 4]>(), 6..18),
    ) {
        let mut sketch = Sketch::new(Shape::new(1, cells.len() as u32 / 3).unwrap());
        for (place, [count, a, b, check]) in cells.into_iter().enumerate() {
            let cell = Cell::from_sums(count, a.into(), b.into(), check.into());
            let _ = sketch.add_cell(place as u64, cell);
        }
        prop_assert!(sketch.decode().is_err());
    }
}

#[test]
fn lines_altered_between_the_readings_are_an_error() {
    /// Lines at the first reading, and others later on.
    struct Altered(&'static [u8], &'static [u8], AtomicUsize);
    impl ReadAt for Altered {
        fn size(&self) -> io::Result<u64> {
            self.0.size()
        }
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            let again = if offset == 0 { self.2.fetch_add(1, Ordering::Relaxed) > 0 } else { true };
            if again { self.1.read_at(buffer, offset) } else { self.0.read_at(buffer, offset) }
        }
    }
    let stored = sketch_lines(&&b"a0\nb0\n"[..], &key(), Shape::for_differences(10), 1).unwrap();
    // Each line of these could be explained by what was decoded, and the answer would be wrong.
    let current = Altered(b"b0\nb0\n", b"b0\na0\n", AtomicUsize::new(0));
    let changes = changes_since(&stored, &current, &key(), 1);
    assert!(matches!(changes, Err(ChangesError::Altered)), "{changes:?}");
}

#[test]
fn changes_do_not_show_who_changed() {
    let stored = sketch_lines(&&b"a0\n"[..], &key(), Shape::for_differences(10), 1).unwrap();
    let changes = changes_since(&stored, &&b"b0\n"[..], &key(), 1).unwrap();
    let shown = format!("{changes:?}");
    assert!(!shown.contains(&changes.removed[0].to_hex()), "{shown}");
}
