//! Data fields over real HTTP.

use dotdigital_client::{
    ErrorKind,
    data_fields::{Decimal, FieldName, FieldType, FieldValue, FieldVisibility, NewDataField},
};

use crate::{calls::check, support::serve};

fn name(text: &str) -> FieldName {
    FieldName::parse(text).unwrap()
}

#[tokio::test]
async fn data_fields_are_listed_whatever_their_names_and_types() {
    let body = r#"[{"name":"FIRSTNAME","type":"String","visibility":"Public","defaultValue":null},
        {"name":"AGE","type":"numeric","visibility":"private","defaultValue":18.50},
        {"name":"IS_HAPPY","type":"Boolean","visibility":"Public","defaultValue":true},
        {"name":"LETZTE ANMELDUNG","type":"Colour","defaultValue":"red"}]"#;
    let (server, client) = serve(200, body).await;
    let fields = client.data_fields().list().await.unwrap();
    check(&server, "GET /v2/data-fields").await;
    assert_eq!((fields[0].name.as_str(), &fields[0].kind), ("FIRSTNAME", &FieldType::String));
    assert_eq!(fields[0].default_value, None);
    assert_eq!(fields[1].kind, FieldType::Numeric);
    assert_eq!(fields[1].visibility, Some(FieldVisibility::Private));
    let age = FieldValue::Number(Decimal::parse("18.50").unwrap());
    assert_eq!(fields[1].default_value, Some(age));
    assert_eq!(fields[2].default_value, Some(FieldValue::Boolean(true)));
    assert_eq!(fields[3].kind, FieldType::Other("Colour".into()));
    assert_eq!(fields[3].default_value, Some(FieldValue::Text("red".into())));
}

#[tokio::test]
async fn a_data_field_is_created_whether_the_answer_repeats_it_or_not() {
    let field = NewDataField::new(name("BIRTHDAY"), FieldType::Date);
    let echo = r#"{"name":"BIRTHDAY","type":"Date","visibility":"Private","defaultValue":null}"#;
    for (status, answer) in [(201, echo), (200, ""), (201, "\u{feff}")] {
        let (server, client) = serve(status, answer).await;
        let created = client.data_fields().create(&field).await.unwrap();
        let body = r#"{"name":"BIRTHDAY","type":"Date","visibility":"Private"}"#;
        check(&server, &format!("POST /v2/data-fields {body}")).await;
        assert_eq!((created.name.as_str(), created.kind), ("BIRTHDAY", FieldType::Date));
        assert_eq!(created.visibility, Some(FieldVisibility::Private));
    }
}

#[tokio::test]
async fn a_default_value_is_sent_as_text_whatever_its_type() {
    let (server, client) = serve(201, "").await;
    let field = NewDataField::new(name("AGE"), FieldType::Numeric)
        .visibility(FieldVisibility::Public)
        .default_value(FieldType::Numeric.parse("18.50").unwrap());
    client.data_fields().create(&field).await.unwrap();
    let body = r#"{"name":"AGE","type":"Numeric","visibility":"Public","defaultValue":"18.50"}"#;
    check(&server, &format!("POST /v2/data-fields {body}")).await;
}

#[tokio::test]
async fn a_second_field_of_a_name_is_a_conflict() {
    let body = r#"{"message":"Field already exists. ERROR_NON_UNIQUE_DATAFIELD"}"#;
    let (_server, client) = serve(400, body).await;
    let field = NewDataField::new(name("BIRTHDAY"), FieldType::Date);
    let error = client.data_fields().create(&field).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[cfg(feature = "account-deletion")]
#[tokio::test]
async fn deleting_a_data_field_tells_what_blocks_it() {
    use dotdigital_client::data_fields::FieldDeletion;
    let blocked = FieldDeletion::Blocked { dependencies: vec!["Used in program 12345".into()] };
    for (status, answer, expected) in [
        (200, r#"{"dependencies":null,"result":true}"#, FieldDeletion::Deleted),
        (204, "", FieldDeletion::Deleted),
        (200, r#"{"dependencies":["Used in program 12345"],"result":false}"#, blocked),
    ] {
        let (server, client) = serve(status, answer).await;
        assert_eq!(client.data_fields().delete(&name("BIRTHDAY")).await.unwrap(), expected);
        check(&server, "DELETE /v2/data-fields/BIRTHDAY").await;
    }
    let missing = r#"{"message":"Error: ERROR_DATAFIELD_NOTFOUND"}"#;
    let (_server, client) = serve(404, missing).await;
    let error = client.data_fields().delete(&name("BIRTHDAY")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
