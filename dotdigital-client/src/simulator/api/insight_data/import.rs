//! Imports of records: `/insightData/v3/import`.

use serde_json::{Map, Value, json};

use super::{
    super::{
        Answer, Context,
        answer::{json_body, too_many_imports, v3_error},
        import::{is_guid, refuse_oversize},
    },
    SERVICE, bad_json, bad_request, is_collection_name,
};
use crate::{
    simulator::{
        account::{
            Job, RecordImport, RecordImportReport, RecordOwner, RecordRow, RefusedRow, Report,
            Scope, Work, collection_kind,
        },
        switches::InsightDataShapes,
    },
    transport::HttpResponse,
};

/// `PUT /insightData/v3/import`.
pub(in crate::simulator::api) fn submit(context: &mut Context<'_>) -> Answer {
    refuse_oversize(context, SERVICE)?;
    let import = read(&context.body.take_v3_of(SERVICE)?)?;
    let known = context.account.insight_data.get(&import.collection);
    if known.is_some_and(|collection| collection.scope != import.scope) {
        return Err(bad_request(&import.collection, "The collection is of the other scope"));
    }
    let most = context.account.settings.insight_data.active_imports;
    if context.account.jobs.active_record_imports() >= most {
        return Err(too_many_imports(SERVICE));
    }
    let id = context.submit(Work::ImportRecords(import));
    Ok(json_body(202, &json!({"importId": id})))
}

/// `GET /insightData/v3/import/{importId}`.
pub(in crate::simulator::api) fn status(context: &mut Context<'_>) -> Answer {
    let id = context.arg(0);
    if !is_guid(id) {
        return Err(v3_error(400, "insightData:invalidId", "The import id is not valid"));
    }
    let body = match context.account.jobs.get(id) {
        Some(Job::Pending(Work::ImportRecords(import), _)) => json!({
            "importId": id,
            "status": "Processing",
            "collectionName": import.collection,
        }),
        Some(Job::Done(Report::RecordImport(report))) => {
            shown(id, report, context.account.settings.switches.insight_data)
        }
        _ => {
            const TEXT: &str = "The import could not be found";
            return Err(v3_error(404, "insightData:importNotFound", TEXT));
        }
    };
    Ok(json_body(200, &body))
}

fn shown(id: &str, report: &RecordImportReport, shapes: InsightDataShapes) -> Value {
    let status = match shapes {
        _ if report.failed => "Failed",
        InsightDataShapes::AsDeclared => "Complete",
        InsightDataShapes::AsInExamples => "Finished",
    };
    let mut shown = json!({
        "importId": id,
        "status": status,
        "collectionName": report.collection,
    });
    if !report.failed {
        shown["summary"] = json!({
            "totalRecords": report.records,
            "totalImported": report.records - report.refused.len(),
            "totalRejected": report.refused.len(),
        });
    }
    // The description allows no empty array here.
    if !report.refused.is_empty() {
        shown["failures"] = report.refused.iter().map(|row| refused(row, report.scope)).collect();
    }
    shown
}

fn refused(refused: &RefusedRow, scope: Scope) -> Value {
    let mut owner = json!({"ownerType": scope.as_str()});
    if let Some(contact) = &refused.row.owner {
        owner["contactIdentity"] =
            json!({"identifier": contact.identifier, "value": contact.value});
    }
    json!({
        "collectionOwner": owner,
        "failureReason": refused.reason,
        "details": [refused.detail],
        "key": refused.row.key,
        "json": refused.row.content,
    })
}

fn read(body: &Value) -> Result<RecordImport, HttpResponse> {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let wrong = |name: &str| bad_json(name, "The field is missing or not one of those allowed");
    let collection = text("collectionName").filter(|name| is_collection_name(name));
    let scope = text("collectionScope").and_then(Scope::named);
    let kind = text("collectionType").and_then(collection_kind);
    let rows = body.get("records").and_then(Value::as_array).filter(|rows| !rows.is_empty());
    let rows = rows.ok_or_else(|| bad_json("records", "At least one record is expected"))?;
    let rows = rows.iter().enumerate().map(|(number, record)| {
        row(record)
            .map_err(|(field, detail)| bad_json(&format!("records[{number}].{field}"), detail))
    });
    Ok(RecordImport {
        collection: collection.ok_or_else(|| wrong("collectionName"))?.to_owned(),
        scope: scope.ok_or_else(|| wrong("collectionScope"))?,
        kind: kind.ok_or_else(|| wrong("collectionType"))?,
        rows: rows.collect::<Result<_, _>>()?,
    })
}

/// Field and fault of a record that does not have the shape that is described.
type Misshapen = (&'static str, &'static str);

fn row(record: &Value) -> Result<RecordRow, Misshapen> {
    const FIELDS: [&str; 3] = ["contactIdentity", "key", "json"];
    let record = record.as_object().ok_or(("", "An object is expected"))?;
    if !record.keys().all(|name| FIELDS.contains(&name.as_str())) {
        return Err(("", "A field is not expected"));
    }
    let key = record.get("key").and_then(Value::as_str).ok_or(("key", "A text is expected"))?;
    let content = record.get("json").and_then(Value::as_object);
    Ok(RecordRow {
        owner: record.get("contactIdentity").map(owner).transpose()?,
        key: key.to_owned(),
        content: content.ok_or(("json", "An object is expected"))?.clone(),
    })
}

fn owner(identity: &Value) -> Result<RecordOwner, Misshapen> {
    let read = |identity: &Map<String, Value>| {
        let identifier = identity.get("identifier")?.as_str()?.to_owned();
        let value = match identity.get("value")? {
            Value::Null => None,
            value => Some(value.as_str()?.to_owned()),
        };
        Some(RecordOwner { identifier, value })
    };
    let owner = identity.as_object().and_then(read);
    owner.ok_or(("contactIdentity", "The name and the value of an identifier are expected"))
}
