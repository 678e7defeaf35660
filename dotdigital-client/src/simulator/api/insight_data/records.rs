//! Single records, and deleting some of a collection.

use serde_json::{Map, Value, json};

use super::{
    super::{
        Answer, Context,
        answer::{json_body, status, v3_error, v3_error_about},
        contact_json::{id_value, timestamp},
    },
    Place, SERVICE, arguments_before, bad_json, bad_request,
};
use crate::{
    simulator::{
        account::{Record, Scope},
        switches::ContactIdForm,
    },
    transport::HttpResponse,
};

const MOST_DELETED: usize = 5_000;

/// `GET …/{recordId}`.
pub(in crate::simulator::api) fn get(context: &mut Context<'_>, scope: Scope) -> Answer {
    let key = key(context, scope)?;
    let place = Place::read(context, scope)?;
    let collection = context.account.insight_data.get(&place.collection);
    let record = collection.and_then(|it| it.get(place.owner, &key));
    let record = record.ok_or_else(|| not_found(&key))?;
    Ok(json_body(200, &shown(record, context.account.settings.switches.contact_id)))
}

/// `PUT …/{recordId}`.
pub(in crate::simulator::api) fn put(context: &mut Context<'_>, scope: Scope) -> Answer {
    let key = key(context, scope)?;
    let place = Place::read(context, scope)?;
    let content = match context.body.take_v3_of(SERVICE)? {
        Value::Object(content) => content,
        _ => return Err(bad_json("json", "An object is expected")),
    };
    let new = store(context, &place, &key, content)?;
    Ok(status(if new { 201 } else { 204 }))
}

/// `DELETE …/{recordId}`.
pub(in crate::simulator::api) fn delete(context: &mut Context<'_>, scope: Scope) -> Answer {
    let key = key(context, scope)?;
    let place = Place::read(context, scope)?;
    let collection = context.account.insight_data.get_mut(&place.collection);
    if collection.is_some_and(|it| it.remove(place.owner, &key)) {
        Ok(status(204))
    } else {
        Err(not_found(&key))
    }
}

/// `DELETE …/deleteRecords`.
pub(in crate::simulator::api) fn delete_many(context: &mut Context<'_>, scope: Scope) -> Answer {
    let place = Place::read(context, scope)?;
    let body = context.body.take_v3_of(SERVICE)?;
    let keys = keys(&body)?;
    let mut collection = context.account.insight_data.get_mut(&place.collection);
    let mut delete = |key: &str| collection.as_mut()?.remove(place.owner, key).then_some(());
    let missing: Vec<&str> = keys.iter().copied().filter(|key| delete(key).is_none()).collect();
    let body = json!({
        "summary": {
            "totalRecords": keys.len(),
            "totalDeleted": keys.len() - missing.len(),
            "totalNotFound": missing.len(),
        },
        "notFound": missing,
        // Required by the description, which says nothing else about it.
        "failures": [],
    });
    Ok(json_body(200, &body))
}

/// A record as it is returned.
pub(super) fn shown(record: &Record, form: ContactIdForm) -> Value {
    let mut shown = json!({
        "key": record.key,
        "json": record.content,
        "created": timestamp(record.created),
        "updated": timestamp(record.updated),
    });
    if let Some(owner) = record.owner {
        shown["ownerContactId"] = id_value(owner, form);
    }
    shown
}

fn store(
    context: &mut Context<'_>,
    place: &Place,
    key: &str,
    content: Map<String, Value>,
) -> Result<bool, HttpResponse> {
    let (limits, now) = (context.account.settings.insight_data, context.now);
    let collection = context.account.insight_data.get_mut(&place.collection);
    let Some(collection) = collection else { return Ok(false) };
    let stored = collection.put(place.owner, key, content, &limits, now);
    stored.map_err(|fault| bad_request(fault.reason.as_str(), &fault.detail))
}

/// The key in the path, if a record could have it.
fn key(context: &Context<'_>, scope: Scope) -> Result<String, HttpResponse> {
    let key = context.arg(arguments_before(scope) + 1);
    let longest = context.account.settings.insight_data.key;
    if key.chars().count() <= longest {
        return Ok(key.to_owned());
    }
    let text = format!("A recordId has at most {longest} characters");
    Err(v3_error(400, "insightData:invalidId", &text))
}

fn keys(body: &Value) -> Result<Vec<&str>, HttpResponse> {
    let keys = body.get("keys").and_then(Value::as_array);
    let keys = keys.filter(|keys| (1..=MOST_DELETED).contains(&keys.len()));
    let keys = keys.ok_or_else(|| {
        let text = format!("1 to {MOST_DELETED} keys of records are expected");
        v3_error(400, "insightData:noRecordsSpecified", &text)
    })?;
    let keys: Option<Vec<&str>> = keys.iter().map(Value::as_str).collect();
    keys.ok_or_else(|| bad_json("keys", "Texts are expected"))
}

fn not_found(key: &str) -> HttpResponse {
    const TEXT: &str = "The Insight data record could not be found";
    v3_error_about(404, "insightData:recordNotFound", TEXT, key, "Not found in the collection")
}
