//! Paging: to the end, never in a circle, and a partial read never looks complete.

use dotdigital_client::{Error, ErrorKind, contacts::Contact};

use crate::support::{Outcome, Script, answer, list_id, virtual_client};

fn lists(ids: impl Iterator<Item = u32>) -> Outcome {
    let list = |id| format!(r#"{{"id":{id},"name":"List {id}","visibility":"Public"}}"#);
    let all: Vec<String> = ids.map(list).collect();
    Ok(answer(200, &format!("[{}]", all.join(","))))
}

fn members(ids: &[i64], next: Option<&str>) -> Outcome {
    let items: Vec<String> = ids.iter().map(|id| format!(r#"{{"contactId":{id}}}"#)).collect();
    let next = next.map(|marker| format!(r#","next":{{"marker":"{marker}","link":"x"}}"#));
    let links = format!(r#"{{"self":{{"marker":"s"}}{}}}"#, next.unwrap_or_default());
    Ok(answer(200, &format!(r#"{{"_items":[{}],"_links":{links}}}"#, items.join(","))))
}

/// The ids of all members, and the paths of the calls.
async fn read(script: impl IntoIterator<Item = Outcome>) -> (Result<Vec<i64>, Error>, Vec<String>) {
    let script = Script::new(script);
    let (client, _) = virtual_client(script.clone());
    let mut pages = client.list_members(list_id(7)).pages(2);
    let mut ids = Vec::new();
    let result = loop {
        match pages.next_page().await {
            Ok(Some(page)) => ids.extend(page.iter().map(|c: &Contact| c.contact_id.get())),
            Ok(None) => break Ok(ids),
            Err(error) => break Err(error),
        }
    };
    let paths = script.requests().into_iter().map(|request| request.path_and_query).collect();
    (result, paths)
}

#[tokio::test]
async fn lists_are_paged_until_a_page_is_empty() {
    let script = Script::new([lists(1..=1000), lists(1001..=1003), lists(0..0)]);
    let (client, _) = virtual_client(script.clone());
    let mut pages = client.lists().pages();
    let mut count = 0;
    while let Some(page) = pages.next_page().await.unwrap() {
        count += page.len();
    }
    assert_eq!(count, 1003);
    assert!(pages.next_page().await.unwrap().is_none(), "the end stays the end");
    let skips: Vec<String> = script.requests().into_iter().map(|r| r.path_and_query).collect();
    let path = |skip| format!("/v2/address-books?select=1000&skip={skip}");
    assert_eq!(skips, [path(0), path(1000), path(2000)]);
}

#[tokio::test]
async fn a_service_that_ignores_the_offset_does_not_page_for_ever() {
    let script = Script::new([lists(1..=5), lists(1..=5)]);
    let (client, _) = virtual_client(script);
    let error = client.lists().find_by_name("missing").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn a_list_is_found_by_name_on_any_page_whatever_the_case() {
    let script = Script::new([lists(1..=1000), lists(1001..=1003)]);
    let (client, _) = virtual_client(script.clone());
    let found = client.lists().find_by_name(" LIST 1002 ").await.unwrap().unwrap();
    assert_eq!((found.id.get(), script.requests().len()), (1002, 2));
}

#[tokio::test]
async fn members_are_paged_until_there_is_no_next_link() {
    let script = [members(&[1, 2], Some("a+/=")), members(&[3, 4], Some("b")), members(&[5], None)];
    let (ids, paths) = read(script).await;
    assert_eq!(ids.unwrap(), [1, 2, 3, 4, 5]);
    assert_eq!(
        paths,
        [
            "/contacts/v3?~listId=7&limit=2",
            "/contacts/v3?~listId=7&limit=2&marker=a%2B%2F%3D",
            "/contacts/v3?~listId=7&limit=2&marker=b",
        ]
    );
}

#[tokio::test]
async fn an_empty_list_has_no_pages() {
    assert!(read([members(&[], None)]).await.0.unwrap().is_empty());
}

#[tokio::test]
async fn a_repeated_marker_is_an_error_and_not_the_end() {
    let script = [members(&[1], Some("a")), members(&[2], Some("b")), members(&[3], Some("a"))];
    assert_eq!(read(script).await.0.unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn an_empty_page_is_passed_over_and_many_are_an_error() {
    let script = [members(&[1], Some("a")), members(&[], Some("b")), members(&[2], None)];
    assert_eq!(read(script).await.0.unwrap(), [1, 2]);
    let script = [members(&[1], Some("a")), members(&[], Some("a"))];
    assert_eq!(read(script).await.0.unwrap(), [1], "an empty page that leads to itself is the end");
    let endless = (0..99).map(|page| members(&[], Some(&format!("m{page}"))));
    let (result, paths) = read(endless).await;
    assert_eq!((result.unwrap_err().kind(), paths.len()), (ErrorKind::Decode, 10));
}

#[tokio::test]
async fn a_page_without_links_is_an_error_and_not_the_end() {
    let (result, _) = read([Ok(answer(200, r#"{"_items":[]}"#))]).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn after_an_error_the_same_page_is_asked_for_again() {
    let broken = || Ok(answer(400, ""));
    let script =
        Script::new([members(&[1], Some("a")), broken(), members(&[2], Some("b")), broken()]);
    let (client, _) = virtual_client(script.clone());
    let mut pages = client.list_members(list_id(7)).pages(1);
    assert_eq!(pages.next_page().await.unwrap().unwrap().len(), 1);
    assert!(pages.next_page().await.is_err());
    assert_eq!(pages.next_page().await.unwrap().unwrap()[0].contact_id.get(), 2);
    let paths: Vec<String> = script.requests().into_iter().map(|it| it.path_and_query).collect();
    assert_eq!(paths[1], paths[2]);

    let script = Script::new([lists(1..=1000), broken(), lists(1001..=1001), lists(0..0)]);
    let (client, _) = virtual_client(script.clone());
    let mut pages = client.lists().pages();
    assert_eq!(pages.next_page().await.unwrap().unwrap().len(), 1000);
    assert!(pages.next_page().await.is_err());
    assert_eq!(pages.next_page().await.unwrap().unwrap().len(), 1);
    let paths: Vec<String> = script.requests().into_iter().map(|it| it.path_and_query).collect();
    assert_eq!(paths[1], paths[2]);
}

#[tokio::test]
async fn a_circle_never_looks_like_the_end_however_often_it_is_asked() {
    let script = Script::new([lists(1..=5), lists(1..=5), lists(1..=5)]);
    let (client, _) = virtual_client(script);
    let mut pages = client.lists().pages();
    assert_eq!(pages.next_page().await.unwrap().unwrap().len(), 5);
    for _ in 0..2 {
        assert_eq!(pages.next_page().await.unwrap_err().kind(), ErrorKind::Decode);
    }

    let circle = || members(&[1], Some("a"));
    let (client, _) = virtual_client(Script::new([circle(), circle(), circle()]));
    let mut pages = client.list_members(list_id(7)).pages(1);
    assert!(pages.next_page().await.unwrap().is_some());
    for _ in 0..2 {
        assert_eq!(pages.next_page().await.unwrap_err().kind(), ErrorKind::Decode);
    }

    let endless = (0..11).map(|page| members(&[], Some(&format!("m{page}"))));
    let (client, _) = virtual_client(Script::new(endless));
    let mut pages = client.list_members(list_id(7)).pages(1);
    for _ in 0..2 {
        assert_eq!(pages.next_page().await.unwrap_err().kind(), ErrorKind::Decode);
    }
}

#[tokio::test]
async fn a_next_page_without_a_marker_is_none_and_an_empty_marker_is_a_circle() {
    let links =
        |next| Ok(answer(200, &format!(r#"{{"_items":[{{"contactId":1}}],"_links":{next}}}"#)));
    for next in [r#"{"next":null}"#, r#"{"next":{"marker":null,"link":null}}"#] {
        assert_eq!(read([links(next)]).await.0.unwrap(), [1], "{next}");
    }
    // The first page has the empty marker.
    let (result, paths) = read([links(r#"{"next":{"marker":"","link":""}}"#)]).await;
    assert_eq!((result.unwrap_err().kind(), paths.len()), (ErrorKind::Decode, 1));
}
