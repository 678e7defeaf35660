//! Four lanes of 64 bits, or 32 bytes.

use std::arch::x86_64::*;

use super::eight::EightMatcher;
use super::lanes::{all_fit, define_hash_many, fits, window};
use super::load::{load_high, load_low};
use super::newlines::line_ends_by;
use super::sip::{Sip, hash_each};
use super::{KeyRange, SLACK};

type Lanes = __m256i;

/// Appends the offset of every line feed in `bytes` to `ends`.
#[target_feature(enable = "avx2,bmi1,popcnt")]
pub(super) fn line_ends(bytes: &[u8], ends: &mut Vec<u32>) {
    let feeds = |block: &[u8; 64]| {
        let feed = _mm256_set1_epi8(b'\n' as i8);
        let low = _mm256_cmpeq_epi8(load_low(block), feed);
        let high = _mm256_cmpeq_epi8(load_high(block), feed);
        let bits = |equal| u64::from(_mm256_movemask_epi8(equal) as u32);
        bits(low) | bits(high) << 32
    };
    line_ends_by(feeds, bytes, ends);
}

/// See [`match_eight`](super::match_eight).
#[target_feature(enable = "avx2")]
pub(super) fn match_eight<M: EightMatcher>(work: M) -> M::Output {
    work.run(|values, value| {
        let [a, b, c, d, e, f, g, h] = values.map(|value| value as i64);
        let same = |four| _mm256_movemask_pd(_mm256_castsi256_pd(equal(four, splat(value)))) as u8;
        same(_mm256_setr_epi64x(a, b, c, d)) | same(_mm256_setr_epi64x(e, f, g, h)) << 4
    })
}

define_hash_many!(4, "avx2", words 0 1 2 3 4 5 6 7);

/// The words of four keys: of each result, the lane with the number of the key.
///
/// `S` is there so that each variant has one of its own, which becomes a part of its caller: a call
/// would cost a seventh of the time, because registers of this width are saved around it.
#[inline]
#[target_feature(enable = "avx2")]
fn load_words<S: Sip>(bytes: &[u8], keys: &[KeyRange; 4]) -> [Lanes; 8] {
    let k0 = window(bytes, keys[0]);
    let k1 = window(bytes, keys[1]);
    let k2 = window(bytes, keys[2]);
    let k3 = window(bytes, keys[3]);
    let [w0, w1, w2, w3] = transpose(load_low(k0), load_low(k1), load_low(k2), load_low(k3));
    let [w4, w5, w6, w7] = transpose(load_high(k0), load_high(k1), load_high(k2), load_high(k3));
    [w0, w1, w2, w3, w4, w5, w6, w7]
}

#[inline]
#[target_feature(enable = "avx2")]
fn transpose(r0: Lanes, r1: Lanes, r2: Lanes, r3: Lanes) -> [Lanes; 4] {
    const LOW: i32 = 0x20;
    const HIGH: i32 = 0x31;
    let even01 = _mm256_unpacklo_epi64(r0, r1);
    let odd01 = _mm256_unpackhi_epi64(r0, r1);
    let even23 = _mm256_unpacklo_epi64(r2, r3);
    let odd23 = _mm256_unpackhi_epi64(r2, r3);
    [
        _mm256_permute2x128_si256::<LOW>(even01, even23),
        _mm256_permute2x128_si256::<LOW>(odd01, odd23),
        _mm256_permute2x128_si256::<HIGH>(even01, even23),
        _mm256_permute2x128_si256::<HIGH>(odd01, odd23),
    ]
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_lengths(keys: &[KeyRange; 4]) -> Lanes {
    let length = |index: usize| i64::from(keys[index].length);
    _mm256_set_epi64x(length(3), length(2), length(1), length(0))
}

/// The hashes, from their low and their high halves.
#[inline]
#[target_feature(enable = "avx2")]
fn join(low: Lanes, high: Lanes) -> [u128; 4] {
    let even = _mm256_unpacklo_epi64(low, high);
    let odd = _mm256_unpackhi_epi64(low, high);
    [
        hash(_mm256_castsi256_si128(even)),
        hash(_mm256_castsi256_si128(odd)),
        hash(_mm256_extracti128_si256::<1>(even)),
        hash(_mm256_extracti128_si256::<1>(odd)),
    ]
}

#[inline]
#[target_feature(enable = "avx2")]
fn hash(halves: __m128i) -> u128 {
    let low = _mm_cvtsi128_si64(halves) as u64;
    let high = _mm_extract_epi64::<1>(halves) as u64;
    u128::from(high) << 64 | u128::from(low)
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat(value: u64) -> Lanes {
    _mm256_set1_epi64x(value as i64)
}

#[inline]
#[target_feature(enable = "avx2")]
fn add(a: Lanes, b: Lanes) -> Lanes {
    _mm256_add_epi64(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn subtract(a: Lanes, b: Lanes) -> Lanes {
    _mm256_sub_epi64(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor(a: Lanes, b: Lanes) -> Lanes {
    _mm256_xor_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn and(a: Lanes, b: Lanes) -> Lanes {
    _mm256_and_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn or(a: Lanes, b: Lanes) -> Lanes {
    _mm256_or_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn shift_left<const BITS: i32>(a: Lanes) -> Lanes {
    _mm256_slli_epi64::<BITS>(a)
}

#[inline]
#[target_feature(enable = "avx2")]
fn shift_right<const BITS: i32>(a: Lanes) -> Lanes {
    _mm256_srli_epi64::<BITS>(a)
}

#[inline]
#[target_feature(enable = "avx2")]
fn shift_left_by(a: Lanes, bits: Lanes) -> Lanes {
    _mm256_sllv_epi64(a, bits)
}

/// Rotates to the left; `REST` is 64 less `BITS`.
#[inline]
#[target_feature(enable = "avx2")]
fn rotate<const BITS: i32, const REST: i32>(a: Lanes) -> Lanes {
    _mm256_or_si256(_mm256_slli_epi64::<BITS>(a), _mm256_srli_epi64::<REST>(a))
}

#[inline]
#[target_feature(enable = "avx2")]
fn equal(a: Lanes, b: Lanes) -> Lanes {
    _mm256_cmpeq_epi64(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn less(a: Lanes, b: Lanes) -> Lanes {
    _mm256_cmpgt_epi64(b, a)
}

/// Of each lane, `yes` where the mask is set.
#[inline]
#[target_feature(enable = "avx2")]
fn select(mask: Lanes, yes: Lanes, no: Lanes) -> Lanes {
    _mm256_blendv_epi8(no, yes, mask)
}
