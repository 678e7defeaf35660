//! The decisions of the contract that our stores take alike, apart from any I/O.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Commit, Lease, SnapshotRef, StoreError, StoreErrorKind};

/// What a store remembers of the newest lease of an activation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NewestLease {
    /// Its token. Kept after the lease has ended, so that tokens only grow.
    pub(super) token: u64,
    /// Who has it; `None` once it was given back.
    pub(super) holder: Option<Holder>,
}

/// Who has a lease, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) name: String,
    pub(super) until: DateTime<Utc>,
}

impl NewestLease {
    /// Who keeps others out at `now`, as far as the time tells.
    pub(super) fn holder_at(&self, now: DateTime<Utc>) -> Option<&Holder> {
        self.holder.as_ref().filter(|holder| now < holder.until)
    }
}

/// The token of the lease after `newest`.
pub(super) fn next_token(newest: Option<&NewestLease>) -> u64 {
    newest.map_or(1, |lease| lease.token.saturating_add(1))
}

/// When a lease taken or renewed at `now` ends. Beyond the calendar's end it ends with the calendar.
pub(super) fn lease_end(now: DateTime<Utc>, ttl: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(ttl)
        .ok()
        .and_then(|ttl| now.checked_add_signed(ttl))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Whether `lease` may still write: it is the newest one and was not given back. Its time does not
/// matter, since nobody is harmed by a late holder whom nobody followed.
pub(super) fn check_lease(newest: Option<&NewestLease>, lease: &Lease) -> Result<(), StoreError> {
    match newest {
        Some(newest) if newest.token == lease.token && newest.holder.is_some() => Ok(()),
        Some(newest) if newest.token == lease.token => Err(StoreError::new(
            StoreErrorKind::Fenced,
            format!("the lease of activation {:?} was given back", lease.activation.as_str()),
        )),
        _ => Err(StoreError::new(
            StoreErrorKind::Fenced,
            format!("the lease of activation {:?} was taken over", lease.activation.as_str()),
        )),
    }
}

/// Whether `commit` follows the stored generation.
pub(super) fn check_generation(stored: u64, commit: &Commit) -> Result<(), StoreError> {
    if stored != commit.expected_generation {
        return Err(StoreError::new(
            StoreErrorKind::Moved,
            format!(
                "the state is at generation {stored}, not at {} as expected",
                commit.expected_generation
            ),
        ));
    }
    if Some(commit.head.generation) != stored.checked_add(1) {
        return Err(StoreError::new(
            StoreErrorKind::Failed,
            format!("generation {} does not follow {stored}", commit.head.generation),
        ));
    }
    Ok(())
}

/// A snapshot that must be there and is not.
pub(super) fn missing_snapshot(name: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, format!("snapshot {name} is missing"))
}

/// A snapshot that is not what was written.
#[cfg(any(feature = "directory", feature = "postgres"))]
pub(super) fn altered_snapshot(name: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, format!("snapshot {name} was altered"))
}

/// Why a reader does not find the snapshot `name`: a reader without a lease may have been overtaken
/// by a commit, which is no damage.
pub(super) fn vanished_snapshot(name: &str, head_names: Option<&str>) -> StoreError {
    if head_names == Some(name) {
        return missing_snapshot(name);
    }
    StoreError::new(
        StoreErrorKind::Moved,
        format!("snapshot {name} is no longer the current one: load the state again"),
    )
}

/// Whether a snapshot of `stored` bytes is as long as its reference says.
pub(super) fn check_length(snapshot: &SnapshotRef, stored: u64) -> Result<(), StoreError> {
    if stored == snapshot.bytes {
        return Ok(());
    }
    Err(StoreError::new(
        StoreErrorKind::Corrupt,
        format!("snapshot {} has {stored} bytes instead of {}", snapshot.name, snapshot.bytes),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{ActivationKey, Head};

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn a_lease_keeps_others_out_until_its_end_and_not_at_it() {
        let holder = Holder { name: "a".into(), until: at(60) };
        let lease = NewestLease { token: 1, holder: Some(holder.clone()) };
        assert_eq!(lease.holder_at(at(59)), Some(&holder));
        assert_eq!(lease.holder_at(at(60)), None);
    }

    #[test]
    fn a_lease_without_end_ends_with_the_calendar() {
        assert_eq!(lease_end(at(0), Duration::MAX), DateTime::<Utc>::MAX_UTC);
        assert_eq!(lease_end(at(0), Duration::from_secs(5)), at(5));
    }

    #[test]
    fn only_the_newest_lease_that_was_not_given_back_may_write() {
        let lease = Lease { activation: ActivationKey::new("vip"), token: 2 };
        let newest = |token, held: bool| NewestLease {
            token,
            holder: held.then(|| Holder { name: "a".into(), until: at(0) }),
        };
        assert!(check_lease(Some(&newest(2, true)), &lease).is_ok());
        for fenced in [None, Some(newest(2, false)), Some(newest(1, true)), Some(newest(3, true))] {
            let error = check_lease(fenced.as_ref(), &lease).unwrap_err();
            assert_eq!(error.kind, StoreErrorKind::Fenced);
        }
    }

    #[test]
    fn a_commit_must_expect_the_stored_generation_and_lead_to_the_next() {
        let commit = |expected_generation, generation| Commit {
            expected_generation,
            head: Head { generation, ..Head::default() },
            ..Commit::default()
        };
        assert!(check_generation(4, &commit(4, 5)).is_ok());
        let kind = |commit| check_generation(4, &commit).unwrap_err().kind;
        assert_eq!(kind(commit(3, 4)), StoreErrorKind::Moved);
        assert_eq!(kind(commit(5, 6)), StoreErrorKind::Moved);
        assert_eq!(kind(commit(4, 6)), StoreErrorKind::Failed);
    }
}
