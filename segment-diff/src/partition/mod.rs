//! Differences by radix partitioning: one pass deals the entries of both sides out by their hash,
//! and then one partition after the other is small enough for the cache.
//!
//! Memory that was never touched is what costs most, so an entry is written once, to chunks that
//! are taken as they are needed: there is no pass that counts, and nothing is copied to grow.

mod compare;
mod deal;
mod located;
mod packed;
mod room;
mod table;

pub(crate) use compare::{Found, compare, compare_by};
pub(crate) use deal::{Partitions, Shape};
pub(crate) use located::{Located, PLACE_BITS, located, place};
pub(crate) use packed::{
    Finding, Near, PackedDealer, PackedError, PackedFound, PackedPartitions, PackedTable, Packing,
    compare_packed, finding, place_of,
};
pub(crate) use room::{Exhausted, Room};
pub(crate) use table::{Entry, Seen, Table};
