//! The one place where functions are called that not every processor can run.
#![allow(unsafe_code)]

use super::eight::{EightMatcher, eight};
use super::identical::{Ascent, Feeds};
use super::sip::Sip;
use super::{KeyRange, avx2, avx512, identical_avx2};

/// Appends the offset of every line feed in `bytes` to `ends`; `false`, and nothing is done, if
/// the machine has no wide registers.
pub(super) fn line_ends(bytes: &[u8], ends: &mut Vec<u32>) -> bool {
    let detected = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("popcnt");
    if detected {
        // SAFETY: the processor has what the function was compiled for.
        unsafe { avx2::line_ends(bytes, ends) }
    }
    detected
}

/// Appends the hashes of `keys`, which lie in `bytes`, to `hashes`; `false`, and nothing is done,
/// if the machine has no wide registers.
pub(super) fn hash_many<S: Sip>(
    secret: &[u8; 16],
    bytes: &[u8],
    keys: &[KeyRange],
    hashes: &mut Vec<u128>,
) -> bool {
    hash_many_avx512::<S>(secret, bytes, keys, hashes)
        || hash_many_avx2::<S>(secret, bytes, keys, hashes)
}

pub(super) fn hash_many_avx512<S: Sip>(
    secret: &[u8; 16],
    bytes: &[u8],
    keys: &[KeyRange],
    hashes: &mut Vec<u128>,
) -> bool {
    let detected = is_x86_feature_detected!("avx512f");
    if detected {
        // SAFETY: the processor has what the function was compiled for.
        unsafe { avx512::hash_many::<S>(secret, bytes, keys, hashes) }
    }
    detected
}

pub(super) fn hash_many_avx2<S: Sip>(
    secret: &[u8; 16],
    bytes: &[u8],
    keys: &[KeyRange],
    hashes: &mut Vec<u128>,
) -> bool {
    let detected = is_x86_feature_detected!("avx2");
    if detected {
        // SAFETY: the processor has what the function was compiled for.
        unsafe { avx2::hash_many::<S>(secret, bytes, keys, hashes) }
    }
    detected
}

/// See [`identical`](super::identical()); `None` if the machine has no wide registers.
pub(super) fn identical(a: &[u8], b: &[u8], limit: usize, feeds: &mut Feeds) -> Option<usize> {
    // SAFETY: the processor has what the function was compiled for.
    has_wide_lines().then(|| unsafe { identical_avx2::identical(a, b, limit, feeds) })
}

/// See [`ascending`](super::ascending); `None` if the machine has no wide registers.
pub(super) fn ascending(lines: &[u8], ends: &[u16]) -> Option<Result<Option<Ascent>, usize>> {
    // SAFETY: the processor has what the function was compiled for.
    has_wide_lines().then(|| unsafe { identical_avx2::ascending(lines, ends) })
}

fn has_wide_lines() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("popcnt")
}

/// See [`match_eight`](super::match_eight).
pub(super) fn match_eight<M: EightMatcher>(work: M) -> M::Output {
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has what the function was compiled for.
        return unsafe { avx512::match_eight(work) };
    }
    match match_eight_avx2(work) {
        Ok(output) => output,
        Err(work) => work.run(eight),
    }
}

/// Gives the work back if the machine has no such registers.
pub(super) fn match_eight_avx2<M: EightMatcher>(work: M) -> Result<M::Output, M> {
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function was compiled for.
        Ok(unsafe { avx2::match_eight(work) })
    } else {
        Err(work)
    }
}
