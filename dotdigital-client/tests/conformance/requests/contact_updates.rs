//! Any content of a contact.

use std::net::IpAddr;

use dotdigital_client::{
    EmailAddress,
    contacts::{
        ConsentRecord, ContactUpdate, EmailStatusChange, EmailType, OptInType, PhoneStatusChange,
        ResubscribeOptions,
    },
    data_fields::FieldValue,
    suppressions::ChallengeLocale,
};
use proptest::{collection::vec, option, prelude::*};

use super::{
    data_fields::{field_name, field_value},
    inputs::{custom_name, custom_value, email, list_id, mobile_number, preference_id, time},
};

/// What every call takes: neither consent records nor a second email address.
pub(super) fn update() -> impl Strategy<Value = ContactUpdate> {
    let value = prop_oneof![Just(FieldValue::Clear), field_value()];
    let preferences = vec((preference_id(), any::<bool>()), 0..3);
    let stored = (vec(list_id(), 0..4), vec((field_name(), value), 0..3), preferences);
    (identifiers(), stored, channels()).prop_map(
        |(update, (lists, fields, preferences), channels)| {
            let update = lists.into_iter().fold(update, ContactUpdate::list);
            let update = fields.into_iter().fold(update, |it, (name, value)| it.field(name, value));
            let update = preferences.into_iter().fold(update, |it, (id, on)| it.preference(id, on));
            channels.into_iter().fold(update, |it, channel| channel.apply(it))
        },
    )
}

/// The same with an address, as a contact needs one that is new or replaces another.
pub(super) fn reachable() -> impl Strategy<Value = ContactUpdate> {
    (update(), email()).prop_map(|(update, email): (_, EmailAddress)| update.email(email))
}

/// The same with options of how to resubscribe.
pub(super) fn resubscribing(
    updates: impl Strategy<Value = ContactUpdate>,
) -> impl Strategy<Value = ContactUpdate> {
    let url = "https://example\\.com/[a-z]{0,9}";
    let locale = prop::sample::select(vec![
        ChallengeLocale::English,
        ChallengeLocale::Spanish,
        ChallengeLocale::Chinese,
    ]);
    let options = (any::<bool>(), option::of(locale), option::of(url));
    let options = options.prop_map(|(asks, locale, url)| {
        let options =
            if asks { ResubscribeOptions::asking() } else { ResubscribeOptions::without_asking() };
        let options = locale.into_iter().fold(options, ResubscribeOptions::locale);
        url.into_iter().fold(options, |it, url| it.redirect_url(&url).unwrap())
    });
    (updates, option::of(options))
        .prop_map(|(update, options)| options.into_iter().fold(update, ContactUpdate::resubscribe))
}

/// The same with proof of what the contact agreed to.
pub(super) fn consenting(
    updates: impl Strategy<Value = ContactUpdate>,
) -> impl Strategy<Value = ContactUpdate> {
    let record = ("[^ ].{0,20}", time(), any::<IpAddr>(), "[^ ].{0,20}").prop_filter_map(
        "white space only",
        |(text, time, address, agent)| {
            ConsentRecord::new(text, time, "https://example.com/?a=%20", address, agent).ok()
        },
    );
    (updates, vec(record, 0..=ContactUpdate::MOST_CONSENT_RECORDS))
        .prop_map(|(update, records)| records.into_iter().fold(update, ContactUpdate::consent))
}

fn identifiers() -> impl Strategy<Value = ContactUpdate> {
    (option::of(mobile_number()), option::of((custom_name(), custom_value()))).prop_map(
        |(number, custom)| {
            let update =
                number.into_iter().fold(ContactUpdate::new(), ContactUpdate::mobile_number);
            custom.into_iter().fold(update, |update, (name, value)| update.custom(name, value))
        },
    )
}

/// A change of one channel.
#[derive(Clone, Debug)]
enum ChannelChange {
    EmailType(EmailType),
    OptIn(OptInType),
    Email(EmailStatusChange),
    Sms(PhoneStatusChange),
    WhatsApp(PhoneStatusChange),
}

impl ChannelChange {
    fn apply(self, update: ContactUpdate) -> ContactUpdate {
        match self {
            Self::EmailType(kind) => update.email_type(kind),
            Self::OptIn(kind) => update.opt_in_type(kind),
            Self::Email(status) => update.email_status(status),
            Self::Sms(status) => update.sms_status(status),
            Self::WhatsApp(status) => update.whatsapp_status(status),
        }
    }
}

fn channels() -> impl Strategy<Value = Vec<ChannelChange>> {
    let email_type = prop::sample::select(vec![EmailType::PlainText, EmailType::Html]);
    let opt_in = prop::sample::select(vec![
        OptInType::Unknown,
        OptInType::Single,
        OptInType::Double,
        OptInType::VerifiedDouble,
    ]);
    let email = prop::sample::select(vec![
        EmailStatusChange::Subscribed,
        EmailStatusChange::Unsubscribed,
        EmailStatusChange::Suppressed,
    ]);
    let phone = prop::sample::select(vec![
        PhoneStatusChange::NoSubscription,
        PhoneStatusChange::Subscribed,
        PhoneStatusChange::Unsubscribed,
        PhoneStatusChange::Suppressed,
    ]);
    let change = prop_oneof![
        email_type.prop_map(ChannelChange::EmailType),
        opt_in.prop_map(ChannelChange::OptIn),
        email.prop_map(ChannelChange::Email),
        phone.clone().prop_map(ChannelChange::Sms),
        phone.prop_map(ChannelChange::WhatsApp),
    ];
    vec(change, 0..4)
}
