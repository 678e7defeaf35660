//! What pages of the v3 services are found by: markers, links and dates.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::Context;

/// A date and time to the second or the millisecond, in UTC.
pub(super) fn since(value: &str) -> Option<DateTime<Utc>> {
    const LENGTHS: [usize; 2] = ["2021-12-17T00:00:00Z".len(), "2021-12-17T00:00:00.000Z".len()];
    let text = value.strip_prefix("gte::")?;
    let text = Some(text).filter(|text| text.ends_with('Z') && LENGTHS.contains(&text.len()))?;
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
}

/// The marker of the page that follows that number.
pub(super) fn marker(after: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("after:{after}"))
}

/// The number that a marker stands for. An empty one is that of the first page.
pub(super) fn after(marker: &str) -> Option<i64> {
    if marker.is_empty() {
        return Some(i64::MIN);
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(marker).ok()?).ok()?;
    text.strip_prefix("after:")?.parse().ok()
}

/// The same question about the page of that marker.
pub(super) fn link(context: &Context<'_>, path: &str, marker: &str) -> Value {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let kept = context.query.pairs().iter().filter(|(name, _)| name != "marker");
    let mut query: Vec<String> =
        kept.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    if !marker.is_empty() {
        query.push(format!("marker={}", encode(marker)));
    }
    json!({"marker": marker, "link": format!("{}{path}?{}", context.base, query.join("&"))})
}
