//! Responses in the service's shapes.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{simulator::switches::ThrottleBody, transport::HttpResponse};

/// A JSON body.
pub(super) fn json_body(status: u16, body: &impl Serialize) -> HttpResponse {
    let body = serde_json::to_vec(body).unwrap_or_default();
    with_type(status, "application/json; charset=utf-8", body)
}

/// A body that is not JSON.
pub(super) fn text_body(status: u16, content_type: &str, text: &str) -> HttpResponse {
    with_type(status, content_type, text.as_bytes().to_vec())
}

/// Success, or a fault, without a body.
pub(in crate::simulator) fn status(status: u16) -> HttpResponse {
    HttpResponse { status, ..HttpResponse::default() }
}

/// A v2 error: text that ends in the code.
pub(super) fn v2_error(status: u16, code: &str) -> HttpResponse {
    json_body(status, &json!({"message": format!("Error: {code}")}))
}

pub(super) fn v2_error_text(status: u16, message: &str) -> HttpResponse {
    json_body(status, &json!({"message": message}))
}

/// A v3 error.
pub(super) fn v3_error(status: u16, code: &str, description: &str) -> HttpResponse {
    json_body(status, &json!({"errorCode": code, "description": description}))
}

/// A v3 error that names the item it is about.
pub(super) fn v3_error_about(
    status: u16,
    code: &str,
    description: &str,
    item: &str,
    detail: &str,
) -> HttpResponse {
    let details: Value = json!([{"item": item, "description": detail}]);
    let body = json!({"errorCode": code, "description": description, "details": details});
    json_body(status, &body)
}

pub(super) fn no_such_endpoint(v3: bool) -> HttpResponse {
    const TEXT: &str = "No HTTP resource was found that matches the request URI.";
    if v3 { v3_error(404, "contacts:notFound", TEXT) } else { v2_error_text(404, TEXT) }
}

/// Wrong or missing credentials.
pub(in crate::simulator) fn unauthorised(v3: bool) -> HttpResponse {
    const TEXT: &str = "Authorization has been denied for this request.";
    if v3 { v3_error(401, "contacts:unauthorized", TEXT) } else { v2_error_text(401, TEXT) }
}

/// A fault that a script asks for by its code.
pub(in crate::simulator) fn refused(v3: bool, status: u16, code: &str) -> HttpResponse {
    if v3 { v3_error(status, code, "The request was refused") } else { v2_error(status, code) }
}

/// Called on the host of another region.
pub(in crate::simulator) fn forbidden_region(v3: bool) -> HttpResponse {
    const TEXT: &str = "Forbidden: Access is denied";
    if v3 { v3_error(403, "contacts:forbidden", TEXT) } else { v2_error_text(403, TEXT) }
}

/// Too many calls under the tiered scheme.
pub(in crate::simulator) fn throttled(body: ThrottleBody) -> HttpResponse {
    match body {
        ThrottleBody::Empty => status(429),
        ThrottleBody::Json => v2_error_text(429, "Too Many Requests"),
        ThrottleBody::Text => text_body(429, "text/plain; charset=utf-8", "Too Many Requests"),
    }
}

/// Too many calls under the flat scheme.
pub(in crate::simulator) fn usage_exceeded(v3: bool) -> HttpResponse {
    const TEXT: &str =
        "Your account has generated excess API activity and is being temporarily capped.";
    if v3 {
        v3_error(400, "ERROR_APIUSAGE_EXCEEDED", TEXT)
    } else {
        v2_error_text(400, &format!("{TEXT} ERROR_APIUSAGE_EXCEEDED"))
    }
}

/// No slot is free for another import.
pub(in crate::simulator) fn too_many_imports(service: &str) -> HttpResponse {
    let code = format!("{service}:tooManyActiveImports");
    v3_error(429, &code, "There are too many active imports")
}

/// What a proxy in between answers.
pub(in crate::simulator) fn html(status: u16) -> HttpResponse {
    let page = format!(
        "<html><head><title>{status}</title></head><body><h1>The proxy gave up</h1></body></html>"
    );
    with_type(status, "text/html", page.into_bytes())
}

fn with_type(status: u16, content_type: &str, body: Vec<u8>) -> HttpResponse {
    let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
    HttpResponse { status, headers, body }
}
