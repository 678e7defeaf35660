//! Requests about lists.

use dotdigital_client::lists::{ListName, NewList, Visibility};
use proptest::prelude::*;

use super::{Case, case, inputs::list_id};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "lists::Lists::create",
            "POST /v2/address-books",
            new_list(),
            |client, list| async move {
                client.lists().create(&list).await.ok();
            },
        ),
        case(
            "lists::Lists::find",
            "GET /v2/address-books/{id}",
            list_id(),
            |client, list| async move {
                client.lists().find(list).await.ok();
            },
        ),
        case(
            "lists::Lists::find_or_create",
            "GET /v2/address-books",
            new_list(),
            |client, new| async move {
                client.lists().find_or_create(&new).await.ok();
            },
        )
        .and("POST /v2/address-books"),
        case("lists::Lists::pages", "GET /v2/address-books", Just(()), |client, ()| async move {
            client.lists().pages().next_page().await.ok();
        }),
        case(
            "lists::Lists::find_by_name",
            "GET /v2/address-books",
            ".{0,20}",
            |client, name| async move {
                client.lists().find_by_name(&name).await.ok();
            },
        ),
        case(
            "lists::Lists::update",
            "PUT /v2/address-books/{id}",
            (list_id(), new_list()),
            |client, (list, new)| async move {
                client.lists().update(list, &new).await.ok();
            },
        ),
        case(
            "lists::Lists::private_pages",
            "GET /v2/address-books/private",
            Just(()),
            |client, ()| async move {
                client.lists().private_pages().next_page().await.ok();
            },
        ),
        case(
            "lists::Lists::public_pages",
            "GET /v2/address-books/public",
            Just(()),
            |client, ()| async move {
                client.lists().public_pages().next_page().await.ok();
            },
        ),
        case(
            "lists::Lists::campaigns",
            "GET /v2/address-books/{id}/campaigns",
            list_id(),
            |client, list| async move {
                client.lists().campaigns(list).next_page().await.ok();
            },
        ),
        case(
            "lists::Lists::delete",
            "DELETE /v2/address-books/{id}",
            list_id(),
            |client, list| async move {
                client.lists().delete(list).await.ok();
            },
        ),
    ]
}

fn new_list() -> impl Strategy<Value = NewList> {
    let name =
        ".{1,128}".prop_filter_map("a name of the service", |text| ListName::parse(&text).ok());
    let visibility = prop_oneof![Just(Visibility::Private), Just(Visibility::Public)];
    (name, visibility).prop_map(|(name, visibility)| NewList { name, visibility })
}
