//! `/v2/data-fields`, and the values contacts have for them.

use dotdigital_client::simulator::{
    DataFieldCreated, DataFieldType, MistypedDataField, SimulatorSettings, Switches,
    UnknownDataField,
};
use serde_json::{Value, json};

use super::{Caller, by_email};

const PATH: &str = "/v2/data-fields";
const ANN: &str = "/contacts/v3/email/ann@example.com";

fn with_ann(switches: Switches) -> Caller {
    let caller = Caller::switched(switches);
    caller.simulator.add_contact("ann@example.com");
    caller.simulator.add_data_field("AGE", DataFieldType::Numeric);
    caller
}

fn fields_of_ann(caller: &Caller) -> Value {
    caller.get(ANN).expect(200)["dataFields"].clone()
}

#[test]
fn every_account_has_the_built_in_fields() {
    let fields = Caller::new().get(PATH).expect(200);
    let names: Vec<&str> = fields
        .as_array()
        .expect("fields")
        .iter()
        .filter_map(|field| field["name"].as_str())
        .collect();
    let expected = ["FIRSTNAME", "LASTNAME", "FULLNAME", "GENDER", "POSTCODE", "LASTSUBSCRIBED"];
    assert_eq!(names, expected);
    let first = json!({"name": "FIRSTNAME", "type": "String", "visibility": "Public", "defaultValue": null});
    assert_eq!(fields[0], first);
}

#[test]
fn a_field_is_created_and_listed() {
    let caller = Caller::new();
    let body = json!({"name": "BIRTHDAY", "type": "Date"});
    let shown =
        json!({"name": "BIRTHDAY", "type": "Date", "visibility": "Private", "defaultValue": null});
    assert_eq!(caller.post(PATH, &body).expect(201), shown);
    let happy = json!({"name": "IS_HAPPY", "type": "Boolean", "visibility": "Public", "defaultValue": "true"});
    assert_eq!(caller.post(PATH, &happy).expect(201)["defaultValue"], true);
    let fields = caller.get(PATH).expect(200);
    assert_eq!((&fields[6], &fields[7]["name"]), (&shown, &json!("IS_HAPPY")));
}

#[test]
fn creation_answers_without_a_body_if_so_switched() {
    let switches = Switches { data_field_created: DataFieldCreated::Empty, ..Switches::default() };
    let caller = Caller::switched(switches);
    let reply = caller.post(PATH, &json!({"name": "AGE", "type": "Numeric"}));
    assert_eq!((reply.status(), reply.0.body.len()), (201, 0));
    assert_eq!(caller.get(PATH).expect(200)[6]["name"], "AGE");
}

#[test]
fn a_field_that_is_not_well_formed_is_refused() {
    let caller = Caller::new();
    let long = "x".repeat(21);
    for body in [
        json!({}),
        json!([]),
        json!({"name": "AGE"}),
        json!({"type": "Numeric"}),
        json!({"name": "", "type": "String"}),
        json!({"name": long, "type": "String"}),
        json!({"name": "HOME TOWN", "type": "String"}),
        json!({"name": "AGE", "type": "numeric"}),
        json!({"name": "AGE", "type": "Numeric", "visibility": "public"}),
        json!({"name": "AGE", "type": "Numeric", "defaultValue": "old"}),
        json!({"name": "Email", "type": "String"}),
    ] {
        assert_eq!(caller.post(PATH, &body).code(400), "ERROR_DATAFIELD_INVALID", "{body}");
    }
    assert_eq!(caller.get(PATH).expect(200).as_array().map(Vec::len), Some(6));
    caller.post(PATH, &json!({"name": "x".repeat(20), "type": "String"})).expect(201);
}

#[test]
fn a_name_in_use_is_refused_in_any_case() {
    let caller = Caller::new();
    let reply = caller.post(PATH, &json!({"name": "firstname", "type": "String"}));
    assert_eq!(reply.code(400), "ERROR_NON_UNIQUE_DATAFIELD");
}

#[test]
fn the_quota_of_fields_is_kept() {
    let settings = SimulatorSettings { max_data_fields: Some(7), ..SimulatorSettings::default() };
    let caller = Caller::with(settings);
    caller.post(PATH, &json!({"name": "one", "type": "String"})).expect(201);
    let reply = caller.post(PATH, &json!({"name": "two", "type": "String"}));
    assert_eq!(reply.code(400), "ERROR_DATAFIELD_LIMITEXCEEDED");
}

#[test]
fn deleting_a_field_takes_its_values() {
    let caller = with_ann(Switches::default());
    caller.patch(ANN, &json!({"dataFields": {"AGE": 7, "FIRSTNAME": "Ann"}})).expect(200);
    let deleted = caller.delete(&format!("{PATH}/age")).expect(200);
    assert_eq!(deleted, json!({"dependencies": null, "result": true}));
    assert_eq!(fields_of_ann(&caller), json!({"FIRSTNAME": "Ann"}));
    assert_eq!(caller.delete(&format!("{PATH}/AGE")).code(404), "ERROR_DATAFIELD_NOTFOUND");
    assert_eq!(caller.simulator.forbidden_calls().len(), 2);
}

#[test]
fn a_field_in_use_stays_and_the_answer_says_so() {
    let caller = with_ann(Switches::default());
    caller.simulator.use_data_field("age", "Used in program 12345");
    let refused = json!({"dependencies": ["Used in program 12345"], "result": false});
    assert_eq!(caller.delete(&format!("{PATH}/AGE")).expect(200), refused);
    assert_eq!(caller.delete(&format!("{PATH}/FIRSTNAME")).expect(200)["result"], false);
    assert_eq!(caller.get(PATH).expect(200).as_array().map(Vec::len), Some(7));
}

#[test]
fn a_value_is_shown_under_the_declared_name() {
    let caller = with_ann(Switches::default());
    caller.patch(ANN, &json!({"dataFields": {"firstName": "Ann", "age": "7"}})).expect(200);
    assert_eq!(fields_of_ann(&caller), json!({"FIRSTNAME": "Ann", "AGE": 7}));
}

#[test]
fn an_unknown_field_fails_the_contact_or_is_passed_over() {
    let sent = json!({"FIRSTNAME": "Ann", "SHOESIZE": 41});
    for (switch, status, stored) in [
        (UnknownDataField::Fails, 400, json!({})),
        (UnknownDataField::Ignored, 200, json!({"FIRSTNAME": "Ann"})),
    ] {
        let caller = with_ann(Switches { unknown_data_field: switch, ..Switches::default() });
        caller.patch(ANN, &json!({"dataFields": sent})).expect(status);
        assert_eq!(fields_of_ann(&caller), stored);
        let mut row = by_email("ann@example.com");
        row["dataFields"] = sent.clone();
        let report = caller.import(&json!([row]));
        let failed = report["failures"][0]["failures"][0]["failureCode"] == "invalidContact";
        assert_eq!(failed, status == 400);
        assert_eq!(fields_of_ann(&caller), stored);
    }
}

#[test]
fn a_value_of_the_wrong_type_fails_the_contact_or_is_passed_over() {
    for (switch, status, stored) in [
        (MistypedDataField::Fails, 400, json!({})),
        (MistypedDataField::Ignored, 200, json!({"FIRSTNAME": "Ann"})),
    ] {
        let caller = with_ann(Switches { mistyped_data_field: switch, ..Switches::default() });
        let sent = json!({"dataFields": {"FIRSTNAME": "Ann", "AGE": "old"}});
        caller.patch(ANN, &sent).expect(status);
        assert_eq!(fields_of_ann(&caller), stored);
    }
}

#[test]
fn a_blank_clears_what_is_no_text() {
    let caller = with_ann(Switches::default());
    caller.patch(ANN, &json!({"dataFields": {"AGE": 7}})).expect(200);
    let kept = format!("{ANN}?merge-option=overwrite-if-not-empty");
    caller.patch(&kept, &json!({"dataFields": {"AGE": ""}})).expect(200);
    assert_eq!(fields_of_ann(&caller), json!({"AGE": 7}));
    caller.patch(ANN, &json!({"dataFields": {"AGE": ""}})).expect(200);
    assert_eq!(fields_of_ann(&caller), json!({}));
}
