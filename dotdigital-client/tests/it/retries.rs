//! Trying again, in virtual time over a scripted transport.

use std::{sync::Arc, time::Duration};

use dotdigital_client::{
    CallCounter, CallObserver, CallRecord, Error, ErrorKind, ImportId, Method, RetryPolicy, Tier,
    TransportErrorKind::{MaybeSent, NotSent, TimedOut},
    contacts::ContactUpdate,
    imports::{ImportBody, ImportContact, ImportLimits, ImportState, MergeOption, PollPolicy},
};

use crate::support::{
    Outcome, Script, VirtualClock, answer, email, epoch, list_id, new_list, virtual_builder,
    virtual_client, with_headers,
};

const LIST: &str = r#"{"id":7,"name":"VIP","visibility":"Private","contacts":3}"#;
const CONTACT: &str = r#"{"contactId":1,"identifiers":{}}"#;

fn ok(body: &str) -> Outcome {
    Ok(answer(200, body))
}

fn status(status: u16) -> Outcome {
    Ok(answer(status, ""))
}

/// Creating a list: the call that must never happen twice.
async fn create(script: impl IntoIterator<Item = Outcome>) -> (Result<(), Error>, usize) {
    let script = Script::new(script);
    let (client, _) = virtual_client(script.clone());
    let result = client.lists().create(&new_list("VIP")).await.map(drop);
    (result, script.requests().len())
}

/// Putting a contact on a list: harmless to repeat.
async fn upsert(script: impl IntoIterator<Item = Outcome>) -> (Result<(), Error>, usize) {
    let script = Script::new(script);
    let (client, _) = virtual_client(script.clone());
    let update = ContactUpdate::new().list(list_id(7));
    let result = client.contacts().upsert(&email("a@example.com"), &update).await.map(drop);
    (result, script.requests().len())
}

#[tokio::test(start_paused = true)]
async fn what_never_arrived_is_sent_again() {
    let (result, requests) = create([Err(NotSent), Err(NotSent), ok(LIST)]).await;
    result.unwrap();
    assert_eq!(requests, 3);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_may_have_been_created_is_never_created_again() {
    for outcome in [Err(MaybeSent), Err(TimedOut), status(408), status(500), status(503)] {
        let (result, requests) = create([outcome]).await;
        let error = result.unwrap_err();
        assert_eq!((error.kind(), requests), (ErrorKind::MaybeSent, 1));
        assert!(error.may_have_acted());
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_whose_creation_was_not_answered_is_found_by_its_name() {
    let lists = r#"[{"id":7,"name":"vip ","visibility":"Private","contacts":0}]"#;
    let duplicate = r#"{"message":"In use. ERROR_ADDRESSBOOK_DUPLICATE"}"#;
    for (case, created) in [
        ("lost", Err(MaybeSent)),
        ("broken", status(502)),
        ("somebody was faster", Ok(answer(400, duplicate))),
    ] {
        let script = Script::new([ok("[]"), created, ok(lists)]);
        let (client, _) = virtual_client(script.clone());
        let list = client.lists().find_or_create(&new_list("VIP")).await.unwrap();
        assert_eq!(list.id, list_id(7), "{case}");
        let methods: Vec<_> = script.requests().iter().map(|request| request.method).collect();
        assert_eq!(methods, [Method::Get, Method::Post, Method::Get], "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_left_no_trace_is_reported_and_not_repeated() {
    let script = Script::new([ok("[]"), Err(MaybeSent), ok("[]")]);
    let (client, _) = virtual_client(script.clone());
    let error = client.lists().find_or_create(&new_list("VIP")).await.unwrap_err();
    assert!(error.may_have_acted());
    assert_eq!(script.requests().len(), 3);

    let (client, _) = virtual_client(Script::new([ok(&format!("[{LIST}]"))]));
    assert_eq!(client.lists().find_or_create(&new_list("VIP")).await.unwrap().id, list_id(7));
}

#[tokio::test(start_paused = true)]
async fn an_import_that_may_have_been_taken_is_never_submitted_again() {
    let mut body = ImportBody::new(MergeOption::Overwrite, ImportLimits::default());
    let _ = body.push(&ImportContact::new(email("a@example.com"))).unwrap();
    let script = Script::new([Err(NotSent), Err(MaybeSent)]);
    let (client, _) = virtual_client(script.clone());
    let error = client.imports().submit(&body).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::MaybeSent, 2));
    let requests = script.requests();
    assert_eq!(requests[0].body, requests[1].body, "a retry carries the whole body");
    assert_eq!(requests[1].body.as_deref().unwrap(), body.as_bytes());
}

#[tokio::test(start_paused = true)]
async fn an_import_of_nobody_is_refused_before_sending() {
    let body = ImportBody::new(MergeOption::Overwrite, ImportLimits::default());
    let (client, _) = virtual_client(Script::new([]));
    let error = client.imports().submit(&body).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Rejected, 0));
}

#[tokio::test(start_paused = true)]
async fn a_harmless_call_is_sent_again_after_any_passing_fault() {
    let faults = [Err(MaybeSent), Err(TimedOut), status(503), status(408)];
    let (result, requests) = upsert(faults.into_iter().chain([ok(CONTACT)])).await;
    result.unwrap();
    assert_eq!(requests, 5);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_final() {
    for code in [400, 401, 403, 404, 409, 413] {
        let (result, requests) = upsert([status(code)]).await;
        let error = result.unwrap_err();
        assert_eq!((error.status(), requests), (Some(code), 1));
        assert!(!error.may_have_acted());
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_are_bounded() {
    let (result, requests) = upsert((0..10).map(|_| Err(NotSent))).await;
    let error = result.unwrap_err();
    assert_eq!((error.kind(), requests, error.attempts()), (ErrorKind::NotSent, 6, 6));
    assert!(error.to_string().ends_with("after 6 attempts"));
}

#[tokio::test(start_paused = true)]
async fn an_earlier_attempt_that_may_have_arrived_is_not_forgotten() {
    let (result, _) =
        upsert([Err(MaybeSent)].into_iter().chain((0..5).map(|_| Err(NotSent)))).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MaybeSent);
    assert!(error.may_have_acted());
}

#[tokio::test(start_paused = true)]
async fn reading_never_acts() {
    let (client, _) = virtual_client(Script::new((0..6).map(|_| Err(MaybeSent))));
    let error = client.lists().find(list_id(7)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MaybeSent);
    assert!(!error.may_have_acted());
}

#[tokio::test(start_paused = true)]
async fn time_bounds_the_attempts_too() {
    let clock = VirtualClock::new();
    let script = Script::new((0..1000).map(|_| Err(NotSent)));
    let policy = RetryPolicy {
        max_attempts: 1000,
        budget: 1000,
        max_elapsed: Duration::from_secs(300),
        ..RetryPolicy::default()
    };
    let client = virtual_builder(script.clone(), &clock).retry(policy).build().unwrap();
    client.lists().find(list_id(7)).await.unwrap_err();
    assert!(clock.elapsed() <= Duration::from_secs(300));
    assert!(script.requests().len() > 10);
}

#[tokio::test(start_paused = true)]
async fn all_calls_together_have_one_budget() {
    let clock = VirtualClock::new();
    let script = Script::new((0..100).map(|_| Err(NotSent)));
    let policy = RetryPolicy { budget: 7, ..RetryPolicy::default() };
    let client = virtual_builder(script.clone(), &clock).retry(policy).build().unwrap();
    for _ in 0..3 {
        client.clone().lists().find(list_id(7)).await.unwrap_err();
    }
    assert_eq!(script.requests().len(), 3 + 7, "one attempt each, and seven retries in all");
}

#[tokio::test(start_paused = true)]
async fn a_wish_to_wait_is_honoured_up_to_its_bound() {
    let busy = |seconds: &str| Ok(with_headers(answer(503, ""), &[("Retry-After", seconds)]));
    let script = Script::new([busy("100"), ok(LIST)]);
    let (client, clock) = virtual_client(script);
    client.lists().find(list_id(7)).await.unwrap();
    assert!(clock.elapsed() >= Duration::from_secs(100));
    let (client, clock) = virtual_client(Script::new([busy("121")]));
    client.lists().find(list_id(7)).await.unwrap_err();
    assert_eq!(clock.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_has_a_deadline_of_its_own() {
    let script = Script::new([ok(LIST), ok(LIST)]);
    let clock = VirtualClock::new();
    for (builder, expected) in [
        (virtual_builder(script.clone(), &clock), 121),
        (virtual_builder(script.clone(), &clock).attempt_deadline(Duration::from_secs(7)), 7),
    ] {
        builder.build().unwrap().lists().find(list_id(7)).await.unwrap();
        assert_eq!(script.requests().last().unwrap().timeout, Duration::from_secs(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_call_shortens_its_attempts() {
    let clock = VirtualClock::new();
    let script = Script::new([ok(LIST), ok(LIST)]);
    let builder = virtual_builder(script.clone(), &clock);
    builder.clone().build().unwrap().lists().find(list_id(7)).await.unwrap();
    let hasty = builder.deadline(Duration::from_secs(5)).build().unwrap();
    hasty.lists().find(list_id(7)).await.unwrap();
    let timeouts: Vec<u64> = script.requests().iter().map(|r| r.timeout.as_secs()).collect();
    assert_eq!(timeouts, [121, 5]);
}

#[tokio::test(start_paused = true)]
async fn an_import_is_asked_about_until_it_ends() {
    let at_work = || ok(r#"{"status":"NotFinished"}"#);
    let done = ok(r#"{"status":"Finished"}"#);
    let script = Script::new((0..7).map(|_| at_work()).chain([done]));
    let (client, clock) = virtual_client(script);
    let import = ImportId::new("a-1").unwrap();
    let status = client.imports().wait(&import, &PollPolicy::default()).await.unwrap();
    assert_eq!(status.state, ImportState::Finished);
    let waits = 1 + 2 + 4 + 8 + 16 + 30 + 30 + 30;
    assert_eq!(clock.elapsed().as_secs(), waits, "doubling from one second to thirty");
}

#[tokio::test(start_paused = true)]
async fn waiting_for_an_import_ends_when_the_caller_says() {
    let script = Script::new((0..100).map(|_| ok(r#"{"status":"NotFinished"}"#)));
    let (client, clock) = virtual_client(script.clone());
    let policy = PollPolicy { give_up_after: Duration::from_secs(40), ..PollPolicy::default() };
    let import = ImportId::new("a-1").unwrap();
    let error = client.imports().wait(&import, &policy).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::GaveUp);
    assert_eq!((clock.elapsed().as_secs(), script.requests().len()), (40, 6));
}

#[tokio::test(start_paused = true)]
async fn asking_without_a_pause_still_comes_to_an_end() {
    let pending = r#"{"importId":"a-1","status":"NotFinished"}"#;
    let script = Script::new((0..200).map(|_| ok(pending)));
    let (client, clock) = virtual_client(script);
    let policy = PollPolicy {
        base: Duration::ZERO,
        give_up_after: Duration::from_secs(1),
        ..PollPolicy::default()
    };
    let import = ImportId::new("a-1").unwrap();
    let error = client.imports().wait(&import, &policy).await.unwrap_err();
    assert_eq!((error.kind(), clock.elapsed()), (ErrorKind::GaveUp, Duration::from_secs(1)));
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_counted_for_its_observer_alone() {
    let script = Script::new([Err(NotSent), ok(LIST), ok(LIST), ok(CONTACT)]);
    let (client, _) = virtual_client(script);
    let counter = Arc::new(CallCounter::new());
    let watched = client.with_observer(counter.clone());
    watched.lists().find(list_id(7)).await.unwrap();
    client.lists().find(list_id(7)).await.unwrap();
    watched.contacts().find(&email("a@example.com")).await.unwrap();
    let counts: Vec<_> = counter.counts().into_iter().collect();
    assert_eq!(
        counts,
        [
            ("GET /contacts/v3/{identifier}/{value}".to_owned(), 1),
            ("GET /v2/address-books/{id}".to_owned(), 2),
        ]
    );
}

#[derive(Debug, Default)]
struct Records(std::sync::Mutex<Vec<CallRecord>>);

impl CallObserver for Records {
    fn on_call(&self, call: &CallRecord) {
        self.0.lock().unwrap().push(call.clone());
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_tells_tier_attempt_status_and_what_is_left() {
    let scope = [
        ("X-RateLimit-Scope", "highCallRate"),
        ("X-RateLimit-Limit", "150"),
        ("X-RateLimit-Remaining", "149"),
    ];
    let script = Script::new([Err(NotSent), Ok(with_headers(answer(503, ""), &scope)), ok(LIST)]);
    let (client, _) = virtual_client(script);
    let records = Arc::new(Records::default());
    client.with_observer(records.clone()).lists().find(list_id(7)).await.unwrap();
    let records = records.0.lock().unwrap();
    let told: Vec<_> = records.iter().map(|r| (r.tier, r.attempt, r.status)).collect();
    assert_eq!(
        told,
        [(Tier::Low, 1, None), (Tier::Low, 2, Some(503)), (Tier::High, 3, Some(200))],
        "the tier is the service's word once it has spoken"
    );
    let left: Vec<_> = records.iter().map(|r| (r.limit, r.remaining)).collect();
    assert_eq!(left, [(None, None), (Some(150), Some(149)), (None, None)]);
}

#[tokio::test(start_paused = true)]
async fn the_hourly_limit_of_older_users_stops_every_call_for_a_while() {
    let text = "Your account has generated excess API activity and is temporarily capped.";
    for body in [text.to_owned(), "x ERROR_APIUSAGE_EXCEEDED".to_owned()] {
        let body = format!(r#"{{"message":"{body}"}}"#);
        let script = Script::new([Ok(answer(400, &body)), ok(LIST)]);
        let (client, clock) = virtual_client(script.clone());
        let until = epoch() + chrono::TimeDelta::minutes(15);
        for attempts in [1, 0] {
            let error = client.lists().create(&new_list("VIP")).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Throttled { until: Some(until) });
            assert_eq!(error.attempts(), attempts);
            assert!(!error.may_have_acted() && error.is_temporary());
        }
        tokio::time::sleep(Duration::from_secs(15 * 60)).await;
        client.lists().create(&new_list("VIP")).await.unwrap();
        assert_eq!((script.requests().len(), clock.elapsed().as_secs()), (2, 900));
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_the_limit_needs_no_budget() {
    let clock = VirtualClock::new();
    let script = Script::new([Ok(answer(429, "")), Ok(answer(200, "[]"))]);
    let client = virtual_builder(script.clone(), &clock)
        .retry(RetryPolicy { budget: 0, ..RetryPolicy::default() })
        .build()
        .unwrap();
    client.data_fields().list().await.unwrap();
    assert_eq!(script.requests().len(), 2);
}
