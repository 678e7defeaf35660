//! The calls that a list sync must never make: each does its harm and is counted.

use dotdigital_client::{
    simulator::{Simulator, Visibility},
    transport::Method,
};
use serde_json::{Value, json};

use super::Caller;

/// An account with one contact on one list.
struct Target {
    caller: Caller,
    list: i32,
    contact: i64,
}

impl Target {
    fn new() -> Self {
        let caller = Caller::new();
        let list = caller.simulator.add_list("VIP", Visibility::Private);
        let contact = caller.simulator.add_contact("ann@example.com");
        caller.simulator.add_member(list, contact);
        Self { caller, list, contact }
    }

    /// Makes a call that must succeed and must be counted as forbidden.
    fn harm(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let reply = self.caller.call(method, path, body);
        assert!((200..300).contains(&reply.status()), "{method} {path}: {}", reply.status());
        let forbidden = self.simulator().forbidden_calls();
        assert_eq!(forbidden.len(), 1, "{method} {path}");
        assert!(forbidden[0].is_forbidden_for_sync);
        let body = reply.expect(reply.status());
        self.caller.wait(60);
        self.caller.get("/v2/account-info").expect(200);
        body
    }

    fn simulator(&self) -> &Simulator {
        &self.caller.simulator
    }

    fn members(&self) -> usize {
        self.simulator().members(self.list).len()
    }
}

#[test]
fn deleting_a_contact_takes_it_out_of_the_account() {
    let target = Target::new();
    let answer = target.harm(Method::Delete, "/contacts/v3/email/ann@example.com", None);
    assert_eq!(answer, json!({"contactId": target.contact}));
    assert_eq!((target.simulator().contact_count(), target.simulator().binned().len()), (0, 1));

    let target = Target::new();
    target.harm(Method::Delete, &format!("/v2/contacts/{}", target.contact), None);
    assert_eq!((target.simulator().contact_count(), target.members()), (0, 0));
}

#[test]
fn deleting_in_bulk_takes_contacts_out_of_the_account() {
    let target = Target::new();
    let body = json!([{"email": "ann@example.com"}, {"contactId": 4711}]);
    let answer = target.harm(Method::Post, "/contacts/v3/delete", Some(&body));
    let id = answer["deleteId"].as_str().expect("an id");
    let report = target.caller.get(&format!("/contacts/v3/delete/{id}")).expect(200);
    assert_eq!(report["status"], "Finished");
    assert_eq!(report["deleted"], json!([{"email": "ann@example.com"}]));
    assert_eq!(report["failures"][0]["identifier"], json!({"contactId": 4711}));
    assert_eq!(target.simulator().contact_count(), 0);
}

#[test]
fn bulk_deletion_wants_one_identifier_each() {
    let target = Target::new();
    for body in
        [json!([]), json!({}), json!([{}]), json!([{"email": "a", "contactId": 1}]), json!([7])]
    {
        let reply = target.caller.post("/contacts/v3/delete", &body);
        assert_eq!(reply.error_code(400), "contacts:noContactsSpecified", "{body}");
    }
    assert_eq!(
        target.caller.get("/contacts/v3/delete/7").error_code(400),
        "contacts:invalidDeleteId"
    );
}

#[test]
fn replacing_a_contact_wipes_fields_and_lists() {
    let target = Target::new();
    let body = json!({"identifiers": {"email": "ann@example.com"}});
    let answer = target.harm(Method::Put, "/contacts/v3/email/ann@example.com", Some(&body));
    assert_eq!((&answer["lists"], &answer["dataFields"]), (&json!([]), &json!({})));
    assert_eq!((target.members(), target.simulator().contact_count()), (0, 1));
}

#[test]
fn a_replacement_that_is_not_valid_changes_nothing() {
    let target = Target::new();
    target.simulator().add_contact("bob@example.com");
    for body in [
        json!({}),
        json!({"identifiers": {}}),
        json!({"identifiers": {"email": "bob@example.com"}}),
        json!({"identifiers": {"email": "ann@example.com"}, "lists": [999]}),
        json!({"identifiers": {"email": "ann@example.com"}, "consentRecords": [{"text": "yes"}]}),
    ] {
        let reply = target.caller.put("/contacts/v3/email/ann@example.com", &body);
        assert_eq!(reply.error_code(400), "contacts:badRequest", "{body}");
    }
    assert_eq!(target.members(), 1);
}

#[test]
fn a_removal_without_its_contact_id_empties_the_list() {
    for path in ["contacts", "contacts/"] {
        let target = Target::new();
        target.harm(Method::Delete, &format!("/v2/address-books/{}/{path}", target.list), None);
        assert_eq!((target.members(), target.simulator().contact_count()), (0, 1));
    }
}

#[test]
fn delete_all_empties_the_list() {
    let target = Target::new();
    let path = format!("/v2/address-books/{}/contacts/delete-all", target.list);
    let answer = target.harm(Method::Post, &path, None);
    assert_eq!(answer["status"], "Started");
    assert_eq!((target.members(), target.simulator().contact_count()), (0, 1));
}

#[test]
fn unsubscribing_from_a_list_suppresses_there_and_adding_again_does_not_help() {
    let target = Target::new();
    let path = format!("/v2/address-books/{}/contacts/unsubscribe", target.list);
    let answer = target.harm(Method::Post, &path, Some(&json!({"email": "ann@example.com"})));
    assert_eq!(answer["reason"], "Unsubscribed");
    target.simulator().add_member(target.list, target.contact);
    assert_eq!(target.members(), 0);
    let path = path.replace("unsubscribe", "resubscribe");
    let body = json!({"unsubscribedContact": {"email": "ann@example.com"}});
    assert_eq!(target.caller.post(&path, &body).expect(200)["status"], "ContactChallenged");
    assert_eq!(target.members(), 0);
    target.simulator().confirm_opt_in(target.contact);
    assert_eq!(target.members(), 1, "she confirmed");
    let path = path.replace("resubscribe", "unsubscribe");
    target.caller.post(&path, &json!({"email": "ann@example.com"})).expect(200);
    let path = path.replace("unsubscribe", "resubscribe");
    let path = format!("{path}-with-no-challenge");
    assert_eq!(target.caller.post(&path, &body).expect(200)["status"], "ContactAdded");
    assert_eq!((target.members(), target.simulator().forbidden_calls().len()), (1, 4));
}

#[test]
fn unsubscribing_from_the_account_takes_the_contact_off_its_lists() {
    let target = Target::new();
    let body = json!({"email": "ann@example.com"});
    let answer = target.harm(Method::Post, "/v2/contacts/unsubscribe", Some(&body));
    assert_eq!(answer["suppressedContact"]["status"], "Unsubscribed");
    assert_eq!(target.members(), 0);
}

#[test]
fn resubscribing_opens_the_channel_and_does_not_restore_lists() {
    for call in ["resubscribe", "resubscribe-with-no-challenge"] {
        let target = Target::new();
        target.simulator().suppress_contact(target.contact);
        let body = json!({"unsubscribedContact": {"email": "ann@example.com"}});
        let path = format!("/v2/contacts/{call}");
        assert_eq!(target.harm(Method::Post, &path, Some(&body))["status"], "ContactAdded");
        let contact = target.caller.get("/contacts/v3/email/ann@example.com").expect(200);
        assert_eq!(contact["status"], "subscribed");
        assert_eq!(target.members(), 0);
    }
}

#[test]
fn suppressing_takes_the_contact_off_its_lists() {
    let target = Target::new();
    let body = json!([{"id": target.contact}, {"email": "bob@example.com"}]);
    let answer = target.harm(Method::Put, "/v2/contacts/suppress-contacts", Some(&body));
    assert_eq!(answer["notFound"], json!([{"id": 0, "email": "bob@example.com"}]));
    assert_eq!(target.members(), 0);
}

#[test]
fn deleting_a_list_is_counted() {
    let target = Target::new();
    target.harm(Method::Delete, &format!("/v2/address-books/{}", target.list), None);
    assert_eq!(target.simulator().list_named("VIP"), None);
}

#[test]
fn emptying_the_recycle_bin_is_final() {
    let target = Target::new();
    target.simulator().delete_contact(target.contact, target.caller.now.get());
    target.harm(Method::Post, "/v2/accounts/empty-recycle-bin/", None);
    assert!(target.simulator().binned().is_empty());
}
