//! A segment in memory.

use activation_core::{ADVISED_BATCH, SegmentSource, sources::MemorySource};

use super::{scan, texts};

#[tokio::test]
async fn it_gives_its_keys_in_order_and_in_batches() {
    let keys: Vec<String> = (0..20_000).map(|number| format!("{number}@example.com")).collect();
    let source = MemorySource::new(&keys);
    assert_eq!(texts(&source).await, keys);
    let mut scan = source.open().await.unwrap();
    assert_eq!(scan.expected_rows(), Some(20_000));
    assert_eq!(scan.next_batch().await.unwrap().unwrap().len(), ADVISED_BATCH);
}

#[tokio::test]
async fn a_change_shows_in_the_next_scan_and_not_in_one_under_way() {
    let source = MemorySource::new(["a", "b"]);
    let mut under_way = source.open().await.unwrap();
    source.set(["c"]);
    assert_eq!(under_way.next_batch().await.unwrap().unwrap().len(), 2);
    assert_eq!(texts(&source).await, ["c"]);
    source.set([""; 0]);
    assert_eq!(scan(&source).await.unwrap().len(), 0);
}

#[test]
fn debug_shows_no_key() {
    let source = MemorySource::new(["secret@example.com"]);
    assert_eq!(format!("{source:?}"), "MemorySource { keys: 1, .. }");
}
