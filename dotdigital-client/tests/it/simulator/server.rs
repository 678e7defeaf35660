//! The simulator over real HTTP.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dotdigital_client::{
    clock::Clock,
    simulator::{
        Fault, FaultRule, JobLatency, RateLimits, Simulator, SimulatorServer, SimulatorSettings,
        TierLimits, VirtualClock, Visibility,
    },
};
use serde_json::{Value, json};

use super::{onto_list, start};

/// Sends one request over a socket of its own and returns the whole answer as text.
fn exchange(url: &str, request_line: &str, body: &str) -> String {
    let authority = url.strip_prefix("http://").expect("plain HTTP");
    let user = SimulatorSettings::default();
    let token = STANDARD.encode(format!("{}:{}", user.user, user.password));
    let mut stream = TcpStream::connect(authority).expect("a connection");
    let request = format!(
        "{request_line} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Basic {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

fn body(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head");
    serde_json::from_str(body).expect("a JSON body")
}

async fn serve(simulator: &Simulator) -> SimulatorServer {
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::starting_at(start()));
    SimulatorServer::on_any_port(simulator.clone(), clock).await.expect("a server")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_filled_over_a_socket() {
    let settings = SimulatorSettings {
        limits: RateLimits::Tiered(TierLimits { low: 9, medium: 9, high: 9 }),
        latency: JobLatency::NONE,
        ..SimulatorSettings::default()
    };
    let simulator = Simulator::new(settings);
    let server = serve(&simulator).await;
    let list = simulator.add_list("VIP", Visibility::Private);
    let import = json!({"contacts": [onto_list("jürgen+x@example.com", list)]}).to_string();
    let answer = exchange(server.url(), "PUT /contacts/v3/import", &import);
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert!(answer.to_lowercase().contains("\r\nx-ratelimit-remaining: 8\r\n"), "{answer}");
    let path = "GET /contacts/v3/email/j%C3%BCrgen%2Bx%40example.com";
    let contact = body(&exchange(server.url(), path, ""));
    assert_eq!(contact["lists"][0]["id"], list);
    let member = contact["contactId"].as_i64().expect("an id");
    let none = body(&exchange(server.url(), "GET /v2/address-books?select=1&skip=9", ""));
    assert_eq!(none, json!([]));
    let path = format!("DELETE /v2/address-books/{list}/contacts/{member}");
    let answer = exchange(server.url(), &path, "");
    assert!(answer.starts_with("HTTP/1.1 204") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(simulator.members(list).is_empty());
    assert_eq!(simulator.calls().values().sum::<u64>(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn account_info_names_the_server_itself() {
    let server = serve(&Simulator::new(SimulatorSettings::default())).await;
    let info = body(&exchange(server.url(), "GET /v2/account-info", ""));
    assert!(info.to_string().contains(&format!("{}/", server.url())));
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_connection_become_statuses() {
    let simulator = Simulator::new(SimulatorSettings::default());
    let server = serve(&simulator).await;
    for (fault, status) in [
        (Fault::ConnectionRefused, "503"),
        (Fault::ResetBeforeActing, "503"),
        (Fault::ResetAfterActing, "504"),
        (Fault::TimeoutAfterActing, "504"),
    ] {
        simulator.inject(FaultRule::new(fault));
        let answer = exchange(server.url(), "GET /v2/account-info", "");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
    let answer = exchange(server.url(), "OPTIONS /v2/account-info", "");
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
}
