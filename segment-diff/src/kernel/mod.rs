//! The inner loops: where lines end, and the hashes of many keys at a time.
//!
//! Each has a portable form that says what is right, and forms for wider registers that are taken
//! where the machine has them.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod detected;
mod eight;
mod hash;
mod identical;
#[cfg(target_arch = "x86_64")]
mod identical_avx2;
#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(target_arch = "x86_64")]
mod load;
mod newlines;
mod sip;

#[cfg(test)]
pub(crate) use eight::eight;
pub(crate) use eight::{EightMatcher, match_eight};
pub(crate) use hash::{HashKey, KeyRange};
pub(crate) use identical::{Feeds, STRETCH, ascending, feed, identical};
pub(crate) use newlines::line_ends;
pub(crate) use sip::{Sip24, hash_many};

/// Bytes that have to follow the last key in a buffer, so that a key can be loaded as a whole
/// without asking where it ends.
pub(crate) const SLACK: usize = 64;
