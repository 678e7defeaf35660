//! Requests about preferences.

use dotdigital_client::preferences::{NewPreference, Position, PreferenceChoice};
use proptest::{collection::vec, option, prelude::*};

use super::{
    Case, case,
    inputs::{id_or_email, preference_id, time},
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = of_contacts();
    cases.extend([
        case(
            "preferences::Preferences::list",
            "GET /v2/preferences",
            Just(()),
            |client, ()| async move {
                client.preferences().list().await.ok();
            },
        ),
        case(
            "preferences::Preferences::modified_since",
            "GET /v2/preferences/modified-since/{date}",
            time(),
            |client, since| async move {
                client.preferences().modified_since(since).await.ok();
            },
        ),
        case(
            "preferences::Preferences::create",
            "POST /v2/preferences",
            new_preference(),
            |client, preference| async move {
                client.preferences().create(&preference).await.ok();
            },
        ),
        case(
            "preferences::Preferences::update",
            "PUT /v2/preferences/{id}",
            (preference_id(), new_preference()),
            |client, (id, preference)| async move {
                client.preferences().update(id, &preference).await.ok();
            },
        ),
        case(
            "preferences::Preferences::delete",
            "DELETE /v2/preferences/{id}",
            preference_id(),
            |client, id| async move {
                client.preferences().delete(id).await.ok();
            },
        ),
    ]);
    cases
}

fn of_contacts() -> Vec<Case> {
    vec![
        case(
            "preferences::Preferences::of_contact",
            "GET /v2/contacts/{contactIdentifier}/preferences",
            id_or_email(),
            |client, contact| async move {
                client.preferences().of_contact(&contact).await.ok();
            },
        ),
        case(
            "preferences::Preferences::set_for_contact",
            "PUT /v2/contacts/{contactIdentifier}/preferences",
            (id_or_email(), vec(choice(), 1..6)),
            |client, (contact, choices)| async move {
                client.preferences().set_for_contact(&contact, &choices).await.ok();
            },
        ),
        case(
            "preferences::Preferences::opted_into",
            "GET /v2/contacts/with-preference/{preferenceId}",
            preference_id(),
            |client, preference| async move {
                client.preferences().opted_into(preference).next_page().await.ok();
            },
        ),
        case(
            "preferences::Preferences::choices_since",
            "GET /v2/contacts/with-preference/{preferenceId}/opt-ins-since/{date}",
            (preference_id(), time()),
            |client, (preference, since)| async move {
                client.preferences().choices_since(preference, since).next_page().await.ok();
            },
        ),
    ]
}

fn choice() -> impl Strategy<Value = PreferenceChoice> {
    (preference_id(), option::of(preference_id()), any::<bool>()).prop_map(
        |(preference, category, opted_in)| PreferenceChoice { preference, category, opted_in },
    )
}

fn new_preference() -> impl Strategy<Value = NewPreference> {
    let position = prop_oneof![
        Just(Position::Top),
        Just(Position::Bottom),
        any::<u32>().prop_map(Position::At),
    ];
    let new = (any::<bool>(), option::of(preference_id()), name(), name()).prop_map(
        |(is_preference, category, public, private)| match (is_preference, category) {
            (false, _) => NewPreference::category(public, private),
            (true, Some(category)) => NewPreference::preference_in(category, public, private),
            (true, None) => NewPreference::preference(public, private),
        },
    );
    (new, option::of(position), any::<bool>()).prop_map(|(new, position, hidden)| {
        let new = if hidden { new.hidden() } else { new };
        position.into_iter().fold(new, NewPreference::position)
    })
}

fn name() -> impl Strategy<Value = String> {
    ".{1,20}".prop_filter("nothing but white space", |name| !name.trim().is_empty())
}
