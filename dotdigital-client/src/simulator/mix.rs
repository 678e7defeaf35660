//! Repeatable numbers from a seed: the same seed and number always give the same value.

/// Scrambles `seed` and `number` into 64 well-mixed bits (the finaliser of splitmix64).
pub(super) fn mix(seed: u64, number: u64) -> u64 {
    let mut z = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A GUID in the service's spelling.
pub(super) fn guid(seed: u64, number: u64) -> String {
    let (high, low) = (mix(seed, number), mix(!seed, number));
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        (low >> 48) & 0xfff,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_are_repeatable_and_differ() {
        assert_eq!(guid(7, 1), guid(7, 1));
        assert_ne!(guid(7, 1), guid(7, 2));
        assert_ne!(guid(7, 1), guid(8, 1));
        let lengths: Vec<usize> = guid(7, 1).split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
    }
}
