//! The account's data fields: `/v2/data-fields`.

use serde_json::{Value, json};

use super::{
    Answer, Context,
    answer::{json_body, status, v2_error, v2_error_text},
};
use crate::{
    simulator::{
        account::{DataField, FieldFault},
        switches::DataFieldCreated,
        views::{DataFieldType, Visibility},
    },
    transport::HttpResponse,
};

const TYPES: [DataFieldType; 4] =
    [DataFieldType::String, DataFieldType::Numeric, DataFieldType::Date, DataFieldType::Boolean];

pub(super) fn list(context: &mut Context<'_>) -> Answer {
    let shown: Vec<Value> = context.account.data_fields.iter().map(shown).collect();
    Ok(json_body(200, &shown))
}

pub(super) fn create(context: &mut Context<'_>) -> Answer {
    let field = read(&context.body.take_v2()?).ok_or_else(invalid)?;
    let most = context.account.settings.max_data_fields;
    let created = context.account.data_fields.declare(field, most).map_err(refused)?;
    Ok(match context.account.settings.switches.data_field_created {
        DataFieldCreated::Echoed => json_body(201, &shown(created)),
        DataFieldCreated::Empty => status(201),
    })
}

/// `DELETE …/{name}`: every contact loses its value. A field in use stays, and the answer says so.
pub(super) fn delete(context: &mut Context<'_>) -> Answer {
    let name = context.arg(0).to_owned();
    let field = context.account.data_fields.find(&name);
    let field = field.ok_or_else(|| v2_error(404, "ERROR_DATAFIELD_NOTFOUND"))?;
    if !field.used_by.is_empty() {
        return Ok(json_body(200, &json!({"dependencies": field.used_by, "result": false})));
    }
    context.account.delete_data_field(&name);
    Ok(json_body(200, &json!({"dependencies": null, "result": true})))
}

fn shown(field: &DataField) -> Value {
    json!({
        "name": field.name,
        "type": field.kind.as_str(),
        "visibility": field.visibility.as_str(),
        "defaultValue": field.default,
    })
}

fn read(body: &Value) -> Option<DataField> {
    let kind = body.get("type")?.as_str()?;
    let kind = TYPES.into_iter().find(|one| one.as_str() == kind)?;
    let visibility = match body.get("visibility") {
        None => Visibility::Private,
        Some(value) if value == "Private" => Visibility::Private,
        Some(value) if value == "Public" => Visibility::Public,
        Some(_) => return None,
    };
    // The description says text, and next to it that any type will do.
    let default = body.get("defaultValue").cloned().unwrap_or_default();
    let name = body.get("name")?.as_str()?;
    Some(DataField { visibility, default, ..DataField::new(name, kind) })
}

fn refused(fault: FieldFault) -> HttpResponse {
    match fault {
        FieldFault::Invalid => invalid(),
        FieldFault::Exists => {
            v2_error_text(400, "Field already exists. ERROR_NON_UNIQUE_DATAFIELD")
        }
        FieldFault::LimitReached => v2_error(400, "ERROR_DATAFIELD_LIMITEXCEEDED"),
    }
}

fn invalid() -> HttpResponse {
    v2_error(400, "ERROR_DATAFIELD_INVALID")
}
