//! Reads everything, decides, and changes nothing.

use std::collections::{HashMap, HashSet};

use segment_diff::Fingerprint;

use super::{
    delta::{self, Change, Delta, Sides, fingerprint},
    error::RunError,
    evidence::{self, Evidence},
    excluded::Excluded,
    journal::Entry,
    list::{self, FoundList},
    push_down::Rows,
    session::Session,
    special::Special,
};
use crate::{
    ContactId, Event, ExistingList, Identifier, IdentifierChange, ListAction, Operation, Plan,
    RunReport, SegmentSource, Trip,
};

/// A plan with all that is needed to carry it out.
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) found: FoundList,
    /// Everybody on the list, where it is adopted and owned.
    pub(super) owned: Option<Vec<Entry>>,
    pub(super) delta: Delta,
    /// Members to forget without a call: not on the list any more, or on it for another member who
    /// is the same contact.
    pub(super) to_forget: Vec<Fingerprint>,
    /// Whether nothing was taken out of it, so that doubts which it makes up for end with it.
    pub(super) is_whole: bool,
    pub(super) trips: Vec<Trip>,
}

/// Finds the list, reads the segment, computes the delta and asks the guard's limits.
pub(super) async fn plan(
    session: &Session<'_>,
    source: &dyn SegmentSource,
    report: &mut RunReport,
) -> Result<Planned, RunError> {
    let activation = session.activation;
    let pin = session.head.pin.as_ref();
    let intent = session.journal.may_have_created(activation.list_name());
    let found = list::find(session.destination, activation, pin, intent).await?;
    report.list.id = found.state.as_ref().map(|state| state.id);
    let owned = owned_members(session, &found, intent).await?;
    let special =
        Special::new(&session.held, &session.absent, &session.journal.batches, session.started_at);
    let key = activation.key();
    let settings = activation.resolved();
    let kind = settings.identifier;
    let excluded =
        Excluded::read(session.exclusions, session.store.fingerprint_key(), kind).await?;
    let rows = match &session.push_down {
        Some(push_down) if owned.is_none() => push_down.rows(session, &special, &excluded).await?,
        Some(push_down) => Rows::Staged(push_down),
        None => Rows::Segment(source),
    };
    let sides = Sides {
        store: session.store,
        activation: &key,
        snapshot: session.head.snapshot.as_ref(),
        owned: owned.as_deref(),
        rows: &rows,
        kind,
        excluded: &excluded,
        leave_after_runs: settings.leave_after_runs.get(),
        show_rejects: settings.show_rejects,
        moves: settings.identifier_change == IdentifierChange::Move
            && session.destination.can_move(),
    };
    let mut delta = Delta::compute(&sides, &special).await?;
    let mut to_forget = look_for_members(session, &found, &mut delta).await?;
    to_forget.extend(spare_shared_contacts(&sides, &mut delta).await?);
    delta.counts.removed = (delta.removals.len() + to_forget.len()) as u64;
    report.unchanged = delta.unchanged;
    report.under_way = delta.under_way;
    report.identities = delta.identities;
    report.dwelling = delta.dwelling;
    report.excluded = delta.excluded.clone();
    report.as_of = delta.as_of;
    report.count_held(&delta.still_held);
    report.rejected =
        delta.rejected.iter().map(|(reason, count)| (reason.as_str().to_owned(), *count)).collect();
    report.rejected_rows = std::mem::take(&mut delta.rejected_rows);
    let plan = summarise(session, &found, &delta, &to_forget)?;
    report.plan_digest = Some(plan.digest.clone());
    report.planned = Some(plan.clone());
    session.observe(&Event::Planned(&plan));
    let mut trips = settings.guard.check(&delta.counts);
    trips.extend(settings.guard.check_age(delta.as_of, session.started_at));
    Ok(Planned { plan, found, owned, delta, to_forget, is_whole: true, trips })
}

/// Sees to people who left and may be on the list: removals without a contact id, and those whose
/// addition is in doubt. The list is read where that is the only way, or the cheaper one; nothing is
/// read if there are none.
async fn look_for_members(
    session: &Session<'_>,
    found: &FoundList,
    delta: &mut Delta,
) -> Result<Vec<Fingerprint>, RunError> {
    let (known, without_contact): (Vec<_>, Vec<_>) =
        std::mem::take(&mut delta.removals).into_iter().partition(|c| c.entry.contact.is_some());
    delta.removals = known;
    let in_doubt = std::mem::take(&mut delta.in_doubt);
    let evidence = cheaper_evidence(session, &in_doubt, without_contact.is_empty());
    let (unseen, looked_for) = evidence::split(in_doubt, evidence);
    delta.removals.extend(unseen.into_iter().map(|(member, contact)| removal(member, contact)));
    let on_list = match &found.state {
        Some(state) if !(without_contact.is_empty() && looked_for.is_empty()) => {
            read_list(session, state.id).await?
        }
        _ => HashMap::new(),
    };
    let mut already_gone = Vec::new();
    for Change { entry, .. } in without_contact {
        match on_list.get(&entry.member) {
            Some(contact) => delta.removals.push(removal(entry.member, *contact)),
            None => already_gone.push(entry.member),
        }
    }
    for member in looked_for {
        if let Some(contact) = on_list.get(&member) {
            delta.removals.push(removal(member, *contact));
        }
    }
    delta.removals.sort_unstable_by_key(|change| change.entry.member);
    Ok(already_gone)
}

fn cheaper_evidence(
    session: &Session<'_>,
    in_doubt: &HashMap<Fingerprint, Option<ContactId>>,
    nobody_else_is_looked_for: bool,
) -> Evidence {
    let known = in_doubt.values().flatten().count();
    let policy = session.activation.resolved().missing_contacts;
    let removal = session.destination.estimate_calls(Operation::Remove, known as u64, policy);
    // At least so many are on the list.
    let listed = session.head.snapshot.as_ref().map_or(0, |snapshot| snapshot.members);
    let pages = listed.div_ceil(session.destination.limits().page.max(1) as u64).max(1);
    evidence::cheaper(removal, pages, known < in_doubt.len() || !nobody_else_is_looked_for)
}

/// Takes out the removals of contacts who are on the list for somebody who stays: one contact may
/// have come in under two addresses. Reads the snapshot once more, if anybody leaves.
async fn spare_shared_contacts(
    sides: &Sides<'_>,
    delta: &mut Delta,
) -> Result<Vec<Fingerprint>, RunError> {
    let leaving: HashSet<ContactId> =
        delta.removals.iter().filter_map(|change| change.entry.contact).collect();
    if leaving.is_empty() {
        return Ok(Vec::new());
    }
    let mut shared = HashSet::new();
    // No closure here: over the awaits below, it would keep the run's future from being `Send`.
    let mut removals = delta.removals.iter().peekable();
    let mut reader = delta::open_whole(sides).await?;
    let mut members = Vec::new();
    while reader.next_members(&mut members).await? {
        for entry in &members {
            while removals.next_if(|leaver| leaver.entry.member < entry.member).is_some() {}
            let stays = removals.peek().is_none_or(|leaver| leaver.entry.member != entry.member);
            shared.extend(entry.contact.filter(|contact| stays && leaving.contains(contact)));
        }
    }
    let spared = |change: &mut Change| change.entry.contact.is_some_and(|id| shared.contains(&id));
    Ok(delta.removals.extract_if(.., spared).map(|change| change.entry.member).collect())
}

fn removal(member: Fingerprint, contact: ContactId) -> Change {
    Change { entry: Entry { member, contact: Some(contact) }, identifier: None }
}

/// Everybody on a list that is about to be adopted and owned, in ascending order of fingerprint. Whom
/// the activation's kind of identifier does not name goes by the contact.
async fn owned_members(
    session: &Session<'_>,
    found: &FoundList,
    create_intent: bool,
) -> Result<Option<Vec<Entry>>, RunError> {
    let settings = session.activation.resolved();
    let (ListAction::Adopt, Some(state), false) = (found.action, &found.state, create_intent)
    else {
        return Ok(None);
    };
    if settings.existing_list != ExistingList::OwnAll {
        return Ok(None);
    }
    let key = session.store.fingerprint_key();
    let mut owned = Vec::new();
    let mut scan = session.destination.members(state.id);
    while let Some(page) = scan.next_page().await? {
        owned.extend(page.into_iter().map(|listed| {
            let named = listed.identifiers.iter().find(|one| one.kind() == settings.identifier);
            let by_contact = Identifier::from(listed.contact);
            let member = fingerprint(key, named.unwrap_or(&by_contact));
            Entry { member, contact: Some(listed.contact) }
        }));
    }
    owned.sort_unstable_by_key(|entry| entry.member);
    owned.dedup_by_key(|entry| entry.member);
    Ok(Some(owned))
}

async fn read_list(
    session: &Session<'_>,
    list_id: u64,
) -> Result<HashMap<Fingerprint, ContactId>, RunError> {
    let key = session.store.fingerprint_key();
    // A contact's number may read like somebody else's mobile number.
    let kind = session.activation.resolved().identifier;
    let mut contacts = HashMap::new();
    let mut scan = session.destination.members(list_id);
    while let Some(page) = scan.next_page().await? {
        for member in page {
            for identifier in member.identifiers.iter().filter(|one| one.kind() == kind) {
                contacts.insert(fingerprint(key, identifier), member.contact);
            }
        }
    }
    Ok(contacts)
}

pub(super) fn undescribed(error: serde_json::Error) -> RunError {
    RunError::Stopped(format!("the plan cannot be described: {error}"))
}

fn summarise(
    session: &Session<'_>,
    found: &FoundList,
    delta: &Delta,
    to_forget: &[Fingerprint],
) -> Result<Plan, RunError> {
    let (add, remove) = (delta.additions.len() as u64, delta.removals.len() as u64);
    let moves = delta.moves.len() as u64;
    let members = |changes: &'_ [Change]| -> Vec<Fingerprint> {
        changes.iter().map(|change| change.entry.member).collect()
    };
    let digest = crate::plan::digest(
        session.activation,
        &session.head,
        found.action,
        members(&delta.additions).iter(),
        members(&delta.removals).iter().chain(to_forget),
        delta.moves.iter().map(|one| (&one.before, &one.change.entry.member)),
    )
    .map_err(undescribed)?;
    let policy = session.activation.resolved().missing_contacts;
    let estimate = |operation, count| session.destination.estimate_calls(operation, count, policy);
    Ok(Plan {
        digest,
        list_action: found.action,
        add,
        remove: delta.counts.removed,
        moves,
        identities: delta.identities,
        estimated_calls: estimate(Operation::Remove, remove)
            + estimate(Operation::Move, moves)
            + estimate(Operation::Add, add),
        counts: delta.counts,
        made_at: session.started_at,
    })
}
