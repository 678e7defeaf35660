/// Puts the offset of every line feed in `bytes` into `ends`, replacing its content.
pub(crate) fn line_ends(bytes: &[u8], ends: &mut Vec<u32>) {
    ends.clear();
    #[cfg(target_arch = "x86_64")]
    if super::detected::line_ends(bytes, ends) {
        return;
    }
    line_ends_by(feeds, bytes, ends);
}

/// Appends the offset of every line feed to `ends`. `feeds` has a bit for each byte, set where it
/// is one.
///
/// Always a part of its caller, whose target features it is to make use of.
#[inline(always)]
pub(super) fn line_ends_by(feeds: impl Fn(&[u8; 64]) -> u64, bytes: &[u8], ends: &mut Vec<u32>) {
    // Room for a part in which every byte is a line feed, and for what is written beyond that.
    let mut found = [0; PART + AHEAD];
    let mut base = 0;
    for part in bytes.chunks(PART) {
        let (blocks, rest) = part.as_chunks::<64>();
        let mut count = 0;
        for block in blocks {
            count += unpack(feeds(block), base, &mut found[count..]);
            base += 64;
        }
        ends.extend_from_slice(&found[..count]);
        let feeds = rest.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        ends.extend(feeds.map(|(index, _)| base + index as u32));
    }
}

const PART: usize = 4096;

/// So many offsets are written whether there are any or not, which spares a branch that nobody
/// could predict: in 64 bytes there are hardly more lines.
const AHEAD: usize = 4;

/// Writes the offset of every bit set, which is `base` and its number, and says how many.
#[inline(always)]
fn unpack(mut bits: u64, base: u32, found: &mut [u32]) -> usize {
    let count = bits.count_ones() as usize;
    let (first, more) = found.split_at_mut(AHEAD);
    for place in first {
        *place = base + bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
    }
    if count > AHEAD {
        for place in &mut more[..count - AHEAD] {
            *place = base + bits.trailing_zeros();
            bits &= bits - 1;
        }
    }
    count
}

/// A bit for each byte, set where it is a line feed: the form for every processor.
fn feeds(block: &[u8; 64]) -> u64 {
    const LOW_BITS: u64 = u64::from_ne_bytes([0x7f; 8]);
    const FEEDS: u64 = u64::from_ne_bytes([b'\n'; 8]);
    // Moves the lowest bit of every byte to the top byte, that of the first byte lowest.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (words, _) = block.as_chunks::<8>();
    words.iter().rev().fold(0, |bits, word| {
        let word = u64::from_le_bytes(*word) ^ FEEDS;
        // The highest bit of a byte is set if any of its bits is.
        let other = ((word & LOW_BITS) + LOW_BITS) | word;
        let equal = (!other & !LOW_BITS) >> 7;
        bits << 8 | equal.wrapping_mul(GATHER) >> 56
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_line_feed_is_found(bytes in prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..400)) {
            let expected: Vec<u32> =
                (0..bytes.len() as u32).filter(|index| bytes[*index as usize] == b'\n').collect();
            let mut ends = vec![7];
            line_ends(&bytes, &mut ends);
            prop_assert_eq!(&ends, &expected);
            ends.clear();
            line_ends_by(feeds, &bytes, &mut ends);
            prop_assert_eq!(&ends, &expected);
        }
    }

    #[test]
    fn line_feeds_are_found_in_every_part() {
        let mut bytes = vec![b'\n'; PART];
        bytes.extend(vec![b'a'; PART + 70]);
        bytes.extend(b"\nb\n");
        let expected: Vec<u32> =
            (0..PART as u32).chain([2 * PART as u32 + 70, 2 * PART as u32 + 72]).collect();
        let mut ends = Vec::new();
        line_ends(&bytes, &mut ends);
        assert_eq!(ends, expected);
    }
}
