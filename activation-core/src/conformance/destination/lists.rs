//! Lists: found, created once, changed.

use super::bench::Bench;
use crate::{
    DestinationError, DestinationErrorKind, ListState, ListWish, Visibility,
    conformance::check::{Broken, Checked, ensure, ensure_eq, found},
};

pub(super) async fn the_account_never_changes(bench: &Bench<'_>) -> Checked {
    let account = bench.destination.account().await?;
    ensure!(!account.is_empty());
    ensure_eq!(bench.destination.account().await?, account);
    Ok(())
}

pub(super) async fn a_new_list_is_found_by_id_and_by_name_whatever_its_case(
    bench: &Bench<'_>,
) -> Checked {
    let list = bench.new_list("Found").await?;
    ensure_eq!(list.name, bench.wish("Found").name);
    ensure_eq!(list.visibility, Some(Visibility::Private));
    ensure_eq!(bench.destination.list(list.id).await?.as_ref(), Some(&list));
    for name in [list.name.clone(), list.name.to_uppercase(), list.name.to_lowercase()] {
        ensure_eq!(bench.destination.list_named(&name).await?.as_ref(), Some(&list));
    }
    Ok(())
}

pub(super) async fn a_list_that_does_not_exist_is_none(bench: &Bench<'_>) -> Checked {
    let list = bench.new_list("exists").await?;
    ensure_eq!(bench.destination.list(nowhere(&list)).await?, None);
    ensure_eq!(bench.destination.list_named(&bench.wish("not there").name).await?, None);
    Ok(())
}

pub(super) async fn a_taken_name_is_refused_and_the_list_stays_the_one_it_was(
    bench: &Bench<'_>,
) -> Checked {
    let list = bench.new_list("taken").await?;
    let again = bench.destination.create_list(&bench.wish("taken")).await;
    refused(again, &DestinationErrorKind::NameTaken)?;
    ensure_eq!(bench.destination.list_named(&list.name).await?, Some(list));
    Ok(())
}

pub(super) async fn an_update_changes_name_and_visibility(bench: &Bench<'_>) -> Checked {
    let list = bench.new_list("before").await?;
    let wish = ListWish { visibility: Visibility::Public, ..bench.wish("after") };
    let updated = bench.destination.update_list(list.id, &wish).await?;
    ensure_eq!(updated.id, list.id);
    let now = found(bench.destination.list(list.id).await?, "the updated list")?;
    ensure_eq!(now.name, wish.name);
    ensure_eq!(now.visibility, Some(Visibility::Public));
    ensure_eq!(bench.destination.list_named(&list.name).await?, None);
    Ok(())
}

pub(super) async fn an_update_to_a_taken_name_is_refused(bench: &Bench<'_>) -> Checked {
    bench.new_list("in the way").await?;
    let list = bench.new_list("to be renamed").await?;
    let answer = bench.destination.update_list(list.id, &bench.wish("in the way")).await;
    refused(answer, &DestinationErrorKind::NameTaken)?;
    ensure_eq!(bench.destination.list(list.id).await?, Some(list));
    Ok(())
}

pub(super) async fn an_update_of_a_list_that_does_not_exist_says_so(bench: &Bench<'_>) -> Checked {
    let list = bench.new_list("not the one").await?;
    let answer = bench.destination.update_list(nowhere(&list), &bench.wish("nobody's")).await;
    refused(answer, &DestinationErrorKind::ListGone)
}

/// An id that no list has, and that the service could give one day.
fn nowhere(list: &ListState) -> u64 {
    list.id + 1_000_000_000
}

fn refused(answer: Result<ListState, DestinationError>, kind: &DestinationErrorKind) -> Checked {
    match answer {
        Err(error) if error.kind == *kind => Ok(()),
        Err(error) => Err(Broken::new(format!("{:?} and not {kind:?}: {error}", error.kind))),
        Ok(list) => Err(Broken::new(format!("list {} and not {kind:?}", list.id))),
    }
}
