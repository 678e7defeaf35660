//! Requests about imports of contacts.

use dotdigital_client::imports::{
    ImportBody, ImportContact, ImportLimits, ImportRunSettings, MergeOption, Pushed,
};
use proptest::{collection::vec, prelude::*};

use super::{
    Case, case,
    contact_updates::{consenting, resubscribing, update},
    contacts::merge_option,
    inputs::{identifier, import_id, soon},
};

const SUBMIT: &str = "PUT /contacts/v3/import";
const STATUS: &str = "GET /contacts/v3/import/{importId}";

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("imports::Imports::submit", SUBMIT, body(), |client, body| async move {
            client.imports().submit(&body).await.ok();
        }),
        case("imports::Imports::status", STATUS, import_id(), |client, import| async move {
            client.imports().status(&import).await.ok();
        }),
        case("imports::Imports::wait", STATUS, import_id(), |client, import| async move {
            client.imports().wait(&import, &soon()).await.ok();
        }),
        case("imports::Imports::wait_with", STATUS, import_id(), |client, import| async move {
            client.imports().wait_with(&import, &soon(), |_| ()).await.ok();
        }),
        case(
            "imports::Imports::run",
            SUBMIT,
            vec(contact(), 1..5),
            |client, contacts| async move {
                let mut run = client.imports().run(contacts, ImportRunSettings::default());
                while run.next().await.is_some() {}
            },
        )
        .and(STATUS),
        case(
            "imports::Imports::run_from",
            SUBMIT,
            vec(contact(), 1..5),
            |client, contacts| async move {
                let source = contacts.into_iter();
                let mut run = client.imports().run_from(source, ImportRunSettings::default());
                while run.next().await.is_some() {}
            },
        )
        .and(STATUS),
    ]
}

/// A contact that its content does not contradict.
fn contact() -> impl Strategy<Value = ImportContact> {
    (identifier(), consenting(resubscribing(update()))).prop_filter_map(
        "another value of the same identifier",
        |(identifier, update)| {
            let contact = ImportContact::with(identifier, update);
            let mut alone = ImportBody::new(MergeOption::default(), ImportLimits::default());
            let _ = alone.push(&contact).ok()?;
            Some(contact)
        },
    )
}

fn body() -> impl Strategy<Value = ImportBody> {
    (merge_option(), vec(contact(), 1..6)).prop_map(|(merge, contacts)| {
        let mut body = ImportBody::new(merge, ImportLimits::default());
        for contact in contacts {
            assert_eq!(body.push(&contact), Ok(Pushed::Added));
        }
        body
    })
}
