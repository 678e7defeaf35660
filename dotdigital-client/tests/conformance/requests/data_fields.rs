//! Requests about data fields.

use dotdigital_client::data_fields::{
    Decimal, FieldName, FieldType, FieldValue, FieldVisibility, NewDataField,
};
use proptest::{option, prelude::*};

use super::{Case, case, inputs::time};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "data_fields::DataFields::list",
            "GET /v2/data-fields",
            Just(()),
            |client, ()| async move {
                client.data_fields().list().await.ok();
            },
        ),
        case(
            "data_fields::DataFields::create",
            "POST /v2/data-fields",
            new_field(),
            |client, field| async move {
                client.data_fields().create(&field).await.ok();
            },
        ),
        case(
            "data_fields::DataFields::delete",
            "DELETE /v2/data-fields/{name}",
            field_name(),
            |client, name| async move {
                client.data_fields().delete(&name).await.ok();
            },
        ),
    ]
}

pub(super) fn field_name() -> impl Strategy<Value = FieldName> {
    "[A-Za-z0-9_-]{1,20}".prop_filter_map("a word of the service", |it| FieldName::parse(&it).ok())
}

/// Any value but none.
pub(super) fn field_value() -> impl Strategy<Value = FieldValue> {
    prop_oneof![text(), number(), date(), boolean()]
}

fn text() -> impl Strategy<Value = FieldValue> {
    ".{0,20}".prop_map(FieldValue::from)
}

fn number() -> impl Strategy<Value = FieldValue> {
    "-?[1-9][0-9]{0,17}(\\.[0-9]{1,9})?"
        .prop_map(|digits| FieldValue::from(Decimal::parse(&digits).unwrap()))
}

fn date() -> impl Strategy<Value = FieldValue> {
    time().prop_map(FieldValue::from)
}

fn boolean() -> impl Strategy<Value = FieldValue> {
    any::<bool>().prop_map(FieldValue::from)
}

fn new_field() -> impl Strategy<Value = NewDataField> {
    let kind = prop_oneof![
        (Just(FieldType::String), option::of(text())),
        (Just(FieldType::Numeric), option::of(number())),
        (Just(FieldType::Date), option::of(date())),
        (Just(FieldType::Boolean), option::of(boolean())),
    ];
    let visibility = prop_oneof![Just(FieldVisibility::Private), Just(FieldVisibility::Public)];
    (field_name(), kind, visibility).prop_map(|(name, (kind, value), visibility)| {
        let field = NewDataField::new(name, kind).visibility(visibility);
        value.into_iter().fold(field, NewDataField::default_value)
    })
}
