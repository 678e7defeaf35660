//! `/v2/preferences`, and who is opted in.

use std::collections::BTreeMap;

use dotdigital_client::simulator::Visibility;
use serde_json::{Value, json};

use super::Caller;

/// A category with two preferences, and one at the top.
struct Account {
    caller: Caller,
    camping: i32,
    tents: i32,
    boots: i32,
    news: i32,
    ann: i64,
}

impl Account {
    fn new() -> Self {
        let caller = Caller::new();
        let camping = caller.simulator.add_preference_category("camping");
        let tents = caller.simulator.add_preference("tents", Some(camping));
        let boots = caller.simulator.add_preference("boots", Some(camping));
        let news = caller.simulator.add_preference("news", None);
        let ann = caller.simulator.add_contact("ann@example.com");
        Self { caller, camping, tents, boots, news, ann }
    }

    fn tree(&self) -> Value {
        self.caller.get("/v2/preferences").expect(200)
    }

    fn set(&self, body: &Value) -> super::Reply {
        self.caller.put("/v2/contacts/ann@example.com/preferences", body)
    }

    fn answers(&self) -> BTreeMap<i32, bool> {
        self.caller.simulator.preferences_of(self.ann)
    }
}

fn leaf(id: i32, opted_in: bool) -> Value {
    json!({"id": id, "isPreference": true, "isOptedIn": opted_in})
}

fn names(tree: &Value) -> Vec<&str> {
    tree.as_array().expect("an array").iter().filter_map(|one| one["publicName"].as_str()).collect()
}

fn ids(page: &Value) -> Vec<i64> {
    page.as_array().expect("an array").iter().filter_map(|one| one["id"].as_i64()).collect()
}

#[test]
fn categories_show_what_is_in_them() {
    let account = Account::new();
    let tree = account.tree();
    assert_eq!(names(&tree), ["camping", "news"]);
    let camping = &tree[0];
    assert_eq!((&camping["isPreference"], &camping["preferenceCount"]), (&json!(false), &json!(2)));
    assert_eq!(names(&camping["preferences"]), ["tents", "boots"]);
    let boots = &camping["preferences"][1];
    assert_eq!(boots["categoryId"], account.camping);
    assert_eq!((&boots["order"], &boots["isPreference"]), (&json!("1"), &json!(true)));
    assert_eq!(tree[1].get("preferences"), None);
}

#[test]
fn a_created_preference_stands_where_it_was_asked_for() {
    let account = Account::new();
    for (order, expected) in [
        (json!("top"), ["new", "tents", "boots"]),
        (json!("1"), ["tents", "new", "boots"]),
        (json!(1), ["tents", "new", "boots"]),
        (json!("bottom"), ["tents", "boots", "new"]),
        (json!("99"), ["tents", "boots", "new"]),
    ] {
        let body = json!({"publicName": "new", "privateName": "internal", "isPreference": true,
                          "order": order, "categoryID": account.camping, "isPublic": false});
        let made = account.caller.post("/v2/preferences", &body).expect(200);
        assert_eq!((&made["privateName"], &made["isPublic"]), (&json!("internal"), &json!(false)));
        assert_eq!(names(&account.tree()[0]["preferences"]), expected, "{order}");
        account.caller.delete(&format!("/v2/preferences/{}", made["id"])).status();
    }
}

#[test]
fn what_is_created_is_a_category_unless_said_otherwise() {
    let account = Account::new();
    let body = json!({"publicName": "a", "privateName": "b", "categoryId": null});
    let made = account.caller.post("/v2/preferences", &body).expect(200);
    assert_eq!(
        (&made["isPreference"], &made["categoryId"], &made["isPublic"]),
        (&json!(false), &json!(0), &json!(true))
    );
}

#[test]
fn a_preference_that_is_not_well_formed_is_refused() {
    let account = Account::new();
    let body = |more: Value| {
        let mut body = json!({"publicName": "a", "privateName": "b", "isPreference": true});
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        body
    };
    let wrong = [
        json!({}),
        json!({"publicName": "a"}),
        json!({"privateName": "b"}),
        body(json!({"publicName": 7})),
        body(json!({"isPreference": "yes"})),
        body(json!({"isPublic": null})),
        body(json!({"order": "middle"})),
        body(json!({"order": -1})),
        body(json!({"order": true})),
        body(json!({"categoryID": "1"})),
        body(json!({"categoryID": null})),
        body(json!({"categoryID": 999})),
        body(json!({"categoryID": account.news})),
        body(json!({"categoryID": account.camping, "isPreference": false})),
    ];
    for body in wrong {
        let reply = account.caller.post("/v2/preferences", &body);
        assert_eq!(reply.code(400), "ERROR_PREFERENCE_INVALID", "{body}");
    }
    assert_eq!(
        account.caller.post("/v2/preferences", &json!([])).code(400),
        "ERROR_MALFORMED_REQUEST"
    );
}

#[test]
fn an_update_changes_what_is_sent_and_keeps_the_rest() {
    let account = Account::new();
    account.caller.wait(60);
    let body =
        json!({"id": account.tents, "publicName": "Tents", "privateName": "T", "isPublic": false});
    let path = format!("/v2/preferences/{}", account.tents);
    let changed = account.caller.put(&path, &body).expect(200);
    assert_eq!(
        (&changed["publicName"], &changed["isPublic"], &changed["isPreference"]),
        (&json!("Tents"), &json!(false), &json!(true))
    );
    assert_eq!((&changed["categoryId"], &changed["order"]), (&json!(account.camping), &json!("0")));
    assert_ne!(changed["created"], changed["lastModified"]);
    let moved = json!({"id": account.tents, "publicName": "Tents", "privateName": "T",
                       "categoryID": 0, "order": "top"});
    account.caller.put(&path, &moved).expect(200);
    assert_eq!(names(&account.tree()), ["Tents", "camping", "news"]);
}

#[test]
fn an_update_that_is_not_valid_is_refused() {
    let account = Account::new();
    let path = format!("/v2/preferences/{}", account.tents);
    for body in [
        json!({"publicName": "a", "privateName": "b"}),
        json!({"id": account.boots, "publicName": "a", "privateName": "b"}),
        json!({"id": account.tents, "publicName": "a", "privateName": "b", "isPreference": false}),
        json!({"id": account.tents, "privateName": "b"}),
    ] {
        assert_eq!(
            account.caller.put(&path, &body).code(400),
            "ERROR_PREFERENCE_INVALID",
            "{body}"
        );
    }
    let body = json!({"id": 999, "publicName": "a", "privateName": "b"});
    let unknown = account.caller.put("/v2/preferences/999", &body);
    assert_eq!(unknown.code(404), "ERROR_PREFERENCE_NOT_FOUND");
    assert_eq!(
        account.caller.put("/v2/preferences/x", &body).code(404),
        "ERROR_PREFERENCE_NOT_FOUND"
    );
}

#[test]
fn a_deleted_category_takes_its_preferences_and_all_answers_with_it() {
    let account = Account::new();
    account.caller.simulator.set_preference(account.ann, account.tents, true);
    account.caller.simulator.set_preference(account.ann, account.news, true);
    let reply = account.caller.delete(&format!("/v2/preferences/{}", account.camping));
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(names(&account.tree()), ["news"]);
    assert_eq!(account.answers(), BTreeMap::from([(account.news, true)]));
    let again = account.caller.delete(&format!("/v2/preferences/{}", account.camping));
    assert_eq!(again.code(404), "ERROR_PREFERENCE_NOT_FOUND");
    assert_eq!(account.caller.simulator.forbidden_calls().len(), 2);
}

#[test]
fn modified_preferences_are_shown_within_their_category() {
    let account = Account::new();
    let body = json!({"id": account.boots, "publicName": "Boots", "privateName": "B"});
    account.caller.put(&format!("/v2/preferences/{}", account.boots), &body).expect(200);
    let since = super::start().format("%Y-%m-%dT%H:%M:%SZ");
    let path = format!("/v2/preferences/modified-since/{since}");
    let tree = account.caller.get(&path).expect(200);
    assert_eq!((names(&tree), names(&tree[0]["preferences"])), (vec!["camping"], vec!["Boots"]));
    let all = account.caller.get("/v2/preferences/modified-since/2019-12-31").expect(200);
    assert_eq!(all, account.tree());
    let wrong = account.caller.get("/v2/preferences/modified-since/soon");
    assert_eq!(wrong.code(400), "ERROR_PARAMETER_INVALID");
}

#[test]
fn a_contact_is_asked_for_by_id_or_address() {
    let account = Account::new();
    account.caller.simulator.set_preference(account.ann, account.boots, true);
    for who in [account.ann.to_string(), "ANN%40example.com".to_owned()] {
        let tree = account.caller.get(&format!("/v2/contacts/{who}/preferences")).expect(200);
        assert_eq!(tree[0].get("isOptedIn"), None);
        let inner = tree[0]["preferences"].as_array().expect("an array");
        assert_eq!((&inner[0]["isOptedIn"], &inner[1]["isOptedIn"]), (&json!(false), &json!(true)));
        assert_eq!(tree[1]["isOptedIn"], false);
    }
    for unknown in ["4711", "bob@example.com"] {
        let reply = account.caller.get(&format!("/v2/contacts/{unknown}/preferences"));
        assert_eq!(reply.code(404), "ERROR_CONTACT_NOT_FOUND");
    }
}

#[test]
fn answers_are_set_at_the_top_and_within_categories() {
    let account = Account::new();
    let inner = [leaf(account.tents, true), leaf(account.boots, false)];
    let body = json!([{"id": account.camping, "isPreference": false, "preferences": inner},
                      leaf(account.news, true)]);
    account.set(&body).expect(200);
    let expected = [(account.tents, true), (account.boots, false), (account.news, true)];
    assert_eq!(account.answers(), BTreeMap::from(expected));
}

#[test]
fn one_wrong_answer_spoils_all() {
    let account = Account::new();
    let category =
        |inner: Value| json!({"id": account.camping, "isPreference": false, "preferences": inner});
    for wrong in [
        json!(7),
        json!({"isPreference": true, "isOptedIn": true}),
        json!({"id": account.tents, "isOptedIn": true}),
        json!({"id": account.tents, "isPreference": true}),
        json!({"id": account.tents, "isPreference": true, "isOptedIn": "yes"}),
        json!({"id": account.tents, "isPreference": false, "isOptedIn": true}),
        json!({"id": account.camping, "isPreference": true, "isOptedIn": true}),
        category(json!({})),
        category(json!([])),
        json!({"id": account.camping, "isPreference": false}),
        category(json!([leaf(account.news, true)])),
        category(json!([{"id": account.tents}])),
    ] {
        let reply = account.set(&json!([leaf(account.news, true), wrong]));
        assert_eq!(reply.code(400), "ERROR_PREFERENCE_INVALID", "{wrong}");
    }
    let reply = account.set(&json!([leaf(account.news, true), leaf(999, true)]));
    assert_eq!(reply.code(404), "ERROR_PREFERENCE_NOT_FOUND");
    assert_eq!(account.set(&json!({})).code(400), "ERROR_MALFORMED_REQUEST");
    assert!(account.answers().is_empty());
}

#[test]
fn people_opted_in_are_paged_by_the_least_contact_id() {
    let account = Account::new();
    let bob = account.caller.simulator.add_contact("bob@example.com");
    let eve = account.caller.simulator.add_contact("eve@example.com");
    account.caller.simulator.add_mobile_contact("447123123123");
    for contact in [account.ann, eve] {
        account.caller.simulator.set_preference(contact, account.tents, true);
    }
    account.caller.simulator.set_preference(bob, account.tents, false);
    let path = format!("/v2/contacts/with-preference/{}", account.tents);
    let page = account.caller.get(&path).expect(200);
    assert_eq!(page[0], json!({"id": account.ann, "email": "ann@example.com"}));
    assert_eq!(ids(&page), [account.ann, eve]);
    let rest = account.caller.get(&format!("{path}?minContactID={}", account.ann + 1)).expect(200);
    assert_eq!(ids(&rest), [eve]);
    let from = account.caller.get(&format!("{path}?minContactID={eve}")).expect(200);
    assert_eq!(ids(&from), [eve]);
    for wrong in ["x", "-1", "2147483648"] {
        let reply = account.caller.get(&format!("{path}?minContactID={wrong}"));
        assert_eq!(reply.code(400), "ERROR_PARAMETER_INVALID", "{wrong}");
    }
    let unknown = account.caller.get("/v2/contacts/with-preference/999");
    assert_eq!(unknown.code(404), "ERROR_PREFERENCE_NOT_FOUND");
}

#[test]
fn a_page_of_people_has_a_thousand() {
    let account = Account::new();
    let people: Vec<i64> = (0..1_001)
        .map(|n| account.caller.simulator.add_contact(&format!("p{n}@example.com")))
        .collect();
    for contact in &people {
        account.caller.simulator.set_preference(*contact, account.tents, true);
    }
    let path = format!("/v2/contacts/with-preference/{}", account.tents);
    let page = ids(&account.caller.get(&path).expect(200));
    assert_eq!(page, people[..1_000]);
}

#[test]
fn changed_answers_are_found_by_date() {
    let account = Account::new();
    account.set(&json!([leaf(account.tents, true), leaf(account.news, true)])).expect(200);
    account.caller.wait(3_600);
    account.set(&json!([leaf(account.tents, false), leaf(account.news, true)])).expect(200);
    let since = (super::start() + chrono::TimeDelta::minutes(30)).format("%Y-%m-%dT%H:%M:%SZ");
    let since = |preference: i32| {
        let path = format!("/v2/contacts/with-preference/{preference}/opt-ins-since/{since}");
        account.caller.get(&path).expect(200)
    };
    let changed = since(account.tents);
    assert_eq!(changed[0]["contact"]["id"], account.ann);
    let answer = &changed[0]["marketingPreferenceOptIns"][0];
    assert_eq!(
        (&answer["marketingPreferenceId"], &answer["isOptedIn"]),
        (&json!(account.tents), &json!(false))
    );
    assert_eq!(since(account.news), json!([]), "the same answer again is no change");
}

#[test]
fn on_a_list_only_its_members_are_asked() {
    let account = Account::new();
    let list = account.caller.simulator.add_list("VIP", Visibility::Private);
    let bob = account.caller.simulator.add_contact("bob@example.com");
    account.caller.simulator.add_member(list, bob);
    for contact in [account.ann, bob] {
        account.caller.simulator.set_preference(contact, account.tents, true);
    }
    let path = format!("/v2/address-books/{list}/contacts/with-preference/{}", account.tents);
    assert_eq!(ids(&account.caller.get(&path).expect(200)), [bob]);
    let changed = account.caller.get(&format!("{path}/opt-ins-since/2019-01-01")).expect(200);
    assert_eq!(changed.as_array().map(Vec::len), Some(1));
    assert_eq!(changed[0]["marketingPreferenceOptIns"][0]["addressBookId"], list);
    let unknown = path.replace(&format!("/{list}/"), "/999/");
    assert_eq!(account.caller.get(&unknown).code(404), "ERROR_ADDRESSBOOK_NOT_FOUND");
}
