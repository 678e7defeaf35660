use super::{LineError, LineReader, size};
use crate::ReadAt;

/// What a look into a few places of an input says about the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) bytes: u64,
    /// An estimate, unless the input is small.
    pub(super) lines: u64,
    pub(super) sorted: bool,
}

impl Sample {
    pub(super) fn of(source: &dyn ReadAt) -> Result<Self, LineError> {
        let bytes = size(source)?;
        let mut seen = Self { bytes: 0, lines: 0, sorted: true };
        let mut last = Vec::new();
        let stride = (bytes / PLACES).max(PIECE);
        let mut start = 0;
        while start < bytes {
            let range = start..bytes.min(start + PIECE);
            let mut reader = LineReader::of_range(source, range, PIECE as usize)?;
            while let Some(block) = reader.next_block()? {
                for key in block.keys() {
                    seen.lines += 1;
                    seen.bytes += key.len() as u64 + 1;
                    seen.sorted &= last.as_slice() <= key;
                    last.clear();
                    last.extend_from_slice(key);
                }
            }
            start += stride;
        }
        let lines = (u128::from(seen.lines) * u128::from(bytes)).div_ceil(seen.bytes.max(1).into());
        Ok(Self { bytes, lines: lines as u64, sorted: seen.sorted })
    }
}

/// How many places are looked into, and how many bytes are read at each.
const PLACES: u64 = 16;
const PIECE: u64 = 4 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(numbers: impl Iterator<Item = u32>) -> Vec<u8> {
        numbers.flat_map(|number| format!("{number:07}\n").into_bytes()).collect()
    }

    fn sample(bytes: &[u8]) -> Sample {
        Sample::of(&bytes).unwrap()
    }

    #[test]
    fn lines_are_counted_or_estimated() {
        assert_eq!(sample(b""), Sample { bytes: 0, lines: 0, sorted: true });
        assert_eq!(sample(b"a\nb\nc"), Sample { bytes: 5, lines: 3, sorted: true });
        let many = sample(&lines(0..100_000));
        assert_eq!((many.lines, many.sorted), (100_000, true));
    }

    #[test]
    fn places_out_of_order_are_noticed() {
        assert!(!sample(b"b\na\n").sorted);
        // Each half is sorted.
        assert!(!sample(&lines((50_000..100_000).chain(0..50_000))).sorted);
    }
}
