//! What the three sides say of a member. Pure.

use serde::Serialize;

use super::sides::{Listed, Member, Ours};
use crate::{ContactId, run::journal::Entry};

/// Where the list is not as our record and the segment say, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Drift {
    /// We put them on the list, and they are not on it any more: taken off by hand, deleted,
    /// suppressed, or never there although the service said so.
    pub vanished: u64,
    /// On the list, wanted, and not in our record: put there by others, or our record is old.
    pub unclaimed: u64,
    /// Of `unclaimed`, those whom we held.
    pub held_on_list: u64,
    /// On the list under our identifier as another contact than we know, or as one we did not know.
    pub other_contact: u64,
    /// On the list as the contact that we know, under another identifier.
    pub other_identifier: u64,
    /// On the list, put there by others, and not wanted: no fault. They stay.
    pub foreign: u64,
}

/// What comes of one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Stays in our record as it is; `true` when the segment has her.
    Agrees { wanted: bool },
    /// Stays in our record; shown under another identifier.
    OtherIdentifier { wanted: bool },
    /// Stays in our record with this contact.
    OtherContact { contact: ContactId },
    /// Leaves our record.
    Vanished { wanted: bool },
    /// Comes into our record with this contact.
    Unclaimed { contact: ContactId },
    /// Stays out of our record and on the list.
    Foreign,
    /// Not there; the next run adds her if she is wanted.
    Absent { wanted: bool },
}

pub(super) fn judge(member: &Member) -> Verdict {
    let wanted = member.wanted;
    match (member.ours, member.listed) {
        (Some(Ours { is_listed: true, .. }), Some(_)) => Verdict::Agrees { wanted },
        (Some(Ours { is_listed: true, .. }), None) => Verdict::OtherIdentifier { wanted },
        (Some(_), Some(Listed { contact, .. })) => Verdict::OtherContact { contact },
        (Some(_), None) => Verdict::Vanished { wanted },
        (None, Some(Listed { contact, is_ours: false })) if wanted => {
            Verdict::Unclaimed { contact }
        }
        (None, Some(Listed { is_ours: false, .. })) => Verdict::Foreign,
        // The contact is in our record under another identifier, which is counted there.
        (None, Some(Listed { is_ours: true, .. }) | None) => Verdict::Absent { wanted },
    }
}

impl Verdict {
    /// What our record should say of her.
    pub(super) fn record(&self, member: &Member) -> Option<Entry> {
        let entry = |contact| Some(Entry { member: member.member, contact });
        match self {
            Self::Agrees { .. } | Self::OtherIdentifier { .. } => entry(member.ours?.contact),
            Self::OtherContact { contact } | Self::Unclaimed { contact } => entry(Some(*contact)),
            Self::Vanished { .. } | Self::Foreign | Self::Absent { .. } => None,
        }
    }
}

impl Drift {
    pub(super) fn count(&mut self, verdict: &Verdict) {
        let count = match verdict {
            Verdict::OtherIdentifier { .. } => &mut self.other_identifier,
            Verdict::OtherContact { .. } => &mut self.other_contact,
            Verdict::Vanished { .. } => &mut self.vanished,
            Verdict::Unclaimed { .. } => &mut self.unclaimed,
            Verdict::Foreign => &mut self.foreign,
            Verdict::Agrees { .. } | Verdict::Absent { .. } => return,
        };
        *count += 1;
    }

    /// Members about whom our record is wrong; a repair puts them right.
    pub fn repairable(&self) -> u64 {
        self.vanished + self.unclaimed + self.other_contact
    }
}

#[cfg(test)]
mod tests {
    use segment_diff::Fingerprint;

    use super::*;

    fn contact(id: u64) -> ContactId {
        ContactId::new(id).unwrap()
    }

    fn judged(wanted: bool, ours: Option<(u64, bool)>, listed: Option<(u64, bool)>) -> Verdict {
        judge(&Member {
            member: Fingerprint::from_bytes([1; 16]),
            wanted,
            ours: ours.map(|(id, is_listed)| Ours { contact: ContactId::new(id), is_listed }),
            listed: listed.map(|(id, is_ours)| Listed { contact: contact(id), is_ours }),
        })
    }

    #[test]
    fn each_constellation_has_its_verdict() {
        for wanted in [true, false] {
            assert_eq!(
                judged(wanted, Some((1, true)), Some((1, true))),
                Verdict::Agrees { wanted }
            );
            let moved = judged(wanted, Some((1, true)), None);
            assert_eq!(moved, Verdict::OtherIdentifier { wanted });
            let again = Verdict::OtherContact { contact: contact(2) };
            assert_eq!(judged(wanted, Some((1, false)), Some((2, false))), again);
            assert_eq!(judged(wanted, Some((0, false)), Some((2, false))), again, "now known");
            assert_eq!(judged(wanted, Some((1, false)), None), Verdict::Vanished { wanted });
            assert_eq!(judged(wanted, None, Some((1, true))), Verdict::Absent { wanted });
            assert_eq!(judged(wanted, None, None), Verdict::Absent { wanted });
        }
        let unclaimed = Verdict::Unclaimed { contact: contact(2) };
        assert_eq!(judged(true, None, Some((2, false))), unclaimed);
        assert_eq!(judged(false, None, Some((2, false))), Verdict::Foreign);
    }
}
