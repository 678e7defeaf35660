//! `consentRecords` of a request.

use serde_json::Value;

use super::check::{Checked, ShapeFault, array, ip_address, object, text, time, uri};
use crate::simulator::account::NewConsent;

const MOST_RECORDS: usize = 5;
const KEYS: [&str; 5] = ["text", "dateTimeConsented", "url", "ipAddress", "userAgent"];

pub(super) fn read(value: &Value) -> Checked<Vec<NewConsent>> {
    array(value, "consentRecords", MOST_RECORDS)?.iter().map(record).collect()
}

fn record(value: &Value) -> Checked<NewConsent> {
    let record = object(value, "consentRecords")?;
    if let Some(other) = record.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(ShapeFault::unexpected("consentRecords", other));
    }
    let field = |key: &str| {
        let missing = || ShapeFault::new(item(key), "The field is required");
        record.get(key).ok_or_else(missing)
    };
    let filled = |key: &str| {
        let text = text(field(key)?, &item(key))?;
        if text.is_empty() {
            return Err(ShapeFault::new(item(key), "A text is expected"));
        }
        Ok(text.to_owned())
    };
    Ok(NewConsent {
        text: filled("text")?,
        consented: time(field("dateTimeConsented")?, &item("dateTimeConsented"))?,
        url: uri(field("url")?, &item("url"))?.to_owned(),
        ip_address: ip_address(field("ipAddress")?, &item("ipAddress"))?.to_owned(),
        user_agent: filled("userAgent")?,
    })
}

fn item(key: &str) -> String {
    format!("consentRecords.{key}")
}
