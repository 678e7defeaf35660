//! Segments over real HTTP.

use std::time::Duration;

use dotdigital_client::{ErrorKind, SegmentId, imports::PollPolicy, segments::RefreshStatus};

use crate::{
    calls::check,
    support::{Script, answer, serve, virtual_client},
};

fn segment() -> SegmentId {
    SegmentId::new(3).unwrap()
}

#[tokio::test]
async fn segments_are_read() {
    let body = r#"[{"id":3,"name":"Opened","contacts":7,"new":1},{"id":"4"}]"#;
    let (server, client) = serve(200, body).await;
    let segments = client.segments().list().await.unwrap();
    check(&server, "GET /v2/segments").await;
    assert_eq!((segments[0].id, segments[0].name.as_str()), (segment(), "Opened"));
    assert_eq!((segments[0].contacts, segments[1].contacts), (7, 0));
}

#[tokio::test]
async fn a_segment_is_computed_anew() {
    let (server, client) = serve(202, r#"{"id":3,"status":"NotStarted"}"#).await;
    assert_eq!(client.segments().refresh(segment()).await.unwrap(), RefreshStatus::NotStarted);
    check(&server, "POST /v2/segments/refresh/3").await;
}

#[tokio::test]
async fn the_progress_of_computing_is_read() {
    let (server, client) = serve(200, r#"{"id":3,"status":"notFinished"}"#).await;
    let progress = client.segments().refresh_progress(segment()).await.unwrap();
    check(&server, "GET /v2/segments/refresh/3").await;
    assert_eq!(progress, RefreshStatus::NotFinished);
}

#[tokio::test]
async fn a_segment_that_does_not_exist_is_told() {
    let (_server, client) = serve(404, r#"{"message":"Error: ERROR_SEGMENT_NOT_FOUND"}"#).await;
    let error = client.segments().refresh(segment()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_computing_is_waited_for() {
    let states = ["NotStarted", "NotFinished", "Failed"];
    let script = Script::new(
        states.map(|state| Ok(answer(200, &format!(r#"{{"id":3,"status":"{state}"}}"#)))),
    );
    let (client, clock) = virtual_client(script.clone());
    let end = client.segments().wait(segment(), &PollPolicy::default()).await.unwrap();
    assert_eq!((end, clock.elapsed()), (RefreshStatus::Failed, Duration::from_secs(7)));
}
