//! Preferences, consent records and opt-in of contacts: stored, and shown where asked for.

use dotdigital_client::simulator::Visibility;
use serde_json::{Value, json};

use super::{Caller, by_email};

const ANN: &str = "/contacts/v3/email/ann@example.com";

fn record() -> Value {
    json!({
        "text": "Yes, write to me",
        "dateTimeConsented": "2023-01-26T21:29:00Z",
        "url": "https://shop.example/signup?from=news",
        "ipAddress": "192.0.2.7",
        "userAgent": "Browser/1.0",
    })
}

fn shown_record() -> Value {
    let mut shown = record();
    shown["dateTimeCreated"] = json!("2026-09-21T14:13:20Z");
    shown
}

#[test]
fn consent_records_are_only_ever_added() {
    let caller = Caller::new();
    caller.simulator.add_contact("ann@example.com");
    let body = json!({"consentRecords": [record()]});
    let contact = caller.patch(ANN, &body).expect(200);
    assert_eq!(contact["consentRecords"], json!([shown_record()]));
    caller.patch(ANN, &body).expect(200);
    caller.put(ANN, &json!({"identifiers": {"email": "ann@example.com"}})).expect(200);
    let contact = caller.get(ANN).expect(200);
    assert_eq!(contact["consentRecords"], json!([shown_record(), shown_record()]));
}

#[test]
fn a_page_shows_them_where_asked_for() {
    let caller = Caller::new();
    caller.simulator.add_contact("ann@example.com");
    let news = caller.simulator.add_preference("News", None);
    let body =
        json!({"consentRecords": [record()], "preferences": [{"id": news, "isOptedIn": true}]});
    caller.patch(ANN, &body).expect(200);
    let first = |query: &str| {
        caller.get(&format!("/contacts/v3?include={query}")).expect(200)["_items"][0].clone()
    };
    let lists = first("lists");
    assert!(lists.get("consentRecords").is_none() && lists.get("preferences").is_none());
    let both = first("preferences%7CconsentRecords");
    assert_eq!(both["consentRecords"], json!([shown_record()]));
    let shown = json!([{"id": news, "isOptedIn": true, "name": "News", "publicName": "News",
                        "privateName": "News"}]);
    assert_eq!(both["preferences"], shown);
}

#[test]
fn only_preferences_of_the_account_can_be_answered() {
    let caller = Caller::new();
    let ann = caller.simulator.add_contact("ann@example.com");
    let topics = caller.simulator.add_preference_category("Topics");
    let news = caller.simulator.add_preference("News", Some(topics));
    let answer = |id: i32, answer: bool| json!({"preferences": [{"id": id, "isOptedIn": answer}]});
    for unknown in [topics, news + 1] {
        let reply = caller.patch(ANN, &answer(unknown, true));
        assert_eq!(reply.error_code(400), "contacts:badRequest", "{unknown}");
    }
    caller.patch(ANN, &answer(news, true)).expect(200);
    let shown = caller.patch(ANN, &answer(news, false)).expect(200);
    assert_eq!(shown["preferences"][0]["isOptedIn"], false);
    assert_eq!(
        caller.simulator.preferences_of(ann).into_iter().collect::<Vec<_>>(),
        [(news, false)]
    );
    let whole = json!({"identifiers": {"email": "ann@example.com"}});
    assert!(caller.put(ANN, &whole).expect(200).get("preferences").is_none());
}

#[test]
fn a_record_from_the_future_or_off_the_web_is_refused_where_somebody_can_be_asked() {
    let caller = Caller::new();
    caller.simulator.add_contact("ann@example.com");
    for (key, value) in
        [("dateTimeConsented", "2027-01-01T00:00:00Z"), ("url", "file:///etc/hosts")]
    {
        let mut wrong = record();
        wrong[key] = json!(value);
        let body = json!({"consentRecords": [wrong.clone()]});
        assert_eq!(caller.patch(ANN, &body).error_code(400), "contacts:badRequest", "{key}");

        let mut row = by_email("bob@example.com");
        row["consentRecords"] = json!([wrong]);
        let report = caller.import(&json!([row]));
        let failure = &report["failures"][0];
        assert_eq!(failure["failures"][0]["failureCode"], "consentRecordsNotApplied");
        let stored = report["created"].as_array().into_iter().chain(report["updated"].as_array());
        let stored: Vec<_> = stored.flatten().map(|row| &row["contactId"]).collect();
        assert_eq!(stored, [&failure["contactId"]]);
        assert_eq!(report["summary"]["invalidEntries"], 0);
    }
    let bob = caller.get("/contacts/v3/email/bob@example.com").expect(200);
    assert_eq!(bob["consentRecords"], json!([]));
}

#[test]
fn who_opts_in_with_verification_is_pending_until_she_confirms() {
    let caller = Caller::new();
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    let body = json!({
        "identifiers": {"email": "ann@example.com"},
        "channelProperties": {"email": {"optInType": "verifiedDouble"}},
        "lists": [list],
    });
    let ann = caller.patch(ANN, &body).expect(201);
    assert_eq!(ann["status"], "pendingOptIn");
    assert_eq!(ann["channelProperties"]["email"]["status"], "pendingOptIn");
    assert_eq!(ann["lists"][0]["status"], "pending");
    caller.simulator.confirm_opt_in(ann["contactId"].as_i64().expect("an id"));
    let ann = caller.patch(ANN, &body).expect(200);
    assert_eq!(
        (&ann["status"], &ann["lists"][0]["status"]),
        (&json!("subscribed"), &json!("subscribed"))
    );
}

#[test]
fn who_comes_back_is_challenged_if_the_request_says_so() {
    for (no_challenge, status) in [(true, "subscribed"), (false, "pendingOptIn")] {
        let caller = Caller::new();
        let ann = caller.simulator.add_contact("ann@example.com");
        caller.simulator.suppress_contact(ann);
        let options = json!({"resubscribeWithNoChallenge": no_challenge, "preferredLocale": "de-DE",
                             "redirectUrlAfterChallenge": "https://shop.example/thanks"});
        let email = json!({"status": "subscribed", "resubscribeOptions": options});
        let ann = caller.patch(ANN, &json!({"channelProperties": {"email": email}})).expect(200);
        assert_eq!(ann["channelProperties"]["email"]["status"], status);
    }
}

#[test]
fn nobody_who_was_not_asked_can_confirm() {
    let caller = Caller::new();
    let ann = caller.simulator.add_contact("ann@example.com");
    caller.simulator.suppress_contact(ann);
    caller.simulator.confirm_opt_in(ann);
    assert_eq!(caller.get(ANN).expect(200)["status"], "suppressed");
}
