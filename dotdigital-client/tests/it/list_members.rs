//! Members of a list over real HTTP: who left, who chose what, v2's reads, removal and consent.

use std::{cell::RefCell, time::Duration};

use chrono::{DateTime, Utc};
use dotdigital_client::{
    ContactId, EmailAddress, ErrorKind, PreferenceId, RemovalJobId, TransportErrorKind,
    contacts::EmailContactStatus,
    list_members::{ContactIds, PollPolicy, RemovalState},
};

use crate::{
    calls::check,
    support::{Outcome, Script, answer, list_id, serve, virtual_client},
};

const SINCE: &str = "2023-01-26T21:29:00.527Z";

fn since() -> DateTime<Utc> {
    SINCE.parse().unwrap()
}

fn preference() -> PreferenceId {
    PreferenceId::new(3).unwrap()
}

fn contact_ids(ids: impl IntoIterator<Item = i64>) -> Vec<ContactId> {
    ids.into_iter().map(|id| ContactId::new(id).unwrap()).collect()
}

#[tokio::test]
async fn those_who_unsubscribed_from_the_list_are_read() {
    let body = r#"[{"suppressedContact":{"id":1,"email":"nelson@example.com","optInType":"Unknown",
        "emailType":"PlainText","dataFields":null,"status":"Unsubscribed"},
        "dateRemoved":"2020-01-01T09:40:18.527Z","reason":"Unsubscribed"}]"#;
    let (server, client) = serve(200, body).await;
    let mut pages = client.list_members(list_id(7)).unsubscribed_since(since());
    let page = pages.next_page().await.unwrap().unwrap();
    let path = "/v2/address-books/7/contacts/unsubscribed-since/2023-01-26T21%3A29%3A00Z";
    check(&server, &format!("GET {path}?select=1000&skip=0")).await;
    assert_eq!(page[0].contact.id.unwrap().get(), 1);
    assert_eq!(page[0].contact.email.as_deref(), Some("nelson@example.com"));
    assert_eq!(page[0].removed_at, Some("2020-01-01T09:40:18.527Z".parse().unwrap()));
    assert_eq!(page[0].reason, Some(EmailContactStatus::Unsubscribed));
}

#[tokio::test]
async fn members_opted_in_to_a_preference_are_read() {
    let (server, client) = serve(200, r#"[{"id":279,"email":"joe@example.com"}]"#).await;
    let mut pages = client.list_members(list_id(7)).opted_into(preference());
    let page = pages.next_page().await.unwrap().unwrap();
    check(&server, "GET /v2/address-books/7/contacts/with-preference/3?minContactID=0").await;
    assert_eq!(page[0].id.unwrap().get(), 279);
    assert_eq!(page[0].email.as_deref(), Some("joe@example.com"));
}

#[tokio::test]
async fn members_with_a_changed_choice_are_read() {
    let body = r#"[{"contact":{"id":5,"email":"d@example.com","status":"Subscribed"},
        "marketingPreferenceOptIns":[{"marketingPreferenceId":3,"addressBookId":7,
        "isOptedIn":false,"dateModifed":"2020-01-01 09:40:18.527000+00:00"}]}]"#;
    let (server, client) = serve(200, body).await;
    let mut pages = client.list_members(list_id(7)).choices_since(preference(), since());
    let page = pages.next_page().await.unwrap().unwrap();
    let path = "/v2/address-books/7/contacts/with-preference/3/opt-ins-since";
    check(&server, &format!("GET {path}/2023-01-26T21%3A29%3A00Z?minContactID=0")).await;
    let choice = &page[0].opt_ins[0];
    assert_eq!((choice.preference, choice.list), (Some(preference()), Some(list_id(7))));
    assert!(!choice.opted_in && choice.modified.is_some());
}

#[tokio::test]
async fn members_are_read_as_v2_tells_them() {
    let body = r#"[{"id":5,"email":"d@example.com","optInType":"Single","emailType":"PlainText",
        "dataFields":[{"key":"FIRSTNAME","value":"Dora"}],"status":"Subscribed"}]"#;
    let (server, client) = serve(200, body).await;
    let page = client.list_members(list_id(7)).v2_pages(true).next_page().await.unwrap().unwrap();
    check(&server, "GET /v2/address-books/7/contacts?withFullData=true&select=1000&skip=0").await;
    assert_eq!(page[0].data_fields["FIRSTNAME"], "Dora");
    assert_eq!(page[0].status, Some(EmailContactStatus::Subscribed));
}

#[tokio::test]
async fn changed_members_are_read_as_v2_tells_them() {
    let (server, client) = serve(200, r#"[{"id":5,"dataFields":null}]"#).await;
    let mut pages = client.list_members(list_id(7)).v2_modified_since(since(), false);
    let page = pages.next_page().await.unwrap().unwrap();
    let path = "/v2/address-books/7/contacts/modified-since/2023-01-26T21%3A29%3A00Z";
    check(&server, &format!("GET {path}?withFullData=false&select=1000&skip=0")).await;
    assert!(page[0].data_fields.is_empty());
}

#[tokio::test]
async fn a_contact_is_put_on_a_list_by_its_address() {
    let (server, client) = serve(200, r#"{"id":1,"email":"a+b@example.com"}"#).await;
    let email = EmailAddress::parse("a+b@example.com").unwrap();
    let contact = client.list_members(list_id(7)).add_by_email(&email).await.unwrap();
    check(&server, r#"POST /v2/address-books/7/contacts {"email":"a+b@example.com"}"#).await;
    assert_eq!(contact.id.unwrap().get(), 1);
}

#[tokio::test]
async fn a_contact_that_left_is_not_put_on_a_list_by_its_address() {
    let body = r#"{"message":"Contact is suppressed. ERROR_CONTACT_SUPPRESSED"}"#;
    let (_server, client) = serve(400, body).await;
    let email = EmailAddress::parse("a@example.com").unwrap();
    let error = client.list_members(list_id(7)).add_by_email(&email).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Rejected, Some("ERROR_CONTACT_SUPPRESSED"))
    );
}

fn state(word: &str) -> Outcome {
    Ok(answer(200, &format!(r#"{{"id":"13e7","status":"{word}"}}"#)))
}

fn started(job: &str) -> Outcome {
    Ok(answer(202, &format!(r#"{{"id":"{job}","status":"Started"}}"#)))
}

#[tokio::test(start_paused = true)]
async fn a_removal_is_asked_about_less_and_less_often_until_it_has_ended() {
    let script = Script::new([state("Started"), state("Started"), state("Completed")]);
    let (client, clock) = virtual_client(script.clone());
    let job = RemovalJobId::new("13e7").unwrap();
    let seen = RefCell::new(Vec::new());
    let ended = client
        .list_members(list_id(7))
        .wait_with(&job, &PollPolicy::default(), |state| seen.borrow_mut().push(state.clone()))
        .await
        .unwrap();
    assert_eq!(ended, RemovalState::Completed);
    assert_eq!(clock.elapsed().as_secs(), 1 + 2 + 4);
    let all = [RemovalState::Started, RemovalState::Started, RemovalState::Completed];
    assert_eq!(seen.into_inner(), all);
    assert!(script.requests().iter().all(|r| r.path_and_query == "/v2/contacts/deletion/13e7"));
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_removal_ends_with_failures_and_unknown_states_too() {
    for word in ["Failed", "NotAvailableInThisVersion"] {
        let (client, _) = virtual_client(Script::new([state(word)]));
        let job = RemovalJobId::new("13e7").unwrap();
        let members = client.list_members(list_id(7));
        let ended = members.wait(&job, &PollPolicy::default()).await.unwrap();
        assert_eq!(ended, RemovalState::from(word));
    }
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_takes_too_long_is_given_up() {
    let script = Script::new([state("Started"), state("Started"), state("Started")]);
    let (client, clock) = virtual_client(script.clone());
    let job = RemovalJobId::new("13e7").unwrap();
    let policy = PollPolicy { give_up_after: Duration::from_secs(4), ..PollPolicy::default() };
    let error = client.list_members(list_id(7)).wait(&job, &policy).await.unwrap_err();
    assert_eq!((error.kind(), clock.elapsed().as_secs()), (ErrorKind::GaveUp, 4));
    assert_eq!(error.endpoint(), Some("GET /v2/contacts/deletion/{id}"));
    assert_eq!(script.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn any_number_of_contacts_is_removed_one_job_after_another() {
    let script = Script::new([
        started("a"),
        state("Started"),
        state("Completed"),
        started("b"),
        state("Failed"),
    ]);
    let (client, _) = virtual_client(script.clone());
    let contacts = contact_ids(1..=1001);
    let members = client.list_members(list_id(7));
    let mut removals = members.remove_in_batches(contacts.clone(), PollPolicy::default());
    assert!(script.requests().is_empty(), "nothing is sent before it is asked for");

    let first = removals.next_batch().await.unwrap();
    assert!(first.is_completed());
    assert_eq!(first.contacts.as_slice(), &contacts[..ContactIds::MOST]);
    assert_eq!(first.job.unwrap().as_str(), "a");
    assert_eq!(script.requests().len(), 3, "the second job waits for the first to be asked for");

    let second = removals.next_batch().await.unwrap();
    assert!(!second.is_completed());
    assert_eq!(second.outcome.unwrap(), RemovalState::Failed);
    assert_eq!(second.contacts.as_slice(), &contacts[ContactIds::MOST..]);
    assert!(removals.next_batch().await.is_none());
    let paths: Vec<String> = script.requests().into_iter().map(|r| r.path_and_query).collect();
    let (submit, ask) = ("/v2/address-books/7/contacts/delete", "/v2/contacts/deletion/");
    let ask = |job| format!("{ask}{job}");
    assert_eq!(paths, [submit.to_owned(), ask("a"), ask("a"), submit.to_owned(), ask("b")]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_whose_fate_is_unknown_is_reported_so_and_the_next_goes_on() {
    let script = Script::new([
        Err(TransportErrorKind::MaybeSent),
        started("b"),
        state("Started"),
        started("c"),
        state("Completed"),
    ]);
    let (client, _) = virtual_client(script.clone());
    let policy = PollPolicy { give_up_after: Duration::from_secs(1), ..PollPolicy::default() };
    let contacts = contact_ids(1..=2500);
    let mut removals = client.list_members(list_id(7)).remove_in_batches(contacts, policy);

    let lost = removals.next_batch().await.unwrap();
    assert_eq!((lost.job.is_none(), lost.is_completed()), (true, false));
    assert_eq!(lost.outcome.unwrap_err().kind(), ErrorKind::MaybeSent);
    assert_eq!(lost.contacts.as_slice().len(), 1000);

    let slow = removals.next_batch().await.unwrap();
    assert_eq!(slow.job.as_ref().unwrap().as_str(), "b", "it can be asked about again");
    assert!(!slow.is_completed());
    assert_eq!(slow.outcome.unwrap_err().kind(), ErrorKind::GaveUp);

    let last = removals.next_batch().await.unwrap();
    assert_eq!((last.is_completed(), last.contacts.as_slice().len()), (true, 500));
    assert!(removals.next_batch().await.is_none());
}

#[tokio::test]
async fn removing_nobody_sends_nothing() {
    let script = Script::new([]);
    let (client, _) = virtual_client(script);
    let members = client.list_members(list_id(7));
    let mut removals = members.remove_in_batches([], PollPolicy::default());
    let on_any_thread = tokio::spawn(async move { removals.next_batch().await });
    assert!(on_any_thread.await.unwrap().is_none());
}

#[cfg(feature = "account-deletion")]
#[tokio::test]
async fn a_list_is_emptied() {
    let (server, client) = serve(202, r#"{"id":"13e7b388-2060","status":"Started"}"#).await;
    let job = client.list_members(list_id(7)).remove_all().await.unwrap();
    check(&server, "POST /v2/address-books/7/contacts/delete-all").await;
    assert_eq!((job.id.as_str(), job.state), ("13e7b388-2060", RemovalState::Started));
}

#[cfg(feature = "account-deletion")]
#[tokio::test]
async fn emptying_a_list_is_not_repeated_when_its_answer_is_lost() {
    let script = Script::new([Err(TransportErrorKind::MaybeSent)]);
    let (client, _) = virtual_client(script.clone());
    let error = client.list_members(list_id(7)).remove_all().await.unwrap_err();
    assert!(error.may_have_acted());
    assert_eq!(script.requests().len(), 1);
}

#[cfg(feature = "consent-changes")]
mod consent {
    use dotdigital_client::suppressions::{
        Challenge, ChallengeLocale, ResubscribeOutcome, ReturningContact,
    };

    use super::*;

    fn jane() -> EmailAddress {
        EmailAddress::parse("jane@example.com").unwrap()
    }

    #[tokio::test]
    async fn an_address_is_unsubscribed_from_the_list() {
        let body = r#"{"suppressedContact":{"id":123456,"email":"jane@example.com",
            "status":"Subscribed"},"dateRemoved":"2025-07-23 11:01:55.433000+00:00",
            "reason":"Unsubscribed"}"#;
        let (server, client) = serve(200, body).await;
        let left = client.list_members(list_id(7)).unsubscribe(&jane()).await.unwrap();
        let path = "/v2/address-books/7/contacts/unsubscribe";
        check(&server, &format!(r#"POST {path} {{"email":"jane@example.com"}}"#)).await;
        assert_eq!(left.reason, Some(EmailContactStatus::Unsubscribed));
        assert!(left.removed_at.is_some());
    }

    #[tokio::test]
    async fn a_contact_that_left_the_list_is_asked_to_come_back() {
        let body = r#"{"contact":{"id":23,"status":"Unsubscribed"},"status":"ContactChallenged"}"#;
        let (server, client) = serve(200, body).await;
        let contact = ReturningContact::new(jane()).field("FIRSTNAME", "Jane");
        let challenge = Challenge::new()
            .locale(ChallengeLocale::German)
            .return_url("https://www.example.com/news?a=b");
        let members = client.list_members(list_id(7));
        let asked = members.resubscribe(&contact, &challenge).await.unwrap();
        let body = concat!(
            r#"{"unsubscribedContact":{"email":"jane@example.com","#,
            r#""dataFields":[{"key":"FIRSTNAME","value":"Jane"}]},"preferredLocale":"de-DE","#,
            r#""returnUrlToUseIfChallenged":"https://www.example.com/news?a=b"}"#
        );
        check(&server, &format!("POST /v2/address-books/7/contacts/resubscribe {body}")).await;
        assert_eq!(asked.outcome, ResubscribeOutcome::ContactChallenged);
        assert_eq!(asked.contact.status, Some(EmailContactStatus::Unsubscribed));
    }

    #[tokio::test]
    async fn a_contact_that_left_the_list_is_put_back_unasked() {
        let (server, client) = serve(200, r#"{"contact":null,"status":"ContactAdded"}"#).await;
        let members = client.list_members(list_id(7));
        let contact = ReturningContact::new(jane());
        let back = members.resubscribe_with_no_challenge(&contact).await.unwrap();
        let path = "/v2/address-books/7/contacts/resubscribe-with-no-challenge";
        let body = r#"{"unsubscribedContact":{"email":"jane@example.com"}}"#;
        check(&server, &format!("POST {path} {body}")).await;
        assert_eq!(back.outcome, ResubscribeOutcome::ContactAdded);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_unsubscription_is_repeated() {
        let lost = Err(TransportErrorKind::MaybeSent);
        let script = Script::new([lost, Ok(answer(200, "{}"))]);
        let (client, _) = virtual_client(script.clone());
        client.list_members(list_id(7)).unsubscribe(&jane()).await.unwrap();
        assert_eq!(script.requests().len(), 2);
    }

    #[tokio::test]
    async fn resubscribing_is_not_repeated_when_its_answer_is_lost() {
        let lost = || Script::new([Err(TransportErrorKind::MaybeSent)]);
        let contact = ReturningContact::new(jane());
        let (client, _) = virtual_client(lost());
        let members = client.list_members(list_id(7));
        assert!(
            members.resubscribe(&contact, &Challenge::new()).await.unwrap_err().may_have_acted()
        );
        let (client, _) = virtual_client(lost());
        let members = client.list_members(list_id(7));
        let error = members.resubscribe_with_no_challenge(&contact).await.unwrap_err();
        assert!(error.may_have_acted());
    }
}
