//! Keeps a marketing list equal to a segment of a warehouse.

mod clock;
mod destination;
#[cfg(feature = "dotdigital")]
pub mod dotdigital;
mod guard;
mod identifier;
mod observer;
mod plan;
mod report;
mod run;
mod settings;
mod source;
pub mod sources;
mod state;

pub use clock::{Clock, SystemClock};
pub use destination::{
    Batch, BatchMember, Destination, DestinationError, DestinationErrorKind, Limits, ListMember,
    ListState, ListWish, MemberOutcome, MemberRef, MemberScan, Operation, Receipt, Settlement,
    Submission,
};
pub use guard::{
    DeltaCounts, GuardLimits, GuardOutcome, GuardReport, GuardSettings, NotAShare, Share, Trip,
};
pub use identifier::{ContactId, Identifier, IdentifierKind, Reject};
pub use observer::{ApproveDigest, ApproveNothing, Approver, Event, NoObserver, Observer};
pub use plan::{ListAction, Plan};
pub use report::{ErrorReport, ListReport, RunReport, RunStatus};
pub use run::Engine;
pub use segment_diff::{Fingerprint, FingerprintKey};
pub use settings::{
    Activation, ExistingList, MissingContacts, Settings, SettingsPatch, Visibility,
};
pub use source::{ADVISED_BATCH, KeyBatch, SegmentScan, SegmentSource, SourceError};
#[cfg(feature = "directory")]
pub use state::DirectoryStore;
#[cfg(all(feature = "directory", feature = "test-util"))]
pub use state::Step;
pub use state::{
    Acquired, ActivationKey, Commit, Head, HeldMember, JournalEntry, Lease, ListPin, MemoryStore,
    SnapshotRead, SnapshotRef, SnapshotWrite, State, StateStore, StoreError, StoreErrorKind,
};
