//! Requests about single contacts, and about deleting many.

use dotdigital_client::{
    DeletionJobId, SegmentId,
    contacts::{ContactPart, ContactQuery, ContactsToDelete},
    imports::MergeOption,
};
use proptest::{collection::vec, option, prelude::*};

use super::{
    Case, case,
    contact_updates::{consenting, reachable, resubscribing, update},
    inputs::{guid, identifier, list_id, soon, time},
};

pub(super) fn cases() -> Vec<Case> {
    [reads(), writes(), deletions()].into_iter().flatten().collect()
}

fn reads() -> Vec<Case> {
    vec![
        case(
            "contacts::Contacts::find",
            "GET /contacts/v3/{identifier}/{value}",
            identifier(),
            |client, identifier| async move {
                client.contacts().find(&identifier).await.ok();
            },
        ),
        case(
            "contacts::Contacts::pages",
            "GET /contacts/v3",
            query(),
            |client, query| async move {
                client.contacts().pages(&query).next_page().await.ok();
            },
        ),
    ]
}

fn writes() -> Vec<Case> {
    vec![
        case(
            "contacts::Contacts::create",
            "POST /contacts/v3",
            consenting(reachable()),
            |client, contact| async move {
                client.contacts().create(&contact).await.ok();
            },
        ),
        case(
            "contacts::Contacts::upsert",
            "PATCH /contacts/v3/{identifier}/{value}",
            (identifier(), consenting(resubscribing(update()))),
            |client, (identifier, update)| async move {
                client.contacts().upsert(&identifier, &update).await.ok();
            },
        ),
        case(
            "contacts::Contacts::upsert_merging",
            "PATCH /contacts/v3/{identifier}/{value}",
            (identifier(), consenting(resubscribing(reachable())), merge_option()),
            |client, (identifier, update, merge)| async move {
                client.contacts().upsert_merging(&identifier, &update, merge).await.ok();
            },
        ),
        case(
            "contacts::Contacts::replace",
            "PUT /contacts/v3/{identifier}/{value}",
            (identifier(), resubscribing(reachable())),
            |client, (identifier, contact)| async move {
                client.contacts().replace(&identifier, &contact).await.ok();
            },
        ),
    ]
}

fn deletions() -> Vec<Case> {
    let job_id = || guid().prop_map(|id| DeletionJobId::new(id).unwrap());
    vec![
        case(
            "contacts::Contacts::delete",
            "DELETE /contacts/v3/{identifier}/{value}",
            identifier(),
            |client, identifier| async move {
                client.contacts().delete(&identifier).await.ok();
            },
        ),
        case(
            "contacts::Contacts::delete_many",
            "POST /contacts/v3/delete",
            vec(identifier(), 1..9),
            |client, contacts| async move {
                let contacts = ContactsToDelete::new(contacts).unwrap();
                client.contacts().delete_many(&contacts).await.ok();
            },
        ),
        case(
            "contacts::Contacts::deletion_status",
            "GET /contacts/v3/delete/{deleteId}",
            job_id(),
            |client, job| async move {
                client.contacts().deletion_status(&job).await.ok();
            },
        ),
        case(
            "contacts::Contacts::wait_for_deletion",
            "GET /contacts/v3/delete/{deleteId}",
            job_id(),
            |client, job| async move {
                client.contacts().wait_for_deletion(&job, &soon()).await.ok();
            },
        ),
    ]
}

pub(super) fn merge_option() -> impl Strategy<Value = MergeOption> {
    prop_oneof![
        Just(MergeOption::Overwrite),
        Just(MergeOption::OverwriteIfNotEmpty),
        Just(MergeOption::OverwriteIfEmpty),
    ]
}

fn query() -> impl Strategy<Value = ContactQuery> {
    let part = prop::sample::select(vec![
        ContactPart::Channels,
        ContactPart::Lists,
        ContactPart::Preferences,
        ContactPart::ConsentRecords,
    ]);
    let fields = (any::<bool>(), vec("[A-Z_]{1,20}", 0..3));
    let segment = (1..=i32::MAX).prop_map(|id| SegmentId::new(id).unwrap());
    let group = option::of(prop_oneof![
        list_id().prop_map(|list| ContactQuery::new().on_list(list)),
        segment.prop_map(|segment| ContactQuery::new().in_segment(segment)),
    ]);
    let since = option::of((any::<bool>(), time()));
    (group, fields, vec(part, 0..5), since, option::of(any::<u16>())).prop_map(
        |(query, (all, fields), parts, since, size)| {
            let query = fields.into_iter().fold(query.unwrap_or_default(), ContactQuery::field);
            let query = if all { query.all_fields() } else { query };
            let query = parts.into_iter().fold(query, ContactQuery::include);
            let query = match since {
                Some((true, time)) => query.created_since(time),
                Some((false, time)) => query.modified_since(time),
                None => query,
            };
            size.into_iter().fold(query, ContactQuery::page_size)
        },
    )
}
