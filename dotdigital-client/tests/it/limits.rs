//! Keeping to call limits, in virtual time against an account that counts.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use dotdigital_client::{
    Client, Clock as _, ErrorKind, HttpRequest, HttpResponse, LimitSettings, Tier, Transport,
    TransportError,
};
use tokio::task::JoinSet;

use crate::support::{
    Script, VirtualClock, answer, email, epoch, list_id, virtual_builder, virtual_client,
    with_headers,
};

const LIST: &str = r#"{"id":7,"name":"VIP","visibility":"Private","contacts":3}"#;

/// Counts calls per minute as the service does, and refuses those over the limit.
#[derive(Debug)]
struct Account {
    clock: Arc<VirtualClock>,
    limit: u32,
    scope: &'static str,
    /// Says when a window ends in seconds from now, and not as an instant.
    relative: bool,
    latency: Duration,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    minute: u64,
    used: u32,
    refused: u32,
    /// Calls taken in each minute that is over.
    history: Vec<u32>,
    paths: Vec<String>,
}

impl Account {
    /// Windows start 17 seconds after full minutes.
    fn minute(&self) -> (u64, u64) {
        let seconds = self.clock.elapsed().as_secs() + 43;
        (seconds / 60, 60 - seconds % 60)
    }

    fn count(&self, path: &str) -> HttpResponse {
        let (minute, left) = self.minute();
        let mut counts = self.counts.lock().unwrap();
        if minute > counts.minute {
            let used = std::mem::take(&mut counts.used);
            counts.history.push(used);
            counts.minute = minute;
        }
        let refused = counts.used >= self.limit;
        if refused {
            counts.refused += 1;
        } else {
            counts.used += 1;
            counts.paths.push(path.to_owned());
        }
        let reset =
            if self.relative { left } else { self.clock.now().timestamp().unsigned_abs() + left };
        let answer = if refused { answer(429, "") } else { answer(200, LIST) };
        with_headers(
            answer,
            &[
                ("X-RateLimit-Limit", &self.limit.to_string()),
                ("X-RateLimit-Remaining", &(self.limit - counts.used).to_string()),
                ("X-RateLimit-Reset", &reset.to_string()),
                ("X-RateLimit-Scope", self.scope),
            ],
        )
    }
}

#[async_trait]
impl Transport for Account {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        tokio::time::sleep(self.latency / 2).await;
        let answer = self.count(&request.path_and_query);
        tokio::time::sleep(self.latency / 2).await;
        Ok(answer)
    }
}

fn account(limit: u32, relative: bool, latency: Duration) -> (Client, Arc<Account>) {
    scoped_account("lowCallRate", limit, relative, latency)
}

fn scoped_account(
    scope: &'static str,
    limit: u32,
    relative: bool,
    latency: Duration,
) -> (Client, Arc<Account>) {
    let clock = VirtualClock::new();
    let counts = Mutex::default();
    let account = Account { clock: Arc::clone(&clock), limit, scope, relative, latency, counts };
    let account = Arc::new(account);
    let client = virtual_builder(account.clone(), &clock)
        .deadline(Duration::from_secs(24 * 3600))
        .build()
        .unwrap();
    (client, account)
}

/// Has `callers` call as fast as they may for `minutes`.
async fn press(client: &Client, callers: usize, minutes: u64) {
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let client = client.clone();
        tasks.spawn(async move {
            loop {
                client.lists().find(list_id(7)).await.unwrap();
            }
        });
    }
    tokio::time::sleep(Duration::from_secs(60 * minutes)).await;
}

#[tokio::test(start_paused = true)]
async fn many_callers_use_the_whole_limit_and_are_never_refused() {
    for (limit, callers, relative) in
        [(1, 64, false), (2, 3, true), (35, 64, true), (35, 1, false), (150, 64, false)]
    {
        let (client, account) = account(limit, relative, Duration::from_millis(300));
        press(&client, callers, 20).await;
        let counts = account.counts.lock().unwrap();
        let case = format!("{limit} a minute, {callers} callers");
        assert_eq!(counts.refused, 0, "{case}");
        let used: u32 = counts.history[1..].iter().sum();
        let allowed = limit * u32::try_from(counts.history.len() - 1).unwrap();
        assert!(used * 100 >= allowed * 98, "{case}: {used} of {allowed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fast_limit_is_used_up_too() {
    let (client, account) = account(1000, false, Duration::from_millis(100));
    press(&client, 64, 5).await;
    let counts = account.counts.lock().unwrap();
    assert_eq!(counts.refused, 0);
    assert!(counts.history[1..].iter().all(|used| *used >= 980), "{:?}", counts.history);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_guess_of_the_tier_leads_to_no_refusal() {
    let (client, account) = scoped_account("highCallRate", 5, false, Duration::from_millis(300));
    press(&client, 64, 5).await;
    let counts = account.counts.lock().unwrap();
    assert_eq!(counts.refused, 0);
    assert!(counts.history[1..].iter().all(|used| *used == 5), "{:?}", counts.history);
}

#[tokio::test(start_paused = true)]
async fn callers_wait_for_the_first_answer_and_no_longer() {
    let (client, account) = account(10, false, Duration::from_secs(2));
    let mut tasks = JoinSet::new();
    for id in 1..=4 {
        let client = client.clone();
        tasks.spawn(async move { client.lists().find(list_id(id)).await.map(drop) });
    }
    tasks.join_all().await.into_iter().for_each(Result::unwrap);
    assert_eq!(account.clock.elapsed().as_secs(), 4);
}

#[tokio::test(start_paused = true)]
async fn callers_go_in_the_order_they_came() {
    let (client, account) = account(1, false, Duration::from_millis(10));
    let mut tasks = JoinSet::new();
    for id in 1..=5 {
        let client = client.clone();
        tasks.spawn(async move { client.lists().find(list_id(id)).await.map(drop) });
        tokio::task::yield_now().await;
    }
    tasks.join_all().await.into_iter().for_each(Result::unwrap);
    let expected: Vec<String> = (1..=5).map(|id| format!("/v2/address-books/{id}")).collect();
    assert_eq!(account.counts.lock().unwrap().paths, expected);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_caller_gives_its_place_back() {
    let (client, account) = account(2, false, Duration::from_secs(2));
    client.lists().find(list_id(1)).await.unwrap();
    let second = Duration::from_secs(1);
    // One is dropped half way and may have been counted; the next wait for a new window, where
    // the one that is dropped in the queue takes no place.
    tokio::time::timeout(second, client.lists().find(list_id(2))).await.unwrap_err();
    tokio::time::timeout(second, client.lists().find(list_id(3))).await.unwrap_err();
    let others = [4, 5].map(|id| {
        let client = client.clone();
        async move { client.lists().find(list_id(id)).await.map(drop) }
    });
    let mut tasks = JoinSet::from_iter(others);
    let started = account.clock.elapsed();
    while let Some(done) = tasks.join_next().await {
        done.unwrap().unwrap();
    }
    assert!(account.clock.elapsed() - started < Duration::from_secs(60));
    let counts = account.counts.lock().unwrap();
    assert_eq!(counts.refused, 0);
    assert!(!counts.paths.contains(&"/v2/address-books/3".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_refused_call_waits_for_the_new_window() {
    let reset = (epoch().timestamp() + 40).to_string();
    let refusal = with_headers(answer(429, ""), &[("X-RateLimit-Reset", &reset)]);
    for body in ["", r#"{"message":"slow down"}"#, "Too Many Requests"] {
        let refusal = HttpResponse { body: body.into(), ..refusal.clone() };
        let (client, clock) = virtual_client(Script::new([Ok(refusal), Ok(answer(200, LIST))]));
        client.lists().find(list_id(7)).await.unwrap();
        assert_eq!(clock.elapsed().as_secs(), 41, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_creation_is_sent_again_since_nothing_happened() {
    let script = Script::new([Ok(answer(429, "")), Ok(answer(200, LIST))]);
    let (client, clock) = virtual_client(script.clone());
    client.lists().create(&crate::support::new_list("VIP")).await.unwrap();
    assert_eq!((script.requests().len(), clock.elapsed().as_secs()), (2, 60));
}

#[tokio::test(start_paused = true)]
async fn a_window_that_ends_too_late_is_reported_with_its_end() {
    let refusal = with_headers(answer(429, ""), &[("X-RateLimit-Reset", "600")]);
    let (client, clock) = virtual_client(Script::new([Ok(refusal)]));
    let error = client.lists().find(list_id(7)).await.unwrap_err();
    let until = epoch() + chrono::TimeDelta::seconds(601);
    assert_eq!(error.kind(), ErrorKind::Throttled { until: Some(until) });
    assert_eq!(clock.elapsed(), Duration::ZERO);
    assert!(error.to_string().contains("until 2023-11-14T22:23:21Z"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_configured_guess_holds_until_the_service_tells() {
    let script = Script::new((0..3).map(|_| Ok(answer(200, LIST))));
    let clock = VirtualClock::new();
    let limits = LimitSettings { low: Some(2), ..LimitSettings::default() };
    let client = virtual_builder(script, &clock).limits(limits).build().unwrap();
    for _ in 0..3 {
        client.lists().find(list_id(7)).await.unwrap();
    }
    assert_eq!(clock.elapsed().as_secs(), 60);
    assert_eq!((client.limit(Tier::Low), client.limit(Tier::High)), (Some(2), None));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_was_told_can_be_asked_for() {
    let told = with_headers(answer(200, LIST), &[("X-RateLimit-Limit", "35")]);
    let (client, _) = virtual_client(Script::new([Ok(told)]));
    assert_eq!(client.limit(Tier::Low), None);
    client.lists().find(list_id(7)).await.unwrap();
    assert_eq!(client.limit(Tier::Low), Some(35));
}

#[tokio::test(start_paused = true)]
async fn tiers_do_not_hold_each_other_up() {
    let low = with_headers(
        answer(200, LIST),
        &[("X-RateLimit-Limit", "1"), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "50")],
    );
    let contact = answer(200, r#"{"contactId":1}"#);
    let (client, clock) = virtual_client(Script::new([Ok(low), Ok(contact)]));
    client.lists().find(list_id(7)).await.unwrap();
    client.contacts().find(&email("a@example.com")).await.unwrap();
    assert_eq!(clock.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_queue_longer_than_the_deadline_is_reported() {
    let (client, account) = account(1, false, Duration::ZERO);
    client.lists().find(list_id(1)).await.unwrap();
    let clock = Arc::clone(&account.clock);
    let hasty = virtual_builder(account.clone(), &clock).deadline(Duration::from_secs(5));
    let hasty = hasty.limits(LimitSettings { low: Some(1), ..LimitSettings::default() });
    let hasty = hasty.build().unwrap();
    let started = clock.elapsed();
    let (first, second) =
        tokio::join!(async { hasty.lists().find(list_id(2)).await.unwrap_err() }, async {
            hasty.lists().find(list_id(3)).await.unwrap_err()
        },);
    for error in [first, second] {
        assert!(matches!(error.kind(), ErrorKind::Throttled { until: Some(_) }), "{error}");
    }
    assert!(clock.elapsed() - started <= Duration::from_secs(5));
}
