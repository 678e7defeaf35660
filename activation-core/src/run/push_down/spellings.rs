//! Which of the identifiers that a run met stay out of the next table.
//!
//! A table has one spelling of each member, and none of anybody else. Whoever is spelt in two ways is
//! met again in each run under the other one, so that nobody is missed when one of them goes.

use std::fmt;

use segment_diff::Fingerprint;

use crate::run::journal::Entry;

/// Beyond so many identifiers whose fate depends on the run, no table is made: they are in memory.
const MOST_UNDECIDED: usize = 1_000_000;

/// Beyond so many identifiers to be left out, no table is made: each one has to be sent.
const MOST_LEFT_OUT: usize = 100_000;

/// How a row of the segment stands to the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::run) enum Met {
    /// Met before in this run, excluded, or without a usable identifier.
    Useless,
    /// In the record.
    Recorded(Fingerprint),
    /// Not in the record.
    New(Fingerprint),
}

/// The identifiers that a run met, as the segment spells them.
#[derive(Default)]
pub(in crate::run) struct Spellings {
    left_out: Vec<Box<[u8]>>,
    /// They are in the next table if they are acknowledged.
    undecided: Vec<(Fingerprint, Box<[u8]>)>,
    /// Whether the next table differs from the one before, whatever is acknowledged.
    differs: bool,
    are_too_many: bool,
}

/// What becomes of the table.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::run) enum Next {
    /// The one before is still right.
    Keep,
    /// A new one, of the segment's identifiers without these.
    Replace(Vec<Box<[u8]>>),
    /// None: the next run reads in full.
    Nothing,
}

impl Spellings {
    /// Those of a run that compares with no table, or in which somebody has gone from it.
    pub(in crate::run) fn of_new_table() -> Self {
        Self { differs: true, ..Self::default() }
    }

    /// Notes a row; `is_spelt_otherwise` tells whether the table before has another spelling of her
    /// that the segment still has.
    pub(in crate::run) fn note(&mut self, raw: &[u8], met: Met, is_spelt_otherwise: bool) {
        match met {
            Met::Recorded(_) if !is_spelt_otherwise => self.differs = true,
            Met::Useless | Met::Recorded(_) => self.left_out.push(raw.into()),
            Met::New(member) => self.undecided.push((member, raw.into())),
        }
        if self.left_out.len() > MOST_LEFT_OUT || self.undecided.len() > MOST_UNDECIDED {
            *self = Self { are_too_many: true, ..Self::default() };
        }
    }

    /// Decides, once it is known who was acknowledged, in ascending order of fingerprint.
    pub(in crate::run) fn next(self, added: &[Entry]) -> Next {
        let Self { mut left_out, undecided, differs, are_too_many } = self;
        let seen = undecided.len();
        let refused = undecided.into_iter().filter(|(member, _)| {
            added.binary_search_by_key(member, |entry| entry.member).is_err()
        });
        let before = left_out.len();
        left_out.extend(refused.map(|(_, raw)| raw));
        let is_somebody_new = left_out.len() - before < seen;
        match () {
            () if are_too_many || left_out.len() > MOST_LEFT_OUT => Next::Nothing,
            () if differs || is_somebody_new => Next::Replace(left_out),
            () => Next::Keep,
        }
    }
}

/// Shows numbers only: spellings are people's addresses.
impl fmt::Debug for Spellings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spellings")
            .field("left_out", &self.left_out.len())
            .field("undecided", &self.undecided.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(number: u8) -> Fingerprint {
        Fingerprint::from_bytes([number; 16])
    }

    fn entries(numbers: &[u8]) -> Vec<Entry> {
        numbers.iter().map(|number| Entry { member: member(*number), contact: None }).collect()
    }

    fn next(rows: &[(&[u8], Met, bool)], added: &[u8]) -> Next {
        let mut spellings = Spellings::default();
        rows.iter().for_each(|(raw, met, otherwise)| spellings.note(raw, *met, *otherwise));
        spellings.next(&entries(added))
    }

    fn replaced(left_out: &[&[u8]]) -> Next {
        Next::Replace(left_out.iter().map(|raw| Box::from(*raw)).collect())
    }

    #[test]
    fn a_table_is_replaced_only_where_it_would_be_another() {
        let refused: (&[u8], _, _) = (b"new", Met::New(member(1)), false);
        let useless: (&[u8], _, _) = (b"", Met::Useless, false);
        let again: (&[u8], _, _) = (b"ANN", Met::Recorded(member(2)), true);
        let respelt: (&[u8], _, _) = (b"Ann", Met::Recorded(member(2)), false);
        assert_eq!(next(&[], &[]), Next::Keep);
        assert_eq!(next(&[refused, useless, again], &[]), Next::Keep);
        assert_eq!(next(&[refused, useless, again], &[1]), replaced(&[b"", b"ANN"]));
        assert_eq!(next(&[refused, respelt], &[]), replaced(&[b"new"]));
        assert_eq!(Spellings::of_new_table().next(&[]), replaced(&[]));
    }

    #[test]
    fn beyond_what_can_be_sent_there_is_no_table() {
        let mut spellings = Spellings::of_new_table();
        for number in 0..=MOST_LEFT_OUT {
            spellings.note(&number.to_le_bytes(), Met::New(member(1)), false);
        }
        assert_eq!(spellings.next(&[]), Next::Nothing);
    }

    #[test]
    fn spellings_are_not_shown() {
        let mut spellings = Spellings::default();
        spellings.note(b"secret", Met::Useless, false);
        assert!(!format!("{spellings:?}").contains("secret"));
    }
}
