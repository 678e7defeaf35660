//! Eight lanes of 64 bits.

use std::arch::x86_64::*;

use super::eight::EightMatcher;
use super::lanes::{all_fit, define_hash_many, fits, window};
use super::sip::{Sip, hash_each};
use super::{KeyRange, SLACK};

type Lanes = __m512i;

/// See [`match_eight`](super::match_eight).
#[target_feature(enable = "avx512f")]
pub(super) fn match_eight<M: EightMatcher>(work: M) -> M::Output {
    work.run(|values, value| {
        let [a, b, c, d, e, f, g, h] = values.map(|value| value as i64);
        equal(_mm512_setr_epi64(a, b, c, d, e, f, g, h), splat(value))
    })
}

define_hash_many!(8, "avx512f", words 0 1 2 3 4 5 6 7);

/// The words of eight keys: of each result, the lane with the number of the key.
///
/// `S` is there so that each variant has one of its own, which becomes a part of its caller: a call
/// would cost a seventh of the time, because registers of this width are saved around it.
#[inline]
#[target_feature(enable = "avx512f")]
fn load_words<S: Sip>(bytes: &[u8], keys: &[KeyRange; 8]) -> [Lanes; 8] {
    let r0 = load(window(bytes, keys[0]));
    let r1 = load(window(bytes, keys[1]));
    let r2 = load(window(bytes, keys[2]));
    let r3 = load(window(bytes, keys[3]));
    let r4 = load(window(bytes, keys[4]));
    let r5 = load(window(bytes, keys[5]));
    let r6 = load(window(bytes, keys[6]));
    let r7 = load(window(bytes, keys[7]));
    // Pairs of keys, at even and at odd words, in each quarter of a register.
    let even01 = _mm512_unpacklo_epi64(r0, r1);
    let odd01 = _mm512_unpackhi_epi64(r0, r1);
    let even23 = _mm512_unpacklo_epi64(r2, r3);
    let odd23 = _mm512_unpackhi_epi64(r2, r3);
    let even45 = _mm512_unpacklo_epi64(r4, r5);
    let odd45 = _mm512_unpackhi_epi64(r4, r5);
    let even67 = _mm512_unpacklo_epi64(r6, r7);
    let odd67 = _mm512_unpackhi_epi64(r6, r7);
    let [w0, w2, w4, w6] = gather_quarters(even01, even23, even45, even67);
    let [w1, w3, w5, w7] = gather_quarters(odd01, odd23, odd45, odd67);
    [w0, w1, w2, w3, w4, w5, w6, w7]
}

/// Puts the first quarters of four registers together, the second ones, and so on.
#[inline]
#[target_feature(enable = "avx512f")]
fn gather_quarters(a: Lanes, b: Lanes, c: Lanes, d: Lanes) -> [Lanes; 4] {
    const LOW: i32 = 0b01_00_01_00;
    const HIGH: i32 = 0b11_10_11_10;
    const EVEN: i32 = 0b10_00_10_00;
    const ODD: i32 = 0b11_01_11_01;
    let low_ab = _mm512_shuffle_i64x2::<LOW>(a, b);
    let high_ab = _mm512_shuffle_i64x2::<HIGH>(a, b);
    let low_cd = _mm512_shuffle_i64x2::<LOW>(c, d);
    let high_cd = _mm512_shuffle_i64x2::<HIGH>(c, d);
    [
        _mm512_shuffle_i64x2::<EVEN>(low_ab, low_cd),
        _mm512_shuffle_i64x2::<ODD>(low_ab, low_cd),
        _mm512_shuffle_i64x2::<EVEN>(high_ab, high_cd),
        _mm512_shuffle_i64x2::<ODD>(high_ab, high_cd),
    ]
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(window: &[u8; SLACK]) -> Lanes {
    let (words, _) = window.as_chunks();
    let word = |index: usize| i64::from_le_bytes(words[index]);
    _mm512_setr_epi64(word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_lengths(keys: &[KeyRange; 8]) -> Lanes {
    let length = |index: usize| i64::from(keys[index].length);
    _mm512_set_epi64(
        length(7),
        length(6),
        length(5),
        length(4),
        length(3),
        length(2),
        length(1),
        length(0),
    )
}

/// The hashes, from their low and their high halves.
#[inline]
#[target_feature(enable = "avx512f")]
fn join(low: Lanes, high: Lanes) -> [u128; 8] {
    let even = _mm512_unpacklo_epi64(low, high);
    let odd = _mm512_unpackhi_epi64(low, high);
    [
        hash(_mm512_extracti32x4_epi32::<0>(even)),
        hash(_mm512_extracti32x4_epi32::<0>(odd)),
        hash(_mm512_extracti32x4_epi32::<1>(even)),
        hash(_mm512_extracti32x4_epi32::<1>(odd)),
        hash(_mm512_extracti32x4_epi32::<2>(even)),
        hash(_mm512_extracti32x4_epi32::<2>(odd)),
        hash(_mm512_extracti32x4_epi32::<3>(even)),
        hash(_mm512_extracti32x4_epi32::<3>(odd)),
    ]
}

#[inline]
#[target_feature(enable = "avx512f")]
fn hash(halves: __m128i) -> u128 {
    let low = _mm_cvtsi128_si64(halves) as u64;
    let high = _mm_extract_epi64::<1>(halves) as u64;
    u128::from(high) << 64 | u128::from(low)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn splat(value: u64) -> Lanes {
    _mm512_set1_epi64(value as i64)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn add(a: Lanes, b: Lanes) -> Lanes {
    _mm512_add_epi64(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn subtract(a: Lanes, b: Lanes) -> Lanes {
    _mm512_sub_epi64(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn xor(a: Lanes, b: Lanes) -> Lanes {
    _mm512_xor_si512(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn and(a: Lanes, b: Lanes) -> Lanes {
    _mm512_and_si512(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn or(a: Lanes, b: Lanes) -> Lanes {
    _mm512_or_si512(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn shift_left<const BITS: u32>(a: Lanes) -> Lanes {
    _mm512_slli_epi64::<BITS>(a)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn shift_right<const BITS: u32>(a: Lanes) -> Lanes {
    _mm512_srli_epi64::<BITS>(a)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn shift_left_by(a: Lanes, bits: Lanes) -> Lanes {
    _mm512_sllv_epi64(a, bits)
}

/// Rotates to the left; `REST` is 64 less `BITS`.
#[inline]
#[target_feature(enable = "avx512f")]
fn rotate<const BITS: i32, const REST: i32>(a: Lanes) -> Lanes {
    _mm512_rol_epi64::<BITS>(a)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn equal(a: Lanes, b: Lanes) -> __mmask8 {
    _mm512_cmpeq_epi64_mask(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn less(a: Lanes, b: Lanes) -> __mmask8 {
    _mm512_cmplt_epi64_mask(a, b)
}

/// Of each lane, `yes` where the mask is set.
#[inline]
#[target_feature(enable = "avx512f")]
fn select(mask: __mmask8, yes: Lanes, no: Lanes) -> Lanes {
    _mm512_mask_mov_epi64(no, mask, yes)
}
