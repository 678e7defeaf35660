//! Files made by another implementation, written from the format's description.

use segment_diff::snapshot::{
    Decoder, Encoder, Layout, SnapshotErrorKind as Kind, SnapshotFile, SnapshotReader,
    SnapshotWriter,
};

use super::{Records, decode};

struct Golden {
    file: &'static [u8],
    indexed: bool,
    layout: Layout,
    block_bytes: usize,
}

const BYTES: Layout = Layout::Bytes { payload: 2 };
const FIXED: Layout = Layout::Fixed { key: 16, payload: 8 };

const FILES: [Golden; 4] = [
    Golden {
        file: include_bytes!("../../golden/bytes.v1.snapshot"),
        indexed: false,
        layout: BYTES,
        block_bytes: 128,
    },
    Golden {
        file: include_bytes!("../../golden/bytes.v2.snapshot"),
        indexed: true,
        layout: BYTES,
        block_bytes: 128,
    },
    Golden {
        file: include_bytes!("../../golden/fixed.v1.snapshot"),
        indexed: false,
        layout: FIXED,
        block_bytes: 100,
    },
    Golden {
        file: include_bytes!("../../golden/fixed.v2.snapshot"),
        indexed: true,
        layout: FIXED,
        block_bytes: 100,
    },
];

impl Golden {
    fn encoder(&self) -> Encoder {
        let encoder = Encoder::new(self.layout).block_bytes(self.block_bytes);
        if self.indexed { encoder } else { encoder.without_index() }
    }
}

#[test]
fn both_versions_of_a_file_hold_the_same() {
    let records = |golden: &Golden| decode(golden.file, 50).unwrap().0;
    assert_eq!((records(&FILES[0]).len(), records(&FILES[2]).len()), (43, 12));
    assert_eq!(records(&FILES[0]), records(&FILES[1]));
    assert_eq!(records(&FILES[2]), records(&FILES[3]));
}

#[test]
fn files_are_read_and_written_again_byte_for_byte() {
    for golden in FILES {
        let mut reader = SnapshotReader::new(golden.file).unwrap();
        assert_eq!(reader.layout(), golden.layout);
        let mut writer = SnapshotWriter::with_encoder(Vec::new(), golden.encoder());
        while let Some(record) = reader.next_record().unwrap() {
            writer.push(record.key, record.payload).unwrap();
        }
        let (summary, written) = writer.finish().unwrap();
        assert_eq!(written, golden.file);
        assert_eq!(Some(summary), reader.summary());
    }
}

#[test]
fn fixed_records_are_read_and_written_again_a_block_at_a_time() {
    for golden in &FILES[2..] {
        let mut reader = SnapshotReader::new(golden.file).unwrap();
        let mut writer = SnapshotWriter::with_encoder(Vec::new(), golden.encoder());
        while let Some(records) = reader.next_records().unwrap() {
            assert_eq!(records.as_bytes().len(), records.len() * 24);
            writer.push_records(records.as_bytes()).unwrap();
        }
        assert_eq!(writer.finish().unwrap().1, golden.file);
    }
}

#[test]
fn an_index_finds_every_record_and_no_other() {
    for golden in FILES.iter().filter(|golden| golden.indexed) {
        let file = SnapshotFile::open(golden.file).unwrap();
        let records = decode(golden.file, 50).unwrap().0;
        assert_eq!(file.summary().records, records.len() as u64);
        for (key, payload) in &records {
            assert_eq!(file.get(key).unwrap().as_ref(), Some(payload));
            let near = [&key[..key.len() - 1], &[key.as_slice(), &[0]].concat()];
            assert!(near.iter().all(|key| file.get(key).unwrap().is_none()));
        }
    }
}

#[test]
fn version_1_has_no_index() {
    assert_eq!(SnapshotFile::open(FILES[0].file).unwrap_err().kind(), Kind::NoIndex);
}

/// One bit and all bits of every byte, one byte at a time.
#[test]
fn damage_at_any_place_is_found_by_every_reader() {
    for golden in FILES {
        let mut file = golden.file.to_vec();
        for place in 0..file.len() {
            for change in [0x01, 0xff] {
                file[place] ^= change;
                assert!(decode(&file, usize::MAX).is_err(), "byte {place}");
                if golden.indexed {
                    assert!(records_through_the_index(&file).is_none(), "byte {place}");
                }
                file[place] ^= change;
            }
        }
        if golden.indexed {
            assert_eq!(records_through_the_index(&file), Some(decode(&file, 64).unwrap().0));
        }
    }
}

#[test]
fn files_that_are_cut_off_are_found_by_every_reader() {
    for golden in FILES {
        for length in 0..golden.file.len() {
            let file = &golden.file[..length];
            let mut decoder = Decoder::new();
            decoder.feed(file);
            assert_eq!(decoder.finish().unwrap_err().kind(), Kind::Truncated);
            assert!(SnapshotFile::open(file).is_err());
        }
    }
}

fn records_through_the_index(file: &[u8]) -> Option<Records> {
    let file = SnapshotFile::open(file).ok()?;
    let mut records = file.records();
    let mut read = Records::new();
    while let Some(record) = records.next_record().ok()? {
        read.insert(record.key.to_vec(), record.payload.to_vec());
    }
    Some(read)
}
