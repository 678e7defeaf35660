//! Members are numbered, and a segment is a range of them.

use std::ops::Range;

/// What the addresses of all members begin with.
pub(crate) const PREFIX: &str = "first.last";

/// Digits of a member's number in her address.
pub(crate) const DIGITS: usize = 8;

/// The address of a member.
pub(crate) fn address(member: u32) -> String {
    format!("{PREFIX}{member:0DIGITS$}@mail.example.com")
}

/// Members `0..members` before a change and the same number after it: 1 % have left, and as many
/// have come.
pub(crate) fn changed(members: u32) -> Range<u32> {
    members / 100..members + members / 100
}
