//! The account's utilities over real HTTP.

use dotdigital_client::ErrorKind;

use crate::{calls::check, support::serve};

#[tokio::test]
async fn the_time_of_the_service_is_read_bare_or_quoted() {
    let expected = "2021-09-24T09:21:55.661571Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    for body in [
        "2021-09-24 09:21:55.661571+00:00",
        "\"2021-09-24T09:21:55.661571Z\"",
        "\u{feff}2021-09-24T09:21:55.661571\r\n",
    ] {
        let (server, client) = serve(200, body).await;
        assert_eq!(client.account().server_time().await.unwrap(), expected, "{body}");
        check(&server, "GET /v2/server-time").await;
    }
}

#[tokio::test]
async fn what_is_no_time_is_no_answer() {
    for body in ["", "tea time", "{}", "<html></html>"] {
        let (_server, client) = serve(200, body).await;
        let error = client.account().server_time().await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_acted()), (ErrorKind::Decode, false), "{body}");
    }
}

#[cfg(feature = "account-deletion")]
#[tokio::test]
async fn the_recycle_bin_is_emptied() {
    for status in [200, 202, 204] {
        let (server, client) = serve(status, "").await;
        client.account().empty_recycle_bin().await.unwrap();
        check(&server, "POST /v2/accounts/empty-recycle-bin/").await;
    }
}

#[cfg(feature = "account-deletion")]
#[tokio::test(start_paused = true)]
async fn emptying_the_recycle_bin_is_not_repeated_when_the_answer_is_lost() {
    use crate::support::{Script, virtual_client};
    let lost = dotdigital_client::TransportErrorKind::MaybeSent;
    let script = Script::new([Err(lost)]);
    let (client, _) = virtual_client(script.clone());
    let error = client.account().empty_recycle_bin().await.unwrap_err();
    assert!(error.may_have_acted());
    assert_eq!(script.requests().len(), 1);
}
