//! Members: on the list, off it, and nothing else.

use super::bench::{Bench, FEW, MANY, additions, removals};
use crate::{
    Operation,
    conformance::check::{Checked, ensure_eq},
};

pub(super) async fn acknowledged_additions_are_on_the_list(bench: &Bench<'_>) -> Checked {
    for (clause, count) in [("added.few", FEW), ("added.many", MANY)] {
        let (list, people, contacts) = bench.list_of(clause, count).await?;
        ensure_eq!(bench.on_list(list.id, &people).await?, people);
        let mut listed: Vec<_> = bench.members(list.id).await?;
        listed.sort_by_key(|member| member.contact);
        let mut contacts = contacts;
        contacts.sort();
        let listed: Vec<_> = listed.iter().map(|member| member.contact).collect();
        ensure_eq!(listed, contacts);
    }
    Ok(())
}

pub(super) async fn adding_again_succeeds_and_changes_nothing(bench: &Bench<'_>) -> Checked {
    for (clause, count) in [("again.few", FEW), ("again.many", MANY)] {
        let (list, people, _) = bench.list_of(clause, count).await?;
        let before = bench.members(list.id).await?.len();
        bench.do_all(list.id, Operation::Add, &additions(&people)).await?;
        ensure_eq!(bench.members(list.id).await?.len(), before);
    }
    Ok(())
}

pub(super) async fn acknowledged_removals_are_off_the_list_and_others_stay(
    bench: &Bench<'_>,
) -> Checked {
    for (clause, leaving) in [("off.few", FEW), ("off.many", MANY / 2)] {
        let (list, people, contacts) = bench.list_of(clause, MANY).await?;
        bench.do_all(list.id, Operation::Remove, &removals(&contacts[..leaving])).await?;
        ensure_eq!(bench.on_list(list.id, &people).await?, &people[leaving..]);
    }
    Ok(())
}

pub(super) async fn removing_who_is_not_on_the_list_succeeds_and_changes_nothing(
    bench: &Bench<'_>,
) -> Checked {
    let (list, people, contacts) = bench.list_of("absent", MANY).await?;
    let other = bench.new_list("nobody on it").await?;
    for count in [FEW, MANY] {
        bench.do_all(other.id, Operation::Remove, &removals(&contacts[..count])).await?;
    }
    ensure_eq!(bench.members(other.id).await?, []);
    ensure_eq!(bench.on_list(list.id, &people).await?, people);
    Ok(())
}

pub(super) async fn removal_takes_nobody_off_another_list(bench: &Bench<'_>) -> Checked {
    let (list, people, contacts) = bench.list_of("both", MANY).await?;
    let other = bench.new_list("both, too").await?;
    bench.do_all(other.id, Operation::Add, &additions(&people)).await?;
    for leaving in [&contacts[..FEW], &contacts[FEW..]] {
        bench.do_all(list.id, Operation::Remove, &removals(leaving)).await?;
    }
    ensure_eq!(bench.on_list(other.id, &people).await?, people);
    Ok(())
}

pub(super) async fn removal_deletes_nobody(bench: &Bench<'_>) -> Checked {
    let (list, people, contacts) = bench.list_of("kept", MANY).await?;
    for leaving in [&contacts[..FEW], &contacts[FEW..]] {
        bench.do_all(list.id, Operation::Remove, &removals(leaving)).await?;
    }
    ensure_eq!(bench.contacts(&people).await?, contacts);
    Ok(())
}

pub(super) async fn contacts_are_found_in_the_order_asked(bench: &Bench<'_>) -> Checked {
    let (_, mut people, mut contacts) = bench.list_of("asked", 4).await?;
    people.reverse();
    contacts.reverse();
    people.extend(bench.people("asked.unknown", 1)?);
    people.swap(1, 4);
    let mut expected: Vec<_> = contacts.into_iter().map(Some).collect();
    expected.push(None);
    expected.swap(1, 4);
    ensure_eq!(bench.destination.find_contacts(&people).await?, expected);
    ensure_eq!(bench.destination.find_contacts(&[]).await?, []);
    Ok(())
}

pub(super) async fn looking_somebody_up_creates_nobody(bench: &Bench<'_>) -> Checked {
    let strangers = bench.people("stranger", FEW)?;
    for _ in 0..2 {
        ensure_eq!(bench.destination.find_contacts(&strangers).await?, [None, None]);
    }
    Ok(())
}
