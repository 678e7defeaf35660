//! Contacts with all their parts, over real HTTP.

use dotdigital_client::{
    ContactId, CustomName, CustomValue, EmailAddress, ErrorKind, Identifier, MobileNumber,
    PreferenceId,
    contacts::{
        ConsentRecord, ContactPart, ContactQuery, ContactUpdate, EmailStatus, EmailType, OptInType,
        SmsStatus, WhatsAppStatus,
    },
    data_fields::{Decimal, FieldType, FieldValue},
    imports::MergeOption,
};

use crate::{
    calls::check,
    support::{email, list_id, serve},
};

const WHOLE: &str = r#"{"contactId":35212311,"status":"subscribed",
    "created":"2023-01-26T21:29:00Z","updated":"2023-01-26T21:29:00Z",
    "identifiers":{"email":"jane@example.com","mobileNumber":"447700900123","crm-id":"A1"},
    "dataFields":{"FIRSTNAME":"Jane","SPENT":12345678901234567.10,"VIP":true,"NOTE":null},
    "channelProperties":{
      "email":{"status":"sharedDomainSuppression","emailType":"Html","optInType":"VerifiedDouble"},
      "sms":{"status":"bounced","countryCode":"GB"},"whatsApp":{"status":"noSubscription"}},
    "lists":[{"id":7,"name":"VIP","status":"pending"}],
    "preferences":[{"id":3,"isOptedIn":true,"publicName":"Shoes","privateName":"shoes01"}],
    "consentRecords":[{"text":"Yes","dateTimeConsented":"2023-01-26T21:29:00",
      "url":"https://example.com/","ipAddress":"127.0.0.1","userAgent":"Browser",
      "dateTimeCreated":"2023-01-26T22:55:00"}]}"#;

fn jane() -> Identifier {
    email("jane@example.com")
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn id(number: i64) -> ContactId {
    ContactId::new(number).unwrap()
}

fn whole_update() -> ContactUpdate {
    let consented = "2023-01-26T21:29:00Z".parse().unwrap();
    let ip = "127.0.0.1".parse().unwrap();
    let record =
        ConsentRecord::new("Yes", consented, "https://example.com/", ip, "Browser").unwrap();
    ContactUpdate::new()
        .mobile_number(MobileNumber::parse("447700900123").unwrap())
        .custom(CustomName::parse("crm-id").unwrap(), CustomValue::parse("A1").unwrap())
        .field("SPENT", FieldType::Numeric.parse("12345678901234567.10").unwrap())
        .field("NOTE", FieldValue::Clear)
        .email_type(EmailType::Html)
        .list(list_id(7))
        .preference(PreferenceId::new(3).unwrap(), true)
        .consent(record)
}

/// What [`whole_update`] sends after the identifiers, but for the consent record.
const REST: &str = concat!(
    r#""mobileNumber":"447700900123","crm-id":"A1"},"#,
    r#""dataFields":{"NOTE":null,"SPENT":12345678901234567.10},"#,
    r#""channelProperties":{"email":{"emailType":"html"}},"lists":[7],"#,
    r#""preferences":[{"id":3,"isOptedIn":true}]"#
);

const RECORD: &str = concat!(
    r#""consentRecords":[{"text":"Yes","dateTimeConsented":"2023-01-26T21:29:00Z","#,
    r#""url":"https://example.com/","ipAddress":"127.0.0.1","userAgent":"Browser"}]"#
);

#[tokio::test]
async fn every_part_of_a_contact_is_read() {
    let (_server, client) = serve(200, WHOLE).await;
    let contact = client.contacts().find(&jane()).await.unwrap().unwrap();
    let spent = FieldValue::Number(Decimal::parse("12345678901234567.10").unwrap());
    assert_eq!(contact.data_fields["SPENT"], spent);
    assert_eq!(contact.data_fields["FIRSTNAME"], FieldValue::Text("Jane".into()));
    assert_eq!(contact.data_fields["VIP"], FieldValue::Boolean(true));
    assert_eq!(contact.data_fields["NOTE"], FieldValue::Clear);
    let channel = contact.channels.email.as_ref().unwrap();
    assert_eq!(channel.status, Some(EmailStatus::SharedDomainSuppression));
    assert_eq!(channel.email_type, Some(EmailType::Html));
    assert_eq!(channel.opt_in_type, Some(OptInType::VerifiedDouble));
    let sms = contact.channels.sms.as_ref().unwrap();
    assert_eq!((&sms.status, sms.country_code.as_deref()), (&Some(SmsStatus::Bounced), Some("GB")));
    let whatsapp = contact.channels.whatsapp.as_ref().unwrap();
    assert_eq!(whatsapp.status, Some(WhatsAppStatus::NoSubscription));
    let preference = &contact.preferences[0];
    assert_eq!((preference.id.get(), preference.opted_in), (3, Some(true)));
    assert_eq!((&*preference.public_name, &*preference.private_name), ("Shoes", "shoes01"));
    let record = &contact.consent_records[0];
    assert_eq!(
        (&*record.text, &*record.ip_address, &*record.user_agent),
        ("Yes", "127.0.0.1", "Browser")
    );
    assert_eq!(record.consented, Some("2023-01-26T21:29:00Z".parse().unwrap()));
    assert!(record.created > record.consented);
    let shown = format!("{contact:?}");
    for hidden in ["jane@", "Jane", "7700", "12345678901234567", "127.0", "A1"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

#[tokio::test]
async fn everything_about_a_contact_is_upserted_with_a_choice_of_what_wins() {
    let (server, client) = serve(201, WHOLE).await;
    let update = whole_update();
    let merge = MergeOption::OverwriteIfNotEmpty;
    let upserted = client.contacts().upsert_merging(&jane(), &update, merge).await.unwrap();
    let path = "/contacts/v3/email/jane%40example.com?merge-option=overwrite-if-not-empty";
    let body = format!(r#"{{"identifiers":{{"email":"jane@example.com",{REST},{RECORD}}}"#);
    check(&server, &format!("PATCH {path} {body}")).await;
    assert!(upserted.created);
}

#[tokio::test]
async fn a_contact_is_created() {
    let (server, client) = serve(201, WHOLE).await;
    let contact = whole_update().email(address("jane@example.com"));
    let created = client.contacts().create(&contact).await.unwrap();
    let body = format!(r#"{{"identifiers":{{"email":"jane@example.com",{REST},{RECORD}}}"#);
    check(&server, &format!("POST /contacts/v3 {body}")).await;
    assert_eq!(created.contact_id, id(35_212_311));
}

#[tokio::test]
async fn a_contact_that_exists_is_not_created_again() {
    for code in ["contacts:identifierConflict", "contacts:idAlreadyExists"] {
        let (_server, client) = serve(409, &format!(r#"{{"errorCode":"{code}"}}"#)).await;
        let contact = ContactUpdate::new().email(address("jane@example.com"));
        let error = client.contacts().create(&contact).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Conflict, Some(code)));
    }
}

#[tokio::test]
async fn contacts_are_paged_by_a_query() {
    let body = format!(r#"{{"_items":[{WHOLE}],"_links":{{"self":{{}},"first":{{}}}}}}"#);
    let (server, client) = serve(200, &body).await;
    let query = ContactQuery::new()
        .all_fields()
        .include(ContactPart::Preferences)
        .include(ContactPart::ConsentRecords)
        .modified_since("2021-12-17T00:00:00Z".parse().unwrap())
        .on_list(list_id(7))
        .page_size(100);
    let contacts = client.contacts().pages(&query).all().await.unwrap();
    check(
        &server,
        "GET /contacts/v3?data-fields=%5B%5BALL%5D%5D&include=preferences%7CconsentRecords\
         &~modified=gte%3A%3A2021-12-17T00%3A00%3A00.000Z&~listId=7&limit=100",
    )
    .await;
    assert_eq!(contacts.len(), 1);
}

#[cfg(feature = "consent-changes")]
#[tokio::test]
async fn channel_statuses_are_changed_only_where_asked_for() {
    use dotdigital_client::{
        contacts::{EmailStatusChange, PhoneStatusChange, ResubscribeOptions},
        suppressions::ChallengeLocale,
    };
    let (server, client) = serve(200, WHOLE).await;
    let options = ResubscribeOptions::asking()
        .locale(ChallengeLocale::German)
        .redirect_url("https://example.com/back")
        .unwrap();
    let update = ContactUpdate::new()
        .email_type(EmailType::PlainText)
        .opt_in_type(OptInType::VerifiedDouble)
        .email_status(EmailStatusChange::Subscribed)
        .resubscribe(options)
        .sms_status(PhoneStatusChange::NoSubscription)
        .whatsapp_status(PhoneStatusChange::Suppressed);
    client.contacts().upsert(&Identifier::ContactId(id(5)), &update).await.unwrap();
    let body = concat!(
        r#"{"channelProperties":{"email":{"emailType":"plainText","optInType":"verifiedDouble","#,
        r#""status":"subscribed","resubscribeOptions":{"resubscribeWithNoChallenge":false,"#,
        r#""preferredLocale":"de-DE","redirectUrlAfterChallenge":"https://example.com/back"}},"#,
        r#""sms":{"status":"noSubscription"},"whatsApp":{"status":"suppressed"}}}"#
    );
    let path = "/contacts/v3/contactId/5?merge-option=overwrite";
    check(&server, &format!("PATCH {path} {body}")).await;
}

#[cfg(feature = "consent-changes")]
#[tokio::test]
async fn resubscribe_options_are_checked_and_not_for_new_contacts() {
    use dotdigital_client::contacts::{InvalidRedirectUrl, ResubscribeOptions};
    let options = ResubscribeOptions::without_asking();
    assert_eq!(options.clone().redirect_url("/back"), Err(InvalidRedirectUrl));
    let (server, client) = serve(201, WHOLE).await;
    let contact = ContactUpdate::new().email(address("jane@example.com")).resubscribe(options);
    let error = client.contacts().create(&contact).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[cfg(feature = "account-deletion")]
mod deletion {
    use dotdigital_client::{
        DeletionJobId,
        contacts::{ContactsToDelete, DeletionState},
        imports::{FailureCode, PollPolicy},
    };

    use super::*;
    use crate::support::{Script, answer, virtual_client};

    #[tokio::test]
    async fn a_contact_is_replaced() {
        let (server, client) = serve(200, WHOLE).await;
        let contact = ContactUpdate::new().field("FIRSTNAME", "Jane");
        client.contacts().replace(&jane(), &contact).await.unwrap();
        let body =
            r#"{"identifiers":{"email":"jane@example.com"},"dataFields":{"FIRSTNAME":"Jane"}}"#;
        check(&server, &format!("PUT /contacts/v3/email/jane%40example.com {body}")).await;
    }

    #[tokio::test]
    async fn what_cannot_replace_a_contact_is_refused_before_sending() {
        let (server, client) = serve(200, WHOLE).await;
        let by_id = Identifier::ContactId(id(5));
        for (found_by, contact) in [(&by_id, ContactUpdate::new()), (&jane(), whole_update())] {
            let error = client.contacts().replace(found_by, &contact).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Rejected);
        }
        assert!(server.received_requests().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_contact_is_deleted_from_the_account() {
        let (server, client) = serve(200, r#"{"contactId":"5"}"#).await;
        let deleted = client.contacts().delete(&email("a+b@example.com")).await.unwrap();
        check(&server, "DELETE /contacts/v3/email/a%2Bb%40example.com").await;
        assert_eq!(deleted, Some(id(5)));
    }

    #[tokio::test]
    async fn deleting_a_missing_contact_is_no_error() {
        let (_server, client) = serve(404, r#"{"errorCode":"contacts:contactNotFound"}"#).await;
        assert_eq!(client.contacts().delete(&jane()).await.unwrap(), None);
    }

    #[tokio::test]
    async fn many_contacts_are_deleted_by_any_identifier() {
        let (server, client) = serve(202, r#"{"deleteId":"c4920aee-3add"}"#).await;
        let custom = Identifier::custom("crm-id", "A1").unwrap();
        let mobile = Identifier::MobileNumber(MobileNumber::parse("447700900123").unwrap());
        let contacts = vec![Identifier::ContactId(id(5)), jane(), mobile, custom];
        let contacts = ContactsToDelete::new(contacts).unwrap();
        let job = client.contacts().delete_many(&contacts).await.unwrap();
        let body = concat!(
            r#"[{"contactId":5},{"email":"jane@example.com"},"#,
            r#"{"mobileNumber":"447700900123"},{"crm-id":"A1"}]"#
        );
        check(&server, &format!("POST /contacts/v3/delete {body}")).await;
        assert_eq!(job.as_str(), "c4920aee-3add");
    }

    #[tokio::test]
    async fn the_report_of_a_deletion_is_read() {
        let report = r#"{"deleteId":"c4920aee-3add","status":"finished",
            "summary":{"requestedContacts":2,"deletedContacts":1,"unknownContacts":1,
                "invalidEntries":0},
            "deleted":[{"email":"jane@example.com"}],
            "failures":[{"identifier":{"contactId":9},
                "failures":[{"failureCode":"contactNotFound","description":"x"}]}]}"#;
        let (server, client) = serve(200, report).await;
        let job = DeletionJobId::new("c4920aee-3add").unwrap();
        let status = client.contacts().deletion_status(&job).await.unwrap();
        check(&server, "GET /contacts/v3/delete/c4920aee-3add").await;
        assert_eq!(status.state, DeletionState::Finished);
        let summary = status.summary.unwrap();
        assert_eq!((summary.requested_contacts, summary.deleted_contacts), (2, 1));
        assert_eq!(status.deleted[0].email.as_deref(), Some("jane@example.com"));
        assert_eq!(status.failures[0].identifier.contact_id, Some(id(9)));
        assert_eq!(status.failures[0].failures[0].code, FailureCode::ContactNotFound);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deletion_is_waited_for() {
        let state = |word| Ok(answer(200, &format!(r#"{{"deleteId":"a","status":"{word}"}}"#)));
        let script = Script::new([state("NotStarted"), state("NotFinished"), state("Failed")]);
        let (client, clock) = virtual_client(script);
        let job = DeletionJobId::new("a").unwrap();
        let waiting = client.contacts().wait_for_deletion(&job, &PollPolicy::default()).await;
        assert_eq!(waiting.unwrap().state, DeletionState::Failed);
        assert_eq!(clock.elapsed().as_secs(), 1 + 2 + 4);
    }
}
