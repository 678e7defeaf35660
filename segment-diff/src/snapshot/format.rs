use alloc::vec::Vec;

use super::SnapshotErrorKind;

/// The most bytes that a key may have in [`Layout::Bytes`]: 1 MiB.
pub const MAX_KEY: usize = 1 << 20;

/// The most bytes that the body of one block may have: the longest key, the widest payload and
/// the numbers in front of them. It bounds what a reader holds.
pub const MAX_BODY: usize = MAX_KEY + (128 << 10);

pub(super) const BLOCK_TARGET: usize = 64 << 10;
pub(super) const HEADER: usize = 20;
pub(super) const BLOCK_HEADER: usize = 13;
pub(super) const BLOCK_TAG: u8 = b'B';
pub(super) const INDEX_TAG: u8 = b'I';
pub(super) const FOOTER_TAG: u8 = b'F';

/// The size of a footer of version 2.
pub(super) const FOOTER: usize = 33;

const MAGIC: [u8; 8] = *b"\x89SEGDIF\n";

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
    pub(crate) fn payload_width(self) -> usize {
        match self {
            Self::Fixed { payload, .. } | Self::Bytes { payload } => usize::from(payload),
        }
    }

    /// The width of a whole record, where all have the same.
    pub(super) fn record_width(self) -> Option<usize> {
        match self {
            Self::Fixed { key, payload } => Some(usize::from(key) + usize::from(payload)),
            Self::Bytes { .. } => None,
        }
    }
}

/// Which form a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// Without an index.
    One,
    /// With an index of the blocks before the footer.
    Two,
}

impl Version {
    pub(super) fn footer(self) -> usize {
        match self {
            Self::One => 25,
            Self::Two => FOOTER,
        }
    }
}

/// What the records of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Members.
    Membership,
    /// Changes of members; see [`delta`](crate::delta).
    Delta,
}

/// What a header states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) version: Version,
    pub(super) content: Content,
    pub(super) layout: Layout,
}

impl Header {
    pub(super) fn to_bytes(self) -> [u8; HEADER] {
        let (layout, key, payload) = match self.layout {
            Layout::Fixed { key, payload } => (1, key, payload),
            Layout::Bytes { payload } => (2, 0, payload),
        };
        let mut header = [0; HEADER];
        header[..8].copy_from_slice(&MAGIC);
        header[8] = match self.version {
            Version::One => 1,
            Version::Two => 2,
        };
        header[9] = layout;
        header[10..12].copy_from_slice(&key.to_le_bytes());
        header[12..14].copy_from_slice(&payload.to_le_bytes());
        header[14] = match self.content {
            Content::Membership => 0,
            Content::Delta => 1,
        };
        let checksum = crc32fast::hash(&header[..16]);
        header[16..].copy_from_slice(&checksum.to_le_bytes());
        header
    }

    pub(super) fn from_bytes(header: &[u8; HEADER]) -> Result<Self, SnapshotErrorKind> {
        if header[..8] != MAGIC {
            return Err(SnapshotErrorKind::NotASnapshot);
        }
        // Before the checksum: a later version may place it elsewhere.
        let version = match header[8] {
            1 => Version::One,
            2 => Version::Two,
            _ => return Err(SnapshotErrorKind::Unsupported),
        };
        if crc32fast::hash(&header[..16]) != u32_at(header, 16) {
            return Err(SnapshotErrorKind::Corrupt);
        }
        let content = match (version, header[14], header[15]) {
            (_, 0, 0) => Content::Membership,
            (Version::Two, 1, 0) => Content::Delta,
            _ => return Err(SnapshotErrorKind::Unsupported),
        };
        let width_at = |at| u16::from_le_bytes([header[at], header[at + 1]]);
        let (key, payload) = (width_at(10), width_at(12));
        let layout = match header[9] {
            1 => Layout::Fixed { key, payload },
            2 if key == 0 => Layout::Bytes { payload },
            2 => return Err(SnapshotErrorKind::Malformed),
            _ => return Err(SnapshotErrorKind::Unsupported),
        };
        Ok(Self { version, content, layout })
    }
}

/// What a whole snapshot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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
    /// Where the index begins; none in version 1.
    pub(super) index: Option<u64>,
    pub(super) checksum: u32,
}

impl Totals {
    /// Appends the footer to `out`.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        let start = out.len();
        out.push(FOOTER_TAG);
        out.extend_from_slice(&self.records.to_le_bytes());
        out.extend_from_slice(&self.bytes.to_le_bytes());
        if let Some(index) = self.index {
            out.extend_from_slice(&index.to_le_bytes());
        }
        out.extend_from_slice(&self.checksum.to_le_bytes());
        let checksum = crc32fast::hash(&out[start..]);
        out.extend_from_slice(&checksum.to_le_bytes());
    }

    /// Reads a footer of version 2.
    #[cfg(feature = "std")]
    pub(super) fn from_footer(footer: &[u8; FOOTER]) -> Result<Self, SnapshotErrorKind> {
        if footer[0] != FOOTER_TAG {
            return Err(SnapshotErrorKind::Truncated);
        }
        if crc32fast::hash(&footer[..29]) != u32_at(footer, 29) {
            return Err(SnapshotErrorKind::Corrupt);
        }
        Ok(Self {
            records: u64_at(footer, 1),
            bytes: u64_at(footer, 9),
            index: Some(u64_at(footer, 17)),
            checksum: u32_at(footer, 25),
        })
    }

    pub(super) fn summary(self) -> Summary {
        let version = if self.index.is_some() { Version::Two } else { Version::One };
        Summary { records: self.records, bytes: self.bytes + version.footer() as u64 }
    }
}

/// What stands in front of the body of a block, be it of records or of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockHeader {
    pub(super) tag: u8,
    pub(super) records: u32,
    pub(super) length: u32,
    pub(super) checksum: u32,
}

impl BlockHeader {
    /// The header of a block with `body`, the checksum of which is `body_checksum`.
    pub(super) fn new(
        tag: u8,
        records: u32,
        body: &[u8],
        body_checksum: &crc32fast::Hasher,
    ) -> Self {
        let mut header = Self { tag, records, length: body.len() as u32, checksum: 0 };
        header.checksum = header.checksum_with(body_checksum);
        header
    }

    pub(super) fn to_bytes(self) -> [u8; BLOCK_HEADER] {
        let mut bytes = [0; BLOCK_HEADER];
        bytes[0] = self.tag;
        bytes[1..5].copy_from_slice(&self.records.to_le_bytes());
        bytes[5..9].copy_from_slice(&self.length.to_le_bytes());
        bytes[9..].copy_from_slice(&self.checksum.to_le_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; BLOCK_HEADER]) -> Self {
        let (records, length) = (u32_at(bytes, 1), u32_at(bytes, 5));
        Self { tag: bytes[0], records, length, checksum: u32_at(bytes, 9) }
    }

    /// The checksum of the block: of the header's first bytes followed by the body.
    pub(super) fn checksum_with(self, body: &crc32fast::Hasher) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.to_bytes()[..9]);
        hasher.combine(body);
        hasher.finalize()
    }

    /// Whether a block of records may look like this in a file of `layout`.
    pub(super) fn fits(self, layout: Layout) -> bool {
        let right_length = layout
            .record_width()
            .is_none_or(|width| u64::from(self.records) * width as u64 == u64::from(self.length));
        self.records > 0 && right_length
    }
}

/// The checksum of the body of a block. It enters the checksum of the block and that of the
/// whole, but each byte is read only once.
pub(super) fn body_checksum(body: &[u8]) -> crc32fast::Hasher {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(body);
    hasher
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
    // Nearly all numbers take one byte.
    if let [byte @ 0..0x80, rest @ ..] = bytes {
        *bytes = rest;
        return Some(usize::from(*byte));
    }
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

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(feature = "std")]
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
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
