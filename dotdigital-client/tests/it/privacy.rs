//! No password and nobody's address in `Debug`, `Display` or traces.

use std::{
    cell::RefCell,
    fmt::{self, Write as _},
    sync::Once,
};

#[cfg(feature = "simulator-server")]
use base64::Engine as _;
use dotdigital_client::{
    Client, HttpRequest, Region,
    contacts::ContactUpdate,
    imports::{ImportBody, ImportContact, ImportLimits, MergeOption},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::support::{
    Script, answer, credentials, email, list_id, serve, virtual_client, with_headers,
};

const SECRETS: [&str; 6] =
    ["hunter2", "apiuser-1", "jane", "example.com", "7700900123", "aHVudGVyMg"];

fn check(shown: &str) {
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn clients_and_builders_show_no_credentials() {
    let builder = Client::builder().credentials(credentials()).region(Region::R1);
    check(&format!("{builder:?} {:?}", builder.clone().build().unwrap()));
    check(&format!("{:?} {:#?}", credentials(), credentials()));
}

#[tokio::test]
async fn requests_and_answers_show_nobody() {
    let contact = r#"{"contactId":1,"identifiers":{"email":"jane@example.com",
        "mobileNumber":"447700900123"},"lists":[{"id":7,"name":"VIP"}]}"#;
    let script = Script::new([Ok(answer(200, contact)), Ok(answer(200, contact))]);
    let (client, _) = virtual_client(script.clone());
    let found = client.contacts().find(&email("jane@example.com")).await.unwrap();
    let update = ContactUpdate::new().list(list_id(7));
    let upserted = client.contacts().upsert(&email("jane@example.com"), &update).await.unwrap();
    let requests: Vec<HttpRequest> = script.requests();
    check(&format!("{requests:?} {found:?} {upserted:#?} {:?}", answer(200, contact)));
}

#[tokio::test]
async fn accounts_show_no_values() {
    let body = r#"{"id":1,"properties":[{"name":"MainEmail","value":"jane@example.com"}]}"#;
    let (client, _) = virtual_client(Script::new([Ok(answer(200, body))]));
    let info = client.account().info().await.unwrap();
    assert_eq!(info.property("MainEmail"), Some("jane@example.com"));
    check(&format!("{info:?}"));
}

thread_local! {
    /// What spans and events say on this thread, of this crate and of all below it.
    static TEXT: RefCell<String> = const { RefCell::new(String::new()) };
}

fn note(line: fmt::Arguments<'_>) {
    TEXT.with_borrow_mut(|text| writeln!(text, "{line}").unwrap());
}

/// Keeps what is traced. It is the whole process's subscriber: one that a single thread sets may
/// miss call sites that another thread came by first.
struct Log;

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        note(format_args!("{field}={value:?}"));
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        note(format_args!("span={}", attributes.metadata().name()));
        attributes.record(&mut Log);
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut Log);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Log);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

fn keep_log() {
    static KEPT: Once = Once::new();
    KEPT.call_once(|| tracing::subscriber::set_global_default(Log).unwrap());
}

#[tokio::test]
async fn traces_tell_the_call_and_neither_password_nor_person() {
    keep_log();
    let problem = r#"{"errorCode":"contacts:invalidId","description":"jane@example.com"}"#;
    let (_server, client) = serve(400, problem).await;
    let jane = email("jane@example.com");
    let error = client.contacts().find(&jane).await.unwrap_err();
    let mut body = ImportBody::new(MergeOption::Overwrite, ImportLimits::default());
    let _ = body.push(&ImportContact::new(jane)).unwrap();
    client.imports().submit(&body).await.unwrap_err();
    let text = TEXT.take();
    for told in [
        "span=dotdigital_call",
        r#"endpoint="GET /contacts/v3/{identifier}/{value}""#,
        r#"tier="high""#,
        "attempt=1",
        "status=400",
    ] {
        assert!(text.contains(told), "{told} missing in {text}");
    }
    check(&text);
    check(&format!("{error} {error:?} {client:?}"));
}

#[tokio::test]
async fn traces_tell_what_is_left_of_the_limit() {
    keep_log();
    let headers = [("X-RateLimit-Limit", "150"), ("X-RateLimit-Remaining", "149")];
    let list = r#"{"id":7,"name":"VIP","visibility":"Private","contacts":3}"#;
    let (client, _) = virtual_client(Script::new([Ok(with_headers(answer(200, list), &headers))]));
    client.lists().find(list_id(7)).await.unwrap();
    let text = TEXT.take();
    assert!(text.contains("remaining=149"), "{text}");
}

/// All that any crate below traces at any level while a client creates a list, imports people, finds,
/// updates and removes them, and meets refusals.
#[cfg(feature = "simulator-server")]
#[tokio::test]
async fn the_log_of_a_whole_run_shows_neither_password_nor_person() {
    keep_log();
    let shown = crate::together::tour_over_http().await;
    let text = TEXT.take();
    for endpoint in [
        "POST /v2/address-books",
        "PUT /contacts/v3/import",
        "PATCH /contacts/v3/{identifier}/{value}",
    ] {
        assert!(text.contains(&format!("endpoint=\"{endpoint}\"")), "{endpoint} is not traced");
    }
    for person in ["@example.com", "%40example.com", "p+", "p%2B", "c@", &shown.password] {
        assert!(!text.contains(person), "{person} is traced");
    }
    let user_and_password = base64::engine::general_purpose::STANDARD
        .encode(format!("{}:{}", shown.user, shown.password));
    assert!(!text.contains(&user_and_password) && !text.contains(&shown.user));
}
