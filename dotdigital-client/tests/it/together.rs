//! The client against the simulator, in process and over real HTTP.

use std::sync::Arc;

use dotdigital_client::{
    CallCounter, Client, ContactId, Credentials, ErrorKind,
    contacts::ContactUpdate,
    imports::{ImportBody, ImportContact, ImportLimits, ImportState, MergeOption, PollPolicy},
    list_members::{ContactIds, Removal, RemovalState},
    lists::Visibility,
    simulator::{Simulator, SimulatorSettings, VirtualClock},
};

use crate::support::{email, epoch, new_list, simulated};

#[tokio::test(start_paused = true)]
async fn a_whole_tour_in_process() {
    let settings = SimulatorSettings::default();
    let credentials = Credentials::new(settings.user.clone(), settings.password.clone());
    let simulator = Simulator::new(settings);
    let clock = Arc::new(VirtualClock::starting_at(epoch()));
    let client = Client::builder()
        .credentials(credentials)
        .transport(Arc::new(simulator.transport(clock.clone())))
        .clock(clock)
        .connect()
        .await
        .unwrap();
    let counter = Arc::new(CallCounter::new());
    tour(client.with_observer(counter.clone()), &simulator).await;
    assert_eq!(counter.counts().values().sum::<u64>() + 1, simulator.calls().values().sum::<u64>());
}

#[cfg(feature = "simulator-server")]
#[tokio::test]
async fn a_whole_tour_over_http() {
    tour_over_http().await;
}

/// Takes the tour over real HTTP and returns the settings, credentials among them.
#[cfg(feature = "simulator-server")]
pub(crate) async fn tour_over_http() -> SimulatorSettings {
    use dotdigital_client::{
        SystemClock,
        simulator::{JobLatency, SimulatorServer},
    };
    // Jobs are done when first asked about: nothing waits on the machine's clock.
    let settings = SimulatorSettings { latency: JobLatency::NONE, ..SimulatorSettings::default() };
    let credentials = Credentials::new(settings.user.clone(), settings.password.clone());
    let simulator = Simulator::new(settings.clone());
    let server =
        SimulatorServer::on_any_port(simulator.clone(), Arc::new(SystemClock)).await.unwrap();
    let client = Client::builder().credentials(credentials).endpoint(server.url()).build().unwrap();
    tour(client, &simulator).await;
    settings
}

async fn tour(client: Client, simulator: &Simulator) {
    let lists = client.lists();
    assert!(lists.find_by_name("VIP").await.unwrap().is_none());
    let list = lists.create(&new_list("VIP")).await.unwrap();
    assert_eq!(lists.create(&new_list("vip")).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(lists.find(list.id).await.unwrap().unwrap(), list);
    let mut renamed = new_list("VIP 2");
    renamed.visibility = Visibility::Public;
    assert_eq!(lists.update(list.id, &renamed).await.unwrap().visibility, Visibility::Public);
    assert_eq!(lists.find_by_name("vip 2").await.unwrap().unwrap().id, list.id);

    let mut body = ImportBody::new(MergeOption::Overwrite, ImportLimits::default());
    for number in 0..1200 {
        let person = email(&format!("p+{number}@example.com"));
        let _ = body.push(&ImportContact::new(person).list(list.id)).unwrap();
    }
    let import = client.imports().submit(&body).await.unwrap();
    let report = client.imports().wait(&import, &PollPolicy::default()).await.unwrap();
    assert_eq!((report.state, report.created.len()), (ImportState::Finished, 1200));

    let contacts = client.contacts();
    let update = ContactUpdate::new().list(list.id);
    assert!(contacts.upsert(&email("a/b%c@example.com"), &update).await.unwrap().created);
    let upserted = contacts.upsert(&email("a/b%c@example.com"), &update).await.unwrap();
    assert!(!upserted.created);
    let found = contacts.find(&email("A/b%c@example.com")).await.unwrap().unwrap();
    assert_eq!(found.contact_id, upserted.contact.contact_id);
    assert!(contacts.find(&email("nobody@example.com")).await.unwrap().is_none());
    let by_id = dotdigital_client::Identifier::ContactId(found.contact_id);
    assert!(!contacts.upsert(&by_id, &update).await.unwrap().created);

    let members = client.list_members(list.id);
    let mut pages = members.pages(500);
    let mut ids = Vec::new();
    while let Some(page) = pages.next_page().await.unwrap() {
        ids.extend(page.into_iter().map(|contact| contact.contact_id));
    }
    assert_eq!(ids.len(), 1201);
    assert_eq!(members.remove(found.contact_id).await.unwrap(), Removal::Removed);
    let unknown = ContactId::new(999_999_999).unwrap();
    assert_eq!(members.remove(unknown).await.unwrap(), Removal::ContactUnknown);
    let job = members.remove_many(&ContactIds::new(ids[..1000].to_vec()).unwrap()).await.unwrap();
    while members.removal_status(&job.id).await.unwrap() == RemovalState::Started {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(simulator.members(list.id.get()).len(), 200);
    assert_eq!(simulator.contact_count(), 1201);
    assert!(simulator.forbidden_calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn limits_of_the_simulator_are_kept_without_a_refusal() {
    use dotdigital_client::simulator::{RateLimits, TierLimits};
    let limits = RateLimits::Tiered(TierLimits { low: 35, medium: 60, high: 100 });
    let settings = SimulatorSettings { limits, ..SimulatorSettings::default() };
    let (client, simulator, _) = simulated(settings);
    let list = client.lists().create(&new_list("VIP")).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..64 {
        let client = client.clone();
        tasks.spawn(async move {
            for call in 0..20 {
                let _ = client.lists().find(list.id).await.unwrap();
                let who = email(&format!("p{task}-{call}@example.com"));
                client.contacts().upsert(&who, &ContactUpdate::new().list(list.id)).await.unwrap();
                client.contacts().find(&who).await.unwrap().unwrap();
            }
        });
    }
    tasks.join_all().await;
    let refused = simulator.ledger().iter().filter(|entry| entry.status == Some(429)).count();
    assert_eq!(refused, 0);
}
