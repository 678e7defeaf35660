//! Moves, where the destination can do them.

use super::bench::{Bench, FEW, MANY};
use crate::{
    BatchMember, ContactId, Identifier, MemberOutcome, Operation,
    conformance::check::{Checked, ensure, ensure_eq},
};

pub(super) async fn a_move_gives_the_same_contact_the_new_identifier_and_changes_nothing_again(
    bench: &Bench<'_>,
) -> Checked {
    if !bench.destination.can_move() {
        return Ok(());
    }
    for (clause, count) in [("move.few", FEW), ("move.many", MANY)] {
        let (list, people, contacts) = bench.list_of(clause, count).await?;
        let renamed = bench.people(&format!("{clause}.to"), count)?;
        for _ in 0..2 {
            bench.do_all(list.id, Operation::Move, &moves(&contacts, &renamed)).await?;
            ensure_eq!(bench.contacts(&renamed).await?, contacts);
            ensure_eq!(bench.on_list(list.id, &renamed).await?, renamed);
            ensure_eq!(bench.on_list(list.id, &people).await?, []);
        }
        // Whoever was taken off meanwhile is put on it again.
        let other = bench.new_list(&format!("{clause}.other")).await?;
        bench.do_all(other.id, Operation::Move, &moves(&contacts, &renamed)).await?;
        ensure_eq!(bench.on_list(other.id, &renamed).await?, renamed);
    }
    Ok(())
}

pub(super) async fn a_move_takes_no_identifier_away_from_another_contact(
    bench: &Bench<'_>,
) -> Checked {
    if !bench.destination.can_move() {
        return Ok(());
    }
    for (clause, count) in [("taken.few", FEW), ("taken.many", MANY)] {
        let (list, people, contacts) = bench.list_of(clause, count).await?;
        let (_, others, theirs) = bench.list_of(&format!("{clause}.others"), 1).await?;
        let mut renamed = bench.people(&format!("{clause}.to"), count)?;
        renamed[..1].clone_from_slice(&others);
        let outcomes = bench.send(list.id, Operation::Move, &moves(&contacts, &renamed)).await?;
        ensure!(matches!(outcomes[0], MemberOutcome::Conflict { .. }));
        ensure_eq!(bench.contacts(&others).await?, theirs);
        ensure_eq!(bench.contacts(&people[..1]).await?, &contacts[..1]);
    }
    Ok(())
}

fn moves(contacts: &[ContactId], to: &[Identifier]) -> Vec<BatchMember> {
    let member = |(contact, identifier): (&ContactId, &Identifier)| BatchMember {
        identifier: Some(identifier.clone()),
        contact: Some(*contact),
    };
    contacts.iter().zip(to).map(member).collect()
}
