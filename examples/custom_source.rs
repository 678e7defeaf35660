//! A warehouse that nobody here has heard of: its rows become a segment in two short traits.
//!
//! ```text
//! cargo run --release --example custom_source
//! ```

use std::{error::Error, sync::Arc};

use activation_core::{
    Activation, Engine, FingerprintKey, KeyBatch, MemoryStore, SegmentScan, SegmentSource,
    SourceError,
};
use async_trait::async_trait;
use examples::{Account, say};

/// Where a host would keep its connection and its query.
#[derive(Debug)]
struct Members(u32);

/// A query that is being read: how far it has come, and how many rows there are.
struct Pages(std::ops::Range<u32>);

#[async_trait]
impl SegmentSource for Members {
    async fn open(&self) -> Result<Box<dyn SegmentScan>, SourceError> {
        // One query, started here; one that is refused is an error that says what to do.
        Ok(Box::new(Pages(0..self.0)))
    }
}

#[async_trait]
impl SegmentScan for Pages {
    async fn next_batch(&mut self) -> Result<Option<KeyBatch>, SourceError> {
        // The next rows as they come. A connection that is cut is an error, and never the end:
        // Err(SourceError::temporary("the warehouse hung up"))
        let page: Vec<String> =
            self.0.by_ref().take(8192).map(|n| format!("ann{n}@example.com")).collect();
        Ok(Some(page.iter().collect()).filter(|_| !page.is_empty()))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let account = Account::open()?;
    let engine = Engine::new(Arc::new(MemoryStore::new(FingerprintKey::new([7; 16]))));
    let vip = Activation::new("vip");
    let report = engine.run(&vip, &Members(20_000), &account.destination()).await;
    say(&report.to_string());
    assert_eq!(account.members("vip"), 20_000);
    Ok(())
}
