//! Requests about the account.

use proptest::prelude::Just;

use super::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![case(
        "account::Account::info",
        "GET /v2/account-info",
        Just(()),
        |client, ()| async move {
            client.account().info().await.ok();
        },
    )]
}
