//! Calls that the crate has no method for.

use dotdigital_client::{ErrorKind, RawCall, Tier};
use serde_json::{Value, json};

use crate::support::{Script, answer, only_request, serve, virtual_client};

#[tokio::test]
async fn a_raw_call_is_built_encoded_and_authenticated() {
    let (server, client) = serve(200, "\u{feff}{\"id\":17}").await;
    let call = RawCall::new("POST /v2/campaigns/{id}/copies/{name}")
        .arg(17)
        .arg("a/b ä")
        .query("with tags", "x&y")
        .json(&json!({"draft": true}));
    let read: Value = client.raw().json(&call).await.unwrap();
    assert_eq!(read, json!({"id": 17}));

    let request = only_request(&server).await;
    assert_eq!(request.method.as_str(), "POST");
    assert_eq!(request.url.path(), "/v2/campaigns/17/copies/a%2Fb%20%C3%A4");
    assert_eq!(request.url.query(), Some("with%20tags=x%26y"));
    assert_eq!(request.body_json::<Value>().unwrap(), json!({"draft": true}));
    assert!(request.headers["authorization"].to_str().unwrap().starts_with("Basic "));
}

#[tokio::test]
async fn a_raw_answer_comes_as_it_is() {
    let (_server, client) = serve(204, "").await;
    let answer = client.raw().send(&RawCall::new("DELETE /v2/surveys/{id}").arg(1)).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (204, 0));
}

#[tokio::test]
async fn what_is_wrong_with_a_raw_call_is_told_before_sending() {
    let (client, _) = virtual_client(Script::new([]));
    for call in [
        RawCall::new("/v2/campaigns"),
        RawCall::new("BREW /v2/campaigns"),
        RawCall::new("GET v2/campaigns"),
        RawCall::new("GET /v2/../campaigns"),
        RawCall::new("GET /v2/campaigns?select=1"),
        RawCall::new("GET /v2/campaigns/%7Bid%7D"),
        RawCall::new("GET /v2/campaigns/{id}"),
        RawCall::new("GET /v2/campaigns/{id").arg(1),
        RawCall::new("GET /v2/campaigns/id}"),
        RawCall::new("GET /v2/campaigns/{id}").arg(""),
        RawCall::new("GET /v2/campaigns/{id}").arg(" "),
        RawCall::new("GET /v2/campaigns/{id}").arg(".."),
        RawCall::new("GET /v2/campaigns/{id}").arg(1).arg(2),
    ] {
        let error = client.raw().send(&call).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected, "{call:?}");
        assert_eq!((error.attempts(), error.may_have_acted()), (0, false), "{call:?}");
    }
}

#[cfg(not(feature = "account-deletion"))]
#[tokio::test]
async fn raw_calls_are_no_way_around_the_features() {
    let (client, _) = virtual_client(Script::new([]));
    for call in [
        RawCall::new("DELETE /contacts/v3/{identifier}/{value}").arg("contactId").arg(1),
        RawCall::new("POST /contacts/v3/{x}").arg("delete").json(&json!([])),
        RawCall::new("DELETE /v2/address-books/{id}/contacts").arg(7),
    ] {
        let error = client.raw().send(&call).await.unwrap_err();
        assert!(error.to_string().contains("account-deletion"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_raw_call_is_repeated_only_when_that_is_harmless() {
    for (call, attempts) in [
        (RawCall::new("GET /v2/campaigns"), 2),
        (RawCall::new("POST /v2/campaigns").tier(Tier::Medium), 1),
        (RawCall::new("PUT /v2/campaigns/{id}").arg(1).idempotent(), 2),
    ] {
        let script = Script::new([Ok(answer(503, "")), Ok(answer(200, "{}"))]);
        let (client, _) = virtual_client(script.clone());
        let sent = client.raw().send(&call).await;
        assert_eq!(script.requests().len(), attempts, "{call:?}");
        assert_eq!(sent.is_ok(), attempts == 2, "{call:?}");
    }
}

#[cfg(not(feature = "consent-changes"))]
#[tokio::test]
async fn a_raw_body_is_no_way_around_the_features() {
    let (client, _) = virtual_client(Script::new([]));
    let body = json!({"identifiers": {}, "ChannelProperties": {"email": {"status": "subscribed"}}});
    let import = json!({"contacts": [body]});
    for call in [
        RawCall::new("POST /contacts/v3").json(&body),
        RawCall::new("PATCH /contacts/v3/{identifier}/{value}").arg("email").arg("a").json(&body),
        RawCall::new("PUT //Contacts/v3/import/").json(&import),
    ] {
        let error = client.raw().send(&call).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected, "{call:?}");
        assert!(error.to_string().contains("consent-changes"), "{error}");
    }
    let (client, _) = virtual_client(Script::new([Ok(answer(201, ""))]));
    let harmless = json!({"identifiers": {"email": "a@example.com"}});
    client.raw().send(&RawCall::new("POST /contacts/v3").json(&harmless)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_raw_call_that_reads_never_acts_whatever_is_said_of_it() {
    let (client, _) = virtual_client(Script::new((0..6).map(|_| Ok(answer(503, "")))));
    let call = RawCall::new("GET /v2/campaigns").idempotent();
    let error = client.raw().send(&call).await.unwrap_err();
    assert_eq!((error.attempts(), error.may_have_acted()), (6, false));
}
