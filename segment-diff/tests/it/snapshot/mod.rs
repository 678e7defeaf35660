//! The format and its faithful use.

mod damage;
mod file;
mod golden;
mod lines;

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use segment_diff::snapshot::{
    Decoder, Encoder, Layout, MAX_KEY, Position, SnapshotError, SnapshotErrorKind as Kind,
    SnapshotReader, SnapshotWriter, Summary,
};

type Records = BTreeMap<Vec<u8>, Vec<u8>>;

fn encode(layout: Layout, records: &Records) -> (Vec<u8>, Summary) {
    encode_with(Encoder::new(layout), records)
}

fn encode_with(mut encoder: Encoder, records: &Records) -> (Vec<u8>, Summary) {
    let mut file = Vec::new();
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
        indexed in any::<bool>(),
        block_bytes in prop_oneof![1..200_usize, Just(usize::MAX)],
    ) {
        let encoder = Encoder::new(layout).block_bytes(block_bytes);
        let encoder = if indexed { encoder } else { encoder.without_index() };
        let (file, summary) = encode_with(encoder, &records);
        prop_assert_eq!(summary.records, records.len() as u64);
        prop_assert_eq!(summary.bytes, file.len() as u64);
        prop_assert_eq!(decode(&file, piece).unwrap(), (records, summary));
    }
}

proptest! {
    #[test]
    fn many_records_at_once_make_the_same_file(
        (layout, records) in fixed_layout(),
        block_bytes in 1..200_usize,
        pieces in vec(1..9_usize, 60),
    ) {
        let width = records.iter().next().map_or(0, |(key, payload)| key.len() + payload.len());
        prop_assume!(width > 0);
        let encoder = || Encoder::new(layout).block_bytes(block_bytes);
        let all: Vec<u8> =
            records.iter().flat_map(|(key, payload)| [key.as_slice(), payload].concat()).collect();
        let (mut at_once, mut file, mut rest) = (encoder(), Vec::new(), all.as_slice());
        for piece in pieces {
            let (now, later) = rest.split_at(rest.len().min(piece * width));
            at_once.push_records(now, &mut file).unwrap();
            rest = later;
        }
        prop_assert!(rest.is_empty());
        let summary = at_once.finish(&mut file).unwrap();
        prop_assert_eq!((file, summary), encode_with(encoder(), &records));
    }
}

#[test]
fn many_records_at_once_are_refused_as_single_ones_are() {
    let layout = Layout::Fixed { key: 2, payload: 1 };
    let cases: [(&[u8], Kind); 4] = [
        (b"aa-bb", Kind::WrongWidth),
        (b"cc-bb-", Kind::NotAscending),
        (b"cc-cc-", Kind::NotAscending),
        (b"aa-cc-", Kind::NotAscending),
    ];
    for (records, kind) in cases {
        let (mut encoder, mut file) = (Encoder::new(layout), Vec::new());
        encoder.push(b"aa", b"-", &mut file).unwrap();
        let error = encoder.push_records(records, &mut file).unwrap_err();
        assert_eq!((error.kind(), error.position()), (kind, Position::Record(1)));
        assert_eq!(encoder.finish(&mut file).unwrap_err().kind(), kind);
    }
}

/// The expected bytes come from another implementation, written from the format's description.
#[test]
fn files_are_as_the_format_says() {
    let hex = |file: &[u8]| file.iter().map(|byte| format!("{byte:02x}")).collect::<String>();

    let records = [(b"ada".to_vec(), vec![7]), (b"adele".to_vec(), vec![9])].into();
    let layout = Layout::Bytes { payload: 1 };
    let block = "42020000000c000000e7a268650003616461070203656c6509";
    let header = "895345474449460a010200000100000015085e8c";
    let footer = "4602000000000000002d0000000000000022186e291e6a4aae";
    let (file, _) = encode_with(Encoder::new(layout).without_index(), &records);
    assert_eq!(hex(&file), [header, block, footer].concat());

    let header = "895345474449460a0202000001000000f60fd102";
    let index = "490100000018000000bc9e328c14000000000000000000000000000000e7a2686503616461";
    let footer = "46020000000000000052000000000000002d00000000000000668752b07b5f5acf";
    assert_eq!(hex(&encode(layout, &records).0), [header, block, index, footer].concat());

    let records = [(b"aa".to_vec(), vec![1]), (b"ab".to_vec(), vec![2])].into();
    let layout = Layout::Fixed { key: 2, payload: 1 };
    let block = "42020000000600000098514876616101616202";
    let header = "895345474449460a010102000100000083b37ef0";
    let footer = "4602000000000000002700000000000000b063095b91c1279f";
    let (file, _) = encode_with(Encoder::new(layout).without_index(), &records);
    assert_eq!(hex(&file), [header, block, footer].concat());

    let header = "895345474449460a020102000100000060b4f17e";
    let index = "490100000017000000ad2d3c851400000000000000000000000000000098514876026161";
    let footer = "4602000000000000004b0000000000000027000000000000009cf3292572009acb";
    assert_eq!(hex(&encode(layout, &records).0), [header, block, index, footer].concat());
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
fn debug_output_never_shows_a_key() {
    let mut encoder = Encoder::new(Layout::Bytes { payload: 0 });
    let mut file = Vec::new();
    encoder.push(b"ada@example.com", b"", &mut file).unwrap();
    let mut printed = format!("{encoder:?}");
    encoder.finish(&mut file).unwrap();

    let mut decoder = Decoder::new();
    decoder.feed(&file);
    printed += &format!("{:?}", decoder.next_record());
    printed += &format!("{decoder:?}");
    let mut reader = SnapshotReader::new(file.as_slice()).unwrap();
    printed += &format!("{:?}", reader.next_record());
    printed += &format!("{reader:?}");
    let mut writer = SnapshotWriter::new(Vec::new(), Layout::Bytes { payload: 0 });
    writer.push(b"ada@example.com", b"").unwrap();
    printed += &format!("{writer:?}");

    let bytes = format!("{:?}", b"ada").replace(['[', ']'], "");
    for form in ["ada", &bytes] {
        assert!(!printed.contains(form), "{printed}");
    }
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
