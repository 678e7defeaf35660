//! Requests about suppression.

use dotdigital_client::suppressions::{Challenge, ChallengeLocale, ReturningContact};
use proptest::{collection::vec, option, prelude::*};

use super::{
    Case, case,
    inputs::{email, id_or_email, time},
};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "suppressions::Suppressions::suppressed_since",
            "GET /v2/contacts/suppressed-since/{date}",
            time(),
            |client, since| async move {
                client.suppressions().suppressed_since(since).next_page().await.ok();
            },
        ),
        case(
            "suppressions::Suppressions::unsubscribed_since",
            "GET /v2/contacts/unsubscribed-since/{date}",
            time(),
            |client, since| async move {
                client.suppressions().unsubscribed_since(since).next_page().await.ok();
            },
        ),
        case(
            "suppressions::Suppressions::subscriptions_of",
            "GET /v2/contacts/{email}/subscriptions",
            email(),
            |client, email| async move {
                client.suppressions().subscriptions_of(&email).await.ok();
            },
        ),
        case(
            "suppressions::Suppressions::unsubscribe",
            "POST /v2/contacts/unsubscribe",
            email(),
            |client, email| async move {
                client.suppressions().unsubscribe(&email).await.ok();
            },
        ),
        case(
            "suppressions::Suppressions::resubscribe",
            "POST /v2/contacts/resubscribe",
            (returning_contact(), challenge()),
            |client, (contact, challenge)| async move {
                client.suppressions().resubscribe(&contact, &challenge).await.ok();
            },
        ),
        case(
            "suppressions::Suppressions::resubscribe_with_no_challenge",
            "POST /v2/contacts/resubscribe-with-no-challenge",
            returning_contact(),
            |client, contact| async move {
                client.suppressions().resubscribe_with_no_challenge(&contact).await.ok();
            },
        ),
        case(
            "suppressions::Suppressions::suppress",
            "PUT /v2/contacts/suppress-contacts",
            vec(id_or_email(), 1..9),
            |client, contacts| async move {
                client.suppressions().suppress(&contacts).await.ok();
            },
        ),
    ]
}

pub(super) fn returning_contact() -> impl Strategy<Value = ReturningContact> {
    (email(), vec(("[A-Z_]{1,20}", ".{0,20}"), 0..3)).prop_map(|(email, fields)| {
        let contact = ReturningContact::new(email);
        fields.into_iter().fold(contact, |contact, (name, value)| contact.field(name, value))
    })
}

pub(super) fn challenge() -> impl Strategy<Value = Challenge> {
    let locale = prop::sample::select(vec![
        ChallengeLocale::Czech,
        ChallengeLocale::Danish,
        ChallengeLocale::German,
        ChallengeLocale::Greek,
        ChallengeLocale::English,
        ChallengeLocale::SpanishOfSpain,
        ChallengeLocale::Spanish,
        ChallengeLocale::Finnish,
        ChallengeLocale::French,
        ChallengeLocale::Hungarian,
        ChallengeLocale::Italian,
        ChallengeLocale::Dutch,
        ChallengeLocale::Norwegian,
        ChallengeLocale::Polish,
        ChallengeLocale::Portuguese,
        ChallengeLocale::Russian,
        ChallengeLocale::Swedish,
        ChallengeLocale::Slovak,
        ChallengeLocale::Turkish,
        ChallengeLocale::Chinese,
    ]);
    let url = "https://example\\.com/[a-z]{0,9}";
    (option::of(locale), option::of(url)).prop_map(|(locale, url)| {
        let challenge = locale.into_iter().fold(Challenge::new(), Challenge::locale);
        url.into_iter().fold(challenge, Challenge::return_url)
    })
}
