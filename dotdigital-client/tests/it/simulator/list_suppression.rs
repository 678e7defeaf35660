//! Who left a list stays off it; who only could not be written to may come back.

use dotdigital_client::simulator::{SuppressedAddition, Switches, Visibility};
use serde_json::{Value, json};

use super::{Caller, onto_list};

const ANN: &str = "ann@example.com";

/// Ann on a list.
struct World {
    caller: Caller,
    list: i32,
    ann: i64,
}

impl World {
    fn new() -> Self {
        Self::switched(Switches::default())
    }

    fn switched(switches: Switches) -> Self {
        let caller = Caller::switched(switches);
        let list = caller.simulator.add_list("VIP", Visibility::Private);
        let ann = caller.simulator.add_contact(ANN);
        caller.simulator.add_member(list, ann);
        Self { caller, list, ann }
    }

    fn members(&self) -> usize {
        self.caller.simulator.members(self.list).len()
    }

    fn post(&self, path: &str, body: &Value) {
        let reply = self.caller.post(path, body);
        assert!(reply.status() < 300, "{path}: {}", reply.status());
    }

    fn in_list(&self, rest: &str) -> String {
        format!("/v2/address-books/{}/contacts{rest}", self.list)
    }

    fn leave(&self) {
        self.post(&self.in_list("/unsubscribe"), &json!({"email": ANN}));
    }

    fn add_again(&self) {
        let body = json!({"identifiers": {"email": ANN}, "lists": [self.list]});
        assert!(self.caller.patch("/contacts/v3/email/ann@example.com", &body).status() < 300);
    }
}

#[test]
fn who_left_a_list_stays_off_it_after_it_was_emptied() {
    let by_job = World::new();
    by_job.leave();
    by_job.post(&by_job.in_list("/delete-all"), &json!({}));
    by_job.caller.wait(60);
    by_job.add_again();
    assert_eq!(by_job.members(), 0);

    let at_once = World::new();
    at_once.leave();
    at_once.caller.delete(&at_once.in_list("")).expect(204);
    at_once.add_again();
    assert_eq!(at_once.members(), 0);
}

#[test]
fn who_left_a_list_stays_off_it_after_being_replaced_or_deleted() {
    let replaced = World::new();
    replaced.leave();
    let body = json!({"identifiers": {"email": ANN}, "lists": [replaced.list]});
    replaced.caller.put("/contacts/v3/email/ann@example.com", &body).expect(200);
    assert_eq!(replaced.members(), 0);

    let deleted = World::new();
    deleted.leave();
    deleted.caller.delete("/contacts/v3/email/ann@example.com").expect(200);
    deleted.add_again();
    assert_eq!(deleted.members(), 0);
}

#[test]
fn who_was_suppressed_by_the_account_can_be_added_again_once_subscribed() {
    let world = World::new();
    world.caller.simulator.suppress_contact(world.ann);
    world.add_again();
    assert_eq!(world.members(), 0);
    world.post(
        "/v2/contacts/resubscribe-with-no-challenge",
        &json!({"unsubscribedContact": {"email": ANN}}),
    );
    assert_eq!(world.members(), 0, "a resubscription restores no list");
    world.add_again();
    assert_eq!(world.members(), 1);
}

#[test]
fn an_addition_that_is_refused_changes_nothing() {
    let switches =
        Switches { suppressed_addition: SuppressedAddition::Fails, ..Switches::default() };
    let world = World::switched(switches);
    world.caller.simulator.suppress_contact(world.ann);
    let before = world.caller.get("/contacts/v3/email/ann@example.com").expect(200);
    world.caller.wait(60);
    let fields = json!({"FIRSTNAME": "Ann"});
    let body = json!({"identifiers": {"email": ANN}, "lists": [world.list], "dataFields": fields});
    world.caller.patch("/contacts/v3/email/ann@example.com", &body).error_code(400);
    let mut row = onto_list(ANN, world.list);
    row["dataFields"] = fields;
    let report = world.caller.import(&json!([row]));
    assert_eq!(report["failures"][0]["failures"][0]["failureCode"], "globallySuppressed");
    assert_eq!(world.caller.get("/contacts/v3/email/ann@example.com").expect(200), before);
    let closed = json!({"email": {"status": "unsubscribed"}});
    let body = json!({"identifiers": {"email": "bob@example.com"}, "lists": [world.list],
                      "channelProperties": closed});
    world.caller.post("/contacts/v3", &body).error_code(400);
    assert_eq!(world.caller.simulator.contact_count(), 1);
}
