//! Custom identifiers over real HTTP.

use dotdigital_client::{CustomName, ErrorKind};

use crate::{calls::check, support::serve};

fn name() -> CustomName {
    CustomName::parse("crm-id").unwrap()
}

#[tokio::test]
async fn custom_identifiers_are_listed() {
    let body = r#"[{"name":"crm-id","created":"2024-05-21T12:34:56Z","updated":null,"x":1},
        {"name":"loyalty","created":"2024-05-21T12:34:56"}]"#;
    let (server, client) = serve(200, body).await;
    let identifiers = client.custom_identifiers().list().await.unwrap();
    check(&server, "GET /configuration/v3/customIdentifiers").await;
    assert_eq!(identifiers[0].name, "crm-id");
    assert_eq!(identifiers[0].created, Some("2024-05-21T12:34:56Z".parse().unwrap()));
    assert_eq!((identifiers[0].updated, identifiers[1].created), (None, identifiers[0].created));
}

#[tokio::test]
async fn a_custom_identifier_is_created() {
    let body = r#"{"name":"crm-id","created":"2024-05-21T12:34:56Z"}"#;
    let (server, client) = serve(201, body).await;
    let created = client.custom_identifiers().create(&name()).await.unwrap();
    check(&server, r#"POST /configuration/v3/customIdentifiers {"name":"crm-id"}"#).await;
    assert_eq!(created.name, "crm-id");
}

#[tokio::test]
async fn a_taken_name_differs_from_a_full_account() {
    let taken = r#"{"errorCode":"customIdentifiers:nameAlreadyExists","description":"x"}"#;
    let (_server, client) = serve(409, taken).await;
    let error = client.custom_identifiers().create(&name()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.code(), Some("customIdentifiers:nameAlreadyExists"));
    let (_server, client) = serve(412, "").await;
    let error = client.custom_identifiers().create(&name()).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Rejected, Some(412)));
}

#[cfg(feature = "account-deletion")]
#[tokio::test]
async fn a_custom_identifier_is_deleted() {
    let (server, client) = serve(204, "").await;
    client.custom_identifiers().delete(&name()).await.unwrap();
    check(&server, "DELETE /configuration/v3/customIdentifiers/crm-id").await;
}

#[cfg(feature = "account-deletion")]
#[tokio::test]
async fn a_custom_identifier_in_use_differs_from_a_missing_one() {
    for (status, body, kind, code) in [
        (
            400,
            r#"{"errorCode":"customIdentifiers:inUse","description":"x",
                "details":{"items":[{"item":"segment:1002"}],"description":"y"}}"#,
            ErrorKind::Rejected,
            "customIdentifiers:inUse",
        ),
        (
            404,
            r#"[{"errorCode":"customIdentifiers:notExist","description":"x"}]"#,
            ErrorKind::NotFound,
            "customIdentifiers:notExist",
        ),
    ] {
        let (_server, client) = serve(status, body).await;
        let error = client.custom_identifiers().delete(&name()).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, Some(code)));
    }
}
