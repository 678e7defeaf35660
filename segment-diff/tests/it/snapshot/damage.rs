//! What is not as it was written: truncated, altered, hand-made.

use proptest::collection::vec;
use proptest::prelude::*;
use segment_diff::snapshot::{
    Decoder, Layout, MAX_BODY, Position, SnapshotErrorKind as Kind, SnapshotReader,
};

use super::{Records, bytes_layout, decode, encode, failure, fixed_layout, many};

proptest! {
    #[test]
    fn any_altered_byte_is_an_error(
        (layout, records) in prop_oneof![bytes_layout(), fixed_layout()],
        place in any::<prop::sample::Index>(),
        change in 1..=255_u8,
    ) {
        let (mut file, _) = encode(layout, &records);
        let place = place.index(file.len());
        file[place] ^= change;
        prop_assert!(decode(&file, 1000).is_err());
    }

    #[test]
    fn any_truncation_is_an_error_at_the_end_of_the_data(
        (layout, records) in prop_oneof![bytes_layout(), fixed_layout()],
        length in any::<prop::sample::Index>(),
    ) {
        let (file, _) = encode(layout, &records);
        let length = length.index(file.len());
        prop_assert_eq!(failure(&file[..length]), (Kind::Truncated, Position::Byte(length as u64)));
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in vec(any::<u8>(), 0..400),
        valid_header in any::<bool>(),
    ) {
        let (mut file, _) = encode(Layout::Bytes { payload: 1 }, &Records::new());
        file.truncate(if valid_header { 20 } else { 0 });
        file.extend_from_slice(&bytes);
        prop_assert!(decode(&file, 7).is_err());
    }

    #[test]
    fn a_block_that_lies_with_a_right_checksum_never_panics_nor_breaks_the_order(
        layout in prop_oneof![
            (0..3_u16).prop_map(|payload| Layout::Bytes { payload }),
            (0..3_u16, 0..3_u16).prop_map(|(key, payload)| Layout::Fixed { key, payload }),
        ],
        records in 0..6_u32,
        body in vec(prop_oneof![4 => 0..4_u8, 1 => any::<u8>()], 0..24),
    ) {
        let mut decoder = Decoder::new();
        decoder.feed(&crafted(layout, records, &body));
        let mut last = None;
        while let Ok(Some(record)) = decoder.next_record() {
            let key = Some(record.key.to_vec());
            prop_assert!(last < key, "{last:?} {key:?}");
            last = key;
        }
        prop_assert!(decoder.finish().is_err());
    }
}

/// A hand-made block whose checksum is right, after the header of `layout`.
fn crafted(layout: Layout, records: u32, body: &[u8]) -> Vec<u8> {
    let (mut file, _) = encode(layout, &Records::new());
    file.truncate(20);
    let mut checked = vec![b'B'];
    checked.extend_from_slice(&records.to_le_bytes());
    checked.extend_from_slice(&(body.len() as u32).to_le_bytes());
    file.extend_from_slice(&checked);
    checked.extend_from_slice(body);
    file.extend_from_slice(&crc32fast::hash(&checked).to_le_bytes());
    file.extend_from_slice(body);
    file
}

#[test]
fn records_of_a_damaged_block_are_not_handed_out() {
    let (mut file, _) = encode(Layout::Bytes { payload: 2 }, &many());
    let second_block = 20 + 13 + u32::from_le_bytes([file[25], file[26], file[27], file[28]]);
    let records = u32::from_le_bytes([file[21], file[22], file[23], file[24]]);
    file[second_block as usize + 1000] ^= 1;

    let mut decoder = Decoder::new();
    decoder.feed(&file);
    for _ in 0..records {
        assert!(decoder.next_record().unwrap().is_some());
    }
    for _ in 0..2 {
        let error = decoder.next_record().unwrap_err();
        assert_eq!(error.kind(), Kind::Corrupt);
        assert_eq!(error.position(), Position::Byte(u64::from(second_block)));
    }
    assert_eq!(decoder.finish().unwrap_err().kind(), Kind::Corrupt);
}

#[test]
fn a_missing_or_repeated_block_is_an_error() {
    let (file, _) = encode(Layout::Fixed { key: 1, payload: 0 }, &[(vec![5], vec![])].into());
    let (header, block, footer) = (&file[..20], &file[20..34], &file[34..]);
    // The index then stands for a block that is not there.
    assert_eq!(failure(&[header, footer].concat()), (Kind::Corrupt, Position::Byte(55)));
    let repeated = [header, block, block, footer].concat();
    assert_eq!(failure(&repeated), (Kind::NotAscending, Position::Byte(47)));
}

#[test]
fn data_after_the_footer_is_an_error() {
    let (mut file, summary) = encode(Layout::Bytes { payload: 0 }, &Records::new());
    file.push(0);
    assert_eq!(failure(&file), (Kind::Trailing, Position::Byte(summary.bytes)));
    assert_eq!(decode(&file, 1).unwrap_err().kind(), Kind::Trailing);
}

#[test]
fn other_files_and_later_versions_are_told_apart() {
    let other = b"email\nada@example.com\nbo@example.com\n";
    assert_eq!(failure(other), (Kind::NotASnapshot, Position::Byte(0)));
    let (mut later, _) = encode(Layout::Bytes { payload: 0 }, &Records::new());
    later[8] = 3;
    assert_eq!(failure(&later), (Kind::Unsupported, Position::Byte(0)));
}

#[test]
fn a_length_beyond_the_limit_is_refused_before_its_data_arrives() {
    let mut file = crafted(Layout::Bytes { payload: 0 }, 1, &[]);
    file[25..29].copy_from_slice(&(MAX_BODY as u32 + 1).to_le_bytes());
    assert_eq!(failure(&file), (Kind::Malformed, Position::Byte(20)));
}

#[test]
fn blocks_that_lie_with_a_right_checksum_are_malformed() {
    let bytes = Layout::Bytes { payload: 0 };
    let fixed = Layout::Fixed { key: 2, payload: 1 };
    let cases: [(Layout, u32, &[u8], u64); 9] = [
        (bytes, 0, &[], 20),                       // no records
        (bytes, 1, &[1, 1, b'a'], 33),             // shares with a key that is not there
        (bytes, 2, &[0, 1, b'a', 2, 1, b'b'], 36), // shares more than the key before has
        (bytes, 1, &[0, 9, b'a'], 33),             // runs over the end of the block
        (bytes, 1, &[0, 1, b'a', 0], 33),          // leaves something over
        (bytes, 1, &[0, 0x81, 0, b'a'], 33),       // a number longer than needed
        (bytes, 2, &[0, 1, b'a'], 36),             // fewer records than announced
        (fixed, 2, &[1, 1, 0, 2, 2], 20),          // no multiple of the width
        (fixed, u32::MAX, &[1, 1, 0], 20),         // far more records than bytes
    ];
    for (layout, records, body, offset) in cases {
        let expected = (Kind::Malformed, Position::Byte(offset));
        assert_eq!(failure(&crafted(layout, records, body)), expected, "{body:?}");
    }
}

#[test]
fn a_block_shares_nothing_with_the_block_before_it() {
    let layout = Layout::Bytes { payload: 0 };
    let first = crafted(layout, 1, &[0, 1, b'a']);
    let second = crafted(layout, 1, &[1, 1, b'b']);
    let file = [first.as_slice(), &second[20..]].concat();
    assert_eq!(failure(&file), (Kind::Malformed, Position::Byte(49)));
}

#[test]
fn keys_that_do_not_ascend_are_refused_when_reading() {
    let bytes = Layout::Bytes { payload: 0 };
    for body in [&[0, 1, b'b', 0, 1, b'a'], &[0, 1, b'b', 0, 1, b'b'], &[0, 1, b'b', 1, 0, 0]] {
        let length = if body[3] == 1 { 5 } else { 6 };
        let file = crafted(bytes, 2, &body[..length]);
        assert_eq!(failure(&file), (Kind::NotAscending, Position::Byte(36)), "{body:?}");
    }
}

#[test]
fn records_that_nobody_asked_for_are_checked_at_the_end() {
    let (mut file, summary) = encode(Layout::Bytes { payload: 2 }, &many());
    let finish = |file: &[u8]| {
        let mut decoder = Decoder::new();
        decoder.feed(file);
        decoder.finish()
    };
    assert_eq!(finish(&file).unwrap(), summary);
    file[100_000] ^= 1;
    assert_eq!(finish(&file).unwrap_err().kind(), Kind::Corrupt);
}

#[test]
fn a_stream_that_ends_early_is_truncated() {
    let (file, _) = encode(Layout::Bytes { payload: 2 }, &many());
    let error = SnapshotReader::new(&file[..10]).unwrap_err();
    assert_eq!((error.kind(), error.position()), (Kind::Truncated, Position::Byte(10)));

    let end = file.len() - 1;
    let mut reader = SnapshotReader::new(&file[..end]).unwrap();
    let error = loop {
        match reader.next_record() {
            Ok(record) => assert!(record.is_some()),
            Err(error) => break error,
        }
    };
    assert_eq!((error.kind(), error.position()), (Kind::Truncated, Position::Byte(end as u64)));
}
