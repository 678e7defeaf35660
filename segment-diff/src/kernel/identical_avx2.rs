//! The loops of [`identical`](super::identical) with 32 bytes to a register.

use std::arch::x86_64::{
    __m256i, _mm256_andnot_si256, _mm256_cmpeq_epi8, _mm256_min_epu8, _mm256_movemask_epi8,
    _mm256_set1_epi8,
};

use super::identical::{Ascent, Feeds, ascending_by, identical_by};
use super::load::{load_32, load_high, load_low};

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
pub(super) fn identical(a: &[u8], b: &[u8], limit: usize, feeds: &mut Feeds) -> usize {
    identical_by(a, b, limit, feeds, |a, b| {
        let feed = _mm256_set1_epi8(b'\n' as i8);
        let (a_low, a_high) = (load_low(a), load_high(a));
        let alike = equal(a_low, load_low(b)) | equal(a_high, load_high(b)) << 32;
        (!alike, equal(a_low, feed) | equal(a_high, feed) << 32)
    })
}

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
pub(super) fn ascending(lines: &[u8], ends: &[u16]) -> Result<Option<Ascent>, usize> {
    ascending_by(lines, ends, |a, b| {
        let (a, b) = (load_32(a), load_32(b));
        let ended = _mm256_cmpeq_epi8(b, _mm256_set1_epi8(b'\n' as i8));
        let not_above = _mm256_cmpeq_epi8(_mm256_min_epu8(a, b), a);
        // The first byte at which they differ or the second line ends tells. Until there the first
        // line has not ended either, or has just done so: a feed is not below every byte, so it
        // may say too little, never too much.
        let stop = !(mask(_mm256_andnot_si256(ended, _mm256_cmpeq_epi8(a, b))) as u32);
        let less = mask(_mm256_andnot_si256(ended, not_above)) as u32;
        stop & stop.wrapping_neg() & less != 0
    })
}

#[inline]
#[target_feature(enable = "avx2")]
fn equal(a: __m256i, b: __m256i) -> u64 {
    mask(_mm256_cmpeq_epi8(a, b))
}

#[inline]
#[target_feature(enable = "avx2")]
fn mask(bytes: __m256i) -> u64 {
    u64::from(_mm256_movemask_epi8(bytes) as u32)
}
