//! The snapshot file: the membership that was last acknowledged, sorted and checksummed.
//!
//! [`Encoder`] and [`Decoder`] hold the format and do no I/O; [`SnapshotWriter`] and
//! [`SnapshotReader`] put them on top of [`std::io`] and read from front to back;
//! [`SnapshotFile`] searches by key and reads parts on several threads. Readers hold about one
//! block in memory (the last one also the index, a thousandth of the file).
//! No record is handed out before the checksum of its block was verified, and a snapshot read
//! from front to back is good only once [`Decoder::finish`] said so (the reader does that at the
//! end of the stream): a truncated or altered file is an error with its position, never a wrong
//! answer. The checksums detect accidents; they are no protection against somebody who forges a
//! file.
//!
//! ```
//! use segment_diff::snapshot::{Layout, SnapshotReader, SnapshotWriter};
//!
//! let layout = Layout::Bytes { payload: 4 };
//! let mut writer = SnapshotWriter::new(Vec::new(), layout);
//! writer.push(b"ada@example.com", &7_u32.to_le_bytes())?;
//! writer.push(b"bo@example.com", &9_u32.to_le_bytes())?;
//! let (summary, file) = writer.finish()?;
//! assert_eq!(summary.records, 2);
//!
//! let mut reader = SnapshotReader::new(file.as_slice())?;
//! assert_eq!(reader.layout(), layout);
//! while let Some(record) = reader.next_record()? {
//!     assert!(record.key.ends_with(b"@example.com"));
//! }
//! # Ok::<(), segment_diff::snapshot::SnapshotError>(())
//! ```
//!
//! # Format
//!
//! A file is a header, any number of blocks, an index, and a footer; nothing follows. Version 2
//! is described here; version 1 is the same but for what the last section says. Integers are
//! unsigned and little-endian. A checksum is the CRC-32 of zlib and gzip (polynomial
//! `0xEDB88320`, reflected, initial value and final exclusive-or `0xFFFFFFFF`).
//!
//! | header, 20 bytes | |
//! |---|---|
//! | 0..8 | magic, `89 53 45 47 44 49 46 0A` |
//! | 8 | version, 2 |
//! | 9 | layout: 1 fixed, 2 bytes |
//! | 10..12 | width of a key in bytes (layout fixed); 0 (layout bytes) |
//! | 12..14 | width of a payload in bytes |
//! | 14 | content: 0 a membership, 1 a [delta](crate::delta) |
//! | 15 | reserved, 0 |
//! | 16..20 | checksum of bytes 0..16 |
//!
//! | block, 13 + n bytes | |
//! |---|---|
//! | 0 | tag, `0x42` (`B`) |
//! | 1..5 | number of records, at least 1 |
//! | 5..9 | length n of the body, at most 1,179,648 ([`MAX_BODY`]) |
//! | 9..13 | checksum of bytes 0..9 followed by the body |
//! | 13.. | body |
//!
//! | footer, 33 bytes | |
//! |---|---|
//! | 0 | tag, `0x46` (`F`) |
//! | 1..9 | number of records of all blocks |
//! | 9..17 | number of bytes before the footer |
//! | 17..25 | offset of the first index block; of the footer if there is none |
//! | 25..29 | checksum of all bytes before the footer |
//! | 29..33 | checksum of bytes 0..29 of the footer |
//!
//! The body of a block is its records, one after another, with nothing between or after them:
//!
//! * **Layout fixed:** key, payload, each of its width.
//! * **Layout bytes:** the number of leading bytes that the key shares with the key of the record
//!   before it in the same block (0 for the first record of a block), the number of bytes that
//!   follow those, these bytes, and the payload. Both numbers are base-128 varints: seven bits a
//!   byte, lowest first, the top bit set on all but the last byte; at most three bytes and never
//!   longer than needed. A key has at most 1,048,576 bytes ([`MAX_KEY`]).
//!
//! Keys ascend strictly, by bytes, within blocks and from one block to the next. A writer ends a
//! block before the record with which its body would exceed 64 KiB, so a longer block holds one
//! record; readers accept any block within the limits. Where blocks end is no part of the
//! content, the records are.
//!
//! The index is a number of index blocks. They look like blocks of records, but have the tag
//! `0x49` (`I`), and the number of entries where those have that of records. There is one entry
//! for each block of records, in their order; an entry is not split between index blocks.
//!
//! | entry, 21 + p bytes | |
//! |---|---|
//! | 0..8 | offset of the block |
//! | 8..16 | number of records in the blocks before it |
//! | 16..20 | checksum of the block, as in its bytes 9..13 |
//! | 20 | length p: the length of the block's first key, at most 64 |
//! | 21.. | the first p bytes of that key |
//!
//! **Version 1** has the version 1 in its header, no index, always the content 0, and a footer of
//! 25 bytes that lacks the offset of the index: bytes 0..17 as above, 17..21 the checksum of all
//! bytes before the footer, 21..25 the checksum of bytes 0..21 of the footer. It is written on
//! request, for the sake of writers that hold no index ([`Encoder::without_index`]), and read like
//! version 2.

mod cursor;
mod decode;
mod encode;
mod error;
#[cfg(feature = "std")]
mod file;
mod format;
mod index;
mod record;
#[cfg(feature = "std")]
mod stream;

pub use decode::Decoder;
pub use encode::Encoder;
pub use error::{Position, SnapshotError, SnapshotErrorKind};
#[cfg(feature = "std")]
pub use file::{SnapshotFile, SnapshotRecords};
#[cfg(feature = "std")]
pub(crate) use format::Content;
pub use format::{Layout, MAX_BODY, MAX_KEY, Summary};
pub use record::{FixedRecords, Record};
#[cfg(feature = "std")]
pub use stream::{SnapshotReader, SnapshotWriter};
