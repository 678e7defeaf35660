//! Loading bytes into wide registers.

use std::arch::x86_64::*;

/// Byte by byte, which becomes one load; from words of eight bytes it would become four.
#[inline]
#[target_feature(enable = "avx2")]
#[rustfmt::skip]
pub(super) fn load_32(bytes: &[u8; 32]) -> __m256i {
    let b = |index: usize| bytes[index] as i8;
    _mm256_setr_epi8(
        b(0), b(1), b(2), b(3), b(4), b(5), b(6), b(7), b(8), b(9), b(10), b(11), b(12), b(13),
        b(14), b(15), b(16), b(17), b(18), b(19), b(20), b(21), b(22), b(23), b(24), b(25), b(26),
        b(27), b(28), b(29), b(30), b(31),
    )
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
