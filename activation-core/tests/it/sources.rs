//! Sources, with real files.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

#[cfg(all(feature = "adbc", unix))]
mod adbc;
#[cfg(feature = "arrow")]
mod arrow;
#[cfg(feature = "csv")]
mod csv;
mod memory;
#[cfg(all(feature = "postgres", feature = "test-util", unix))]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use activation_core::{SegmentSource, SourceError};

/// All keys of one scan.
async fn scan(source: &dyn SegmentSource) -> Result<Vec<Vec<u8>>, SourceError> {
    let mut scan = source.open().await?;
    let mut keys = Vec::new();
    while let Some(batch) = scan.next_batch().await? {
        assert!(!batch.is_empty());
        keys.extend(batch.iter().map(<[u8]>::to_vec));
    }
    assert!(scan.next_batch().await?.is_none(), "the end stays the end");
    Ok(keys)
}

/// The same as text.
async fn texts(source: &dyn SegmentSource) -> Vec<String> {
    let keys = scan(source).await.unwrap().into_iter();
    keys.map(|key| String::from_utf8(key).unwrap()).collect()
}

/// Identifiers and warehouse keys of one scan, as text.
#[cfg(any(feature = "adbc", feature = "csv", feature = "postgres", feature = "sqlite"))]
async fn rows(source: &dyn SegmentSource) -> Vec<(String, String)> {
    let mut scan = source.open().await.unwrap();
    let mut rows = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    while let Some(batch) = scan.next_batch().await.unwrap() {
        let keyed = batch.rows().map(|row| (text(row.identifier), text(row.warehouse_key)));
        rows.extend(keyed);
    }
    rows
}

/// What a scan that must fail says, with its causes.
#[cfg(any(feature = "adbc", feature = "csv", feature = "postgres", feature = "sqlite"))]
async fn failure(source: &dyn SegmentSource) -> String {
    let error = scan(source).await.unwrap_err();
    let mut told = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        told.push_str(": ");
        told.push_str(&error.to_string());
        cause = error.source();
    }
    told
}
