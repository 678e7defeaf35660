//! Any values of the types that many methods take.

use std::{ops::RangeInclusive, time::Duration};

use chrono::{DateTime, Utc};
use dotdigital_client::{
    ContactId, CustomName, CustomValue, EmailAddress, Identifier, ImportId, ListId, MobileNumber,
    PreferenceId, RemovalJobId, contacts::IdOrEmail, imports::PollPolicy,
};
use proptest::prelude::*;

/// Ids as the v2 calls take them: the v3 ones take more, and the service gives none so far.
const IDS: RangeInclusive<i32> = 1..=i32::MAX;

pub(super) fn list_id() -> impl Strategy<Value = ListId> {
    IDS.prop_map(|id| ListId::new(id).unwrap())
}

pub(super) fn contact_id() -> impl Strategy<Value = ContactId> {
    IDS.prop_map(|id| ContactId::new(id.into()).unwrap())
}

pub(super) fn preference_id() -> impl Strategy<Value = PreferenceId> {
    IDS.prop_map(|id| PreferenceId::new(id).unwrap())
}

pub(super) fn import_id() -> impl Strategy<Value = ImportId> {
    job_id().prop_map(|id| ImportId::new(id).unwrap())
}

pub(super) fn removal_job_id() -> impl Strategy<Value = RemovalJobId> {
    job_id().prop_map(|id| RemovalJobId::new(id).unwrap())
}

/// What names a job: a GUID so far, and whatever the ids of this crate take.
fn job_id() -> impl Strategy<Value = String> {
    prop_oneof![guid(), "[A-Za-z0-9_-]{1,128}"]
}

pub(super) fn guid() -> impl Strategy<Value = String> {
    "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
}

pub(super) fn email() -> impl Strategy<Value = EmailAddress> {
    "[A-Za-z0-9!#$%&'*+/=?^_{|}~é-]{1,20}@[a-zä0-9]{1,10}\\.(com|co\\.uk)"
        .prop_map(|text| EmailAddress::parse(&text).unwrap())
}

pub(super) fn mobile_number() -> impl Strategy<Value = MobileNumber> {
    "[1-9][0-9]{7,14}".prop_map(|digits| MobileNumber::parse(&digits).unwrap())
}

pub(super) fn identifier() -> impl Strategy<Value = Identifier> {
    prop_oneof![
        contact_id().prop_map(Identifier::ContactId),
        email().prop_map(Identifier::Email),
        mobile_number().prop_map(Identifier::MobileNumber),
        (custom_name(), custom_value())
            .prop_map(|(name, value)| Identifier::Custom { name, value }),
    ]
}

pub(super) fn custom_name() -> impl Strategy<Value = CustomName> {
    "[A-Za-z0-9_-]{1,50}"
        .prop_filter_map("a word of the service", |name| CustomName::parse(&name).ok())
}

pub(super) fn custom_value() -> impl Strategy<Value = CustomValue> {
    ".{1,256}".prop_filter_map("nothing but space, or dots", |text| CustomValue::parse(&text).ok())
}

pub(super) fn id_or_email() -> impl Strategy<Value = IdOrEmail> {
    prop_oneof![contact_id().prop_map(IdOrEmail::Id), email().prop_map(IdOrEmail::Email)]
}

/// Times from 1970 to 9999.
pub(super) fn time() -> impl Strategy<Value = DateTime<Utc>> {
    (0..253_402_300_800_000_i64)
        .prop_map(|milliseconds| DateTime::from_timestamp_millis(milliseconds).unwrap())
}

/// Asks again at once.
pub(super) fn soon() -> PollPolicy {
    PollPolicy { base: Duration::ZERO, ..PollPolicy::default() }
}
