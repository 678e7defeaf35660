//! A record in a partition: 32 bits of the hash, the length of the key, the key, the value.

/// Bytes in front of a key shorter than [`LONG`].
pub(super) const HEADER: usize = 5;

/// The most bytes in front of a key.
pub(super) const LONG_HEADER: usize = 9;

/// A length byte of this value is followed by the length in four bytes.
pub(super) const LONG: usize = 0xff;

/// Where the parts of a record are, from its first byte on.
#[derive(Clone, Copy)]
pub(super) struct Record {
    pub(super) tag: u32,
    /// The first byte of the key.
    pub(super) key: usize,
    /// The first byte of the value.
    pub(super) value: usize,
    /// The number of bytes.
    pub(super) length: usize,
}

impl Record {
    /// The record at the front of `bytes`, with a value of `width` bytes; `None` where its end is
    /// not there yet.
    #[inline]
    pub(super) fn parse(bytes: &[u8], width: usize) -> Option<Self> {
        let header: &[u8; HEADER] = bytes.first_chunk()?;
        let tag = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
        let (key, length) = match usize::from(header[4]) {
            LONG => {
                let header: &[u8; LONG_HEADER] = bytes.first_chunk()?;
                let length = u32::from_le_bytes([header[5], header[6], header[7], header[8]]);
                (LONG_HEADER, length as usize)
            }
            length => (HEADER, length),
        };
        let value = key + length;
        let record = Self { tag, key, value, length: value + width };
        (record.length <= bytes.len()).then_some(record)
    }

    /// The bytes in front of a key of `length` bytes, and how many they are.
    #[inline]
    pub(super) fn header(tag: u32, length: usize) -> ([u8; LONG_HEADER], usize) {
        let mut header = [0; LONG_HEADER];
        header[..4].copy_from_slice(&tag.to_le_bytes());
        if length < LONG {
            header[4] = length as u8;
            return (header, HEADER);
        }
        header[4] = LONG as u8;
        header[5..].copy_from_slice(&(length as u32).to_le_bytes());
        (header, LONG_HEADER)
    }

    pub(super) fn key_of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.key..self.value]
    }

    pub(super) fn value_of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.value..self.length]
    }
}
