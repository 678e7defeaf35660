//! How a doubt is settled about somebody who may be on the list and is not to be.

use segment_diff::Fingerprint;

use crate::ContactId;

/// What shows that people are off the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// The list itself, read from start to end: who is found is removed.
    List,
    /// A removal that the service acknowledges, whether there was something to remove or not.
    Removal,
}

/// Splits those in doubt into the ones who are removed without a look at the list, and the ones who
/// are looked for on it. Who has no known contact can only be looked for.
pub(super) fn split(
    in_doubt: impl IntoIterator<Item = (Fingerprint, Option<ContactId>)>,
    evidence: Evidence,
) -> (Vec<(Fingerprint, ContactId)>, Vec<Fingerprint>) {
    let (mut removed, mut looked_for) = (Vec::new(), Vec::new());
    for (member, contact) in in_doubt {
        match contact.filter(|_| evidence == Evidence::Removal) {
            Some(contact) => removed.push((member, contact)),
            None => looked_for.push(member),
        }
    }
    (removed, looked_for)
}

/// The cheaper evidence about people whose contacts are known: `removal_calls` to remove them
/// unseen, or `pages` to read the list. If the list is read for others anyway, looking is free.
pub(super) fn cheaper(removal_calls: u64, pages: u64, is_read_anyway: bool) -> Evidence {
    // At equal cost the list is the better witness: it shows who was there.
    if is_read_anyway || pages <= removal_calls { Evidence::List } else { Evidence::Removal }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(number: u8) -> Fingerprint {
        Fingerprint::from_bytes([number; 16])
    }

    #[test]
    fn a_short_list_is_read_and_a_long_one_is_not() {
        assert_eq!(cheaper(1, 1, false), Evidence::List);
        assert_eq!(cheaper(1, 2, false), Evidence::Removal);
        assert_eq!(cheaper(2, 2_000, false), Evidence::Removal);
        assert_eq!(cheaper(40, 20, false), Evidence::List);
    }

    #[test]
    fn a_list_that_is_read_anyway_shows_everybody() {
        assert_eq!(cheaper(1, 2_000, true), Evidence::List);
    }

    #[test]
    fn whoever_has_no_contact_is_looked_for() {
        let contact = ContactId::new(7);
        let in_doubt = [(member(1), contact), (member(2), None)];
        let (removed, looked_for) = split(in_doubt, Evidence::Removal);
        assert_eq!(removed, [(member(1), contact.unwrap())]);
        assert_eq!(looked_for, [member(2)]);
        let (removed, looked_for) = split(in_doubt, Evidence::List);
        assert_eq!(removed, []);
        assert_eq!(looked_for, [member(1), member(2)]);
    }
}
