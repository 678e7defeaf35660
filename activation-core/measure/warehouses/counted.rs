//! A source of which every row that comes out is counted.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use activation_core::{Dialect, KeyBatch, SegmentScan, SegmentSource, SourceError, Warehouse};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// Rows, and the bytes of their identifiers.
#[derive(Debug, Default)]
struct Counts(AtomicU64, AtomicU64);

#[derive(Debug)]
pub(crate) struct Counted {
    source: Arc<dyn SegmentSource>,
    counts: Arc<Counts>,
}

#[derive(Debug)]
struct CountedWarehouse {
    warehouse: Arc<dyn Warehouse>,
    counts: Arc<Counts>,
}

struct CountedScan {
    scan: Box<dyn SegmentScan>,
    counts: Arc<Counts>,
}

impl Counted {
    pub(crate) fn new(source: Arc<dyn SegmentSource>) -> Self {
        Self { source, counts: Arc::default() }
    }

    /// So far.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.counts.0.load(Ordering::Relaxed), self.counts.1.load(Ordering::Relaxed))
    }
}

#[async_trait]
impl SegmentSource for Counted {
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError> {
        Ok(Box::new(CountedScan { scan: self.source.open().await?, counts: self.counts.clone() }))
    }

    fn warehouse(&self) -> Option<Arc<dyn Warehouse>> {
        let warehouse = self.source.warehouse()?;
        Some(Arc::new(CountedWarehouse { warehouse, counts: self.counts.clone() }))
    }
}

#[async_trait]
impl Warehouse for CountedWarehouse {
    fn dialect(&self) -> &Dialect {
        self.warehouse.dialect()
    }

    fn schema(&self) -> &[String] {
        self.warehouse.schema()
    }

    async fn segment(&self) -> Result<String, SourceError> {
        self.warehouse.segment().await
    }

    async fn as_of(&self) -> Result<Option<DateTime<Utc>>, SourceError> {
        self.warehouse.as_of().await
    }

    async fn check(&self) -> Result<(), SourceError> {
        self.warehouse.check().await
    }

    async fn execute(&self, statement: &str) -> Result<(), SourceError> {
        self.warehouse.execute(statement).await
    }

    async fn scan(&self, statement: &str) -> Result<Box<dyn SegmentScan>, SourceError> {
        let scan = self.warehouse.scan(statement).await?;
        Ok(Box::new(CountedScan { scan, counts: self.counts.clone() }))
    }
}

#[async_trait]
impl SegmentScan for CountedScan {
    fn expected_rows(&self) -> Option<u64> {
        self.scan.expected_rows()
    }

    fn as_of(&self) -> Option<DateTime<Utc>> {
        self.scan.as_of()
    }

    async fn next_batch(&mut self) -> Result<Option<KeyBatch>, SourceError> {
        let batch = self.scan.next_batch().await?;
        for identifier in batch.iter().flat_map(KeyBatch::iter) {
            self.counts.0.fetch_add(1, Ordering::Relaxed);
            self.counts.1.fetch_add(identifier.len() as u64, Ordering::Relaxed);
        }
        Ok(batch)
    }
}
