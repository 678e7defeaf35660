use super::SnapshotErrorKind;

/// The most bytes that a key may have in [`Layout::Bytes`]: 1 MiB.
pub const MAX_KEY: usize = 1 << 20;

/// The most bytes that the body of one block may have: the longest key, the widest payload and
/// the numbers in front of them. It bounds what a reader holds.
pub const MAX_BODY: usize = MAX_KEY + (128 << 10);

pub(super) const BLOCK_TARGET: usize = 64 << 10;
pub(super) const HEADER: usize = 20;
pub(super) const BLOCK_HEADER: usize = 13;
pub(super) const FOOTER: usize = 25;
pub(super) const BLOCK_TAG: u8 = b'B';
pub(super) const FOOTER_TAG: u8 = b'F';

const MAGIC: [u8; 8] = *b"\x89SEGDIF\n";
const VERSION: u8 = 1;

/// The shape of a snapshot's records. The widths are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Keys of one width, such as fingerprints.
    Fixed {
        /// Width of every key.
        key: u16,
        /// Width of every payload; 0 for none.
        payload: u16,
    },
    /// Keys of any length up to [`MAX_KEY`], each stored without the beginning that it shares
    /// with the key before it.
    Bytes {
        /// Width of every payload; 0 for none.
        payload: u16,
    },
}

impl Layout {
    pub(super) fn payload_width(self) -> usize {
        match self {
            Self::Fixed { payload, .. } | Self::Bytes { payload } => usize::from(payload),
        }
    }

    pub(super) fn to_header(self) -> [u8; HEADER] {
        let (layout, key, payload) = match self {
            Self::Fixed { key, payload } => (1, key, payload),
            Self::Bytes { payload } => (2, 0, payload),
        };
        let mut header = [0; HEADER];
        header[..8].copy_from_slice(&MAGIC);
        (header[8], header[9]) = (VERSION, layout);
        header[10..12].copy_from_slice(&key.to_le_bytes());
        header[12..14].copy_from_slice(&payload.to_le_bytes());
        let checksum = crc32fast::hash(&header[..16]);
        header[16..].copy_from_slice(&checksum.to_le_bytes());
        header
    }

    pub(super) fn from_header(header: &[u8; HEADER]) -> Result<Self, SnapshotErrorKind> {
        if header[..8] != MAGIC {
            return Err(SnapshotErrorKind::NotASnapshot);
        }
        // Before the checksum: a later version may place it elsewhere.
        if header[8] != VERSION {
            return Err(SnapshotErrorKind::Unsupported);
        }
        if crc32fast::hash(&header[..16]) != u32_at(header, 16) {
            return Err(SnapshotErrorKind::Corrupt);
        }
        let width_at = |at| u16::from_le_bytes([header[at], header[at + 1]]);
        let (key, payload) = (width_at(10), width_at(12));
        if width_at(14) != 0 {
            return Err(SnapshotErrorKind::Unsupported);
        }
        match header[9] {
            1 => Ok(Self::Fixed { key, payload }),
            2 if key == 0 => Ok(Self::Bytes { payload }),
            2 => Err(SnapshotErrorKind::Malformed),
            _ => Err(SnapshotErrorKind::Unsupported),
        }
    }
}

/// What a whole snapshot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The number of records.
    pub records: u64,
    /// The size of the file in bytes, header and footer included.
    pub bytes: u64,
}

/// What a footer states about the bytes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) checksum: u32,
}

impl Totals {
    pub(super) fn to_footer(self) -> [u8; FOOTER] {
        let mut footer = [0; FOOTER];
        footer[0] = FOOTER_TAG;
        footer[1..9].copy_from_slice(&self.records.to_le_bytes());
        footer[9..17].copy_from_slice(&self.bytes.to_le_bytes());
        footer[17..21].copy_from_slice(&self.checksum.to_le_bytes());
        let checksum = crc32fast::hash(&footer[..21]);
        footer[21..].copy_from_slice(&checksum.to_le_bytes());
        footer
    }

    pub(super) fn summary(self) -> Summary {
        Summary { records: self.records, bytes: self.bytes + FOOTER as u64 }
    }
}

/// What stands in front of the body of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockHeader {
    pub(super) records: u32,
    pub(super) length: u32,
    pub(super) checksum: u32,
}

impl BlockHeader {
    pub(super) fn new(records: u32, body: &[u8]) -> Self {
        let mut header = Self { records, length: body.len() as u32, checksum: 0 };
        header.checksum = header.checksum_over(body);
        header
    }

    pub(super) fn to_bytes(self) -> [u8; BLOCK_HEADER] {
        let mut bytes = [0; BLOCK_HEADER];
        bytes[0] = BLOCK_TAG;
        bytes[1..5].copy_from_slice(&self.records.to_le_bytes());
        bytes[5..9].copy_from_slice(&self.length.to_le_bytes());
        bytes[9..].copy_from_slice(&self.checksum.to_le_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; BLOCK_HEADER]) -> Self {
        let (records, length) = (u32_at(bytes, 1), u32_at(bytes, 5));
        Self { records, length, checksum: u32_at(bytes, 9) }
    }

    pub(super) fn checksum_over(self, body: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.to_bytes()[..9]);
        hasher.update(body);
        hasher.finalize()
    }
}

pub(super) fn push_varint(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads a number of at most three bytes off the front, or `None` when there is none.
pub(super) fn take_varint(bytes: &mut &[u8]) -> Option<usize> {
    let mut value = 0;
    for index in 0..3 {
        let byte = *bytes.get(index)?;
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            *bytes = &bytes[index + 1..];
            let longer_than_needed = byte == 0 && index > 0;
            return (!longer_than_needed).then_some(value);
        }
    }
    None
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_up_to_the_longest_key_are_read_back() {
        for value in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, MAX_KEY] {
            let mut bytes = Vec::new();
            push_varint(value, &mut bytes);
            assert!(bytes.len() <= 3);
            let mut rest = bytes.as_slice();
            assert_eq!(take_varint(&mut rest), Some(value));
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn numbers_that_are_cut_off_overlong_or_padded_are_refused() {
        for bytes in [&[][..], &[0x80], &[0xff, 0xff, 0xff, 1], &[0x80, 0], &[0x81, 0x80, 0]] {
            assert_eq!(take_varint(&mut &*bytes), None, "{bytes:?}");
        }
    }
}
