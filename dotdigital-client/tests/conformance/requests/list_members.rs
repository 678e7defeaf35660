//! Requests about the members of a list.

use dotdigital_client::list_members::ContactIds;
use proptest::{collection::vec, prelude::*};

use super::{
    Case, case,
    inputs::{contact_id, list_id, removal_job_id},
};

pub(super) fn cases() -> Vec<Case> {
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
            "list_members::ListMembers::removal_status",
            "GET /v2/contacts/deletion/{deletionRequestId}",
            (list_id(), removal_job_id()),
            |client, (list, job)| async move {
                client.list_members(list).removal_status(&job).await.ok();
            },
        ),
    ]
}
