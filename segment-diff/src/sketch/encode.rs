use super::{Cell, Shape, Sketch};

impl Sketch {
    /// The sketch as bytes. Integers are unsigned and little-endian; the checksum is that of
    /// [snapshots](crate::snapshot).
    ///
    /// | bytes | |
    /// |---|---|
    /// | 0..8 | magic, `89 53 45 47 53 4B 54 0A` |
    /// | 8..12 | version, 1 |
    /// | 12..16 | number of groups *g* |
    /// | 16..20 | number of cells in a sub-array *m* |
    /// | 20.. | 3 *g* *m* cells, in the order of their places: count, sums of *a*, *b* and *check*, 8 bytes each |
    /// | the last 4 | checksum of all bytes before it |
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.cells.len() * CELL + CHECKSUM);
        bytes.extend_from_slice(&MAGIC);
        for number in [VERSION, self.shape.groups(), self.shape.cells()] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for word in self.cells.iter().flat_map(|cell| cell.to_words()) {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) has written. The checksum detects accidents; it is
    /// no protection against somebody who forges a sketch.
    ///
    /// # Errors
    ///
    /// Fails unless `bytes` are exactly a sketch, unaltered and of a version known.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SketchError> {
        let (magic, rest) = bytes.split_first_chunk().ok_or(SketchError::NotASketch)?;
        if *magic != MAGIC {
            return Err(SketchError::NotASketch);
        }
        let (numbers, rest) = rest.split_first_chunk::<12>().ok_or(SketchError::Length)?;
        let number = |at| u32::from_le_bytes([0, 1, 2, 3].map(|byte: usize| numbers[at + byte]));
        // Before the checksum: a later version may place it elsewhere.
        if number(0) != VERSION {
            return Err(SketchError::Unsupported);
        }
        let (words, checksum) = rest.split_last_chunk::<CHECKSUM>().ok_or(SketchError::Length)?;
        if crc32fast::hash(&bytes[..bytes.len() - CHECKSUM]) != u32::from_le_bytes(*checksum) {
            return Err(SketchError::Corrupt);
        }
        let shape = Shape::new(number(4), number(8)).ok_or(SketchError::Malformed)?;
        let (words, rest) = words.as_chunks::<8>();
        let (cells, more) = words.as_chunks::<4>();
        // Nothing is allocated from a number that the bytes do not bear out.
        if cells.len() as u64 != shape.places() || !more.is_empty() || !rest.is_empty() {
            return Err(SketchError::Length);
        }
        let cells = cells.iter().map(|cell| Cell::of_words(cell.map(u64::from_le_bytes)));
        Ok(Self { shape, cells: cells.collect() })
    }
}

/// Why bytes are not a sketch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SketchError {
    /// The data does not begin like a sketch.
    #[error("not a sketch")]
    NotASketch,
    /// A later version of the format.
    #[error("a sketch of an unsupported version")]
    Unsupported,
    /// The checksum does not fit the bytes: they were altered, damaged or cut off.
    #[error("a sketch whose checksum does not match")]
    Corrupt,
    /// The bytes are as they were written, and yet their shape is none.
    #[error("a sketch of an impossible shape")]
    Malformed,
    /// There are more or fewer bytes than the shape takes.
    #[error("a sketch of the wrong length")]
    Length,
}

const MAGIC: [u8; 8] = *b"\x89SEGSKT\n";
const VERSION: u32 = 1;
const HEADER: usize = 20;
const CELL: usize = 32;
const CHECKSUM: usize = 4;
