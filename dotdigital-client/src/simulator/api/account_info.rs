//! `GET /v2/account-info` and `GET /v2/server-time`.

use serde_json::json;

use super::{
    Answer, Context,
    answer::{json_body, text_body},
};
use crate::simulator::{settings::RateLimits, switches::ServerTimeBody};

/// Calls the flat scheme allows by default.
const FLAT_LIMIT: u32 = 2_000;

pub(super) fn get(context: &mut Context<'_>) -> Answer {
    let settings = &context.account.settings;
    let endpoint = settings.api_endpoint.clone().unwrap_or_else(|| format!("{}/", context.base));
    let used = context.calls_in_last_hour;
    let allowed = match settings.limits {
        RateLimits::Flat { per_hour } => per_hour,
        RateLimits::Off | RateLimits::Tiered(_) => FLAT_LIMIT,
    };
    let left = (allowed as usize).saturating_sub(used);
    let property =
        |name: &str, kind: &str, value: &str| json!({"name": name, "type": kind, "value": value});
    let properties = [
        property("Name", "String", "Simulator"),
        property("MainEmail", "String", "owner@example.com"),
        property("APILocale", "String", "en-GB"),
        property("ApiCallsInLastHour", "Int", &used.to_string()),
        property("ApiCallsRemaining", "Int", &left.to_string()),
        property("ApiEndpoint", "String", &endpoint),
        property("CurrencyCode", "String", "GBP"),
        property("ShowClock", "Boolean", "False"),
        property("PremiumWalletBalance", "Decimal", "100.01"),
        property("TimeZoneIana", "String", "Europe/London"),
    ];
    Ok(json_body(200, &json!({"id": 1, "properties": properties})))
}

pub(super) fn server_time(context: &mut Context<'_>) -> Answer {
    let time = context.now.format("%Y-%m-%d %H:%M:%S%.6f+00:00").to_string();
    Ok(match context.account.settings.switches.server_time {
        ServerTimeBody::PlainText => text_body(200, "text/plain; charset=utf-8", &time),
        ServerTimeBody::JsonString => json_body(200, &time),
    })
}
