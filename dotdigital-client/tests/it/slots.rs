//! Waiting for one of the account's job slots.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use dotdigital_client::{
    ErrorKind, HttpRequest, HttpResponse, LimitSettings, Transport, TransportError,
    imports::{ImportBody, ImportContact, ImportLimits, MergeOption},
    insight_data::{CollectionName, CollectionType, InsightImport, InsightImportLimits, RecordKey},
};
use tokio::task::JoinSet;

use crate::support::{VirtualClock, answer, email, virtual_builder};

const FULL: &str = r#"{"errorCode":"contacts:tooManyActiveImports","description":"x"}"#;

/// Takes imports only from an instant on, one every ten seconds.
#[derive(Debug)]
struct Busy {
    clock: Arc<VirtualClock>,
    free_at: Mutex<Duration>,
    requests: Mutex<Vec<(usize, u16)>>,
}

#[async_trait]
impl Transport for Busy {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let mut free_at = self.free_at.lock().unwrap();
        let answer = if self.clock.elapsed() < *free_at {
            answer(429, FULL)
        } else {
            *free_at = self.clock.elapsed() + Duration::from_secs(10);
            answer(202, r#"{"importId":"a-1"}"#)
        };
        let length = request.body.as_ref().unwrap().len();
        self.requests.lock().unwrap().push((length, answer.status));
        Ok(answer)
    }
}

fn busy(seconds: u64) -> (Arc<Busy>, Arc<VirtualClock>) {
    let clock = VirtualClock::new();
    let free_at = Mutex::new(Duration::from_secs(seconds));
    let busy = Busy { clock: Arc::clone(&clock), free_at, requests: Mutex::default() };
    (Arc::new(busy), clock)
}

/// An import that can be told from others by its length.
fn import(contacts: usize) -> ImportBody {
    let mut body = ImportBody::new(MergeOption::Overwrite, ImportLimits::default());
    for number in 0..contacts {
        let contact = ImportContact::new(email(&format!("a{number}@example.com")));
        let _ = body.push(&contact).unwrap();
    }
    body
}

#[tokio::test(start_paused = true)]
async fn an_import_waits_for_a_free_slot() {
    let (busy, clock) = busy(100);
    let client = virtual_builder(busy.clone(), &clock).build().unwrap();
    client.imports().submit(&import(1)).await.unwrap();
    assert_eq!(clock.elapsed().as_secs(), 1 + 2 + 4 + 8 + 16 + 30 + 30 + 30);
    assert_eq!(busy.requests.lock().unwrap().len(), 9);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_slot_has_a_bound() {
    let (busy, clock) = busy(10_000);
    let limits = LimitSettings { slot_wait: Duration::from_secs(60), ..LimitSettings::default() };
    let client = virtual_builder(busy, &clock).limits(limits).build().unwrap();
    let error = client.imports().submit(&import(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SlotsFull);
    assert_eq!(error.code(), Some("contacts:tooManyActiveImports"));
    assert!(error.is_temporary() && !error.may_have_acted());
    assert!(clock.elapsed() <= Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn callers_get_slots_in_turn_and_only_one_of_them_keeps_asking() {
    let (busy, clock) = busy(30);
    let client = virtual_builder(busy.clone(), &clock).build().unwrap();
    let mut tasks = JoinSet::new();
    for contacts in 1..=4 {
        let client = client.clone();
        tasks.spawn(async move { client.imports().submit(&import(contacts)).await.map(drop) });
        tokio::task::yield_now().await;
    }
    tasks.join_all().await.into_iter().for_each(Result::unwrap);
    let requests = busy.requests.lock().unwrap();
    let taken: Vec<usize> =
        requests.iter().filter(|(_, status)| *status == 202).map(|(length, _)| *length).collect();
    assert!(taken.is_sorted() && taken.len() == 4, "{taken:?}");
    assert!(requests.len() <= 4 * 7, "asked {} times", requests.len());
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_does_not_push_in() {
    // The first caller asks after 1, 3, 7, 15 and 31 seconds, the newcomer comes just before.
    let (busy, clock) = busy(29);
    let client = virtual_builder(busy.clone(), &clock).build().unwrap();
    let newcomer = client.clone();
    let (first, second) = tokio::join!(
        async { client.imports().submit(&import(1)).await.map(|_| clock.elapsed().as_secs()) },
        async {
            tokio::time::sleep(Duration::from_secs(30)).await;
            newcomer.imports().submit(&import(2)).await.map(|_| clock.elapsed().as_secs())
        },
    );
    assert_eq!(first.unwrap(), 31);
    assert!(second.unwrap() >= 41);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_caller_leaves_the_line() {
    let (busy, clock) = busy(30);
    let client = virtual_builder(busy.clone(), &clock).build().unwrap();
    let (one, two) = (import(1), import(2));
    let imports = client.imports();
    tokio::time::timeout(Duration::from_secs(5), imports.submit(&one)).await.unwrap_err();
    imports.submit(&two).await.unwrap();
    let taken = busy.requests.lock().unwrap().iter().filter(|(_, status)| *status == 202).count();
    assert_eq!(taken, 1);
}

/// Has no slot for imports of Insight data, and one for every import of contacts.
#[derive(Debug)]
struct InsightFull;

#[async_trait]
impl Transport for InsightFull {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        Ok(match request.path_and_query.starts_with("/insightData") {
            true => answer(429, &FULL.replace("contacts:", "insightData:")),
            false => answer(202, r#"{"importId":"a-1"}"#),
        })
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_of_one_kind_do_not_wait_for_slots_of_another() {
    let clock = VirtualClock::new();
    let client = virtual_builder(Arc::new(InsightFull), &clock).build().unwrap();
    let name = CollectionName::parse("Orders").unwrap();
    let mut records =
        InsightImport::new(&name, &CollectionType::Orders, InsightImportLimits::default());
    let _ = records.push(&RecordKey::parse("1").unwrap(), &serde_json::json!({"a": 1})).unwrap();
    let insight = client.insight_data();
    let (refused, ()) = tokio::join!(insight.submit(&records), async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        client.imports().submit(&import(1)).await.unwrap();
        assert_eq!(clock.elapsed().as_secs(), 60, "the import of contacts goes at once");
    });
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::SlotsFull);
}
