//! Who entered, who left: differences between two memberships, and the checksummed snapshot that
//! the next difference is taken against.

mod error;
pub mod external;
pub mod fingerprint;
pub mod memory;
pub mod merge;
pub mod probe;
pub mod snapshot;

pub use error::{KeyTooLong, OrderError};
pub use fingerprint::{Fingerprint, FingerprintKey};
