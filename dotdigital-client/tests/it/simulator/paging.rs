//! `GET /contacts/v3`.

use dotdigital_client::simulator::{DataFieldType, ListReading, Switches, Visibility};
use serde_json::{Value, json};

use super::Caller;

fn ids(page: &Value) -> Vec<i64> {
    let items = page["_items"].as_array().expect("items");
    items.iter().map(|item| item["contactId"].as_i64().expect("an id")).collect()
}

fn list_of(caller: &Caller, people: usize) -> (i32, Vec<i64>) {
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    let add = |number| {
        let contact = caller.simulator.add_contact(&format!("{number}@example.com"));
        caller.simulator.add_member(list, contact);
        contact
    };
    (list, (0..people).map(add).collect())
}

#[test]
fn pages_of_a_list_are_followed_to_the_end_by_marker() {
    let caller = Caller::new();
    let (list, people) = list_of(&caller, 5);
    caller.simulator.add_contact("stranger@example.com");
    let mut seen = Vec::new();
    let mut marker = String::new();
    loop {
        let path = format!("/contacts/v3?~listId={list}&limit=2&marker={marker}");
        let page = caller.get(&path).expect(200);
        seen.extend(ids(&page));
        assert_eq!(page["_links"]["self"]["marker"], marker);
        match page["_links"]["next"]["marker"].as_str() {
            Some(next) => next.clone_into(&mut marker),
            None => break,
        }
    }
    assert_eq!(seen, people);
}

#[test]
fn a_last_page_that_is_full_has_no_next() {
    let caller = Caller::new();
    let (list, people) = list_of(&caller, 2);
    let page = caller.get(&format!("/contacts/v3?~listId={list}&limit=2")).expect(200);
    assert_eq!(ids(&page), people);
    assert!(page["_links"].get("next").is_none());
}

#[test]
fn the_next_link_asks_the_same_question() {
    let caller = Caller::new();
    let (list, people) = list_of(&caller, 3);
    let path = format!("/contacts/v3?%7ElistId={list}&limit=2&include=lists%7CchannelProperties");
    let page = caller.get(&path).expect(200);
    let link = page["_links"]["next"]["link"].as_str().expect("a link");
    let path = link.strip_prefix("https://r1-api.example.com").expect("the host that was called");
    let rest = caller.get(path).expect(200);
    assert_eq!(ids(&rest), people[2..]);
    assert_eq!(rest["_items"][0]["lists"][0]["id"], list);
}

#[test]
fn members_that_come_and_go_between_pages_do_not_shift_the_others() {
    let caller = Caller::new();
    let (list, people) = list_of(&caller, 4);
    let page = caller.get(&format!("/contacts/v3?~listId={list}&limit=2")).expect(200);
    caller.simulator.remove_member(list, people[0]);
    let marker = page["_links"]["next"]["marker"].as_str().expect("a marker");
    let path = format!("/contacts/v3?~listId={list}&limit=2&marker={marker}");
    assert_eq!(ids(&caller.get(&path).expect(200)), people[2..]);
}

#[test]
fn only_what_is_asked_for_is_shown() {
    let caller = Caller::new();
    caller.simulator.add_contact("ann@example.com");
    caller.simulator.add_data_field("AGE", DataFieldType::Numeric);
    let fields = json!({"dataFields": {"FIRSTNAME": "Ann", "AGE": 7}});
    caller.patch("/contacts/v3/email/ann@example.com", &fields).expect(200);
    let first =
        |query: &str| caller.get(&format!("/contacts/v3{query}")).expect(200)["_items"][0].clone();
    let keys = |item: &Value| {
        let keys = item.as_object().expect("an object").keys().cloned();
        keys.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(keys(&first("")), "contactId created identifiers status updated");
    assert_eq!(first("/?data-fields=firstname")["dataFields"], json!({"FIRSTNAME": "Ann"}));
    let all = first("?data-fields=%5B%5BALL%5D%5D&include=channelProperties");
    assert_eq!(all["dataFields"], json!({"FIRSTNAME": "Ann", "AGE": 7}));
    assert!(all["channelProperties"]["email"].is_object());
}

#[test]
fn contacts_are_filtered_by_their_dates() {
    let caller = Caller::new();
    caller.simulator.add_contact("old@example.com");
    let body = json!({"identifiers": {"email": "new@example.com"}});
    let new =
        caller.patch("/contacts/v3/email/new@example.com", &body).expect(201)["contactId"].clone();
    for filter in ["~created", "~modified"] {
        let page =
            caller.get(&format!("/contacts/v3?{filter}=gte::2021-01-01T00:00:00Z")).expect(200);
        assert_eq!(page["_items"].as_array().map(Vec::len), Some(1));
        assert_eq!(page["_items"][0]["contactId"], new);
    }
}

#[test]
fn suppressed_members_are_hidden_or_shown_as_switched() {
    for (switch, shown) in [(ListReading::HidesSuppressed, 1), (ListReading::ShowsSuppressed, 2)] {
        let caller = Caller::switched(Switches { list_reading: switch, ..Switches::default() });
        let (list, people) = list_of(&caller, 2);
        caller.simulator.suppress_contact(people[0]);
        let page = caller.get(&format!("/contacts/v3?~listId={list}&include=lists")).expect(200);
        assert_eq!(ids(&page).len(), shown);
        if shown == 2 {
            assert_eq!(page["_items"][0]["lists"][0]["status"], "suppressed");
        }
        let read = caller.get(&format!("/v2/address-books/{list}")).expect(200);
        assert_eq!(read["contacts"], shown);
        assert_eq!(caller.simulator.members(list).len(), 1);
    }
}

#[test]
fn links_lead_back_and_to_the_end() {
    let caller = Caller::new();
    let (list, people) = list_of(&caller, 5);
    let page = |marker: &str| {
        caller.get(&format!("/contacts/v3?~listId={list}&limit=2&marker={marker}")).expect(200)
    };
    let marker =
        |page: &Value, link: &str| page["_links"][link]["marker"].as_str().map(str::to_owned);
    let first = page("");
    assert_eq!(marker(&first, "prev"), None);
    let second = page(&marker(&first, "next").expect("a second page"));
    let third = page(&marker(&second, "next").expect("a third page"));
    assert_eq!(ids(&third), people[4..]);
    assert_eq!(ids(&page(&marker(&third, "prev").expect("a page before"))), people[2..4]);
    assert_eq!(marker(&second, "prev"), Some(String::new()));
    assert_eq!(ids(&page(&marker(&first, "last").expect("a last page"))), people[3..]);
}

#[test]
fn links_of_an_account_without_contacts_lead_nowhere() {
    let page = Caller::new().get("/contacts/v3").expect(200);
    assert_eq!(page["_items"], json!([]));
    let links: Vec<_> = page["_links"].as_object().expect("links").keys().collect();
    assert_eq!(links, ["first", "last", "self"]);
}

#[test]
fn a_filter_that_is_not_valid_is_named() {
    let caller = Caller::new();
    for query in [
        "limit=0",
        "limit=5001",
        "limit=x",
        "~listId=x",
        "~listId=999",
        "~segmentId=7",
        "~created=2021-01-01",
        "~created=gte::2021-01-01T00:00:00",
        "~created=gte::2021-01-01T00:00:00.1Z",
        "~created=gte::2021-01-01T00:00:00.000000Z",
        "~listId=1&~segmentId=1",
        "marker=nonsense",
        "include=everything",
        "sort=asc",
        "ListId=1",
        "~created=gte::2021-01-01T00:00:00Z&~modified=gte::2021-01-01T00:00:00Z",
    ] {
        let reply = caller.get(&format!("/contacts/v3?{query}"));
        assert_eq!(reply.error_code(400), "contacts:invalidFilter", "{query}");
        let item = reply.json()["details"][0]["item"].clone();
        assert!(query.contains(item.as_str().expect("an item")), "{query}");
    }
}
