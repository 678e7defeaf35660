//! Requests about single contacts.

use dotdigital_client::contacts::ContactUpdate;
use proptest::{collection::vec, prelude::*};

use super::{
    Case, case,
    inputs::{identifier, list_id},
};

pub(super) fn cases() -> Vec<Case> {
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
            "contacts::Contacts::upsert",
            "PATCH /contacts/v3/{identifier}/{value}",
            (identifier(), update()),
            |client, (identifier, update)| async move {
                client.contacts().upsert(&identifier, &update).await.ok();
            },
        ),
    ]
}

fn update() -> impl Strategy<Value = ContactUpdate> {
    vec(list_id(), 0..5)
        .prop_map(|lists| lists.into_iter().fold(ContactUpdate::new(), ContactUpdate::list))
}
