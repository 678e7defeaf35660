//! Requests about the account.

use proptest::prelude::Just;

use super::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("account::Account::info", "GET /v2/account-info", Just(()), |client, ()| async move {
            client.account().info().await.ok();
        }),
        case(
            "account::Account::server_time",
            "GET /v2/server-time",
            Just(()),
            |client, ()| async move {
                client.account().server_time().await.ok();
            },
        ),
        case(
            "account::Account::empty_recycle_bin",
            "POST /v2/accounts/empty-recycle-bin",
            Just(()),
            |client, ()| async move {
                client.account().empty_recycle_bin().await.ok();
            },
        ),
    ]
}
