//! The membership ledger: who entered, left, moved or was held, when and why, streamed to a host's sink.

use std::{error::Error as StdError, fmt, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use segment_diff::Fingerprint;
use serde::Serialize;

use crate::ContactId;

/// Takes down every change of a membership: a table, a log, a queue of the host.
///
/// # Contract
///
/// * Before each commit the engine delivers at least one page, be it empty, and goes on only when
///   [`record`](Self::record) has said that the page is safe. So no committed change is missing.
/// * A run may be cut off between page and commit, or find that it must not commit. The next commit
///   then has the same generation, and its pages come from a run with a greater number. **Of the
///   pages of one generation, those of the greatest run count; the others never happened.**
/// * When `record` fails, the run stops before its commit. The journal keeps what was confirmed, and
///   the next run delivers it again.
#[async_trait]
pub trait Ledger: fmt::Debug + Send + Sync {
    /// Makes a page safe.
    ///
    /// # Errors
    ///
    /// Fails when it cannot.
    async fn record(&self, page: &LedgerPage) -> Result<(), LedgerError>;
}

#[async_trait]
impl<T: Ledger + ?Sized> Ledger for Arc<T> {
    async fn record(&self, page: &LedgerPage) -> Result<(), LedgerError> {
        (**self).record(page).await
    }
}

/// Changes that one commit makes, or a part of them. Holds fingerprints and contact ids, no
/// addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerPage {
    /// The segment's name.
    pub segment: String,
    /// The run, as its report numbers it.
    pub run: u64,
    /// The generation of the state that the commit makes.
    pub generation: u64,
    /// When the page was begun.
    pub at: DateTime<Utc>,
    /// In no particular order; each member at most once for each sort of change.
    pub rows: Vec<LedgerRow>,
}

/// One change of one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerRow {
    /// What happened.
    pub change: MembershipChange,
    /// To whom.
    pub member: Fingerprint,
    /// The contact, where known.
    pub contact: Option<ContactId>,
    /// Who she was before, in a move.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Fingerprint>,
    /// Why: `entered_segment`, `left_segment`, `excluded:` and a reason, `found_on_list` and
    /// `vanished` from a reconciliation, `identifier_changed` in a move, `adopted` with a list,
    /// `erased`, `recovered` where an earlier run knew why; for a held member the destination's
    /// cause.
    pub cause: String,
}

/// What happened to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MembershipChange {
    /// On the list through us from now on.
    Enter,
    /// Not on the list through us any more.
    Exit,
    /// On the list through us still, under another identifier.
    Move,
    /// Tried, and held.
    Hold,
    /// Not held any more, without having entered.
    Release,
}

/// Why a page could not be made safe.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct LedgerError {
    message: String,
    temporary: bool,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl LedgerError {
    /// A failure that will stay until somebody changes something.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { message: message.into(), temporary: false, source: None }
    }

    /// A failure that may pass by itself.
    pub fn temporary(message: impl Into<String>) -> Self {
        Self { message: message.into(), temporary: true, source: None }
    }

    /// Adds what caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether it may work later without a change.
    pub fn is_temporary(&self) -> bool {
        self.temporary
    }
}

/// Rows on one page.
const ROWS: usize = 8_192;

/// Writes the pages of one commit.
#[derive(Debug)]
pub(crate) struct LedgerWriter<'a> {
    /// `None` where the host keeps no ledger.
    ledger: Option<&'a dyn Ledger>,
    page: LedgerPage,
    has_delivered: bool,
}

impl<'a> LedgerWriter<'a> {
    pub(crate) fn new(
        ledger: Option<&'a dyn Ledger>,
        segment: &str,
        run: u64,
        generation: u64,
        at: DateTime<Utc>,
    ) -> Self {
        let page =
            LedgerPage { segment: segment.to_owned(), run, generation, at, rows: Vec::new() };
        Self { ledger, page, has_delivered: false }
    }

    pub(crate) async fn push(
        &mut self,
        change: MembershipChange,
        member: Fingerprint,
        contact: Option<ContactId>,
        cause: &str,
    ) -> Result<(), LedgerError> {
        self.row(LedgerRow { change, member, contact, before: None, cause: cause.to_owned() }).await
    }

    pub(crate) async fn push_move(
        &mut self,
        before: Fingerprint,
        member: Fingerprint,
        contact: Option<ContactId>,
        cause: &str,
    ) -> Result<(), LedgerError> {
        let (change, cause) = (MembershipChange::Move, cause.to_owned());
        self.row(LedgerRow { change, member, contact, before: Some(before), cause }).await
    }

    async fn row(&mut self, row: LedgerRow) -> Result<(), LedgerError> {
        if self.ledger.is_none() {
            return Ok(());
        }
        self.page.rows.push(row);
        if self.page.rows.len() < ROWS { Ok(()) } else { self.deliver().await }
    }

    /// Delivers the last page, which is empty only if it is the first too.
    pub(crate) async fn finish(mut self) -> Result<(), LedgerError> {
        if self.page.rows.is_empty() && self.has_delivered {
            return Ok(());
        }
        self.deliver().await
    }

    async fn deliver(&mut self) -> Result<(), LedgerError> {
        if let Some(ledger) = self.ledger {
            ledger.record(&self.page).await?;
        }
        self.page.rows.clear();
        self.has_delivered = true;
        Ok(())
    }
}
