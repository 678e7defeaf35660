//! Requests about imports of contacts.

use std::time::Duration;

use dotdigital_client::imports::{
    ImportBody, ImportContact, ImportLimits, MergeOption, PollPolicy, Pushed,
};
use proptest::{collection::vec, prelude::*};

use super::{
    Case, case,
    inputs::{identifier, import_id, list_id},
};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "imports::Imports::submit",
            "PUT /contacts/v3/import",
            body(),
            |client, body| async move {
                client.imports().submit(&body).await.ok();
            },
        ),
        case(
            "imports::Imports::status",
            "GET /contacts/v3/import/{importId}",
            import_id(),
            |client, import| async move {
                client.imports().status(&import).await.ok();
            },
        ),
        case(
            "imports::Imports::wait",
            "GET /contacts/v3/import/{importId}",
            import_id(),
            |client, import| async move {
                let soon = PollPolicy { base: Duration::ZERO, ..PollPolicy::default() };
                client.imports().wait(&import, &soon).await.ok();
            },
        ),
    ]
}

fn body() -> impl Strategy<Value = ImportBody> {
    let merge = prop_oneof![
        Just(MergeOption::Overwrite),
        Just(MergeOption::OverwriteIfNotEmpty),
        Just(MergeOption::OverwriteIfEmpty),
    ];
    let contact = (identifier(), vec(list_id(), 0..4)).prop_map(|(identifier, lists)| {
        lists.into_iter().fold(ImportContact::new(identifier), ImportContact::list)
    });
    (merge, vec(contact, 1..6)).prop_map(|(merge, contacts)| {
        let mut body = ImportBody::new(merge, ImportLimits::default());
        for contact in contacts {
            assert_eq!(body.push(&contact), Ok(Pushed::Added));
        }
        body
    })
}
