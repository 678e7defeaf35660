//! The simulator in process, with virtual time.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use dotdigital_client::{
    clock::Clock,
    simulator::{Fault, FaultRule, Simulator, SimulatorSettings, SimulatorTransport, VirtualClock},
    transport::{HttpResponse, Method, Transport, TransportErrorKind},
};
use serde_json::{Value, json};

use super::{by_email, request, start};

fn connected() -> (Simulator, SimulatorTransport, Arc<dyn Clock>) {
    let simulator = Simulator::new(SimulatorSettings::default());
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::starting_at(start()));
    (simulator.clone(), simulator.transport(Arc::clone(&clock)), clock)
}

async fn put(transport: &SimulatorTransport, path: &str, body: &Value) -> HttpResponse {
    transport.send(&request(Method::Put, path, Some(body))).await.expect("an answer")
}

#[tokio::test(start_paused = true)]
async fn a_job_is_polled_for_hours_in_no_time() {
    let (simulator, transport, clock) = connected();
    let slow = Fault::SlowJob(Duration::from_secs(5 * 3_600));
    simulator.inject(FaultRule::new(slow).on("PUT /contacts/v3/import"));
    let body = json!({"contacts": [by_email("ann@example.com")]});
    let response = put(&transport, "/contacts/v3/import", &body).await;
    let answer: Value = serde_json::from_slice(&response.body).expect("JSON");
    let path = format!("/contacts/v3/import/{}", answer["importId"].as_str().expect("an id"));
    let mut polls = 0;
    loop {
        let response = transport.send(&request(Method::Get, &path, None)).await.expect("an answer");
        let report: Value = serde_json::from_slice(&response.body).expect("JSON");
        if report["status"] == "Finished" {
            break;
        }
        polls += 1;
        clock.sleep(Duration::from_secs(60)).await;
    }
    assert_eq!(polls, 301);
    assert_eq!(simulator.contact_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn connection_faults_say_whether_the_service_may_have_acted() {
    for (fault, kind, acted, in_ledger) in [
        (Fault::ConnectionRefused, TransportErrorKind::NotSent, false, 0),
        (Fault::ResetBeforeActing, TransportErrorKind::MaybeSent, false, 1),
        (Fault::ResetAfterActing, TransportErrorKind::MaybeSent, true, 1),
        (Fault::TimeoutAfterActing, TransportErrorKind::TimedOut, true, 1),
    ] {
        let (simulator, transport, clock) = connected();
        let timed_out = fault == Fault::TimeoutAfterActing;
        simulator.inject(FaultRule::new(fault));
        let create = request(Method::Post, "/v2/address-books", Some(&json!({"name": "VIP"})));
        let error = transport.send(&create).await.expect_err("no answer");
        assert_eq!(error.kind, kind);
        assert_eq!(simulator.list_named("VIP").is_some(), acted);
        let waited = if timed_out { create.timeout } else { Duration::ZERO };
        assert!(
            (clock.now() - start() - TimeDelta::from_std(waited).expect("short")).num_seconds()
                == 0
        );
        let ledger = simulator.ledger();
        assert_eq!(ledger.len(), in_ledger);
        assert!(ledger.iter().all(|entry| entry.lost && entry.status.is_some() == acted));
    }
}
