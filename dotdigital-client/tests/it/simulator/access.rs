//! Credentials, regions, limits and the ledger.

use dotdigital_client::{
    simulator::{
        RateLimits, RateReset, ServerTimeBody, SimulatedTier, SimulatorSettings, Switches,
        ThrottleBody, TierLimits,
    },
    transport::Method,
};
use serde_json::json;

use super::{Caller, Reply, by_email, request, start};

const TIERED: RateLimits = RateLimits::Tiered(TierLimits { low: 2, medium: 1, high: 3 });

fn limited(limits: RateLimits, switches: Switches) -> Caller {
    Caller::with(SimulatorSettings { limits, switches, ..SimulatorSettings::default() })
}

#[test]
fn wrong_credentials_are_denied_in_the_words_of_each_generation() {
    let caller = Caller::new();
    for headers in [vec![], vec![("Authorization".to_owned(), "Basic Zm9vOmJhcg==".to_owned())]] {
        let mut call = request(Method::Get, "/v2/account-info", None);
        call.headers.clone_from(&headers);
        let reply = Reply(caller.simulator.handle(&call, start()));
        let expected = json!({"message": "Authorization has been denied for this request."});
        assert_eq!(reply.expect(401), expected);
        call.path_and_query = "/contacts/v3".to_owned();
        Reply(caller.simulator.handle(&call, start())).error_code(401);
    }
}

#[test]
fn account_info_names_the_endpoint_that_was_called() {
    let info = Caller::new().get("/v2/account-info").expect(200);
    let properties = info["properties"].as_array().expect("properties");
    assert!(properties.iter().all(|property| property["value"].is_string()));
    let endpoint = properties.iter().find(|property| property["name"] == "ApiEndpoint");
    assert_eq!(endpoint.expect("the endpoint")["value"], "https://r1-api.example.com/");
}

#[test]
fn the_server_tells_its_time_as_switched() {
    let time = "2026-09-21 14:13:20.000000+00:00";
    for (switch, kind, body) in [
        (ServerTimeBody::PlainText, "text/plain; charset=utf-8", time.to_owned()),
        (ServerTimeBody::JsonString, "application/json; charset=utf-8", format!("\"{time}\"")),
    ] {
        let caller = Caller::switched(Switches { server_time: switch, ..Switches::default() });
        let reply = caller.get("/v2/server-time");
        assert_eq!((reply.status(), reply.header("content-type")), (200, Some(kind)));
        assert_eq!(String::from_utf8_lossy(&reply.0.body), body);
    }
}

#[test]
fn an_endpoint_counts_in_the_tier_it_is_given() {
    let tiers = [("GET /v2/address-books".to_owned(), SimulatedTier::High)];
    let caller = Caller::with(SimulatorSettings {
        limits: TIERED,
        tiers: tiers.into_iter().collect(),
        ..SimulatorSettings::default()
    });
    let reply = caller.get("/v2/address-books");
    assert_eq!(reply.header("x-ratelimit-scope"), Some("highCallRate"));
    let reply = caller.get("/v2/address-books/999");
    assert_eq!(reply.header("x-ratelimit-remaining"), Some("1"));
    let tiers: Vec<_> = caller.simulator.ledger().iter().map(|entry| entry.tier).collect();
    assert_eq!(tiers, [SimulatedTier::High; 2]);
}

#[test]
fn the_wrong_region_tells_the_right_one_and_nothing_else() {
    let caller = Caller::with(SimulatorSettings {
        wrong_region: true,
        api_endpoint: Some("https://r3-api.example.com/".to_owned()),
        ..SimulatorSettings::default()
    });
    let info = caller.get("/v2/account-info").expect(200);
    assert!(info.to_string().contains("https://r3-api.example.com/"));
    let reply = caller.get("/v2/address-books");
    assert_eq!(reply.expect(403), json!({"message": "Forbidden: Access is denied"}));
    caller.get("/contacts/v3").error_code(403);
}

#[test]
fn every_answer_says_where_its_tier_stands() {
    let caller = limited(TIERED, Switches::default());
    for (path, scope, limit, remaining) in [
        ("/v2/address-books", "lowCallRate", "2", "1"),
        ("/v2/address-books", "lowCallRate", "2", "0"),
        ("/v2/address-books/999", "highCallRate", "3", "2"),
        ("/v2/address-books", "lowCallRate", "2", "0"),
    ] {
        let reply = caller.get(path);
        assert_eq!(reply.header("X-RateLimit-Scope"), Some(scope));
        assert_eq!(reply.header("x-ratelimit-limit"), Some(limit));
        assert_eq!(reply.header("x-ratelimit-remaining"), Some(remaining));
    }
    let statuses: Vec<_> = caller.simulator.ledger().iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [Some(200), Some(200), Some(404), Some(429)]);
    caller.wait(60);
    caller.get("/v2/address-books").expect(200);
}

#[test]
fn a_full_tier_answers_429_with_the_body_as_switched() {
    for (switch, kind, body) in [
        (ThrottleBody::Empty, None, ""),
        (
            ThrottleBody::Json,
            Some("application/json; charset=utf-8"),
            r#"{"message":"Too Many Requests"}"#,
        ),
        (ThrottleBody::Text, Some("text/plain; charset=utf-8"), "Too Many Requests"),
    ] {
        let limits = RateLimits::Tiered(TierLimits { low: 0, medium: 0, high: 0 });
        let caller = limited(limits, Switches { throttle_body: switch, ..Switches::default() });
        let reply = caller.get("/v2/address-books");
        assert_eq!((reply.status(), reply.header("content-type")), (429, kind));
        assert_eq!(String::from_utf8_lossy(&reply.0.body), body);
    }
}

#[test]
fn the_reset_is_an_instant_or_a_distance() {
    let ends = (start().timestamp() / 60 + 1) * 60;
    for (switch, expected) in
        [(RateReset::EpochSeconds, ends), (RateReset::SecondsFromNow, ends - start().timestamp())]
    {
        let caller = limited(TIERED, Switches { rate_reset: switch, ..Switches::default() });
        let reply = caller.get("/v2/address-books");
        assert_eq!(reply.header("x-ratelimit-reset"), Some(expected.to_string().as_str()));
    }
}

#[test]
fn calls_of_the_last_hour_are_counted_under_every_scheme() {
    let flat = RateLimits::Flat { per_hour: 2_000 };
    for limits in [RateLimits::Off, TIERED, flat] {
        let caller = limited(limits, Switches::default());
        caller.get("/v2/data-fields").expect(200);
        let used = || {
            let info = caller.get("/v2/account-info").expect(200);
            let properties = info["properties"].as_array().expect("properties").iter();
            let named = |name| properties.clone().find(|one| one["name"] == name);
            ["ApiCallsInLastHour", "ApiCallsRemaining"]
                .map(|name| named(name).map(|one| one["value"].clone()))
        };
        assert_eq!(used(), [Some("2".into()), Some("1998".into())], "{limits:?}");
        caller.wait(3_600);
        assert_eq!(used(), [Some("1".into()), Some("1999".into())], "{limits:?}");
    }
}

#[test]
fn the_flat_scheme_answers_400_with_its_code() {
    let caller = limited(RateLimits::Flat { per_hour: 2 }, Switches::default());
    caller.get("/v2/address-books").expect(200);
    let info = caller.get("/v2/account-info").expect(200).to_string();
    assert!(info.contains(r#""name":"ApiCallsRemaining","type":"Int","value":"0""#), "{info}");
    assert_eq!(caller.get("/v2/address-books").code(400), "ERROR_APIUSAGE_EXCEEDED");
    assert_eq!(caller.get("/contacts/v3").error_code(400), "ERROR_APIUSAGE_EXCEEDED");
    caller.wait(3_600);
    let reply = caller.get("/v2/address-books");
    assert_eq!((reply.status(), reply.header("x-ratelimit-limit")), (200, None));
}

#[test]
fn the_ledger_counts_calls_by_endpoint_and_tier() {
    let caller = Caller::new();
    caller.get("/v2/address-books/1");
    caller.get("/v2/address-books/2");
    caller.import(&json!([by_email("ann@example.com")]));
    caller.get("/v2/no-such-thing").expect(404);
    caller.get("/contacts/v3/no/such/thing").error_code(404);
    let calls = caller.simulator.calls();
    let expected = [
        ("GET /contacts/v3/import/{importId}", 1),
        ("GET /v2/address-books/{id}", 2),
        ("PUT /contacts/v3/import", 1),
        ("unknown", 2),
    ];
    assert_eq!(calls.iter().map(|(name, n)| (name.as_str(), *n)).collect::<Vec<_>>(), expected);
    let tiers: Vec<_> = caller.simulator.ledger().iter().map(|entry| entry.tier).take(4).collect();
    use SimulatedTier::{High, Low, Unlimited};
    assert_eq!(tiers, [High, High, Low, Unlimited]);
    caller.simulator.reset_ledger();
    assert!(caller.simulator.calls().is_empty());
}
