//! Suppression over real HTTP: who left, what somebody chose, and the calls that change it.

use chrono::{DateTime, Utc};
use dotdigital_client::{EmailAddress, contacts::EmailContactStatus};

use crate::{
    calls::check,
    support::{Script, answer, serve, virtual_client},
};

const SUPPRESSED: &str = r#"[{"suppressedContact":{"id":25,"email":"terry@example.com",
    "optInType":"VerifiedDouble","emailType":"Html","dataFields":null,"status":"HardBounced"},
    "dateRemoved":"2020-01-01 09:40:18.527000+00:00","reason":"HardBounced"},
    {"suppressedContact":{"id":0,"email":"nobody@example.com"},"dateRemoved":null,"reason":null}]"#;

fn since() -> DateTime<Utc> {
    "2023-01-26T21:29:00Z".parse().unwrap()
}

fn jane() -> EmailAddress {
    EmailAddress::parse("jane+x@example.com").unwrap()
}

#[tokio::test]
async fn the_suppressed_are_read_also_where_they_are_no_contacts() {
    let (server, client) = serve(200, SUPPRESSED).await;
    let mut pages = client.suppressions().suppressed_since(since());
    let page = pages.next_page().await.unwrap().unwrap();
    let path = "/v2/contacts/suppressed-since/2023-01-26T21%3A29%3A00Z";
    check(&server, &format!("GET {path}?select=1000&skip=0")).await;
    assert_eq!(page[0].contact.id.unwrap().get(), 25);
    assert_eq!(page[0].contact.status, Some(EmailContactStatus::HardBounced));
    assert_eq!(page[0].reason, Some(EmailContactStatus::HardBounced));
    assert_eq!(page[0].removed_at, Some("2020-01-01T09:40:18.527Z".parse().unwrap()));
    assert_eq!(page[1].contact.id, None);
    assert_eq!(page[1].contact.email.as_deref(), Some("nobody@example.com"));
    assert_eq!((page[1].removed_at, &page[1].reason), (None, &None));
    assert!(!format!("{page:?}").contains("example.com"));
}

#[tokio::test]
async fn those_who_unsubscribed_are_read() {
    let (server, client) = serve(200, SUPPRESSED).await;
    let mut pages = client.suppressions().unsubscribed_since(since());
    assert_eq!(pages.next_page().await.unwrap().unwrap().len(), 2);
    let path = "/v2/contacts/unsubscribed-since/2023-01-26T21%3A29%3A00Z";
    check(&server, &format!("GET {path}?select=1000&skip=0")).await;
}

#[tokio::test]
async fn the_suppressed_are_paged_until_a_page_is_empty() {
    let second = SUPPRESSED.replace("25", "26").replace("nobody", "somebody");
    let pages = [SUPPRESSED, &second, "[]"].map(|body| Ok(answer(200, body)));
    let (client, _) = virtual_client(Script::new(pages));
    assert_eq!(client.suppressions().suppressed_since(since()).all().await.unwrap().len(), 4);
}

#[tokio::test]
async fn the_choices_of_a_contact_are_read() {
    let body = r#"{"contact":{"id":1,"email":"jane+x@example.com","status":"Subscribed"},
        "marketingPreferenceOptIns":[{"marketingPreferenceId":5,"addressBookId":1,
        "isOptedIn":true,"dateModifed":"2020-01-01 09:40:18.527000+00:00"}]}"#;
    let (server, client) = serve(200, body).await;
    let chosen = client.suppressions().subscriptions_of(&jane()).await.unwrap().unwrap();
    check(&server, "GET /v2/contacts/jane%2Bx%40example.com/subscriptions").await;
    assert_eq!(chosen.contact.id.unwrap().get(), 1);
    assert_eq!(chosen.opt_ins[0].preference.unwrap().get(), 5);
    assert!(chosen.opt_ins[0].opted_in);
}

#[tokio::test]
async fn the_choices_of_an_unknown_contact_are_no_error() {
    let (_server, client) = serve(404, r#"{"message":"Error: ERROR_CONTACT_NOT_FOUND"}"#).await;
    assert_eq!(client.suppressions().subscriptions_of(&jane()).await.unwrap(), None);
}

#[cfg(feature = "consent-changes")]
mod consent {
    use dotdigital_client::{
        ContactId, ErrorKind, TransportErrorKind,
        contacts::IdOrEmail,
        suppressions::{Challenge, ChallengeLocale, ResubscribeOutcome, ReturningContact},
    };

    use super::*;

    #[tokio::test]
    async fn an_address_is_unsubscribed_from_the_account() {
        let body = r#"{"suppressedContact":{"id":1,"email":"jane+x@example.com",
            "status":"Unsubscribed"},"dateRemoved":"2020-01-01 09:40:18.527000+00:00",
            "reason":"Unsubscribed"}"#;
        let (server, client) = serve(200, body).await;
        let left = client.suppressions().unsubscribe(&jane()).await.unwrap();
        check(&server, r#"POST /v2/contacts/unsubscribe {"email":"jane+x@example.com"}"#).await;
        assert_eq!(left.contact.status, Some(EmailContactStatus::Unsubscribed));
    }

    #[tokio::test]
    async fn a_contact_that_left_is_asked_to_come_back() {
        let body = r#"{"contact":{"id":23},"status":"ContactChallenged"}"#;
        let (server, client) = serve(200, body).await;
        let contact = ReturningContact::new(jane()).field("LASTNAME", "Doe").field("AGE", "41");
        let challenge = Challenge::new().locale(ChallengeLocale::Spanish);
        let asked = client.suppressions().resubscribe(&contact, &challenge).await.unwrap();
        let body = concat!(
            r#"{"unsubscribedContact":{"email":"jane+x@example.com","dataFields":["#,
            r#"{"key":"AGE","value":"41"},{"key":"LASTNAME","value":"Doe"}]},"#,
            r#""preferredLocale":"es"}"#
        );
        check(&server, &format!("POST /v2/contacts/resubscribe {body}")).await;
        assert_eq!(asked.outcome, ResubscribeOutcome::ContactChallenged);
        assert_eq!(asked.contact.id.unwrap().get(), 23);
    }

    #[tokio::test]
    async fn a_contact_that_left_is_brought_back_unasked_unless_it_cannot_be() {
        let body = r#"{"contact":{"id":23},"status":"ContactCannotBeUnsuppressed"}"#;
        let (server, client) = serve(200, body).await;
        let contact = ReturningContact::new(jane());
        let back = client.suppressions().resubscribe_with_no_challenge(&contact).await.unwrap();
        let path = "/v2/contacts/resubscribe-with-no-challenge";
        let body = r#"{"unsubscribedContact":{"email":"jane+x@example.com"}}"#;
        check(&server, &format!("POST {path} {body}")).await;
        assert_eq!(back.outcome, ResubscribeOutcome::ContactCannotBeUnsuppressed);
    }

    #[tokio::test]
    async fn contacts_are_suppressed_by_id_and_by_address() {
        let body = r#"{"suppressed":[{"id":123,"email":null},{"id":0,"email":"jane+x@example.com"}],
            "notFound":[{"id":0,"email":"unknown@example.com"}]}"#;
        let (server, client) = serve(200, body).await;
        let id = ContactId::new(123).unwrap();
        let contacts = [IdOrEmail::from(id), IdOrEmail::from(jane())];
        let result = client.suppressions().suppress(&contacts).await.unwrap();
        let body = r#"[{"id":123},{"email":"jane+x@example.com"}]"#;
        check(&server, &format!("PUT /v2/contacts/suppress-contacts {body}")).await;
        assert_eq!((result.suppressed[0].id, &result.suppressed[0].email), (Some(id), &None));
        assert_eq!(result.suppressed[1].id, None);
        assert_eq!(result.suppressed[1].email.as_deref(), Some("jane+x@example.com"));
        assert_eq!(result.not_found[0].email.as_deref(), Some("unknown@example.com"));
    }

    #[tokio::test]
    async fn suppressing_nobody_is_refused_before_sending() {
        let (client, _) = virtual_client(Script::new([]));
        let error = client.suppressions().suppress(&[]).await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_acted()), (ErrorKind::Rejected, false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_answer_is_asked_for_again_where_people_leave_and_not_where_they_come_back() {
        let lost = || Err(TransportErrorKind::MaybeSent);
        let done = || Ok(answer(200, "{}"));
        let script = Script::new([lost(), done(), lost(), done()]);
        let (client, _) = virtual_client(script.clone());
        client.suppressions().unsubscribe(&jane()).await.unwrap();
        client.suppressions().suppress(&[jane().into()]).await.unwrap();
        assert_eq!(script.requests().len(), 4);

        let script = Script::new([lost(), lost()]);
        let (client, _) = virtual_client(script.clone());
        let (contact, challenge) = (ReturningContact::new(jane()), Challenge::new());
        client.suppressions().resubscribe(&contact, &challenge).await.unwrap_err();
        client.suppressions().resubscribe_with_no_challenge(&contact).await.unwrap_err();
        assert_eq!(script.requests().len(), 2);
    }
}
