//! Limits of Insight data, and looking into it.

use std::fmt;

use serde_json::Value;

use super::{Simulator, account::Record};

/// How much Insight data an account takes.
///
/// That a key, a field's name, a text or a number can be too large is documented, and where the
/// bound is is not: these are generous guesses, to be set by a test that is about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InsightLimits {
    /// The most collections; the service allows 1,000.
    pub collections: usize,
    /// Imports of records that may be under way at once. The number is not documented.
    pub active_imports: usize,
    /// The longest key of a record, in characters.
    pub key: usize,
    /// The longest name of a field, in characters.
    pub field_name: usize,
    /// The longest text in a record, in characters.
    pub text: usize,
    /// The largest number in a record, whatever its sign.
    pub number: u64,
}

impl Default for InsightLimits {
    fn default() -> Self {
        Self {
            collections: 1_000,
            active_imports: 5,
            key: 255,
            field_name: 255,
            text: 10_000,
            // Up to here every whole number is exact in the floating point that schemas speak of.
            number: 1 << 53,
        }
    }
}

/// One record of Insight data. `Debug` shows neither its key nor its content.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct InsightRecordView {
    /// The contact it is about; `None` for a record of the account.
    pub contact: Option<i64>,
    /// Its key.
    pub key: String,
    /// Its content, a JSON object.
    pub content: Value,
}

impl fmt::Debug for InsightRecordView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InsightRecordView").field("contact", &self.contact).finish_non_exhaustive()
    }
}

impl Simulator {
    /// The records of a collection of Insight data, the oldest first. Empty for an unknown one.
    ///
    /// Jobs whose time has come take effect with the next call, or with
    /// [`finish_jobs`](Self::finish_jobs), not here.
    pub fn insight_records(&self, collection: &str) -> Vec<InsightRecordView> {
        let account = &self.lock().account;
        let collection = account.insight_data.get(collection);
        collection.into_iter().flat_map(|it| it.records()).map(view).collect()
    }
}

fn view(record: &Record) -> InsightRecordView {
    InsightRecordView {
        contact: record.owner,
        key: record.key.clone(),
        content: Value::Object(record.content.clone()),
    }
}
