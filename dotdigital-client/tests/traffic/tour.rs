//! One caller who uses everything there is, and makes the mistakes that are answered in their own
//! way.

mod insight_data;

use std::collections::BTreeSet;

use dotdigital_client::{
    HttpRequest, HttpResponse,
    simulator::{Fault, FaultRule, Simulator, Switches},
    transport::Method,
};
use serde_json::{Value, json};

use super::{
    account::{Caller, json_request, known},
    samples::samples,
};

/// Who looks at each call that was made, and its answer.
pub(crate) type Check<'a> = &'a mut dyn FnMut(&HttpRequest, &HttpResponse);

/// Uses every endpoint of an account at least once with success, and shows each call to `check`.
#[track_caller]
pub(crate) fn tour(switches: Switches, check: Check<'_>) {
    let mut tour = Tour { caller: Caller::new(switches), check, succeeded: BTreeSet::new() };
    tour.account();
    tour.lists();
    tour.imports();
    tour.contacts();
    tour.preferences();
    tour.programs();
    tour.segments();
    tour.members();
    tour.consent();
    tour.insight_data();
    tour.records();
    tour.deletions();
    let missing: Vec<&str> = Simulator::endpoints()
        .into_iter()
        .filter(|endpoint| !tour.succeeded.contains(endpoint))
        .collect();
    assert!(missing.is_empty(), "never used with success: {missing:?}");
}

struct Tour<'a> {
    caller: Caller,
    check: Check<'a>,
    succeeded: BTreeSet<&'static str>,
}

impl Tour<'_> {
    fn account(&mut self) {
        self.get("/v2/account-info");
        self.get("/v2/server-time");
        self.get("/v2/nothing");
        self.get("/contacts/v3/a/b/c/d");
        self.get("/configuration/v3/customIdentifiers");
        self.samples(Method::Post, "/configuration/v3/customIdentifiers", "");
        self.samples(Method::Post, "/configuration/v3/customIdentifiers", "");
        self.post("/configuration/v3/customIdentifiers", &json!({"name": "x".repeat(51)}));
        self.delete("/configuration/v3/customIdentifiers/crm-id");
        self.delete("/configuration/v3/customIdentifiers/loyalty-id");
        self.delete("/configuration/v3/customIdentifiers/loyalty-id");
        self.get("/v2/data-fields");
        self.samples(Method::Post, "/v2/data-fields", "");
        self.samples(Method::Post, "/v2/data-fields", "");
        self.post("/v2/data-fields", &json!({"name": "not allowed", "type": "String"}));
        self.delete("/v2/data-fields/POSTCODE");
        self.delete("/v2/data-fields/SHOE_SIZE");
        self.delete("/v2/data-fields/SHOE_SIZE");
    }

    fn lists(&mut self) {
        self.samples(Method::Post, "/v2/address-books", "");
        self.post("/v2/address-books", &json!({"name": "Spring"}));
        self.post("/v2/address-books", &json!({"name": 7}));
        for path in ["", "/private", "/public"] {
            for query in ["", "?select=1&skip=1", "?select=0"] {
                self.get(&format!("/v2/address-books{path}{query}"));
            }
        }
        self.get("/v2/address-books/private?limit=1");
        for id in ["101", "999", "VIP"] {
            self.get(&format!("/v2/address-books/{id}"));
            self.get(&format!("/v2/address-books/{id}/campaigns"));
        }
        self.get("/v2/address-books/102/campaigns");
        let other = self.post("/v2/address-books", &json!({"name": "Other"}))["id"].clone();
        self.put(&format!("/v2/address-books/{other}"), &json!({"name": "Others"}));
        self.put("/v2/address-books/1", &json!({"name": "Mine"}));
        self.delete(&format!("/v2/address-books/{other}"));
        self.delete(&format!("/v2/address-books/{other}"));
    }

    fn imports(&mut self) {
        let path = "/contacts/v3/import";
        for body in samples("PUT /contacts/v3/import") {
            self.import(&body);
        }
        self.import(&json!({"contacts": [
            {"matchIdentifier": "email", "identifiers": {"email": "new@example.com"}},
            {"matchIdentifier": "email", "identifiers": {"email": "new@example.com"}},
            {"matchIdentifier": "email", "identifiers": {"email": "no address"}},
            {"matchIdentifier": "mobileNumber", "identifiers": {"mobileNumber": "447000000009"}},
            {"matchIdentifier": "mobileNumber", "identifiers": {"mobileNumber": "12"}},
            {"matchIdentifier": "email", "identifiers": {"email": "bob@example.com"}, "lists": [101]},
            {"matchIdentifier": "email", "identifiers": {"email": "c@example.com"}, "lists": [999]},
            {"matchIdentifier": "contactId", "identifiers": {"contactId": 4_711}},
            {"matchIdentifier": "crm-id", "identifiers": {"email": "d@example.com", "crm-id": "A2"}},
            {"matchIdentifier": "crm-id", "identifiers": {"email": "e@example.com"}},
            {"matchIdentifier": "email", "identifiers": {"email": "f@example.com", "crm-id": "A1"}},
        ]}));
        for fault in [Fault::FailedJob, Fault::RejectedByWatchdog] {
            self.caller
                .simulator
                .inject(FaultRule::new(fault).on("PUT /contacts/v3/import").times(1));
            self.import(&json!({"contacts": [
                {"matchIdentifier": "email", "identifiers": {"email": "new@example.com"}},
            ]}));
        }
        self.put(path, &json!({"contacts": []}));
        self.put(path, &json!({"contacts": [{"matchIdentifier": "email"}]}));
        self.send(Method::Put, path, None);
        self.get("/contacts/v3/import/7");
        self.get("/contacts/v3/import/d7de900d-d337-43f6-b1e1-c8ec73e1a434");
    }

    fn import(&mut self, body: &Value) {
        let id = self.put("/contacts/v3/import", body)["importId"].clone();
        let path = format!("/contacts/v3/import/{}", id.as_str().unwrap_or_default());
        self.get(&path);
        self.caller.wait(60);
        self.get(&path);
    }

    fn contacts(&mut self) {
        for query in [
            "",
            "limit=2",
            "limit=0",
            "~listId=101&include=lists%7CchannelProperties%7Cpreferences%7CconsentRecords",
            "~segmentId=102&data-fields=%5B%5BALL%5D%5D",
            "~listId=101&~segmentId=102",
            "~created=gte%3A%3A2020-01-01T00:00:00Z",
            "~modified=yesterday",
            "data-fields=FIRSTNAME",
        ] {
            self.get(&format!("/contacts/v3?{query}"));
        }
        let marker = self.get("/contacts/v3?limit=1")["_links"]["next"]["marker"].clone();
        self.get(&format!("/contacts/v3?limit=1&marker={}", marker.as_str().unwrap_or_default()));
        for who in
            ["email/ann%40example.com", "contactId/1001", "mobileNumber/447123123123", "crm-id/A1"]
        {
            self.get(&format!("/contacts/v3/{who}"));
        }
        self.get("/contacts/v3/email/nobody%40example.com");
        self.get("/contacts/v3/shoe-size/42");
        self.samples(Method::Post, "/contacts/v3", "");
        self.post("/contacts/v3", &json!({}));
        self.samples(Method::Patch, "/contacts/v3/{identifier}/{value}", "email/ann%40example.com");
        let new = json!({"identifiers": {"email": "g@example.com"}});
        self.send(Method::Patch, "/contacts/v3/email/g%40example.com", Some(&new));
        let taken = json!({"identifiers": {"email": "g@example.com"}});
        self.send(Method::Patch, "/contacts/v3/email/ann%40example.com", Some(&taken));
        self.send(Method::Patch, "/contacts/v3/email/g%40example.com?merge-option=x", Some(&new));
        self.samples(Method::Put, "/contacts/v3/{identifier}/{value}", "email/g%40example.com");
        self.put("/contacts/v3/email/nobody%40example.com", &new);
        self.put("/contacts/v3/email/g%40example.com", &new);
        self.contacts_in_full();
    }

    /// Contacts that have everything a contact can have.
    fn contacts_in_full(&mut self) {
        let mobile = json!({"identifiers": {"email": "h@example.com",
                                            "mobileNumber": "447000000008"}});
        self.post("/contacts/v3", &mobile);
        for mut body in samples("PUT /contacts/v3/{identifier}/{value}") {
            body["identifiers"] = mobile["identifiers"].clone();
            let consent = &samples("POST /contacts/v3")[0]["consentRecords"];
            let record = json!({"consentRecords": consent});
            self.send(Method::Patch, "/contacts/v3/email/h%40example.com", Some(&record));
            self.put("/contacts/v3/email/h%40example.com", &body);
        }
    }

    fn preferences(&mut self) {
        self.get("/v2/preferences");
        self.samples(Method::Post, "/v2/preferences", "");
        self.post("/v2/preferences", &json!({}));
        self.samples(Method::Put, "/v2/preferences/{id}", "2");
        self.put("/v2/preferences/999", &json!({"id": 999, "publicName": "", "privateName": ""}));
        for date in ["2020-01-01", "2026-01-02T03:04:05Z", "soon"] {
            self.get(&format!("/v2/preferences/modified-since/{date}"));
            for place in ["contacts", "address-books/101/contacts"] {
                self.get(&format!("/v2/{place}/with-preference/2/opt-ins-since/{date}"));
            }
        }
        for place in ["contacts", "address-books/101/contacts", "address-books/999/contacts"] {
            self.get(&format!("/v2/{place}/with-preference/2"));
            self.get(&format!("/v2/{place}/with-preference/2?minContactID=1002"));
            self.get(&format!("/v2/{place}/with-preference/999"));
        }
        for who in ["1001", "ann%40example.com", "nobody%40example.com"] {
            self.get(&format!("/v2/contacts/{who}/preferences"));
            let endpoint = "/v2/contacts/{contactIdentifier}/preferences";
            self.samples(Method::Put, endpoint, who);
        }
        self.get("/v2/contacts/ann%40example.com/subscriptions");
        self.get("/v2/contacts/nobody%40example.com/subscriptions");
    }

    fn programs(&mut self) {
        self.get("/v2/programs");
        self.get("/v2/programs?select=1&skip=1");
        self.get("/v2/programs?select=1001");
        self.get("/v2/programs/1");
        self.get("/v2/programs/999");
        let path = "/v2/programs/enrolments";
        for body in samples("POST /v2/programs/enrolments") {
            self.enrolment(&body);
        }
        self.enrolment(&json!({"programId": 1, "contacts": [1_001, 1_003]}));
        for body in [
            json!({}),
            json!({"programId": 1}),
            json!({"programId": 2, "contacts": [1_001]}),
            json!({"programId": 999, "contacts": [1_001]}),
            json!({"programId": 1, "contacts": [999]}),
        ] {
            self.post(path, &body);
        }
        for status in ["Processing", "Finished", "Finished?select=1&skip=1", "Finished?select=0"] {
            self.get(&format!("{path}/{status}"));
        }
        self.get(&format!("{path}/d7de900d-d337-43f6-b1e1-c8ec73e1a434"));
    }

    fn enrolment(&mut self, body: &Value) {
        let id = self.post("/v2/programs/enrolments", body)["id"].clone();
        let path = format!("/v2/programs/enrolments/{}", id.as_str().unwrap_or_default());
        self.get(&path);
        self.get("/v2/programs/enrolments/Processing");
        self.get(&format!("{path}/report-faults"));
        self.caller.wait(60);
        self.get(&path);
        self.get(&format!("{path}/report-faults"));
    }

    fn segments(&mut self) {
        self.get("/v2/segments");
        let path = format!("/v2/segments/refresh/{}", known::SEGMENT);
        self.get(&path);
        self.send(Method::Post, &path, None);
        self.get(&path);
        self.caller.wait(60);
        self.get(&path);
        self.get("/v2/segments/refresh/999");
    }

    fn members(&mut self) {
        self.samples(Method::Post, "/v2/address-books/{id}/contacts", "101");
        self.samples(Method::Post, "/v2/address-books/{id}/contacts", "999");
        for email in ["bob@example.com", "no address", "z@nowhere.invalid"] {
            self.post("/v2/address-books/101/contacts", &json!({"email": email}));
        }
        for list in [known::LIST, 999] {
            let path = format!("/v2/address-books/{list}/contacts");
            self.get(&path);
            self.get(&format!("{path}?withFullData=true&select=1&skip=0"));
            self.get(&format!("{path}/modified-since/2020-01-01"));
            self.delete(&format!("{path}/{}", known::ANN));
            self.delete(&format!("{path}/{}", known::ANN));
            self.removal(&format!("{path}/delete"), Some(&json!([known::ANN, 4_711])));
        }
        self.post("/v2/address-books/101/contacts/delete", &json!([]));
        self.get("/v2/contacts/deletion/d7de900d-d337-43f6-b1e1-c8ec73e1a434");
    }

    fn removal(&mut self, path: &str, body: Option<&Value>) {
        let id = self.send(Method::Post, path, body)["id"].clone();
        let status = format!("/v2/contacts/deletion/{}", id.as_str().unwrap_or("none"));
        self.get(&status);
        self.caller.wait(60);
        self.get(&status);
    }

    fn consent(&mut self) {
        for place in ["/v2/contacts", "/v2/address-books/{id}/contacts"] {
            for call in ["unsubscribe", "resubscribe", "resubscribe-with-no-challenge"] {
                self.samples(Method::Post, &format!("{place}/{call}"), "101");
                self.post(&format!("{}/{call}", place.replace("{id}", "101")), &json!({}));
            }
        }
        self.post(
            "/v2/address-books/101/contacts/unsubscribe",
            &json!({"email": "ann@example.com"}),
        );
        self.get("/v2/address-books/101/contacts/unsubscribed-since/2020-01-01");
        self.samples(Method::Put, "/v2/contacts/suppress-contacts", "");
        self.put("/v2/contacts/suppress-contacts", &json!([{"id": 4_711}]));
        self.put("/v2/contacts/suppress-contacts", &json!([{}]));
        for call in ["suppressed-since", "unsubscribed-since"] {
            self.get(&format!("/v2/contacts/{call}/2020-01-01?select=2"));
            self.get(&format!("/v2/contacts/{call}/never"));
        }
        self.post("/v2/contacts/unsubscribe", &json!({"email": "ann@example.com"}));
        self.get("/v2/contacts/unsubscribed-since/2020-01-01");
        self.get("/contacts/v3/email/ann%40example.com");
    }

    fn deletions(&mut self) {
        self.delete("/v2/preferences/1");
        self.delete("/v2/preferences/1");
        self.removal("/v2/address-books/101/contacts/delete-all", None);
        self.delete("/v2/address-books/101/contacts");
        self.delete("/v2/contacts/1002");
        self.delete("/v2/contacts/1002");
        self.delete("/contacts/v3/email/g%40example.com");
        self.delete("/contacts/v3/email/g%40example.com");
        for body in [
            json!([{"email": "ann@example.com"}, {"contactId": 4_711}]),
            json!([{"mobileNumber": "447000000008"}, {"contactId": 1_003},
                   {"mobileNumber": "447999999999"}, {"email": "nobody@example.com"}]),
            json!([]),
        ] {
            let id = self.post("/contacts/v3/delete", &body)["deleteId"].clone();
            let path = format!("/contacts/v3/delete/{}", id.as_str().unwrap_or("none"));
            self.get(&path);
            self.caller.wait(60);
            self.get(&path);
        }
        self.get("/contacts/v3/delete/d7de900d-d337-43f6-b1e1-c8ec73e1a434");
        self.send(Method::Post, "/v2/accounts/empty-recycle-bin", None);
    }

    /// Sends each sample of an endpoint, whose one or two parameters are `args`.
    fn samples(&mut self, method: Method, template: &str, args: &str) {
        let path = match template.find('{') {
            Some(start) => {
                let rest = template[start..].find("}/c").or(template[start..].find("}/p"));
                let tail = rest.map_or("", |end| &template[start + end + 1..]);
                format!("{}{args}{tail}", &template[..start])
            }
            None => template.to_owned(),
        };
        let bodies = samples(&format!("{method} {template}"));
        assert!(!bodies.is_empty(), "{method} {template} has no samples");
        for body in bodies {
            self.send(method, &path, Some(&body));
        }
    }

    fn get(&mut self, path: &str) -> Value {
        self.send(Method::Get, path, None)
    }

    fn delete(&mut self, path: &str) -> Value {
        self.send(Method::Delete, path, None)
    }

    fn post(&mut self, path: &str, body: &Value) -> Value {
        self.send(Method::Post, path, Some(body))
    }

    fn put(&mut self, path: &str, body: &Value) -> Value {
        self.send(Method::Put, path, Some(body))
    }

    /// Makes a call; returns the answer's JSON, or null.
    fn send(&mut self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let request = json_request(method, path, body);
        let response = self.caller.send(&request);
        (self.check)(&request, &response);
        let ledger = self.caller.simulator.ledger();
        if let Some(call) = ledger.last().filter(|_| response.status < 300) {
            self.succeeded.insert(call.endpoint);
        }
        serde_json::from_slice(&response.body).unwrap_or_default()
    }
}
