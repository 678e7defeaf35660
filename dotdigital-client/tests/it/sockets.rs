//! What broken connections mean, over real sockets.

use std::{net::SocketAddr, time::Duration};

use dotdigital_client::{Client, ErrorKind, RetryPolicy};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::support::{credentials, email, new_list};

fn client(address: SocketAddr) -> Client {
    let once = RetryPolicy { max_attempts: 1, ..RetryPolicy::default() };
    let builder = Client::builder().credentials(credentials()).retry(once);
    builder.endpoint(format!("http://{address}")).build().unwrap()
}

/// Takes one connection, reads what comes first, and hands it over.
async fn listen<F: Future<Output = ()> + Send + 'static>(
    then: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        then(stream).await;
    });
    address
}

#[tokio::test]
async fn a_refused_connection_was_never_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = client(address).lists().create(&new_list("VIP")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSent);
    assert!(!error.may_have_acted());
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.starts_with("no connection: "), "{source}");
}

#[tokio::test]
async fn a_connection_reset_after_sending_may_have_acted() {
    let address = listen(async |stream| {
        // Without lingering, closing resets the connection.
        stream.set_zero_linger().unwrap();
        drop(stream);
    })
    .await;
    let error = client(address).lists().create(&new_list("VIP")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MaybeSent);
    assert!(error.may_have_acted());
}

#[tokio::test]
async fn an_answer_cut_short_may_have_acted() {
    let address = listen(async |mut stream| {
        let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":";
        stream.write_all(cut).await.unwrap();
    })
    .await;
    let error = client(address).lists().create(&new_list("VIP")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MaybeSent);
}

#[tokio::test]
async fn silence_may_have_acted_and_errors_show_no_address() {
    let address = listen(async |stream| {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let builder = Client::builder().credentials(credentials());
    let builder = builder.retry(RetryPolicy { max_attempts: 1, ..RetryPolicy::default() });
    let client = builder
        .endpoint(format!("http://{address}"))
        .deadline(Duration::from_millis(50))
        .build()
        .unwrap();
    let error = client.contacts().find(&email("jane@example.com")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MaybeSent);
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.to_string().starts_with("no answer in time"), "{source}");
    let shown = format!("{error} {error:?} {source}");
    assert!(!shown.contains("jane") && !shown.contains("hunter2"), "{shown}");
}
