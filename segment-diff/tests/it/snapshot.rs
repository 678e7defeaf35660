use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use segment_diff::snapshot::{
    Decoder, Encoder, Layout, MAX_BODY, MAX_KEY, Position, SnapshotError,
    SnapshotErrorKind as Kind, SnapshotReader, SnapshotWriter, Summary,
};

type Records = BTreeMap<Vec<u8>, Vec<u8>>;

fn encode(layout: Layout, records: &Records) -> (Vec<u8>, Summary) {
    let (mut encoder, mut file) = (Encoder::new(layout), Vec::new());
    for (key, payload) in records {
        encoder.push(key, payload, &mut file).unwrap();
    }
    let summary = encoder.finish(&mut file).unwrap();
    (file, summary)
}

fn decode(file: &[u8], piece: usize) -> Result<(Records, Summary), SnapshotError> {
    let (mut decoder, mut records) = (Decoder::new(), Records::new());
    for piece in file.chunks(piece) {
        decoder.feed(piece);
        while let Some(record) = decoder.next_record()? {
            records.insert(record.key.to_vec(), record.payload.to_vec());
        }
    }
    Ok((records, decoder.finish()?))
}

fn failure(file: &[u8]) -> (Kind, Position) {
    let error = decode(file, usize::MAX).unwrap_err();
    (error.kind(), error.position())
}

fn bytes_layout() -> impl Strategy<Value = (Layout, Records)> {
    (0..4_usize).prop_flat_map(|payload| {
        let key = prop_oneof![vec(b'a'..b'd', 0..12), vec(any::<u8>(), 0..300)];
        let layout = Layout::Bytes { payload: payload as u16 };
        (Just(layout), btree_map(key, vec(any::<u8>(), payload), 0..60))
    })
}

fn fixed_layout() -> impl Strategy<Value = (Layout, Records)> {
    (0..20_usize, 0..9_usize).prop_flat_map(|(key, payload)| {
        let layout = Layout::Fixed { key: key as u16, payload: payload as u16 };
        (Just(layout), btree_map(vec(any::<u8>(), key), vec(any::<u8>(), payload), 0..60))
    })
}

/// Addresses enough for several blocks.
fn many() -> Records {
    let address = |index: u64| (format!("member-{index:07}@example.com").into_bytes(), vec![1, 2]);
    (0..30_000).map(address).collect()
}

proptest! {
    #[test]
    fn what_was_written_is_read_back_in_pieces_of_any_size(
        (layout, records) in prop_oneof![bytes_layout(), fixed_layout()],
        piece in 1..200_usize,
    ) {
        let (file, summary) = encode(layout, &records);
        prop_assert_eq!(summary.records, records.len() as u64);
        prop_assert_eq!(summary.bytes, file.len() as u64);
        prop_assert_eq!(decode(&file, piece).unwrap(), (records, summary));
    }

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

/// The expected bytes come from another implementation, written from the format's description.
#[test]
fn files_are_as_the_format_says() {
    let hex = |file: &[u8]| file.iter().map(|byte| format!("{byte:02x}")).collect::<String>();

    let records = [(b"ada".to_vec(), vec![7]), (b"adele".to_vec(), vec![9])].into();
    let (file, _) = encode(Layout::Bytes { payload: 1 }, &records);
    let header = "895345474449460a010200000100000015085e8c";
    let block = "42020000000c000000e7a268650003616461070203656c6509";
    let footer = "4602000000000000002d0000000000000022186e291e6a4aae";
    assert_eq!(hex(&file), [header, block, footer].concat());

    let records = [(b"aa".to_vec(), vec![1]), (b"ab".to_vec(), vec![2])].into();
    let (file, _) = encode(Layout::Fixed { key: 2, payload: 1 }, &records);
    let header = "895345474449460a010102000100000083b37ef0";
    let block = "42020000000600000098514876616101616202";
    let footer = "4602000000000000002700000000000000b063095b91c1279f";
    assert_eq!(hex(&file), [header, block, footer].concat());
}

#[test]
fn many_records_fill_several_blocks_and_are_front_coded() {
    let records = many();
    let (file, summary) = encode(Layout::Bytes { payload: 2 }, &records);
    assert_eq!(decode(&file, 4096).unwrap(), (records.clone(), summary));
    let plain: usize = records.iter().map(|(key, payload)| key.len() + payload.len()).sum();
    assert!(file.len() > 4 * (64 << 10), "{} bytes", file.len());
    assert!(file.len() < plain * 3 / 4, "{} of {plain} bytes", file.len());
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
    assert_eq!(failure(&[header, footer].concat()), (Kind::Corrupt, Position::Byte(20)));
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
    later[8] = 2;
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
fn keys_that_do_not_ascend_are_refused_when_reading() {
    let bytes = Layout::Bytes { payload: 0 };
    for body in [&[0, 1, b'b', 0, 1, b'a'], &[0, 1, b'b', 0, 1, b'b'], &[0, 1, b'b', 1, 0, 0]] {
        let length = if body[3] == 1 { 5 } else { 6 };
        let file = crafted(bytes, 2, &body[..length]);
        assert_eq!(failure(&file), (Kind::NotAscending, Position::Byte(36)), "{body:?}");
    }
}

#[test]
fn a_refused_record_is_not_written_and_spoils_the_snapshot() {
    let fixed = Layout::Fixed { key: 2, payload: 1 };
    let bytes = Layout::Bytes { payload: 0 };
    let long = vec![b'z'; MAX_KEY + 1];
    type Case<'a> = (Layout, &'a [u8], &'a [u8], &'a [u8], Kind);
    let cases: [Case<'_>; 5] = [
        (fixed, b"bb", b"-", b"aa", Kind::NotAscending),
        (fixed, b"bb", b"-", b"bb", Kind::NotAscending),
        (fixed, b"bb", b"-", b"ccc", Kind::WrongWidth),
        (bytes, b"bb", b"", &long, Kind::KeyTooLong),
        (bytes, b"", b"", b"", Kind::NotAscending),
    ];
    for (layout, first, payload, second, kind) in cases {
        let (mut encoder, mut file) = (Encoder::new(layout), Vec::new());
        encoder.push(first, payload, &mut file).unwrap();
        let error = encoder.push(second, payload, &mut file).unwrap_err();
        assert_eq!((error.kind(), error.position()), (kind, Position::Record(1)));
        assert_eq!(encoder.finish(&mut file).unwrap_err().kind(), kind);
    }
    let mut encoder = Encoder::new(fixed);
    let error = encoder.push(b"aa", b"", &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), Kind::WrongWidth);
}

#[test]
fn the_longest_key_with_the_widest_payload_fits() {
    let layout = Layout::Bytes { payload: u16::MAX };
    let payload = || vec![1; usize::from(u16::MAX)];
    let records =
        [(vec![b'a'], payload()), (vec![b'a'; MAX_KEY], payload()), (vec![b'b'], payload())];
    let records = Records::from(records);
    let (file, summary) = encode(layout, &records);
    assert_eq!(decode(&file, 1 << 16).unwrap(), (records, summary));
}

#[test]
fn errors_never_repeat_a_key() {
    let mut encoder = Encoder::new(Layout::Bytes { payload: 0 });
    let mut file = Vec::new();
    encoder.push(b"bo@example.com", b"", &mut file).unwrap();
    let error = encoder.push(b"ada@example.com", b"", &mut file).unwrap_err();
    assert_eq!(error.to_string(), "snapshot: key is not above the one before it at record 1");
    assert!(!format!("{error:?}").contains("ada"));
}

#[test]
fn streams_carry_a_snapshot_there_and_back() {
    let (layout, records) = (Layout::Bytes { payload: 2 }, many());
    let mut writer = SnapshotWriter::new(Vec::new(), layout);
    for (key, payload) in &records {
        writer.push(key, payload).unwrap();
    }
    let (summary, file) = writer.finish().unwrap();
    assert_eq!((&file, summary), (&encode(layout, &records).0, summary));

    let mut reader = SnapshotReader::new(file.as_slice()).unwrap();
    assert_eq!(reader.layout(), layout);
    let mut read = Records::new();
    while let Some(record) = reader.next_record().unwrap() {
        read.insert(record.key.to_vec(), record.payload.to_vec());
    }
    assert_eq!((read, reader.summary()), (records, Some(summary)));
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

#[test]
fn nothing_is_written_after_a_failed_write() {
    /// Takes a few bytes, fails once, and would then take everything.
    #[derive(Debug)]
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 => Ok(bytes.len().min(10)),
                2 => Err(std::io::ErrorKind::StorageFull.into()),
                _ => Ok(bytes.len()),
            }
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut writer = SnapshotWriter::new(Full(0), Layout::Bytes { payload: 2 });
    let records = many();
    let failed = records.iter().filter(|(key, payload)| writer.push(key, payload).is_err());
    assert!(failed.count() > 0);
    assert_eq!(writer.finish().unwrap_err().kind(), Kind::Io);
}
