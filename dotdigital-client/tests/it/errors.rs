//! Every shape of an error body over real HTTP.

use dotdigital_client::{Client, Error, ErrorKind};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::support::{credentials, list_id, new_list, serve};

/// The error of a call that is never repeated.
async fn error_of(status: u16, body: &str) -> Error {
    let (server, client) = serve(status, body).await;
    let error = client.lists().create(&new_list("VIP")).await.unwrap_err();
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
    assert_eq!((error.status(), error.attempts()), (Some(status), 1));
    assert_eq!(error.body(), Some(body.as_bytes()), "the body survives as it came");
    assert_eq!(error.endpoint(), Some("POST /v2/address-books"));
    error
}

#[tokio::test]
async fn a_v2_message_ends_with_its_code() {
    let text = "That name is in use already, please choose another. ERROR_ADDRESSBOOK_DUPLICATE";
    let error = error_of(400, &format!(r#"{{"message":"{text}"}}"#)).await;
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.code(), Some("ERROR_ADDRESSBOOK_DUPLICATE"));
    assert!(!error.may_have_acted() && !error.is_temporary());
    assert_eq!(
        error.to_string(),
        "POST /v2/address-books: the name or identifier belongs to something else, status 400, \
         code ERROR_ADDRESSBOOK_DUPLICATE"
    );
}

#[tokio::test]
async fn a_v2_message_may_have_no_code() {
    let error =
        error_of(401, r#"{"message":"Authorization has been denied for this request."}"#).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unauthorised, None));
}

#[tokio::test]
async fn a_v3_error_has_a_code_and_details_in_two_spellings() {
    for key in ["description", "error"] {
        let body = format!(
            r#"{{"errorCode":"contacts:identifierConflict","description":"taken",
                "details":[{{"item":"jane@example.com","{key}":"jane@example.com is taken"}}]}}"#
        );
        let error = error_of(409, &body).await;
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!(error.code(), Some("contacts:identifierConflict"));
        assert!(!format!("{error} {error:?}").contains("jane"));
    }
}

#[tokio::test]
async fn v3_errors_may_come_as_a_list() {
    let body = r#"[{"errorCode":"customIdentifiers:notExist","description":"none"}]"#;
    let error = error_of(404, body).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.code(), Some("customIdentifiers:notExist"));
}

#[tokio::test]
async fn details_of_a_v3_error_may_be_an_object() {
    let body = r#"{"errorCode":"customIdentifiers:inUse","description":"x","details":{"a":1}}"#;
    let error = error_of(400, body).await;
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert_eq!(error.code(), Some("customIdentifiers:inUse"));
}

#[tokio::test]
async fn a_problem_description_keeps_its_status() {
    let error = error_of(409, r#"{"type":"about:blank","title":"Conflict","status":409}"#).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::Conflict, None));
}

#[tokio::test]
async fn an_empty_body_keeps_its_status() {
    assert_eq!(error_of(403, "").await.kind(), ErrorKind::WrongRegion);
    assert_eq!(error_of(404, "").await.kind(), ErrorKind::NotFound);
    assert_eq!(error_of(400, "").await.kind(), ErrorKind::Rejected);
}

#[tokio::test]
async fn a_page_of_a_proxy_does_not_hide_the_status() {
    let error = error_of(502, "<html><body>Bad Gateway for jane@example.com</body></html>").await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::MaybeSent, None));
    assert!(error.may_have_acted() && error.is_temporary());
    assert!(!format!("{error} {error:?}").contains("jane"));
    assert_eq!(error_of(404, "<html>who?</html>").await.kind(), ErrorKind::Rejected);
}

#[tokio::test]
async fn a_success_that_cannot_be_read_has_acted() {
    let error = error_of(200, r#"{"id":"jane@example.com"}"#).await;
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.may_have_acted());
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("line 1 column") && !shown.contains("jane"), "{shown}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = MockServer::start().await;
    let elsewhere = format!("{}/elsewhere", server.uri());
    let redirect = ResponseTemplate::new(307).insert_header("location", elsewhere);
    Mock::given(any()).respond_with(redirect).mount(&server).await;
    let builder = Client::builder().credentials(credentials()).endpoint(server.uri());
    let error = builder.build().unwrap().lists().find(list_id(7)).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Rejected, Some(307)));
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_allowance_that_is_used_up_comes_back_by_itself() {
    let error = error_of(400, r#"{"message":"Error: ERROR_ENROLMENT_ALLOWANCE_EXCEEDED "}"#).await;
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert!(error.is_temporary() && !error.may_have_acted());
}
