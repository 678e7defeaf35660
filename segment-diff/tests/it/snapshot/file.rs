//! Random access.

use std::io;
use std::ops::Bound;

use proptest::collection::vec;
use proptest::prelude::*;
use segment_diff::ReadAt;
use segment_diff::snapshot::{
    Encoder, Layout, SnapshotError, SnapshotErrorKind as Kind, SnapshotFile, SnapshotRecords,
};

use super::{Records, bytes_layout, fixed_layout};

fn encode(layout: Layout, records: &Records, block_bytes: usize) -> Vec<u8> {
    let (mut encoder, mut file) = (Encoder::new(layout).block_bytes(block_bytes), Vec::new());
    for (key, payload) in records {
        encoder.push(key, payload, &mut file).unwrap();
    }
    encoder.finish(&mut file).unwrap();
    file
}

fn collect<R: ReadAt>(mut records: SnapshotRecords<'_, R>) -> Result<Records, SnapshotError> {
    let mut read = Records::new();
    while let Some(record) = records.next_record()? {
        assert!(read.last_key_value().is_none_or(|(last, _)| last.as_slice() < record.key));
        read.insert(record.key.to_vec(), record.payload.to_vec());
    }
    Ok(read)
}

/// Keys that share far more than the index keeps of them, among others.
fn long_keys() -> impl Strategy<Value = (Layout, Records)> {
    let key = prop_oneof![
        (60..70_usize, vec(b'a'..b'c', 0..6)).prop_map(|(shared, rest)| {
            let mut key = vec![b'm'; shared];
            key.extend(rest);
            key
        }),
        vec(b'l'..b'o', 0..5),
    ];
    let records = prop::collection::btree_map(key, vec(any::<u8>(), 1), 0..60);
    records.prop_map(|records| (Layout::Bytes { payload: 1 }, records))
}

proptest! {
    #[test]
    fn a_file_answers_as_a_map_would(
        (layout, records) in prop_oneof![bytes_layout(), fixed_layout(), long_keys()],
        block_bytes in 1..300_usize,
        others in vec(prop_oneof![vec(any::<u8>(), 0..70), vec(b'm'..b'o', 58..68)], 0..8),
    ) {
        let bytes = encode(layout, &records, block_bytes);
        let file = SnapshotFile::open(&bytes[..]).unwrap();
        prop_assert_eq!(file.layout(), layout);
        prop_assert_eq!(collect(file.records()).unwrap(), records.clone());
        for key in records.keys().chain(&others) {
            prop_assert_eq!(file.get(key).unwrap(), records.get(key).cloned());
            let expected: Records = records
                .range((Bound::Included(key.clone()), Bound::Unbounded))
                .map(|(key, payload)| (key.clone(), payload.clone()))
                .collect();
            prop_assert_eq!(collect(file.records_from(key).unwrap()).unwrap(), expected);
        }
    }

    #[test]
    fn shares_are_the_whole_in_order(
        (layout, records) in prop_oneof![bytes_layout(), fixed_layout()],
        block_bytes in 1..300_usize,
        parts in 1..6_usize,
    ) {
        let bytes = encode(layout, &records, block_bytes);
        let file = SnapshotFile::open(&bytes[..]).unwrap();
        let mut all = Vec::new();
        for part in 0..parts {
            all.extend(collect(file.share(part, parts)).unwrap());
        }
        prop_assert_eq!(all, records.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn blocks_of_fixed_records_are_the_records(
        (layout, records) in fixed_layout(),
        block_bytes in 1..300_usize,
        from in vec(any::<u8>(), 0..20),
    ) {
        let bytes = encode(layout, &records, block_bytes);
        let file = SnapshotFile::open(&bytes[..]).unwrap();
        let mut blocks = file.records_from(&from).unwrap();
        let mut read = Vec::new();
        while let Some(records) = blocks.next_records().unwrap() {
            read.extend(records.iter().map(|record| (record.key.to_vec(), record.payload.to_vec())));
        }
        let expected: Vec<_> = records.into_iter().filter(|(key, _)| *key >= from).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200), keep in 0..120_usize) {
        let valid = encode(Layout::Bytes { payload: 0 }, &[(b"ada".to_vec(), vec![])].into(), 9);
        let keep = keep.min(valid.len() - 1);
        let file = [&valid[..keep], &bytes, &valid[keep + 1..]].concat();
        if let Ok(file) = SnapshotFile::open(&file[..]) {
            let _ = collect(file.records());
        }
    }
}

#[test]
fn shares_are_about_equal() {
    let records: Records = (0..1000_u32).map(|n| (n.to_be_bytes().to_vec(), vec![])).collect();
    let bytes = encode(Layout::Fixed { key: 4, payload: 0 }, &records, 40);
    let file = SnapshotFile::open(&bytes[..]).unwrap();
    for part in 0..3 {
        let length = collect(file.share(part, 3)).unwrap().len();
        assert!((323..=344).contains(&length), "{length}");
    }
}

#[test]
fn one_key_takes_one_block() {
    struct Counted(Vec<u8>, std::sync::atomic::AtomicU64);
    impl ReadAt for Counted {
        fn size(&self) -> io::Result<u64> {
            self.0.size()
        }
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            self.1.fetch_add(buffer.len() as u64, std::sync::atomic::Ordering::Relaxed);
            self.0.read_at(buffer, offset)
        }
    }
    let records: Records = (0..50_000_u32).map(|n| (n.to_be_bytes().to_vec(), vec![])).collect();
    let bytes = encode(Layout::Fixed { key: 4, payload: 0 }, &records, 1000);
    let file = SnapshotFile::open(Counted(bytes, 0.into())).unwrap();
    let read = || file.source().1.swap(0, std::sync::atomic::Ordering::Relaxed);
    let index = read();
    assert!(index < 10_000, "{index} bytes to open");
    assert!(file.get(&30_000_u32.to_be_bytes()).unwrap().is_some());
    assert_eq!(read(), 13 + 1000);
}

/// Two snapshots whose blocks have the same sizes, counts and first keys.
#[test]
fn a_block_of_another_snapshot_is_found() {
    let layout = Layout::Fixed { key: 2, payload: 1 };
    let records = |payload| -> Records {
        (0..40_u16).map(|key| (key.to_be_bytes().to_vec(), vec![payload])).collect()
    };
    let mut ours = encode(layout, &records(1), 30);
    let other = encode(layout, &records(2), 30);
    ours[63..106].copy_from_slice(&other[63..106]);
    let file = SnapshotFile::open(&ours[..]).unwrap();
    let error = collect(file.records()).unwrap_err();
    assert_eq!((error.kind(), error.position().to_string()), (Kind::Corrupt, "byte 63".into()));
    assert!(file.get(&25_u16.to_be_bytes()).unwrap().is_some());
}

#[test]
fn a_source_that_fails_is_an_error_and_interruptions_are_not() {
    struct Unreliable(Vec<u8>, std::sync::atomic::AtomicU64, u64);
    impl ReadAt for Unreliable {
        fn size(&self) -> io::Result<u64> {
            self.0.size()
        }
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            let call = self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if call == self.2 {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            if call.is_multiple_of(2) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let length = buffer.len().min(7);
            self.0.read_at(&mut buffer[..length], offset)
        }
    }
    let records: Records = (0..30_u32).map(|n| (n.to_be_bytes().to_vec(), vec![])).collect();
    let bytes = encode(Layout::Fixed { key: 4, payload: 0 }, &records, 20);
    let read = |fails_at| {
        let file = SnapshotFile::open(Unreliable(bytes.clone(), 0.into(), fails_at))?;
        collect(file.records())
    };
    assert_eq!(read(u64::MAX).unwrap(), records);
    for fails_at in 0..60 {
        assert_eq!(read(fails_at).unwrap_err().kind(), Kind::Io);
    }
}

#[test]
fn debug_output_never_shows_a_key() {
    let bytes =
        encode(Layout::Bytes { payload: 0 }, &[(b"ada@example.com".to_vec(), vec![])].into(), 9);
    let file = SnapshotFile::open(&bytes[..]).unwrap();
    let mut records = file.records();
    records.next_record().unwrap();
    let printed = format!("{file:?} {records:?}");
    assert!(!printed.contains("ada") && !printed.contains("97, 100"), "{printed}");
}
