//! Writing, reading, searching and folding snapshots; throughput in bytes of keys and payloads.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use segment_diff::delta::{Change, DeltaReader, DeltaWriter, fold};
use segment_diff::fingerprint::FingerprintKey;
use segment_diff::snapshot::{
    Decoder, Encoder, Layout, SnapshotFile, SnapshotReader, SnapshotWriter,
};

const MEMBERS: u64 = 300_000;
const BYTES: Layout = Layout::Bytes { payload: 0 };
const FIXED: Layout = Layout::Fixed { key: 16, payload: 8 };

type Members = Vec<(Vec<u8>, Vec<u8>)>;

fn main() {
    divan::main();
}

/// Members as keys and payloads, ascending.
fn members(layout: Layout) -> Members {
    let secret = FingerprintKey::new([7; 16]);
    let member = |index: u64| {
        let address =
            format!("first{:05}.last{:04}@example.com", index * 7919 % 99_991, index / 91);
        match layout {
            Layout::Bytes { .. } => (address.into_bytes(), Vec::new()),
            Layout::Fixed { .. } => {
                let fingerprint = secret.fingerprint(address.as_bytes());
                (fingerprint.as_bytes().to_vec(), index.to_le_bytes().to_vec())
            }
        }
    };
    let mut members: Members = (0..MEMBERS).map(member).collect();
    members.sort_unstable();
    members.dedup_by(|a, b| a.0 == b.0);
    members
}

fn raw(members: &Members) -> BytesCount {
    BytesCount::new(members.iter().map(|(key, payload)| key.len() + payload.len()).sum::<usize>())
}

fn encode_into(layout: Layout, members: &Members, file: &mut Vec<u8>) {
    file.clear();
    let mut encoder = Encoder::new(layout);
    for (key, payload) in members {
        encoder.push(key, payload, file).expect("the members are sorted");
    }
    encoder.finish(file).expect("no member was refused");
}

fn encoded(layout: Layout, members: &Members) -> Vec<u8> {
    let mut file = Vec::new();
    encode_into(layout, members, &mut file);
    file
}

#[divan::bench(args = [BYTES, FIXED])]
fn encode(bencher: Bencher<'_, '_>, layout: &Layout) {
    let members = members(*layout);
    let mut file = encoded(*layout, &members);
    bencher
        .counter(raw(&members))
        .bench_local(|| encode_into(*layout, black_box(&members), &mut file));
}

#[divan::bench]
fn encode_many_at_once(bencher: Bencher<'_, '_>) {
    let members = members(FIXED);
    let records: Vec<u8> =
        members.iter().flat_map(|(key, payload)| [key.as_slice(), payload].concat()).collect();
    let mut file = encoded(FIXED, &members);
    bencher.counter(raw(&members)).bench_local(|| {
        let mut encoder = Encoder::new(FIXED);
        file.clear();
        for some in black_box(&records).chunks(24 * 4096) {
            encoder.push_records(some, &mut file).expect("the members are sorted");
        }
        encoder.finish(&mut file)
    });
}

#[divan::bench(args = [BYTES, FIXED])]
fn decode(bencher: Bencher<'_, '_>, layout: &Layout) {
    let members = members(*layout);
    let file = encoded(*layout, &members);
    bencher.counter(raw(&members)).bench_local(|| {
        let mut decoder = Decoder::new();
        for piece in black_box(&file).chunks(64 << 10) {
            decoder.feed(piece);
            while let Some(record) = decoder.next_record().expect("the file is whole") {
                black_box(record);
            }
        }
        decoder.finish()
    });
}

#[divan::bench]
fn decode_a_block_at_a_time(bencher: Bencher<'_, '_>) {
    let members = members(FIXED);
    let file = encoded(FIXED, &members);
    bencher.counter(raw(&members)).bench_local(|| {
        let mut reader = SnapshotReader::new(black_box(file.as_slice())).expect("a snapshot");
        while let Some(records) = reader.next_records().expect("the file is whole") {
            black_box(records);
        }
    });
}

#[divan::bench(args = [BYTES, FIXED])]
fn look_one_up(bencher: Bencher<'_, '_>, layout: &Layout) {
    let members = members(*layout);
    let file = encoded(*layout, &members);
    let file = SnapshotFile::open(&file[..]).expect("a snapshot");
    let key = &members[members.len() / 3].0;
    bencher.bench_local(|| file.get(black_box(key)).expect("the file is whole").is_some());
}

/// One member in a hundred is removed.
#[divan::bench(args = [BYTES, FIXED])]
fn fold_a_delta(bencher: Bencher<'_, '_>, layout: &Layout) {
    let members = members(*layout);
    let base = encoded(*layout, &members);
    let mut delta = DeltaWriter::new(Vec::new(), *layout).expect("a narrow payload");
    for (key, payload) in members.iter().step_by(100) {
        delta.push(key, Change::Removed(payload)).expect("the members are sorted");
    }
    let (_, delta) = delta.finish().expect("no change was refused");
    bencher.counter(raw(&members)).bench_local(|| {
        let mut base = SnapshotReader::new(black_box(base.as_slice())).expect("a snapshot");
        let mut deltas = [DeltaReader::new(delta.as_slice()).expect("a delta")];
        let mut next = SnapshotWriter::new(std::io::sink(), *layout);
        fold(&mut base, &mut deltas, &mut next).expect("the delta fits");
        next.finish().expect("no member was refused").0
    });
}
