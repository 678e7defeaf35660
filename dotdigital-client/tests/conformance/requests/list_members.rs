//! Requests about the members of a list.

use dotdigital_client::list_members::ContactIds;
use proptest::{collection::vec, prelude::*};

use super::{
    Case, case,
    inputs::{contact_id, email, list_id, preference_id, removal_job_id, soon, time},
    suppressions::{challenge, returning_contact},
};

pub(super) fn cases() -> Vec<Case> {
    [reads(), removals(), consent()].into_iter().flatten().collect()
}

fn reads() -> Vec<Case> {
    vec![
        case(
            "list_members::ListMembers::pages",
            "GET /contacts/v3",
            (list_id(), any::<u16>()),
            |client, (list, limit)| async move {
                client.list_members(list).pages(limit).next_page().await.ok();
            },
        ),
        case(
            "list_members::ListMembers::unsubscribed_since",
            "GET /v2/address-books/{id}/contacts/unsubscribed-since/{date}",
            (list_id(), time()),
            |client, (list, since)| async move {
                client.list_members(list).unsubscribed_since(since).next_page().await.ok();
            },
        ),
        case(
            "list_members::ListMembers::opted_into",
            "GET /v2/address-books/{addressBookId}/contacts/with-preference/{preferenceId}",
            (list_id(), preference_id()),
            |client, (list, preference)| async move {
                client.list_members(list).opted_into(preference).next_page().await.ok();
            },
        ),
        case(
            "list_members::ListMembers::choices_since",
            "GET /v2/address-books/{addressBookId}/contacts/with-preference/{preferenceId}\
             /opt-ins-since/{date}",
            (list_id(), preference_id(), time()),
            |client, (list, preference, since)| async move {
                client.list_members(list).choices_since(preference, since).next_page().await.ok();
            },
        ),
        case(
            "list_members::ListMembers::v2_pages",
            "GET /v2/address-books/{id}/contacts",
            (list_id(), any::<bool>()),
            |client, (list, full)| async move {
                client.list_members(list).v2_pages(full).next_page().await.ok();
            },
        ),
        case(
            "list_members::ListMembers::v2_modified_since",
            "GET /v2/address-books/{id}/contacts/modified-since/{date}",
            (list_id(), time(), any::<bool>()),
            |client, (list, since, full)| async move {
                client.list_members(list).v2_modified_since(since, full).next_page().await.ok();
            },
        ),
    ]
}

fn removals() -> Vec<Case> {
    vec![
        case(
            "list_members::ListMembers::remove",
            "DELETE /v2/address-books/{addressBookId}/contacts/{contactId}",
            (list_id(), contact_id()),
            |client, (list, contact)| async move {
                client.list_members(list).remove(contact).await.ok();
            },
        ),
        case(
            "list_members::ListMembers::remove_many",
            "POST /v2/address-books/{addressBookId}/contacts/delete",
            (list_id(), vec(contact_id(), 1..20)),
            |client, (list, contacts)| async move {
                let contacts = ContactIds::new(contacts).unwrap();
                client.list_members(list).remove_many(&contacts).await.ok();
            },
        ),
        case(
            "list_members::ListMembers::remove_in_batches",
            "POST /v2/address-books/{addressBookId}/contacts/delete",
            (list_id(), vec(contact_id(), 1..20)),
            |client, (list, contacts)| async move {
                let mut removals = client.list_members(list).remove_in_batches(contacts, soon());
                while removals.next_batch().await.is_some() {}
            },
        )
        .and("GET /v2/contacts/deletion/{deletionRequestId}"),
        case(
            "list_members::ListMembers::removal_status",
            "GET /v2/contacts/deletion/{deletionRequestId}",
            (list_id(), removal_job_id()),
            |client, (list, job)| async move {
                client.list_members(list).removal_status(&job).await.ok();
            },
        ),
        case(
            "list_members::ListMembers::wait",
            "GET /v2/contacts/deletion/{deletionRequestId}",
            (list_id(), removal_job_id()),
            |client, (list, job)| async move {
                client.list_members(list).wait(&job, &soon()).await.ok();
            },
        ),
        case(
            "list_members::ListMembers::wait_with",
            "GET /v2/contacts/deletion/{deletionRequestId}",
            (list_id(), removal_job_id()),
            |client, (list, job)| async move {
                client.list_members(list).wait_with(&job, &soon(), |_| ()).await.ok();
            },
        ),
        case(
            "list_members::ListMembers::remove_all",
            "POST /v2/address-books/{addressBookId}/contacts/delete-all",
            list_id(),
            |client, list| async move {
                client.list_members(list).remove_all().await.ok();
            },
        ),
    ]
}

fn consent() -> Vec<Case> {
    vec![
        case(
            "list_members::ListMembers::add_by_email",
            "POST /v2/address-books/{id}/contacts",
            (list_id(), email()),
            |client, (list, email)| async move {
                client.list_members(list).add_by_email(&email).await.ok();
            },
        ),
        case(
            "list_members::ListMembers::unsubscribe",
            "POST /v2/address-books/{id}/contacts/unsubscribe",
            (list_id(), email()),
            |client, (list, email)| async move {
                client.list_members(list).unsubscribe(&email).await.ok();
            },
        ),
        case(
            "list_members::ListMembers::resubscribe",
            "POST /v2/address-books/{id}/contacts/resubscribe",
            (list_id(), returning_contact(), challenge()),
            |client, (list, contact, challenge)| async move {
                client.list_members(list).resubscribe(&contact, &challenge).await.ok();
            },
        ),
        case(
            "list_members::ListMembers::resubscribe_with_no_challenge",
            "POST /v2/address-books/{id}/contacts/resubscribe-with-no-challenge",
            (list_id(), returning_contact()),
            |client, (list, contact)| async move {
                client.list_members(list).resubscribe_with_no_challenge(&contact).await.ok();
            },
        ),
    ]
}
