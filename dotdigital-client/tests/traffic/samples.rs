//! For every endpoint that takes a body: bodies as they should be.

use dotdigital_client::{HttpRequest, simulator::Simulator};
use serde_json::{Value, json};

use super::{
    account::{json_request, known},
    requests::method_named,
};

/// Bodies that the endpoint takes; none for one without a body.
pub(crate) fn samples(endpoint: &str) -> Vec<Value> {
    let ann = json!({"email": "ann@example.com"});
    let resubscription = json!({
        "unsubscribedContact": {
            "email": "ann@example.com",
            "dataFields": [{"key": "FIRSTNAME", "value": "Ann"}],
        },
        "preferredLocale": "de-DE",
        "returnUrlToUseIfChallenged": "https://www.example.com/",
    });
    match endpoint {
        "POST /v2/address-books" | "PUT /v2/address-books/{id}" => {
            vec![json!({"name": "Spring", "visibility": "Public"}), json!({"name": "Autumn"})]
        }
        "POST /v2/address-books/{id}/contacts" => vec![
            json!({"email": "ann@example.com", "optInType": "Single", "emailType": "Html",
                   "dataFields": [{"key": "FIRSTNAME", "value": "Ann"}]}),
            json!({"email": "zoe@example.com"}),
        ],
        "POST /v2/address-books/{addressBookId}/contacts/delete" => {
            vec![json!([known::ANN]), json!([known::ANN, 4_711])]
        }
        "POST /v2/address-books/{id}/contacts/unsubscribe" | "POST /v2/contacts/unsubscribe" => {
            vec![ann]
        }
        "POST /v2/address-books/{id}/contacts/resubscribe" | "POST /v2/contacts/resubscribe" => {
            vec![resubscription, json!({"unsubscribedContact": ann})]
        }
        "POST /v2/address-books/{id}/contacts/resubscribe-with-no-challenge"
        | "POST /v2/contacts/resubscribe-with-no-challenge" => {
            vec![json!({"unsubscribedContact": ann})]
        }
        "PUT /v2/contacts/suppress-contacts" => {
            vec![json!([{"id": known::ANN}, {"email": "zoe@example.com"}])]
        }
        "POST /v2/preferences" => vec![
            json!({"publicName": "Boots", "privateName": "boots", "isPreference": true,
                   "order": "top", "isPublic": false, "categoryID": known::CATEGORY}),
            json!({"publicName": "Sports", "privateName": "sports"}),
        ],
        "PUT /v2/preferences/{id}" => {
            let id = known::PREFERENCE;
            vec![json!({"id": id, "publicName": "Mail", "privateName": "mail", "order": "1"})]
        }
        "PUT /v2/contacts/{contactIdentifier}/preferences" => {
            let id = known::PREFERENCE;
            vec![json!([{"id": id, "isPreference": true, "isOptedIn": false}])]
        }
        "POST /v2/programs/enrolments" => vec![
            json!({"programId": known::PROGRAM, "contacts": [known::ANN]}),
            json!({"programId": known::PROGRAM, "addressBooks": [known::LIST]}),
        ],
        "POST /v2/data-fields" => {
            vec![json!({"name": "SHOE_SIZE", "type": "Numeric", "visibility": "Private",
                        "defaultValue": null})]
        }
        "POST /configuration/v3/customIdentifiers" => vec![json!({"name": "loyalty-id"})],
        "POST /contacts/v3" | "PATCH /contacts/v3/{identifier}/{value}" => {
            vec![contact("zoe@example.com"), contact("ann@example.com")]
        }
        "PUT /contacts/v3/{identifier}/{value}" => {
            let mut contact = contact("ann@example.com");
            contact.as_object_mut().unwrap().remove("consentRecords");
            vec![contact]
        }
        "PUT /contacts/v3/import" => {
            let mut by_email = contact("eve@example.com");
            by_email["matchIdentifier"] = json!("email");
            let by_id = json!({"matchIdentifier": "contactId",
                               "identifiers": {"contactId": known::ANN}, "lists": [known::LIST]});
            vec![json!({"mergeOption": "overwriteIfNotEmpty", "contacts": [by_email, by_id]})]
        }
        "POST /contacts/v3/delete" => {
            vec![json!([{"email": "ann@example.com"}, {"contactId": 4_711}])]
        }
        "PUT /insightData/v3/import" => vec![
            import(known::ORDERS, "contact", &json!([record(known::RECORD), record("A2")])),
            import(known::CATALOG, "account", &json!([{"key": "P2", "json": {"price": 5}}])),
        ],
        "PUT /insightData/v3/account/{collectionName}/{recordId}"
        | "PUT /insightData/v3/contacts/{identifier}/{value}/{collectionName}/{recordId}" => {
            vec![json!({"price": 7.5, "items": [{"sku": "x", "tags": ["a"]}], "gift": true})]
        }
        "DELETE /insightData/v3/accounts/{collectionName}/deleteRecords"
        | "DELETE /insightData/v3/contacts/{identifier}/{value}/{collectionName}/deleteRecords" => {
            vec![json!({"keys": [known::RECORD, "unknown"]})]
        }
        _ => Vec::new(),
    }
}

fn import(collection: &str, scope: &str, records: &Value) -> Value {
    json!({"collectionName": collection, "collectionScope": scope, "collectionType": "custom",
           "records": records})
}

fn record(key: &str) -> Value {
    json!({"contactIdentity": {"identifier": "email", "value": "ann@example.com"}, "key": key,
           "json": {"price": 9, "items": [{"sku": "x"}]}})
}

/// One request for each sample, about what a new account holds.
pub(crate) fn requests_with_samples() -> Vec<HttpRequest> {
    let requests = Simulator::endpoints().into_iter().flat_map(|endpoint| {
        let (method, template) = endpoint.split_once(' ').unwrap();
        let path = path_to_known(template);
        let request = move |body: Value| json_request(method_named(method), &path, Some(&body));
        samples(endpoint).into_iter().map(request)
    });
    requests.collect()
}

fn path_to_known(template: &str) -> String {
    let id = if template.contains("preferences") { known::PREFERENCE } else { known::LIST };
    let collection = if template.contains("v3/account") { known::CATALOG } else { known::ORDERS };
    template
        .replace("{collectionName}", collection)
        .replace("{recordId}", known::RECORD)
        .replace("{id}", &id.to_string())
        .replace("{addressBookId}", &known::LIST.to_string())
        .replace("{contactIdentifier}", &known::ANN.to_string())
        .replace("{identifier}", "email")
        .replace("{value}", "ann%40example.com")
}

fn contact(email: &str) -> Value {
    json!({
        "identifiers": {"email": email},
        "dataFields": {"FIRSTNAME": "Ann"},
        "channelProperties": {"email": {"status": "subscribed", "emailType": "html",
                                        "optInType": "single"}},
        "lists": [known::LIST],
        "preferences": [{"id": known::PREFERENCE, "isOptedIn": true}],
        "consentRecords": [{"text": "Yes", "dateTimeConsented": "2026-01-02T03:04:05Z",
                            "url": "https://www.example.com/", "ipAddress": "192.0.2.1",
                            "userAgent": "Test"}],
    })
}
