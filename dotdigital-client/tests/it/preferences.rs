//! Preferences over real HTTP: the tree, what contacts chose, and changes to both.

use chrono::{DateTime, Utc};
use dotdigital_client::{
    ContactId, EmailAddress, Error, ErrorKind, PreferenceId, TransportErrorKind,
    contacts::IdOrEmail,
    preferences::{NewPreference, Position, PreferenceChoice},
};

use crate::{
    calls::check,
    support::{Outcome, Script, answer, serve, virtual_client},
};

const TREE: &str = r#"[{"id":8,"publicName":"Contact by","privateName":"by","isPreference":false,
    "order":"0","isPublic":true,"categoryId":0,"preferenceCount":1,
    "created":"2020-01-01 09:40:18.527000+00:00","lastModified":"2020-01-01 09:40:18.527000+00:00",
    "preferences":[{"id":9,"publicName":"Email","privateName":"email","isPreference":true,
    "order":"0","isPublic":true,"categoryId":8,"preferenceCount":0,"isOptedIn":true}]},
    {"id":21,"publicName":"Football","isPreference":true,"order":"2","isOptedIn":false}]"#;

fn id(id: i32) -> PreferenceId {
    PreferenceId::new(id).unwrap()
}

fn since() -> DateTime<Utc> {
    "2023-01-26T21:29:00Z".parse().unwrap()
}

fn jane() -> IdOrEmail {
    EmailAddress::parse("jane+x@example.com").unwrap().into()
}

#[tokio::test]
async fn the_tree_of_preferences_is_read() {
    let (server, client) = serve(200, TREE).await;
    let tree = client.preferences().list().await.unwrap();
    check(&server, "GET /v2/preferences").await;
    assert_eq!((tree[0].id, tree[0].public_name.as_str()), (id(8), "Contact by"));
    assert_eq!((tree[0].private_name.as_str(), tree[0].preference_count), ("by", 1));
    assert!(!tree[0].is_preference && tree[0].is_public && tree[0].created.is_some());
    let leaf = &tree[0].preferences[0];
    assert!(leaf.is_preference && leaf.category == Some(id(8)));
    assert_eq!((tree[1].position, tree[1].category), (Some(2), None));
}

#[tokio::test]
async fn changed_preferences_are_read() {
    let (server, client) = serve(200, &TREE.replace("isPreference", "isPreference2")).await;
    let tree = client.preferences().modified_since(since()).await.unwrap();
    check(&server, "GET /v2/preferences/modified-since/2023-01-26T21%3A29%3A00Z").await;
    assert_eq!((tree[0].is_preference, tree[1].is_preference), (false, true));
}

#[tokio::test]
async fn a_preference_is_created() {
    let body = r#"{"id":23,"publicName":"Tents","privateName":"tents","isPreference":true,
        "order":1,"isPublic":true,"categoryId":8}"#;
    let (server, client) = serve(200, body).await;
    let new = NewPreference::preference_in(id(8), "Tents", "tents").position(Position::At(1));
    let created = client.preferences().create(&new).await.unwrap();
    let body = concat!(
        r#"{"publicName":"Tents","privateName":"tents","isPreference":true,"order":"1","#,
        r#""isPublic":true,"categoryId":8}"#
    );
    check(&server, &format!("POST /v2/preferences {body}")).await;
    assert_eq!((created.id, created.position, created.category), (id(23), Some(1), Some(id(8))));
}

#[tokio::test]
async fn a_category_is_changed() {
    let (server, client) = serve(200, r#"{"id":8,"isPreference":false}"#).await;
    let new = NewPreference::category("Sport", "sport").hidden();
    client.preferences().update(id(8), &new).await.unwrap();
    let body = concat!(
        r#"{"id":8,"publicName":"Sport","privateName":"sport","isPreference":false,"#,
        r#""isPublic":false}"#
    );
    check(&server, &format!("PUT /v2/preferences/8 {body}")).await;
}

#[tokio::test]
async fn a_preference_without_a_name_is_refused_before_sending() {
    let (client, _) = virtual_client(Script::new([]));
    for new in [NewPreference::preference("", "a"), NewPreference::category("a", " ")] {
        let error = client.preferences().create(&new).await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_acted()), (ErrorKind::Rejected, false));
        let error = client.preferences().update(id(8), &new).await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_acted()), (ErrorKind::Rejected, false));
    }
}

#[tokio::test]
async fn creating_is_not_repeated_when_its_answer_is_lost() {
    let script = Script::new([Err(TransportErrorKind::MaybeSent)]);
    let (client, _) = virtual_client(script.clone());
    let new = NewPreference::category("Sport", "sport");
    assert!(client.preferences().create(&new).await.unwrap_err().may_have_acted());
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_asked_for_again_where_that_changes_nothing_more() {
    let lost = || Err(TransportErrorKind::MaybeSent);
    let script = Script::new([lost(), Ok(answer(200, r#"{"id":8}"#)), lost(), Ok(answer(200, ""))]);
    let (client, _) = virtual_client(script.clone());
    let new = NewPreference::category("Sport", "sport");
    client.preferences().update(id(8), &new).await.unwrap();
    let choice = PreferenceChoice { preference: id(26), category: None, opted_in: false };
    client.preferences().set_for_contact(&jane(), &[choice]).await.unwrap();
    assert_eq!(script.requests().len(), 4);
}

#[cfg(feature = "account-deletion")]
#[tokio::test]
async fn a_preference_is_deleted_whatever_the_text_of_the_success() {
    for body in ["Preference or category (and preferences) were deleted successfully", ""] {
        let (server, client) = serve(200, body).await;
        assert!(client.preferences().delete(id(8)).await.unwrap());
        check(&server, "DELETE /v2/preferences/8").await;
    }
    let (_server, client) = serve(404, r#"{"message":"Error: ERROR_PREFERENCE_NOT_FOUND"}"#).await;
    assert!(!client.preferences().delete(id(8)).await.unwrap());
}

#[tokio::test]
async fn what_a_contact_chose_is_read() {
    for (contact, path) in
        [(jane(), "jane%2Bx%40example.com"), (IdOrEmail::from(ContactId::new(5).unwrap()), "5")]
    {
        let (server, client) = serve(200, TREE).await;
        let tree = client.preferences().of_contact(&contact).await.unwrap().unwrap();
        check(&server, &format!("GET /v2/contacts/{path}/preferences")).await;
        assert_eq!(tree[0].opted_in, None);
        assert_eq!(tree[0].preferences[0].opted_in, Some(true));
        assert_eq!(tree[1].opted_in, Some(false));
    }
}

#[tokio::test]
async fn what_an_unknown_contact_chose_is_no_error() {
    let (_server, client) = serve(404, r#"{"message":"Error: ERROR_CONTACT_NOT_FOUND"}"#).await;
    assert_eq!(client.preferences().of_contact(&jane()).await.unwrap(), None);
}

#[tokio::test]
async fn what_a_contact_chose_is_set_whatever_the_success() {
    for answer in ["", r#"{"value":""}"#] {
        let (server, client) = serve(200, answer).await;
        let choices = [
            PreferenceChoice { preference: id(26), category: Some(id(14)), opted_in: true },
            PreferenceChoice { preference: id(1027), category: None, opted_in: false },
        ];
        client.preferences().set_for_contact(&jane(), &choices).await.unwrap();
        let body = concat!(
            r#"[{"id":1027,"isPreference":true,"isOptedIn":false},{"id":14,"isPreference":false,"#,
            r#""preferences":[{"id":26,"isPreference":true,"isOptedIn":true}]}]"#
        );
        let path = "/v2/contacts/jane%2Bx%40example.com/preferences";
        check(&server, &format!("PUT {path} {body}")).await;
    }
}

#[tokio::test]
async fn setting_no_preferences_is_refused_before_sending() {
    let (client, _) = virtual_client(Script::new([]));
    let error = client.preferences().set_for_contact(&jane(), &[]).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_acted()), (ErrorKind::Rejected, false));
}

#[tokio::test]
async fn contacts_opted_in_to_a_preference_are_read() {
    let (server, client) = serve(200, r#"[{"id":5,"email":"d@example.com"}]"#).await;
    let page = client.preferences().opted_into(id(3)).next_page().await.unwrap().unwrap();
    check(&server, "GET /v2/contacts/with-preference/3?minContactID=0").await;
    assert_eq!(page[0].id.unwrap().get(), 5);
}

#[tokio::test]
async fn contacts_with_a_changed_choice_are_read() {
    let body = r#"[{"contact":{"id":5},"marketingPreferenceOptIns":[{"isOptedIn":true}]}]"#;
    let (server, client) = serve(200, body).await;
    let mut pages = client.preferences().choices_since(id(3), since());
    let page = pages.next_page().await.unwrap().unwrap();
    let path = "/v2/contacts/with-preference/3/opt-ins-since/2023-01-26T21%3A29%3A00Z";
    check(&server, &format!("GET {path}?minContactID=0")).await;
    assert!(page[0].opt_ins[0].opted_in);
}

fn contacts(ids: &[i64]) -> Outcome {
    let contacts: Vec<String> = ids.iter().map(|id| format!(r#"{{"id":{id}}}"#)).collect();
    Ok(answer(200, &format!("[{}]", contacts.join(","))))
}

/// The ids of all contacts, and the bounds asked for.
async fn read(script: impl IntoIterator<Item = Outcome>) -> (Result<Vec<i64>, Error>, Vec<String>) {
    let script = Script::new(script);
    let (client, _) = virtual_client(script.clone());
    let all = client.preferences().opted_into(id(3)).all().await;
    let ids = all.map(|contacts| contacts.iter().map(|c| c.id.unwrap().get()).collect());
    let bound = |path: String| path.rsplit_once('=').unwrap().1.to_owned();
    (ids, script.requests().into_iter().map(|request| bound(request.path_and_query)).collect())
}

#[tokio::test]
async fn contacts_are_paged_by_id_whether_or_not_a_page_repeats_its_bound() {
    let (ids, bounds) = read([contacts(&[2, 5]), contacts(&[5, 9]), contacts(&[9])]).await;
    assert_eq!((ids.unwrap(), bounds), (vec![2, 5, 9], vec!["0".into(), "5".into(), "9".into()]));
    let (ids, bounds) = read([contacts(&[2, 5]), contacts(&[9]), contacts(&[])]).await;
    assert_eq!((ids.unwrap(), bounds), (vec![2, 5, 9], vec!["0".into(), "5".into(), "9".into()]));
    assert!(read([contacts(&[])]).await.0.unwrap().is_empty());
}

#[tokio::test]
async fn a_service_that_ignores_the_bound_is_an_error_and_not_the_end() {
    let (result, bounds) = read([contacts(&[2, 5]), contacts(&[2, 5])]).await;
    assert_eq!((result.unwrap_err().kind(), bounds.len()), (ErrorKind::Decode, 2));
}

#[tokio::test]
async fn pages_without_order_or_ids_are_an_error_and_not_the_end() {
    assert_eq!(read([contacts(&[5, 2])]).await.0.unwrap_err().kind(), ErrorKind::Decode);
    assert_eq!(read([contacts(&[5, 0])]).await.0.unwrap_err().kind(), ErrorKind::Decode);
}
