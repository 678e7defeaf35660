//! Finding where the account lives, and setting up a client.

use dotdigital_client::{Client, ErrorKind, Region};

use crate::support::{Script, VirtualClock, answer, credentials, email, virtual_builder};

fn account(endpoint: &str) -> String {
    format!(r#"{{"id":1,"properties":[{{"name":"ApiEndpoint","value":"{endpoint}"}}]}}"#)
}

async fn discovered(body: &str) -> (Client, Vec<String>) {
    let not_found = r#"{"errorCode":"contacts:contactNotFound","description":""}"#;
    let script = Script::new([Ok(answer(200, body)), Ok(answer(404, not_found))]);
    let builder = Client::builder().credentials(credentials()).transport(script.clone());
    let client = builder.connect().await.unwrap();
    client.contacts().find(&email("a@example.com")).await.unwrap();
    (client, script.requests().into_iter().map(|request| request.base).collect())
}

#[tokio::test]
async fn the_region_is_asked_for_on_r1_and_used_from_then_on() {
    for (told, expected) in [
        ("https://r3-api.dotdigital.com/", Region::R3),
        ("https://r2-api.dotmailer.com", Region::R2),
        ("", Region::R1),
        (" ", Region::R1),
    ] {
        let (client, hosts) = discovered(&account(told)).await;
        assert_eq!(client.endpoint(), expected.endpoint(), "{told}");
        assert_eq!(hosts, [Region::R1.endpoint(), expected.endpoint()], "{told}");
    }
    let (client, _) = discovered(r#"{"id":1,"properties":[]}"#).await;
    assert_eq!(client.endpoint(), Region::R1.endpoint());
}

#[tokio::test]
async fn a_told_endpoint_that_would_carry_the_password_in_clear_is_refused() {
    let script = Script::new([Ok(answer(200, &account("http://example.com")))]);
    let builder = Client::builder().credentials(credentials()).transport(script);
    assert_eq!(builder.connect().await.unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn nothing_is_asked_when_region_or_endpoint_is_set() {
    let script = Script::new([]);
    let builder = Client::builder().credentials(credentials()).transport(script.clone());
    let client = builder.clone().region(Region::R2).connect().await.unwrap();
    assert_eq!(client.endpoint(), "https://r2-api.dotdigital.com");
    let client = builder.endpoint("https://r3-api.dotdigital.com/").connect().await.unwrap();
    assert_eq!(client.endpoint(), "https://r3-api.dotdigital.com");
    assert!(script.requests().is_empty());
}

#[tokio::test]
async fn wrong_credentials_stop_the_discovery() {
    let script = Script::new([Ok(answer(401, ""))]);
    let builder = Client::builder().credentials(credentials()).transport(script);
    assert_eq!(builder.connect().await.unwrap_err().kind(), ErrorKind::Unauthorised);
}

#[tokio::test]
async fn a_client_is_refused_without_what_it_needs() {
    let config = |builder: dotdigital_client::ClientBuilder| {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        error.to_string()
    };
    assert!(config(Client::builder().region(Region::R1)).contains("credentials"));
    assert!(config(Client::builder().credentials(credentials())).contains("region"));
    let script = Script::new([]);
    let builder = || virtual_builder(script.clone(), &VirtualClock::new());
    assert!(config(builder().endpoint("http://example.com")).contains("in clear"));
    assert!(config(builder().user_agent("two\nlines")).contains("user agent"));
}
