//! Insight data on the tour: collections, imports, records, and the calls that delete all of them.

use dotdigital_client::{
    simulator::{Fault, FaultRule},
    transport::Method,
};
use serde_json::{Value, json};

use super::{Tour, samples};

impl Tour<'_> {
    pub(super) fn insight_data(&mut self) {
        let collections = "/insightData/v3/collections";
        for query in ["?collectionScope=account&collectionType=custom", "", "?collectionScope=x"] {
            self.send(Method::Post, &format!("{collections}/Visits{query}"), None);
            self.send(Method::Post, &format!("{collections}/1{query}"), None);
        }
        self.send(
            Method::Post,
            &format!("{collections}/Visits?collectionScope=contact&collectionType=orders"),
            None,
        );
        self.get(collections);
        self.get("/insightData/v3/account");
        self.get("/insightData/v3/contacts/email/ann%40example.com");
        self.get("/insightData/v3/contacts/email/nobody%40example.com");
        self.get("/insightData/v3/contacts/contactId/ann");
        for name in ["Orders", "Nothing", "1"] {
            self.get(&format!("{collections}/{name}/schema"));
        }
        let import = "/insightData/v3/import";
        for body in samples("PUT /insightData/v3/import") {
            self.records_import(&body);
        }
        let owner = |name: &str, value: &str| json!({"identifier": name, "value": value});
        let row = |owner: &Value, key: &str, content: &Value| json!({"contactIdentity": owner, "key": key, "json": content});
        let ann = owner("email", "ann@example.com");
        let rows = json!([
            row(&owner("crm-id", "A1"), "A3", &json!({"price": 1})),
            row(&ann, "A3", &json!({"price": 1})),
            row(&ann, "", &json!({"price": 1})),
            row(&ann, "A4", &json!({"price": "low"})),
            row(&ann, "A4", &json!({"tags": [["a"]]})),
            row(&ann, "A4", &json!({"not allowed": 1})),
            row(&ann, "A4", &json!({"x": "y".repeat(10_001)})),
            row(&ann, "A4", &json!({"x".repeat(256): 1})),
            row(&ann, "A4", &json!({"x": 1e300})),
            row(&owner("email", "nobody@example.com"), "A5", &json!({})),
            row(&owner("contactId", "4711"), "A5", &json!({})),
            row(&owner("mobileNumber", "12"), "A5", &json!({})),
            json!({"contactIdentity": {"identifier": "email", "value": null}, "key": "A5", "json": {}}),
            json!({"key": "A5", "json": {}}),
        ]);
        let body = |scope: &str, records: &Value| {
            json!({"collectionName": "Orders", "collectionScope": scope,
                   "collectionType": "orders", "records": records})
        };
        self.records_import(&body("contact", &rows));
        self.caller.simulator.inject(FaultRule::new(Fault::FailedJob).on("PUT /insightData"));
        self.records_import(&body("contact", &rows));
        self.put(import, &body("account", &rows));
        self.put(import, &body("contact", &json!([])));
        self.put(import, &body("contact", &json!([{"key": 1, "json": {}}])));
        self.send(Method::Put, import, None);
        for job in ["import", "async"] {
            self.get(&format!("/insightData/v3/{job}/7"));
            self.get(&format!("/insightData/v3/{job}/d7de900d-d337-43f6-b1e1-c8ec73e1a434"));
        }
    }

    fn records_import(&mut self, body: &Value) {
        let id = self.put("/insightData/v3/import", body)["importId"].clone();
        let path = format!("/insightData/v3/import/{}", id.as_str().unwrap_or_default());
        self.get(&path);
        self.caller.wait(60);
        self.get(&path);
    }

    pub(super) fn records(&mut self) {
        let base = "/insightData/v3";
        let keys = json!({"keys": ["A1", "unknown"]});
        for place in [
            "account/Catalog",
            "account/Orders",
            "account/1",
            "contacts/email/ann%40example.com/Orders",
            "contacts/email/ann%40example.com/Catalog",
            "contacts/email/nobody%40example.com/Orders",
            "contacts/email/ann/Orders",
        ] {
            self.record_pages(&format!("{base}/{place}"));
            let record = format!("{base}/{place}/new");
            self.put(&record, &json!({"price": 1}));
            self.put(&record, &json!({"price": 2}));
            self.put(&record, &json!({"price": "low"}));
            self.put(&record, &json!("{}"));
            self.get(&record);
            self.delete(&record);
            self.delete(&record);
            self.get(&record);
            let all = place.replace("account/", "accounts/");
            for body in [&keys, &json!({"keys": []}), &json!({"keys": [1]}), &json!([])] {
                self.send(Method::Delete, &format!("{base}/{all}/deleteRecords"), Some(body));
            }
        }
        self.record_pages(&format!("{base}/contacts/Orders"));
        self.record_pages(&format!("{base}/contacts/Catalog"));
        for path in [
            "contacts/email/ann%40example.com/Orders/empty",
            "contacts/email/ann%40example.com/Nothing/empty",
            "collections/Orders/empty",
            "collections/Nothing/empty",
            "collections/Orders",
            "collections/Nothing",
        ] {
            let id = self.delete(&format!("{base}/{path}"))["jobId"].clone();
            let status = format!("{base}/async/{}", id.as_str().unwrap_or("none"));
            self.get(&status);
            self.caller.wait(60);
            self.get(&status);
        }
        let twice = [(); 2].map(|()| self.delete(&format!("{base}/collections/Catalog")));
        self.caller.wait(60);
        for started in twice {
            self.get(&format!("{base}/async/{}", started["jobId"].as_str().unwrap_or("none")));
        }
    }

    fn record_pages(&mut self, path: &str) {
        for query in
            ["", "?limit=0", "?limit=5000&~modified=gte%3A%3A2026-01-01T00:00:00Z", "?~modified=x"]
        {
            self.get(&format!("{path}{query}"));
        }
        let next = self.get(&format!("{path}?limit=1"))["_links"]["next"]["marker"].clone();
        self.get(&format!("{path}?limit=1&marker={}", next.as_str().unwrap_or("x")));
    }
}
