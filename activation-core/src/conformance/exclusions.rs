//! The contract of [`Exclusions`] and their scans.

use std::collections::BTreeSet;

use super::check::{Broken, Conformance, check_each};
use crate::{ExclusionScan, Exclusions};

/// Checks exclusions against the contract of [`Exclusions`].
///
/// `set` makes exactly these people excluded, each with a reason, and is called between scans.
/// Whoever stands under several reasons does so in several pairs.
///
/// # Errors
///
/// Returns the clauses that the exclusions break.
pub async fn exclusions(
    exclusions: &dyn Exclusions,
    set: impl AsyncFn(Vec<(String, String)>),
) -> Conformance {
    check_each!("Exclusions", (exclusions, &set);
        clauses::everybody_comes_with_her_reason,
        clauses::a_scan_of_nobody_is_complete,
        clauses::a_scan_of_many_gives_all_of_them,
        clauses::the_end_stays_the_end,
        clauses::a_change_shows_in_the_next_scan,
        clauses::a_scan_given_up_leaves_the_next_one_whole,
    )
}

/// More than a few batches of the advised size.
const MANY: usize = 20_000;

mod clauses {
    use super::*;
    use crate::conformance::check::{Checked, ensure, ensure_eq};

    pub(super) async fn everybody_comes_with_her_reason(
        exclusions: &dyn Exclusions,
        set: &impl AsyncFn(Vec<(String, String)>),
    ) -> Checked {
        let people = [
            ("complained", "Jane.DOE+vip@Example.COM"),
            ("employee", "béa@example.com"),
            ("complained", "bo@example.com"),
            ("employee", "bo@example.com"),
        ];
        let people = people.map(|(reason, key)| (reason.to_owned(), key.to_owned()));
        set(people.to_vec()).await;
        ensure_eq!(scan(exclusions).await?, BTreeSet::from(people));
        Ok(())
    }

    pub(super) async fn a_scan_of_nobody_is_complete(
        exclusions: &dyn Exclusions,
        set: &impl AsyncFn(Vec<(String, String)>),
    ) -> Checked {
        set(Vec::new()).await;
        ensure_eq!(scan(exclusions).await?, BTreeSet::new());
        Ok(())
    }

    pub(super) async fn a_scan_of_many_gives_all_of_them(
        exclusions: &dyn Exclusions,
        set: &impl AsyncFn(Vec<(String, String)>),
    ) -> Checked {
        set(people(0..MANY)).await;
        same_people(scan(exclusions).await?)
    }

    pub(super) async fn the_end_stays_the_end(
        exclusions: &dyn Exclusions,
        set: &impl AsyncFn(Vec<(String, String)>),
    ) -> Checked {
        set(people(0..3)).await;
        let mut scan = exclusions.open().await?;
        rest(&mut *scan).await?;
        for _ in 0..3 {
            ensure!(matches!(scan.next_batch().await, Ok(None)));
        }
        Ok(())
    }

    pub(super) async fn a_change_shows_in_the_next_scan(
        exclusions: &dyn Exclusions,
        set: &impl AsyncFn(Vec<(String, String)>),
    ) -> Checked {
        for excluded in [people(0..3), people(2..5), Vec::new()] {
            set(excluded.clone()).await;
            ensure_eq!(scan(exclusions).await?, excluded.into_iter().collect());
        }
        Ok(())
    }

    pub(super) async fn a_scan_given_up_leaves_the_next_one_whole(
        exclusions: &dyn Exclusions,
        set: &impl AsyncFn(Vec<(String, String)>),
    ) -> Checked {
        set(people(0..MANY)).await;
        let mut given_up = exclusions.open().await?;
        given_up.next_batch().await?;
        drop(given_up);
        same_people(scan(exclusions).await?)
    }
}

async fn scan(exclusions: &dyn Exclusions) -> Result<BTreeSet<(String, String)>, Broken> {
    rest(&mut *exclusions.open().await?).await
}

async fn rest(scan: &mut dyn ExclusionScan) -> Result<BTreeSet<(String, String)>, Broken> {
    let mut people = BTreeSet::new();
    while let Some(batch) = scan.next_batch().await? {
        for key in batch.keys.iter() {
            people.insert((batch.reason.clone(), String::from_utf8_lossy(key).into_owned()));
        }
    }
    Ok(people)
}

/// As `ensure_eq`, without showing thousands of people.
fn same_people(found: BTreeSet<(String, String)>) -> Result<(), Broken> {
    if found == people(0..MANY).into_iter().collect() {
        return Ok(());
    }
    Err(Broken::new(format!("{} people came that are not the {MANY} excluded", found.len())))
}

fn people(numbers: std::ops::Range<usize>) -> Vec<(String, String)> {
    let reason = |number: usize| if number.is_multiple_of(3) { "employee" } else { "complained" };
    numbers
        .map(|number| (reason(number).to_owned(), format!("person{number:06}@example.com")))
        .collect()
}
