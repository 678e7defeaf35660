//! Every call over real HTTP: method, path, headers, body, and the decoded answer.

use dotdigital_client::{
    ContactId, Identifier, ImportId, MobileNumber, RemovalJobId,
    contacts::{ContactStatus, ContactUpdate, EmailStatus, ListStatus},
    imports::{FailureCode, ImportBody, ImportContact, ImportLimits, ImportState, MergeOption},
    list_members::{ContactIds, Removal, RemovalState},
    lists::Visibility,
};
use wiremock::Request;

use crate::support::{email, list_id, new_list, only_request, serve};

const LIST: &str = r#"{"id":7,"name":"VIP","visibility":"private","contacts":3,"new":"field"}"#;
const CONTACT: &str = r#"{"contactId":35212311,"status":"subscribed",
    "created":"2023-01-26T21:29:00Z","updated":"2023-01-26T21:29:00.123",
    "identifiers":{"email":"jane@example.com","mobileNumber":"447700900123","crm-id":"A1"},
    "channelProperties":{"email":{"status":"hardBounced"},"sms":{"status":"subscribed"}},
    "lists":[{"id":7,"name":"VIP","status":"subscribed"}],"preferences":[{"id":1}]}"#;

/// Method, path with query as it went over the wire, and body.
fn line(request: &Request) -> String {
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let body = String::from_utf8_lossy(&request.body);
    format!("{} {}{query} {body}", request.method, request.url.path()).trim_end().to_owned()
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.get(name).map(|value| value.to_str().unwrap())
}

fn check_headers(request: &Request) {
    let basic = "Basic YXBpdXNlci0xQGFwaWNvbm5lY3Rvci5jb206aHVudGVyMg==";
    assert_eq!(header(request, "authorization"), Some(basic));
    assert_eq!(header(request, "accept"), Some("application/json"));
    let json = (!request.body.is_empty()).then_some("application/json");
    assert_eq!(header(request, "content-type"), json);
    assert_eq!(
        header(request, "user-agent"),
        Some(concat!("dotdigital-client/", env!("CARGO_PKG_VERSION")))
    );
}

pub(crate) async fn check(server: &wiremock::MockServer, expected: &str) {
    let request = only_request(server).await;
    assert_eq!(line(&request), expected);
    check_headers(&request);
}

#[tokio::test]
async fn account_info_is_read() {
    let body = r#"{"id":"12","properties":[
        {"name":"ShowClock","type":"Boolean","value":"False"},{"name":"Odd","value":null},
        {"name":"ApiEndpoint","type":"String","value":"https://r1-api.dotdigital.com/"}]}"#;
    let (server, client) = serve(200, body).await;
    let info = client.account().info().await.unwrap();
    check(&server, "GET /v2/account-info").await;
    assert_eq!(info.id.get(), 12);
    assert_eq!(info.property("showclock"), Some("False"));
    assert_eq!(info.property("Odd"), Some(""));
    assert_eq!(info.property("Missing"), None);
    assert_eq!(info.endpoint(), Some("https://r1-api.dotdigital.com/"));
}

#[tokio::test]
async fn a_list_is_created_whichever_success_the_service_answers() {
    for status in [200, 201] {
        let (server, client) = serve(status, LIST).await;
        let list = client.lists().create(&new_list("VIP")).await.unwrap();
        check(&server, r#"POST /v2/address-books {"name":"VIP","visibility":"Private"}"#).await;
        assert_eq!((list.id.get(), list.name.as_str(), list.contacts), (7, "VIP", 3));
        assert_eq!(list.visibility, Visibility::Private);
    }
}

#[tokio::test]
async fn a_list_is_found_by_its_id() {
    let (server, client) = serve(200, &format!("\u{feff}{LIST}")).await;
    let list = client.lists().find(list_id(7)).await.unwrap().unwrap();
    check(&server, "GET /v2/address-books/7").await;
    assert_eq!(list.name, "VIP");
}

#[tokio::test]
async fn a_list_that_is_gone_is_no_error() {
    let body = r#"{"message":"Error: ERROR_ADDRESSBOOK_NOT_FOUND"}"#;
    for status in [400, 404] {
        let (_server, client) = serve(status, body).await;
        assert_eq!(client.lists().find(list_id(7)).await.unwrap(), None, "{status}");
    }
    let (_server, client) = serve(404, "").await;
    assert_eq!(client.lists().find(list_id(7)).await.unwrap(), None);
    let (_server, client) = serve(404, "<html>no such page</html>").await;
    client.lists().find(list_id(7)).await.unwrap_err();
}

#[tokio::test]
async fn a_list_is_updated() {
    let (server, client) = serve(200, LIST).await;
    client.lists().update(list_id(7), &new_list("Ä \"new\" name")).await.unwrap();
    let body = r#"{"name":"Ä \"new\" name","visibility":"Private"}"#;
    check(&server, &format!("PUT /v2/address-books/7 {body}")).await;
}

#[tokio::test]
async fn a_page_of_lists_is_read() {
    let (server, client) = serve(200, &format!("[{LIST}]")).await;
    let page = client.lists().pages().next_page().await.unwrap().unwrap();
    check(&server, "GET /v2/address-books?select=1000&skip=0").await;
    assert_eq!(page.len(), 1);
}

#[tokio::test]
async fn contacts_are_submitted_for_import() {
    let (server, client) = serve(202, r#"{"importId":"d7de900d-d337-43f6"}"#).await;
    let mut body = ImportBody::new(MergeOption::Overwrite, ImportLimits::default());
    let mobile = Identifier::MobileNumber(MobileNumber::parse("+44 7700 900123").unwrap());
    let custom = Identifier::custom("crm-id", "A/1").unwrap();
    for identifier in [email("jané+x@example.com"), mobile, custom] {
        let _ = body.push(&ImportContact::new(identifier).list(list_id(7))).unwrap();
    }
    let import = client.imports().submit(&body).await.unwrap();
    let expected = concat!(
        r#"PUT /contacts/v3/import {"mergeOption":"overwrite","contacts":["#,
        r#"{"matchIdentifier":"email","identifiers":{"email":"jané+x@example.com"},"lists":[7]},"#,
        r#"{"matchIdentifier":"mobileNumber","identifiers":{"mobileNumber":"447700900123"},"lists":[7]},"#,
        r#"{"matchIdentifier":"crm-id","identifiers":{"crm-id":"A/1"},"lists":[7]}]}"#
    );
    check(&server, expected).await;
    assert_eq!(import.as_str(), "d7de900d-d337-43f6");
}

#[tokio::test]
async fn the_report_of_an_import_is_read() {
    let report = r#"{"importId":"d7-e","status":"finished",
        "summary":{"newContacts":1,"updatedContacts":1,"invalidEntries":1,"unheardOf":5},
        "created":[{"contactId":1,"identifiers":{"email":"jane@example.com"}}],
        "updated":[{"contactId":"2","identifiers":{"mobileNumber":"447700900123"}}],
        "failures":[{"contactId":null,"matchIdentifier":"contactId","identifiers":{"contactId":99},
          "failures":[{"failureCode":"ContactNotFound","description":"x"},{"failureCode":"newCode"}]}]}"#;
    let (server, client) = serve(200, report).await;
    let status = client.imports().status(&ImportId::new("d7-e").unwrap()).await.unwrap();
    check(&server, "GET /contacts/v3/import/d7-e").await;
    assert_eq!(status.state, ImportState::Finished);
    let summary = status.summary.unwrap();
    assert_eq!((summary.new_contacts, summary.invalid_entries), (1, 1));
    assert_eq!(status.created[0].identifiers.email.as_deref(), Some("jane@example.com"));
    assert_eq!(status.updated[0].contact_id.get(), 2);
    let failure = &status.failures[0];
    assert_eq!((failure.contact_id, failure.identifiers.contact_id.unwrap().get()), (None, 99));
    assert_eq!(failure.failures[0].code, FailureCode::ContactNotFound);
    assert_eq!(failure.failures[1].code, FailureCode::Other("newCode".into()));
}

#[tokio::test]
async fn a_contact_is_found_by_any_identifier_encoded_strictly() {
    for (identifier, path) in [
        (email("a+b/c%d@example.com"), "email/a%2Bb%2Fc%25d%40example.com"),
        (email("jörg@exämple.com"), "email/j%C3%B6rg%40ex%C3%A4mple.com"),
        (Identifier::ContactId(ContactId::new(5).unwrap()), "contactId/5"),
        (Identifier::custom("crm-id", "a?b#c &..").unwrap(), "crm-id/a%3Fb%23c%20%26.."),
    ] {
        let (server, client) = serve(200, CONTACT).await;
        let contact = client.contacts().find(&identifier).await.unwrap().unwrap();
        check(&server, &format!("GET /contacts/v3/{path}")).await;
        assert_eq!(contact.contact_id.get(), 35_212_311);
        assert_eq!(contact.status, Some(ContactStatus::Subscribed));
        assert_eq!(contact.lists[0].status, Some(ListStatus::Subscribed));
        assert_eq!(contact.identifiers.custom["crm-id"], "A1");
        assert_eq!(contact.channels.email.unwrap().status, Some(EmailStatus::HardBounced));
        assert!(contact.updated > contact.created);
    }
}

#[tokio::test]
async fn an_unknown_contact_is_no_error() {
    let body = r#"{"errorCode":"contacts:contactNotFound","description":"none"}"#;
    let (_server, client) = serve(404, body).await;
    assert_eq!(client.contacts().find(&email("a@example.com")).await.unwrap(), None);
    let (_server, client) = serve(404, r#"{"errorCode":"contacts:importNotFound"}"#).await;
    client.contacts().find(&email("a@example.com")).await.unwrap_err();
}

#[tokio::test]
async fn a_contact_is_upserted_without_any_channel_status() {
    for (status, created) in [(200, false), (201, true)] {
        let (server, client) = serve(status, CONTACT).await;
        let update = ContactUpdate::new().list(list_id(7));
        let upserted = client.contacts().upsert(&email("a+b@example.com"), &update).await.unwrap();
        let body = r#"{"identifiers":{"email":"a+b@example.com"},"lists":[7]}"#;
        let path = "/contacts/v3/email/a%2Bb%40example.com?merge-option=overwrite";
        check(&server, &format!("PATCH {path} {body}")).await;
        assert_eq!(upserted.created, created);
        assert_eq!(upserted.contact.contact_id.get(), 35_212_311);
    }
}

#[tokio::test]
async fn a_page_of_members_is_read() {
    let body = format!(r#"{{"_items":[{CONTACT}],"_links":{{"self":{{}},"first":{{}}}}}}"#);
    let (server, client) = serve(200, &body).await;
    let mut pages = client.list_members(list_id(7)).pages(5000);
    assert_eq!(pages.next_page().await.unwrap().unwrap().len(), 1);
    assert!(pages.next_page().await.unwrap().is_none());
    check(&server, "GET /contacts/v3?~listId=7&limit=5000").await;
}

#[tokio::test]
async fn a_contact_is_taken_off_a_list_whatever_the_empty_success() {
    for status in [200, 204] {
        let (server, client) = serve(status, "").await;
        let contact = ContactId::new(12).unwrap();
        let removal = client.list_members(list_id(7)).remove(contact).await.unwrap();
        check(&server, "DELETE /v2/address-books/7/contacts/12").await;
        assert_eq!(removal, Removal::Removed);
    }
}

#[tokio::test]
async fn taking_off_an_unknown_contact_differs_from_an_unknown_list() {
    let contact = ContactId::new(12).unwrap();
    let (_server, client) = serve(404, r#"{"message":"Error: ERROR_CONTACT_NOT_FOUND"}"#).await;
    let removal = client.list_members(list_id(7)).remove(contact).await.unwrap();
    assert_eq!(removal, Removal::ContactUnknown);
    for body in [r#"{"message":"Error: ERROR_ADDRESSBOOK_NOT_FOUND"}"#, ""] {
        let (_server, client) = serve(404, body).await;
        client.list_members(list_id(7)).remove(contact).await.unwrap_err();
    }
}

#[tokio::test]
async fn many_contacts_are_taken_off_a_list_by_a_bare_array() {
    let (server, client) = serve(202, r#"{"id":"13e7b388-2060","status":"Started"}"#).await;
    let contacts = [1, 684_095_989].map(|id| ContactId::new(id).unwrap()).to_vec();
    let contacts = ContactIds::new(contacts).unwrap();
    let job = client.list_members(list_id(7)).remove_many(&contacts).await.unwrap();
    check(&server, "POST /v2/address-books/7/contacts/delete [1,684095989]").await;
    assert_eq!((job.id.as_str(), job.state), ("13e7b388-2060", RemovalState::Started));
}

#[tokio::test]
async fn the_state_of_a_removal_is_read_in_both_spellings() {
    for (body, expected) in [
        (r#"{"Id":"13e7","Status":"Completed"}"#, RemovalState::Completed),
        (r#"{"id":"13e7","status":"failed"}"#, RemovalState::Failed),
        (r#"{"status":"NotAvailableInThisVersion"}"#, "NotAvailableInThisVersion".into()),
    ] {
        let (server, client) = serve(200, body).await;
        let job = RemovalJobId::new("13e7").unwrap();
        let state = client.list_members(list_id(7)).removal_status(&job).await.unwrap();
        check(&server, "GET /v2/contacts/deletion/13e7").await;
        assert_eq!(state, expected);
    }
}
