//! What the default transport does on the wire.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use dotdigital_client::{Client, ErrorKind, Region, ReqwestTransport, RetryPolicy};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::support::{credentials, list_id, only_request, serve};

const LIST: &str = r#"{"id":7,"name":"VIP","visibility":"Private","contacts":3}"#;

/// `LIST`, compressed with gzip.
const LIST_GZIP: [u8; 74] = [
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 202, 76, 81, 178, 50, 215, 81, 202, 75, 204, 77, 85,
    178, 82, 10, 243, 12, 80, 210, 81, 42, 203, 44, 206, 76, 202, 204, 201, 44, 169, 4, 10, 5, 20,
    101, 150, 37, 150, 164, 2, 133, 147, 243, 243, 74, 18, 147, 75, 138, 149, 172, 140, 107, 1,
    181, 62, 140, 164, 57, 0, 0, 0,
];

fn client(address: SocketAddr) -> Client {
    let once = RetryPolicy { max_attempts: 1, ..RetryPolicy::default() };
    let builder = Client::builder().credentials(credentials()).retry(once);
    builder.endpoint(format!("http://{address}")).build().unwrap()
}

/// Serves connections one request after the other, each with `answer`, and counts connections.
async fn keep_serving(answer: Vec<u8>) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(answer_each(stream, answer.clone()));
        }
    });
    (address, connections)
}

async fn answer_each(mut stream: TcpStream, answer: Vec<u8>) {
    let mut request = [0; 4096];
    while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
        stream.write_all(&answer).await.unwrap();
    }
}

fn http(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn connections_are_reused() {
    let (address, connections) = keep_serving(http("", LIST.as_bytes())).await;
    let client = client(address);
    for _ in 0..10 {
        client.clone().lists().find(list_id(7)).await.unwrap().unwrap();
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_tasks_share_a_client() {
    let (address, _) = keep_serving(http("", LIST.as_bytes())).await;
    let client = client(address);
    let mut tasks = JoinSet::new();
    for _ in 0..64 {
        let client = client.clone();
        tasks.spawn(async move {
            for _ in 0..10 {
                assert_eq!(client.lists().find(list_id(7)).await.unwrap().unwrap().contacts, 3);
            }
        });
    }
    assert_eq!(tasks.join_all().await.len(), 64);
}

#[tokio::test]
async fn compressed_answers_are_asked_for_and_read() {
    let (address, _) = keep_serving(http("content-encoding: gzip\r\n", &LIST_GZIP)).await;
    assert_eq!(client(address).lists().find(list_id(7)).await.unwrap().unwrap().name, "VIP");

    let (server, client) = serve(200, LIST).await;
    client.lists().find(list_id(7)).await.unwrap();
    assert!(
        only_request(&server).await.headers["accept-encoding"].to_str().unwrap().contains("gzip")
    );
}

#[tokio::test]
async fn an_answer_without_end_is_given_up_on() {
    let endless = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let chunk = [b"400\r\n".as_slice(), &[b' '; 1024], b"\r\n"].concat();
    let told = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n".to_vec();
    // Compressed, `LIST` takes more bytes than without, but both are over the bound.
    let compressed = http("content-encoding: gzip\r\n", &LIST_GZIP);
    for (case, answer, bound) in [
        ("chunks", [endless, chunk.repeat(20)].concat(), 10 * 1024),
        ("length", told, 10 * 1024),
        ("compressed", compressed, LIST.len() - 1),
    ] {
        let (address, _) = keep_serving(answer).await;
        let transport = ReqwestTransport::without_proxy().unwrap().with_longest_answer(bound);
        let client = Client::builder()
            .credentials(credentials())
            .endpoint(format!("http://{address}"))
            .retry(RetryPolicy { max_attempts: 1, ..RetryPolicy::default() })
            .transport(Arc::new(transport))
            .build()
            .unwrap();
        let error = client.lists().find(list_id(7)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MaybeSent, "{case}");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("longer"), "{case}: {source}");
    }
}

#[tokio::test]
async fn an_integration_token_goes_with_every_call() {
    const TOKEN: &str = "5a96bc79-19a7-4544-973b-e2da0c9136f9";
    let (server, _) = serve(200, LIST).await;
    let builder = Client::builder().credentials(credentials()).endpoint(server.uri());
    let client = builder.integration_token(TOKEN).build().unwrap();
    client.lists().find(list_id(7)).await.unwrap();
    let request = only_request(&server).await;
    assert_eq!(request.headers["x-ddg-integration-token"], TOKEN);
}

/// The first bytes of a TLS connection name the versions that the client would speak.
#[tokio::test]
async fn no_tls_before_1_2_is_offered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = Client::builder()
        .credentials(credentials())
        .endpoint(format!("https://{address}"))
        .transport(Arc::new(ReqwestTransport::without_proxy().unwrap()))
        .retry(RetryPolicy { max_attempts: 1, ..RetryPolicy::default() })
        .build()
        .unwrap();
    let call = tokio::spawn(async move { client.lists().find(list_id(7)).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut head = [0; 5];
    stream.read_exact(&mut head).await.unwrap();
    let mut hello = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
    stream.read_exact(&mut hello).await.unwrap();
    drop(stream);
    assert_eq!(call.await.unwrap().unwrap_err().kind(), ErrorKind::NotSent);

    // The extension 43 lists two bytes for each version: 3.4 is TLS 1.3, 3.3 is 1.2.
    let at = hello.windows(5).position(|bytes| bytes == [0, 43, 0, 5, 4]).expect("two versions");
    let versions: Vec<&[u8]> = hello[at + 5..at + 9].chunks(2).collect();
    assert_eq!(versions, [[3, 4], [3, 3]]);
}

/// Run as a process of its own by the test below, since a process's environment is one.
#[tokio::test]
#[ignore = "only with a proxy in the environment"]
async fn calls_through_the_proxy_of_the_environment() {
    let builder = Client::builder().credentials(credentials()).region(Region::R1);
    let client =
        builder.retry(RetryPolicy { max_attempts: 1, ..RetryPolicy::default() }).build().unwrap();
    assert!(client.lists().find(list_id(7)).await.is_err());
}

#[tokio::test]
async fn proxies_come_from_the_environment_and_never_see_the_password() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "http::calls_through_the_proxy_of_the_environment", "--ignored"])
        .env("HTTPS_PROXY", proxy)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = vec![0; 4096];
    let read = stream.read(&mut request).await.unwrap();
    let request = String::from_utf8_lossy(&request[..read]).to_ascii_lowercase();
    stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    drop(stream);
    assert!(request.starts_with("connect r1-api.dotdigital.com:443"), "{request}");
    assert!(!request.contains("authorization: basic"), "{request}");
    let ended = tokio::task::spawn_blocking(move || child.wait()).await.unwrap();
    assert!(ended.unwrap().success());
}
