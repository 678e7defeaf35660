//! How many contacts one call takes off a list.

use serde::Serialize;

use crate::ids::ContactId;

/// Why contact ids cannot go into one bulk removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidContactIds {
    /// There are none.
    #[error("no contact ids were given")]
    Empty,
    /// There are too many for one call.
    #[error("{count} contact ids are more than the {most} of one call")]
    TooMany {
        /// How many were given.
        count: usize,
        /// How many are allowed.
        most: usize,
    },
}

/// The contact ids of one bulk removal: at least one, and not too many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContactIds(Vec<ContactId>);

impl ContactIds {
    /// How many ids go into one call unless said otherwise. The service documents no limit.
    pub const MOST: usize = 1000;

    /// Checks the ids of one call, up to [`MOST`](Self::MOST).
    ///
    /// # Errors
    ///
    /// Fails when there are none or too many.
    pub fn new(ids: Vec<ContactId>) -> Result<Self, InvalidContactIds> {
        Self::with_most(ids, Self::MOST)
    }

    /// Checks the ids of one call against another limit.
    ///
    /// # Errors
    ///
    /// Fails when there are none or more than `most`.
    pub fn with_most(ids: Vec<ContactId>, most: usize) -> Result<Self, InvalidContactIds> {
        match ids.len() {
            0 => Err(InvalidContactIds::Empty),
            count if count > most => Err(InvalidContactIds::TooMany { count, most }),
            _ => Ok(Self(ids)),
        }
    }

    /// The ids.
    pub fn as_slice(&self) -> &[ContactId] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(count: i64) -> Vec<ContactId> {
        (1..=count).map(|id| ContactId::new(id).unwrap()).collect()
    }

    #[test]
    fn a_bulk_removal_has_at_least_one_contact_and_not_too_many() {
        assert_eq!(ContactIds::new(Vec::new()), Err(InvalidContactIds::Empty));
        assert!(ContactIds::new(ids(1000)).is_ok());
        let too_many = InvalidContactIds::TooMany { count: 1001, most: 1000 };
        assert_eq!(ContactIds::new(ids(1001)), Err(too_many));
        assert!(ContactIds::with_most(ids(1001), 5000).is_ok());
    }
}
