//! Oddities of answers that the client reads all the same, one test each.

use dotdigital_client::{
    ContactId, Error, ErrorKind, ImportId, RemovalJobId,
    contacts::{Contact, ContactStatus, ContactUpdate, EmailStatus, ListStatus},
    data_fields::FieldType,
    imports::{FailureCode, ImportState},
    list_members::RemovalState,
    lists::Visibility,
};

use crate::support::{email, list_id, new_list, serve};

async fn contact(body: &str) -> Result<Contact, Error> {
    let (_server, client) = serve(200, body).await;
    client.contacts().find(&email("jane@example.com")).await.map(Option::unwrap)
}

#[tokio::test]
async fn ids_come_as_texts() {
    let body = r#"{"contactId":"12","lists":[{"id":"7"}],"preferences":[{"id":"3"}]}"#;
    let contact = contact(body).await.unwrap();
    assert_eq!(contact.contact_id.get(), 12);
    assert_eq!((contact.lists[0].id.get(), contact.preferences[0].id.get()), (7, 3));
}

#[tokio::test]
async fn times_come_in_five_spellings() {
    for time in [
        "2023-01-26T21:29:00Z",
        "2023-01-26T21:29:00",
        "2023-01-26T21:29:00.000Z",
        "2023-01-26T22:29:00+01:00",
        "2023-01-26 21:29:00.000000+00:00",
    ] {
        let contact = contact(&format!(r#"{{"contactId":1,"created":"{time}"}}"#)).await.unwrap();
        assert_eq!(contact.created, Some("2023-01-26T21:29:00Z".parse().unwrap()), "{time}");
    }
}

#[tokio::test]
async fn keys_of_a_job_come_in_another_case() {
    let (_server, client) = serve(200, r#"{"Id":"13e7","Status":"Completed"}"#).await;
    let job = RemovalJobId::new("13e7").unwrap();
    let state = client.list_members(list_id(7)).removal_status(&job).await.unwrap();
    assert_eq!(state, RemovalState::Completed);
}

#[tokio::test]
async fn an_answer_starts_with_a_byte_order_mark() {
    assert_eq!(contact("\u{feff}{\"contactId\":1}").await.unwrap().contact_id.get(), 1);
}

#[tokio::test]
async fn a_success_is_empty_where_nothing_is_to_be_read() {
    for (status, body) in [(200, ""), (200, "\u{feff}"), (204, "")] {
        let (_server, client) = serve(status, body).await;
        let contact = ContactId::new(5).unwrap();
        client.list_members(list_id(7)).remove(contact).await.unwrap();
    }
}

#[tokio::test]
async fn an_empty_success_where_something_is_to_be_read_may_have_acted() {
    let (_server, client) = serve(200, "").await;
    let update = ContactUpdate::new();
    let error = client.contacts().upsert(&email("a@example.com"), &update).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_acted()), (ErrorKind::Decode, true));
}

#[tokio::test]
async fn words_come_in_any_case_and_unknown_ones_are_kept() {
    let body = r#"{"contactId":1,"status":"SUBSCRIBED","lists":[{"id":7,"status":"onHold"}],
        "channelProperties":{"email":{"status":"SHAREDSUPPRESSION"}}}"#;
    let contact = contact(body).await.unwrap();
    assert_eq!(contact.status, Some(ContactStatus::Subscribed));
    assert_eq!(contact.lists[0].status, Some(ListStatus::Other("onHold".into())));
    let channel = contact.channels.email.unwrap();
    assert_eq!(channel.status, Some(EmailStatus::SharedSuppression));
    let word = "NotAvailableInThisVersion";
    assert_eq!(Visibility::from(word), Visibility::Other(word.into()));
    assert_eq!(FieldType::from(word), FieldType::Other(word.into()));
}

#[tokio::test]
async fn an_import_ends_in_any_documented_state() {
    for (word, state) in [
        ("Finished", ImportState::Finished),
        ("finished", ImportState::Finished),
        ("RejectedByWatchdog", ImportState::RejectedByWatchdog),
        ("Failed", ImportState::Failed),
        ("ExceedsAllowedContactLimit", ImportState::ExceedsAllowedContactLimit),
        ("InvalidFileFormat", ImportState::InvalidFileFormat),
        ("Unknown", ImportState::Unknown),
        ("NotAvailableInThisVersion", ImportState::NotAvailableInThisVersion),
        ("BrandNew", ImportState::Other("BrandNew".into())),
    ] {
        let (_server, client) =
            serve(200, &format!(r#"{{"importId":"a","status":"{word}"}}"#)).await;
        let status = client.imports().status(&ImportId::new("a").unwrap()).await.unwrap();
        assert_eq!(status.state, state);
        assert!(status.state.is_terminal(), "{word}");
    }
}

#[tokio::test]
async fn failure_codes_come_in_two_cases() {
    for code in ["invalidEmail", "InvalidEmail"] {
        let body = format!(
            r#"{{"importId":"a","status":"Finished","failures":[{{"failures":[
                {{"failureCode":"{code}","description":null}}]}}]}}"#
        );
        let (_server, client) = serve(200, &body).await;
        let status = client.imports().status(&ImportId::new("a").unwrap()).await.unwrap();
        assert_eq!(status.failures[0].failures[0].code, FailureCode::InvalidEmail);
    }
}

#[tokio::test]
async fn arrays_and_objects_come_as_null() {
    let body = r#"{"contactId":1,"identifiers":null,"dataFields":null,"channelProperties":null,
        "lists":null,"preferences":null,"consentRecords":null}"#;
    let contact = contact(body).await.unwrap();
    assert!(contact.lists.is_empty() && contact.data_fields.is_empty());
}

#[tokio::test]
async fn creation_is_answered_with_200_or_201() {
    for status in [200, 201] {
        let body = r#"{"id":7,"name":"VIP","visibility":"Private","contacts":0}"#;
        let (_server, client) = serve(status, body).await;
        assert_eq!(client.lists().create(&new_list("VIP")).await.unwrap().id.get(), 7);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_told_by_its_place_and_not_by_its_value() {
    for (body, place) in [
        (
            r#"{"contactId":1,"lists":[{"id":7},{"id":"jane@example.com"}]}"#,
            "line 1 column 57, path lists[1].id",
        ),
        (r#"{"contactId":"jane@example.com"}"#, "line 1 column 31, path contactId"),
        (r#"["jane@example.com"]"#, "line 1"),
        ("jane@example.com", "line 1 column 1"),
    ] {
        let error = contact(body).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(place) && !shown.contains("jane"), "{shown}");
    }
}

/// A report that cannot be read leaves thousands of contacts in the dark for one odd row.
#[tokio::test]
async fn a_report_is_read_in_spite_of_odd_rows() {
    let body = r#"{"importId":"a","status":"Finished",
        "summary":{"newContacts":null,"updatedContacts":"2"},
        "created":[{"contactId":1,"identifiers":{"contactId":0,"mobileNumber":447700900123}}],
        "failures":[
            {"contactId":0,"matchIdentifier":"email","identifiers":{"email":"a@example.com"},
                "failures":[{"failureCode":"invalidEmail"}]},
            {"contactId":-1,"identifiers":{"email":7},"failures":[{"failureCode":null}, {}]}]}"#;
    let (_server, client) = serve(200, body).await;
    let status = client.imports().status(&ImportId::new("a").unwrap()).await.unwrap();
    assert_eq!(status.summary.unwrap().updated_contacts, 2);
    let identifiers = &status.created[0].identifiers;
    assert_eq!(identifiers.mobile_number.as_deref(), Some("447700900123"));
    assert_eq!(identifiers.contact_id, None);
    assert_eq!((status.failures[0].contact_id, status.failures[1].contact_id), (None, None));
    let codes: Vec<&str> = status.failures[1].failures.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(codes, ["", ""]);
}
