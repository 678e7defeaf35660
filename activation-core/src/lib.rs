//! Keeps a marketing list equal to a segment of your warehouse.
//!
//! Each run adds the people who entered the segment to a list, and removes those who left from that
//! list and from nothing else. Nobody is ever deleted from the account, unsubscribed or
//! resubscribed, and members whom somebody else put on the list stay. Every change counts as done
//! only when the destination has said so; what failed comes back in the next run. A run may be
//! killed at any point: the next one finds out what became of everything under way.
//!
//! ```
//! use std::sync::Arc;
//!
//! use activation_core::{
//!     Activation, DirectoryStore, Engine, RunStatus, dotdigital::Dotdigital,
//!     sources::MemorySource,
//! };
//! # use dotdigital_client::{Client, Credentials, SystemClock, simulator::{JobLatency, Simulator, SimulatorSettings}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let settings = SimulatorSettings { latency: JobLatency::NONE, ..SimulatorSettings::default() };
//! # let credentials = Credentials::new(&settings.user, &settings.password);
//! # let transport = Simulator::new(settings).transport(Arc::new(SystemClock));
//! # let client = Client::builder().credentials(credentials).endpoint("http://127.0.0.1:1")
//! #     .transport(Arc::new(transport)).build()?;
//! # let directory = tempfile::tempdir()?;
//! # let directory = directory.path().join("state");
//! // `client` is a `dotdigital_client::Client`, `directory` any path that lasts between runs.
//! let engine = Engine::new(Arc::new(DirectoryStore::open(directory)?));
//! let destination = Dotdigital::new(&client);
//! let vip = Activation::new("vip").named("VIP customers");
//! let segment = MemorySource::new(["ada@example.com", "bo@example.com"]);
//!
//! let report = engine.run(&vip, &segment, &destination).await;
//! assert_eq!((report.status, report.added), (RunStatus::Done, 2));
//! # Ok(())
//! # }
//! ```
//!
//! # What you bring
//!
//! | trait | what it is | ready-made |
//! |---|---|---|
//! | [`SegmentSource`] | where the segment comes from; the only one most hosts write | [`sources`] |
//! | [`StateStore`] | what is remembered between runs | [`DirectoryStore`], [`MemoryStore`], [`PostgresStateStore`] |
//! | [`Destination`] | where the list lives | [`dotdigital::Dotdigital`] |
//! | [`Exclusions`] | who must not be on the list | [`NoExclusions`], [`ExcludedSegments`] |
//! | [`Clock`] | time | [`SystemClock`] |
//! | [`Approver`] | who decides when the guard stops a plan | [`ApproveNothing`], [`ApproveDigest`] |
//! | [`Observer`] | who watches | [`NoObserver`] |
//! | [`Ledger`] | who takes down every change of a membership | none by default |
//! | [`Warehouse`] | a warehouse that computes the difference itself | of SQLite, PostgreSQL and ADBC |
//!
//! [`guide::warehouses`] has a page for each kind of warehouse.
//!
//! With the feature `test-util`, the module `conformance` checks your own implementation against
//! each clause of its trait's contract.
//!
//! # A run
//!
//! 1. **Lease**: one run per activation; another is told who holds it and until when.
//! 2. **Recover**: batches that an unfinished run left behind are settled first.
//! 3. **List**: found by its pin, adopted if [`ExistingList`] allows, or created; never two.
//! 4. **Read** the segment, normalise its identifiers, and **diff** it against the snapshot.
//! 5. **Guard**: a suspicious delta stops here, before anything is written ([`GuardLimits`]).
//! 6. **Plan**, with a digest. [`Engine::plan`] ends here and changes nothing anywhere.
//! 7. **Apply** removals, then additions, in bulk; each batch is in the journal before it is sent.
//! 8. **Settle** member by member, then **commit** exactly what was acknowledged.
//!
//! [`Engine::reconcile`] looks now and then whether the list still is what the record says, which a
//! run does not read.
//!
//! [`Engine::run`] never fails as a function: the [`RunReport`] says what happened. Its
//! [`RunStatus`] tells whether to go on, to look, to approve or to try later.
//!
//! A host with a scheduler calls `run` from there. [`Runner`] is a small loop for others: it runs
//! many activations when their [`Schedule`]s say so, or when triggered.
//!
//! # What is kept
//!
//! The state holds keyed fingerprints of identifiers and of warehouse keys, and contact ids, no
//! addresses; the key may be the host's to keep ([`HostKey`]). Reports and errors carry counts
//! and causes, no addresses and no credentials, unless [`Settings::show_rejects`] asks for unusable
//! rows. [`Engine::erase`] forgets one person everywhere. Where a [`Warehouse`] computes the difference,
//! a table in it holds addresses.
//!
//! # Features
//!
//! `dotdigital` and `directory` (the embedded store) are on by default; `adbc`, `postgres`, `sqlite`
//! and `csv` are sources, and `postgres` is a state store too; `arrow` converts a host's own Arrow batches; `cron` is for [`Schedule`]s
//! written as cron patterns; `test-util` brings the traits' contracts as suites to run on your own
//! implementation, and lets tests stop the embedded store at any step. Without features the crate
//! knows no HTTP client and no database.

mod clock;
#[cfg(feature = "test-util")]
pub mod conformance;
mod destination;
#[cfg(feature = "dotdigital")]
pub mod dotdigital;
mod exclusions;
mod guard;
pub mod guide;
mod identifier;
mod ledger;
mod observer;
mod plan;
#[cfg(feature = "postgres")]
mod postgres;
mod report;
mod run;
mod runner;
mod schedule;
mod settings;
mod source;
pub mod sources;
mod state;
mod warehouse;

pub use clock::{Clock, SystemClock};
pub use destination::{
    Batch, BatchMember, CONTACT_NOT_FOUND, Destination, DestinationError, DestinationErrorKind,
    Limits, ListMember, ListState, ListWish, MemberOutcome, MemberRef, MemberScan, Operation,
    Receipt, Settlement, Submission,
};
pub use exclusions::{ExcludedSegments, ExclusionBatch, ExclusionScan, Exclusions, NoExclusions};
pub use guard::{
    Approval, DeltaCounts, GuardLimits, GuardOutcome, GuardReport, GuardSettings, NotAShare, Share,
    Trip,
};
pub use identifier::{ContactId, Identifier, IdentifierKind, Reject};
pub use ledger::{Ledger, LedgerError, LedgerPage, LedgerRow, MembershipChange};
pub use observer::{ApproveDigest, ApproveNothing, Approver, Event, NoObserver, Observer};
pub use plan::{ListAction, Plan};
#[cfg(feature = "postgres")]
pub use postgres::{NotACertificate, NotAPostgresUrl, PostgresServer, PostgresTls};
pub use report::{ErrorReport, IdentityCounts, ListReport, RejectedRow, RunReport, RunStatus};
pub use run::{
    ActivationErasure, Drift, Engine, ErasureReport, Explanation, HeldPage, HeldSelection, Pending,
    ReconcileMode, ReconcileReport, Reconciliation, Standing,
};
pub use runner::{
    DuplicateActivation, Runner, RunnerHandle, RunnerLimits, ScheduledActivation, UnknownActivation,
};
pub use schedule::{Schedule, ScheduleError};
pub use segment_diff::{Fingerprint, FingerprintKey};
pub use settings::{
    Activation, ExistingList, IdentifierChange, MissingContacts, Settings, SettingsPatch,
    Visibility,
};
pub use source::{ADVISED_BATCH, KeyBatch, KeyedRow, SegmentScan, SegmentSource, SourceError};
#[cfg(feature = "directory")]
pub use state::DirectoryStore;
#[cfg(feature = "postgres")]
pub use state::PostgresStateStore;
#[cfg(all(feature = "directory", feature = "test-util"))]
pub use state::Step;
pub use state::{
    AbsentMember, Acquired, ActivationKey, Commit, Head, HeldMember, JournalEntry, Lease, ListPin,
    MemoryStore, SnapshotRead, SnapshotRef, SnapshotWrite, State, StateStore, StoreError,
    StoreErrorKind,
};
#[cfg(any(feature = "directory", feature = "postgres"))]
pub use state::{HostKey, NotAHostKey};
pub use warehouse::{Dialect, Difference, Quoting, Warehouse};

/// Compiles what the README shows.
#[cfg(all(doctest, feature = "csv"))]
#[doc = include_str!("../README.md")]
struct Readme;
