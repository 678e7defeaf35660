//! Lists over real HTTP: those of one visibility, their campaigns, deletion.

use dotdigital_client::lists::{CampaignStatus, ReplyAction, Visibility};

use crate::{
    calls::check,
    support::{Script, answer, list_id, serve, virtual_client},
};

#[tokio::test]
async fn private_lists_are_read() {
    let (server, client) = serve(200, r#"[{"id":2,"name":"A","visibility":"Private"}]"#).await;
    let page = client.lists().private_pages().next_page().await.unwrap().unwrap();
    check(&server, "GET /v2/address-books/private?select=1000&skip=0").await;
    assert_eq!((page[0].id.get(), &page[0].visibility), (2, &Visibility::Private));
}

#[tokio::test]
async fn public_lists_are_read() {
    let (server, client) = serve(200, r#"[{"id":2,"name":"A","visibility":"Public"}]"#).await;
    let page = client.lists().public_pages().next_page().await.unwrap().unwrap();
    check(&server, "GET /v2/address-books/public?select=1000&skip=0").await;
    assert_eq!((page[0].id.get(), &page[0].visibility), (2, &Visibility::Public));
}

#[tokio::test]
async fn private_lists_are_paged_until_a_page_is_empty() {
    let page =
        |id| Ok(answer(200, &format!(r#"[{{"id":{id},"name":"A","visibility":"Private"}}]"#)));
    let script = Script::new([page(1), page(2), Ok(answer(200, "[]"))]);
    let (client, _) = virtual_client(script.clone());
    assert_eq!(client.lists().private_pages().all().await.unwrap().len(), 2);
    let last = script.requests().pop().unwrap().path_and_query;
    assert_eq!(last, "/v2/address-books/private?select=1000&skip=2000");
}

#[tokio::test]
async fn the_campaigns_sent_to_a_list_are_read() {
    let body = r#"[{"id":1,"name":"Monthly","subject":"News","fromName":"Company",
        "fromAddress":{"id":1,"email":"demo@apiconnector.com"},"htmlContent":null,
        "plainTextContent":null,"replyAction":"WebMailForward","replyToAddress":"r@example.com",
        "isSplitTest":true,"status":"Sent"},{"id":4,"fromAddress":null}]"#;
    let (server, client) = serve(200, body).await;
    let page = client.lists().campaigns(list_id(7)).next_page().await.unwrap().unwrap();
    check(&server, "GET /v2/address-books/7/campaigns?select=1000&skip=0").await;
    let campaign = &page[0];
    assert_eq!((campaign.id.get(), campaign.name.as_str()), (1, "Monthly"));
    assert_eq!((campaign.subject.as_str(), campaign.from_name.as_str()), ("News", "Company"));
    let sender = campaign.from_address.as_ref().unwrap();
    assert_eq!((sender.id, sender.email.as_str()), (Some(1), "demo@apiconnector.com"));
    assert_eq!((&campaign.html_content, &campaign.plain_text_content), (&None, &None));
    assert_eq!(campaign.reply_action, Some(ReplyAction::WebMailForward));
    assert_eq!(campaign.reply_to_address.as_deref(), Some("r@example.com"));
    assert!(campaign.is_split_test);
    assert_eq!(campaign.status, Some(CampaignStatus::Sent));
    assert_eq!((page[1].id.get(), &page[1].from_address, &page[1].status), (4, &None, &None));
}

#[cfg(feature = "account-deletion")]
#[tokio::test]
async fn a_list_is_deleted_whatever_the_empty_success() {
    for status in [200, 204] {
        let (server, client) = serve(status, "").await;
        assert!(client.lists().delete(list_id(7)).await.unwrap());
        check(&server, "DELETE /v2/address-books/7").await;
    }
}

#[cfg(feature = "account-deletion")]
#[tokio::test]
async fn deleting_says_whether_there_was_a_list() {
    use dotdigital_client::ErrorKind;
    let body = r#"{"message":"Error: ERROR_ADDRESSBOOK_NOT_FOUND"}"#;
    let (_server, client) = serve(404, body).await;
    assert!(!client.lists().delete(list_id(7)).await.unwrap());
    let body = r#"{"message":"Address book cannot be written to. ERROR_ADDRESSBOOK_NOTWRITABLE"}"#;
    let (_server, client) = serve(400, body).await;
    let error = client.lists().delete(list_id(7)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
}

#[cfg(feature = "account-deletion")]
#[tokio::test(start_paused = true)]
async fn a_lost_deletion_is_repeated_and_finds_nothing_left() {
    use dotdigital_client::TransportErrorKind;
    let gone = answer(404, r#"{"message":"Error: ERROR_ADDRESSBOOK_NOT_FOUND"}"#);
    let script = Script::new([Err(TransportErrorKind::MaybeSent), Ok(gone)]);
    let (client, _) = virtual_client(script.clone());
    assert!(!client.lists().delete(list_id(7)).await.unwrap());
    assert_eq!(script.requests().len(), 2);
}
