//! Taking contacts off a list.

use dotdigital_client::simulator::{
    NonMemberRemoval, RemovalStatusCase, Switches, UnknownRemoval, Visibility,
};
use serde_json::{Value, json};

use super::Caller;

fn list_of_three(caller: &Caller) -> (i32, [i64; 3]) {
    let list = caller.simulator.add_list("VIP", Visibility::Private);
    let contacts = ["ann", "bob", "cid"]
        .map(|name| caller.simulator.add_contact(&format!("{name}@example.com")));
    for contact in contacts {
        caller.simulator.add_member(list, contact);
    }
    (list, contacts)
}

fn remaining(caller: &Caller, list: i32) -> Vec<i64> {
    caller.simulator.members(list).iter().map(|member| member.id).collect()
}

fn remove_many(caller: &Caller, list: i32, contacts: &Value) -> Value {
    let path = format!("/v2/address-books/{list}/contacts/delete");
    let started = caller.post(&path, contacts).expect(202);
    assert_eq!(started["status"], "Started");
    started["id"].clone()
}

fn status(caller: &Caller, id: &Value) -> Value {
    let id = id.as_str().expect("a job id");
    caller.get(&format!("/v2/contacts/deletion/{id}")).expect(200)
}

#[test]
fn one_contact_leaves_the_list_and_stays_in_the_account() {
    let caller = Caller::new();
    let (list, [ann, bob, cid]) = list_of_three(&caller);
    let reply = caller.delete(&format!("/v2/address-books/{list}/contacts/{bob}"));
    assert_eq!(reply.expect(204), Value::Null);
    assert_eq!(remaining(&caller, list), [ann, cid]);
    assert_eq!(caller.simulator.contact_count(), 3);
    assert!(caller.simulator.forbidden_calls().is_empty());
}

#[test]
fn a_contact_that_is_no_member_is_answered_as_switched() {
    for (switch, expected) in
        [(NonMemberRemoval::NoContent204, 204), (NonMemberRemoval::NotFound404, 404)]
    {
        let caller =
            Caller::switched(Switches { non_member_removal: switch, ..Switches::default() });
        let (list, [ann, ..]) = list_of_three(&caller);
        caller.simulator.remove_member(list, ann);
        caller.delete(&format!("/v2/address-books/{list}/contacts/{ann}")).expect(expected);
    }
}

#[test]
fn an_unknown_contact_or_list_is_named_as_such() {
    let caller = Caller::new();
    let (list, [ann, ..]) = list_of_three(&caller);
    let unknown = caller.delete(&format!("/v2/address-books/{list}/contacts/4711"));
    assert_eq!(unknown.code(404), "ERROR_CONTACT_NOT_FOUND");
    let unknown = caller.delete(&format!("/v2/address-books/999/contacts/{ann}"));
    assert_eq!(unknown.code(404), "ERROR_ADDRESSBOOK_NOT_FOUND");
    let wrong = caller.delete(&format!("/v2/address-books/{list}/contacts/4294967296"));
    assert_eq!(wrong.code(400), "ERROR_PARAMETER_INVALID");
}

#[test]
fn a_bulk_removal_takes_effect_when_its_job_is_done() {
    let caller = Caller::new();
    let (list, [ann, bob, cid]) = list_of_three(&caller);
    let job = remove_many(&caller, list, &json!([ann, cid]));
    assert_eq!(status(&caller, &job), json!({"Id": job, "Status": "Started"}));
    assert_eq!(remaining(&caller, list), [ann, bob, cid]);
    caller.wait(3);
    assert_eq!(status(&caller, &job)["Status"], "Completed");
    assert_eq!(remaining(&caller, list), [bob]);
    assert_eq!(caller.simulator.contact_count(), 3);
}

#[test]
fn unknown_ids_are_passed_over_or_fail_the_job() {
    for (switch, expected, left) in
        [(UnknownRemoval::Ignored, "Completed", 2), (UnknownRemoval::JobFails, "Failed", 3)]
    {
        let caller = Caller::switched(Switches { unknown_removal: switch, ..Switches::default() });
        let (list, [ann, ..]) = list_of_three(&caller);
        let job = remove_many(&caller, list, &json!([ann, 4711]));
        caller.wait(3);
        assert_eq!(status(&caller, &job)["Status"], expected);
        assert_eq!(remaining(&caller, list).len(), left);
    }
}

#[test]
fn the_status_is_written_in_camel_case_if_so_switched() {
    let switches = Switches { removal_status: RemovalStatusCase::Camel, ..Switches::default() };
    let caller = Caller::switched(switches);
    let (list, [ann, ..]) = list_of_three(&caller);
    let job = remove_many(&caller, list, &json!([ann]));
    assert_eq!(status(&caller, &job), json!({"id": job, "status": "Started"}));
}

#[test]
fn a_bulk_removal_is_a_bare_array_of_one_to_so_many_ids() {
    let caller = Caller::new();
    let (list, _) = list_of_three(&caller);
    let path = format!("/v2/address-books/{list}/contacts/delete");
    let refused = |body: &Value| caller.post(&path, body).code(400);
    assert_eq!(refused(&json!([])), "ERROR_CONTACTS_ARE_NOT_SPECIFIED");
    assert_eq!(refused(&json!({"RAW_BODY": [1]})), "ERROR_MALFORMED_REQUEST");
    assert_eq!(refused(&json!(["1001"])), "ERROR_PARAMETER_INVALID");
    assert_eq!(refused(&json!([4_294_967_296_i64])), "ERROR_PARAMETER_INVALID");
    assert_eq!(refused(&json!((0..1_001).collect::<Vec<_>>())), "ERROR_PARAMETER_INVALID");
    caller.post(&path, &json!((0..1_000).collect::<Vec<_>>())).expect(202);
}

#[test]
fn an_unknown_job_is_not_found() {
    let reply = Caller::new().get("/v2/contacts/deletion/13e7b388-2060-4f58-b3dc-2885badf80ee");
    assert_eq!(reply.code(404), "ERROR_IMPORT_NOT_FOUND");
}
