//! Loading bytes into wide registers.

use std::arch::x86_64::*;

/// From words, which become one load.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load_32(bytes: &[u8; 32]) -> __m256i {
    let (words, _) = bytes.as_chunks();
    let word = |index: usize| i64::from_le_bytes(words[index]);
    _mm256_setr_epi64x(word(0), word(1), word(2), word(3))
}

/// The first half of 64 bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load_low(bytes: &[u8; 64]) -> __m256i {
    load_32(bytes.first_chunk().expect("32 bytes are fewer than 64"))
}

/// The second half of 64 bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load_high(bytes: &[u8; 64]) -> __m256i {
    load_32(bytes.last_chunk().expect("32 bytes are fewer than 64"))
}
