//! Requests about custom identifiers.

use proptest::prelude::Just;

use super::{Case, case, inputs::custom_name};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "custom_identifiers::CustomIdentifiers::list",
            "GET /configuration/v3/customIdentifiers",
            Just(()),
            |client, ()| async move {
                client.custom_identifiers().list().await.ok();
            },
        ),
        case(
            "custom_identifiers::CustomIdentifiers::create",
            "POST /configuration/v3/customIdentifiers",
            custom_name(),
            |client, name| async move {
                client.custom_identifiers().create(&name).await.ok();
            },
        ),
        case(
            "custom_identifiers::CustomIdentifiers::delete",
            "DELETE /configuration/v3/customIdentifiers/{name}",
            custom_name(),
            |client, name| async move {
                client.custom_identifiers().delete(&name).await.ok();
            },
        ),
    ]
}
