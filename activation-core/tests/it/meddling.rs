//! Answers that the simulator never gives: somebody between the engine and the service changes them,
//! and writes down what was sent.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use activation_core::{
    Activation, IdentifierKind, MissingContacts, RunReport, RunStatus, Settings, SettingsPatch,
    dotdigital::{BatchLimits, Dotdigital},
};
use async_trait::async_trait;
use dotdigital_client::{
    Credentials, HttpRequest, HttpResponse, Method, Transport, TransportError,
    simulator::{Fault, FaultRule, SimulatorSettings},
};
use serde_json::{Value, json};

use crate::world::{World, client, people};

type Change = Box<dyn Fn(&HttpRequest, &mut HttpResponse) + Send + Sync>;

/// A connection that changes answers.
struct Meddler {
    service: Arc<dyn Transport>,
    change: Change,
    /// Method, path and body of every call that writes.
    writes: Mutex<Vec<String>>,
}

impl fmt::Debug for Meddler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meddler")
    }
}

#[async_trait]
impl Transport for Meddler {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        if request.method != Method::Get {
            let body = request.body.as_deref().map_or(&[][..], Vec::as_slice);
            let body = String::from_utf8_lossy(body);
            let text = format!("{:?} {} {body}", request.method, request.path_and_query);
            self.writes.lock().unwrap().push(text);
        }
        let mut response = self.service.send(request).await?;
        (self.change)(request, &mut response);
        Ok(response)
    }
}

async fn run_meddled(
    world: &World,
    activation: &Activation,
    change: impl Fn(&HttpRequest, &mut HttpResponse) + Send + Sync + 'static,
) -> (RunReport, Vec<String>) {
    let service = Arc::new(world.simulator.transport(Arc::new(world.clock)));
    let writes = Mutex::new(Vec::new());
    let meddler = Arc::new(Meddler { service, change: Box::new(change), writes });
    let settings = SimulatorSettings::default();
    let credentials = Credentials::new(&settings.user, &settings.password);
    let destination = Dotdigital::new(&client(credentials, meddler.clone(), Arc::new(world.clock)));
    let report = world.engine().run(activation, &world.source, &destination).await;
    let writes = meddler.writes.lock().unwrap().clone();
    (report, writes)
}

fn vip() -> Activation {
    Activation::new("vip")
}

fn existing_only() -> Activation {
    let patch = SettingsPatch::default().missing_contacts(MissingContacts::ExistingOnly);
    vip().settings(Settings::resolve(&SettingsPatch::default(), &patch))
}

fn untouched(_: &HttpRequest, _: &mut HttpResponse) {}

fn is_job_status(request: &HttpRequest) -> bool {
    request.method == Method::Get
        && ["/contacts/v3/import/", "/v2/contacts/deletion/"]
            .iter()
            .any(|path| request.path_and_query.starts_with(path))
}

/// Changes the rows of an import's report.
fn rows(change: fn(&mut Vec<Value>)) -> impl Fn(&HttpRequest, &mut HttpResponse) {
    move |request, response| {
        if !is_job_status(request) {
            return;
        }
        let mut report: Value = serde_json::from_slice(&response.body).unwrap();
        for kind in ["created", "updated"] {
            if let Some(rows) = report[kind].as_array_mut() {
                change(rows);
            }
        }
        response.body = report.to_string().into();
    }
}

fn forgotten(request: &HttpRequest, response: &mut HttpResponse) {
    if is_job_status(request) {
        response.status = 404;
        let error = json!({"errorCode": "contacts:notFound", "description": "gone"});
        response.body = error.to_string().into();
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_whom_the_services_report_does_not_mention_is_not_taken_for_added() {
    let world = World::new();
    world.segment(people(10));
    let (report, _) = run_meddled(&world, &vip(), rows(|rows| rows.truncate(4))).await;
    assert_eq!((report.status, report.added, report.failed), (RunStatus::Incomplete, 4, 6));
    let report = world.run(&vip()).await;
    assert_eq!((report.added, report.unchanged), (6, 4), "{report}");
    // Those the report left out were on the list all the same, and leave it when they leave.
    let (report, _) = run_meddled(&world, &Activation::new("other"), rows(Vec::clear)).await;
    assert_eq!((report.added, report.failed), (0, 10), "{report}");
    world.segment(people(1));
    world.run(&Activation::new("other")).await;
    assert_eq!(world.on_list("other"), people(1));
}

#[tokio::test(start_paused = true)]
async fn an_import_the_service_has_forgotten_is_not_taken_for_done() {
    let world = World::new();
    world.segment(people(10));
    let (report, _) = run_meddled(&world, &vip(), forgotten).await;
    assert_eq!((report.added, report.failed), (0, 10), "{report}");
    assert_eq!(world.run(&vip()).await.added, 10);
}

#[tokio::test(start_paused = true)]
async fn what_was_settled_before_a_run_was_killed_is_not_asked_about_again() {
    let mut world = World::new();
    world.batch_limits = BatchLimits::default().import_contacts(5);
    let slow = Fault::SlowJob(Duration::from_secs(3_000));
    world.simulator.inject(FaultRule::new(slow).on("PUT").from_call(2));
    world.segment(people(10));
    let activation = vip();
    tokio::select! {
        report = world.run(&activation) => panic!("it waits for the second half: {report}"),
        () = world.wait(Duration::from_secs(600)) => {}
    }
    // The dead run's lease has to end.
    world.wait(Duration::from_secs(600)).await;
    let (report, _) = run_meddled(&world, &vip(), forgotten).await;
    assert_eq!(report.recovered, 5, "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_removal_the_service_has_forgotten_is_not_taken_for_done() {
    let world = World::new();
    world.segment(people(10));
    world.run(&vip()).await;
    world.segment(people(5));
    let (report, _) = run_meddled(&world, &vip(), forgotten).await;
    assert_eq!((report.removed, report.failed), (0, 5), "{report}");
    // Everybody comes back: whoever may have been removed is added again.
    world.segment(people(10));
    assert_eq!(world.run(&vip()).await.added, 5);
    assert_eq!(world.on_list("vip"), people(10));
}

#[tokio::test(start_paused = true)]
async fn a_lost_removal_that_comes_to_life_late_is_undone_for_those_who_came_back() {
    let world = World::new();
    world.segment(people(20));
    world.run(&vip()).await;
    // The service queues the removal for half an hour; a proxy answers in its place.
    let slow = Fault::SlowJob(Duration::from_secs(1_800));
    world.simulator.inject(FaultRule::new(slow).on("POST"));
    world.segment(people(10));
    let lost = AtomicBool::new(false);
    run_meddled(&world, &vip(), move |request, response| {
        if request.method == Method::Post && !lost.swap(true, Ordering::Relaxed) {
            response.status = 502;
            response.body.clear();
        }
    })
    .await;
    world.wait(Duration::from_secs(300)).await;
    world.segment(people(20));
    world.run(&vip()).await;
    for _ in 0..5 {
        world.wait(Duration::from_secs(2_400)).await;
        world.run(&vip()).await;
    }
    assert_eq!(world.on_list("vip"), people(20));
    assert_eq!(world.run(&vip()).await.total_calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn under_existing_contacts_only_no_write_names_an_address() {
    for count in [2, 10] {
        let world = World::new();
        people(count).iter().for_each(|person| _ = world.simulator.add_contact(person));
        world.segment(people(count));
        let (report, writes) = run_meddled(&world, &existing_only(), untouched).await;
        assert_eq!(report.added, count as u64, "{report}");
        let addressed: Vec<_> = writes
            .iter()
            .filter(|write| write.contains("example") || write.contains("/email/"))
            .collect();
        assert!(addressed.is_empty(), "{addressed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn under_existing_contacts_only_a_deleted_contact_is_not_brought_back() {
    for status in ["binned", "Deleted"] {
        let world = World::new();
        world.simulator.add_contact("person000000@example.com");
        world.segment(people(1));
        let (report, writes) = run_meddled(&world, &existing_only(), move |request, response| {
            if request.method == Method::Get && request.path_and_query.contains("/email/") {
                let mut contact: Value = serde_json::from_slice(&response.body).unwrap();
                contact["status"] = json!(status);
                response.body = contact.to_string().into();
            }
        })
        .await;
        assert_eq!((report.added, report.skipped), (0, 1), "{status} {report}");
        assert!(!writes.iter().any(|write| write.starts_with("Patch")), "{writes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_names_contacts_by_id_alone_is_understood() {
    let world = World::new();
    people(10).iter().for_each(|person| _ = world.simulator.add_contact(person));
    world.segment(people(10));
    let ids_only = rows(|rows| rows.iter_mut().for_each(|row| row["identifiers"] = json!({})));
    let (report, _) = run_meddled(&world, &existing_only(), ids_only).await;
    assert_eq!((report.status, report.added), (RunStatus::Done, 10), "{report}");
}

#[tokio::test(start_paused = true)]
async fn another_contact_than_the_one_asked_for_does_not_count_as_added() {
    let world = World::new();
    world.simulator.add_contact("person000000@example.com");
    world.segment(people(1));
    let (report, _) = run_meddled(&world, &existing_only(), |request, response| {
        if request.method == Method::Patch {
            let mut contact: Value = serde_json::from_slice(&response.body).unwrap();
            contact["contactId"] = json!(4_711);
            response.body = contact.to_string().into();
        }
    })
    .await;
    assert_eq!((report.added, report.held), (0, 1), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_contact_id_that_looks_like_a_members_number_is_not_her() {
    let world = World::new();
    let numbers: Vec<String> = (0..10).map(|n| format!("44712300000{n}")).collect();
    let patch = SettingsPatch::default().identifier(IdentifierKind::MobileNumber);
    let activation = vip().settings(Settings::resolve(&SettingsPatch::default(), &patch));
    world.segment(numbers[..5].to_vec());
    world.run(&activation).await;
    // An import is lost on its way, and those in it leave again: the list is searched for them.
    world.simulator.inject(FaultRule::new(Fault::ResetBeforeActing).on("PUT"));
    world.segment(numbers.clone());
    assert_eq!(world.run(&activation).await.status, RunStatus::Busy);
    world.segment(numbers[..5].to_vec());
    let list = world.simulator.list_named("vip").unwrap().id;
    world.simulator.add_member(list, world.simulator.add_contact("guest@example.com"));
    let (report, writes) = run_meddled(&world, &activation, |request, response| {
        if request.path_and_query.starts_with("/contacts/v3?") {
            let mut page: Value = serde_json::from_slice(&response.body).unwrap();
            for contact in page["_items"].as_array_mut().unwrap() {
                if contact["identifiers"]["email"] == "guest@example.com" {
                    contact["contactId"] = json!(447_123_000_007_u64);
                }
            }
            response.body = page.to_string().into();
        }
    })
    .await;
    assert_eq!(report.calls["GET /contacts/v3"], 1, "the list was read: {report}");
    assert_eq!(writes, [""; 0], "{report}");
}
