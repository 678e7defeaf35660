use std::fmt;
use std::io::{self, Read};

use crate::snapshot::MAX_KEY;

/// Reads keys that stand after their lengths, each of which is four bytes, little-endian.
///
/// Such keys may hold any bytes, line feeds too. Memory: 64 KiB, and the longest key where that is
/// longer.
pub struct PrefixedReader<R> {
    inner: R,
    /// `buffer[next..filled]` was read and not handed out.
    buffer: Vec<u8>,
    next: usize,
    filled: usize,
    /// The offset in the input of `buffer[0]`.
    offset: u64,
    limit: usize,
}

impl<R: Read> PrefixedReader<R> {
    /// Reads `inner` in pieces of 64 KiB: no further buffering is needed.
    pub fn new(inner: R) -> Self {
        Self::with_buffer(inner, BUFFER)
    }

    fn with_buffer(inner: R, size: usize) -> Self {
        let buffer = vec![0; size];
        Self { inner, buffer, next: 0, filled: 0, offset: 0, limit: MAX_KEY }
    }

    /// Refuses keys longer than `limit` bytes; otherwise the limit is [`MAX_KEY`].
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit.min(MAX_KEY);
        self
    }

    /// The next key, which may be empty; `None` at the end.
    ///
    /// # Errors
    ///
    /// Fails when reading fails, when a key is too long, and when the input ends within a length
    /// or a key.
    pub fn next_key(&mut self) -> Result<Option<&[u8]>, PrefixedError> {
        let start = self.offset + self.next as u64;
        if !self.fill(PREFIX)? {
            let nothing = self.next == self.filled;
            return if nothing {
                Ok(None)
            } else {
                Err(PrefixedError::Truncated { offset: start })
            };
        }
        let prefix = &self.buffer[self.next..][..PREFIX];
        let length = u32::from_le_bytes([prefix[0], prefix[1], prefix[2], prefix[3]]) as usize;
        if length > self.limit {
            return Err(PrefixedError::TooLong { offset: start, limit: self.limit });
        }
        if !self.fill(PREFIX + length)? {
            return Err(PrefixedError::Truncated { offset: start });
        }
        let key = self.next + PREFIX;
        self.next = key + length;
        Ok(Some(&self.buffer[key..self.next]))
    }

    /// Makes `wanted` bytes available from `next` on; `false` where the input ends before.
    fn fill(&mut self, wanted: usize) -> Result<bool, PrefixedError> {
        if self.filled - self.next >= wanted {
            return Ok(true);
        }
        self.buffer.copy_within(self.next..self.filled, 0);
        self.offset += self.next as u64;
        (self.next, self.filled) = (0, self.filled - self.next);
        if self.buffer.len() < wanted {
            // As much as is needed, not twice as much. The limit bounds it.
            self.buffer.reserve_exact(wanted - self.buffer.len());
            self.buffer.resize(wanted, 0);
        }
        while self.filled < wanted {
            match self.inner.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Ok(false),
                Ok(length) => self.filled += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    let offset = self.offset + self.filled as u64;
                    return Err(PrefixedError::Read { offset, source });
                }
            }
        }
        Ok(true)
    }
}

/// Says how far it is, and no key.
impl<R> fmt::Debug for PrefixedReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = self.offset + self.next as u64;
        f.debug_struct("PrefixedReader").field("offset", &offset).finish_non_exhaustive()
    }
}

/// Why keys after their lengths could not be read. No message holds a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrefixedError {
    /// Reading failed.
    #[error("cannot read at byte {offset}")]
    Read {
        /// The offset of the bytes that were asked for.
        offset: u64,
        /// Why.
        source: io::Error,
    },
    /// A key is too long; are there lengths in front of the keys?
    #[error("the key whose length stands at byte {offset} is longer than {limit} bytes")]
    TooLong {
        /// The offset of its length.
        offset: u64,
        /// The most bytes that a key may have.
        limit: usize,
    },
    /// The input ends within a length or a key.
    #[error("the input ends within the key whose length stands at byte {offset}")]
    Truncated {
        /// The offset of its length.
        offset: u64,
    },
}

const PREFIX: usize = size_of::<u32>();
const BUFFER: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(keys: &[Vec<u8>]) -> Vec<u8> {
        let prefixed = |key: &Vec<u8>| [&(key.len() as u32).to_le_bytes()[..], key].concat();
        keys.iter().flat_map(prefixed).collect()
    }

    fn read_all<R: Read>(mut reader: PrefixedReader<R>) -> Result<Vec<Vec<u8>>, PrefixedError> {
        let mut keys = Vec::new();
        while let Some(key) = reader.next_key()? {
            keys.push(key.to_vec());
        }
        Ok(keys)
    }

    /// Every other call is interrupted; the rest gives at most three bytes.
    struct Dawdles<'a>(&'a [u8], bool);

    impl Read for Dawdles<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let length = buffer.len().min(3);
            self.0.read(&mut buffer[..length])
        }
    }

    fn some_keys() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..50)
    }

    proptest! {
        #[test]
        fn keys_are_read_as_written(keys in some_keys(), size in 0..70_usize) {
            let bytes = written(&keys);
            let reader = PrefixedReader::with_buffer(Dawdles(&bytes, false), size);
            prop_assert_eq!(read_all(reader).unwrap(), keys);
        }

        #[test]
        fn an_input_cut_off_within_a_key_is_an_error(keys in some_keys(), cut in 0..1000_usize) {
            let bytes = written(&keys);
            let cut = cut.min(bytes.len());
            let mut ends = vec![0];
            for key in &keys {
                ends.push(ends[ends.len() - 1] + PREFIX + key.len());
            }
            let read = read_all(PrefixedReader::with_buffer(&bytes[..cut], 8));
            match ends.iter().position(|end| *end == cut) {
                Some(whole) => prop_assert_eq!(read.unwrap(), &keys[..whole]),
                None => {
                    let start = *ends.iter().filter(|end| **end < cut).max().unwrap() as u64;
                    let error = read.unwrap_err();
                    let truncated = matches!(error, PrefixedError::Truncated { offset } if offset == start);
                    prop_assert!(truncated, "{:?}", error);
                }
            }
        }
    }

    #[test]
    fn a_length_beyond_the_limit_is_an_error_and_nothing_is_allocated() {
        let bytes = [&written(&[b"ada".to_vec()])[..], &[0xff; 4]].concat();
        for (limit, offset) in [(usize::MAX, 7), (3, 7), (2, 0)] {
            let error = read_all(PrefixedReader::new(&bytes[..]).limit(limit)).unwrap_err();
            let PrefixedError::TooLong { offset: at, limit: stated } = error else { panic!() };
            assert_eq!((at, stated), (offset, limit.min(MAX_KEY)));
        }
    }

    #[test]
    fn a_failing_source_is_an_error_with_its_place() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let bytes = written(&[b"ada".to_vec()]);
        let error = read_all(PrefixedReader::new(bytes[..].chain(Fails))).unwrap_err();
        assert!(matches!(error, PrefixedError::Read { offset: 7, .. }), "{error}");
    }
}
