//! Identifiers that the account added to the service's own.

use crate::client::Client;

/// Calls about identifiers that the account added to the service's own. From [`Client::custom_identifiers`].
#[derive(Clone, Debug)]
pub struct CustomIdentifiers {
    client: Client,
}

impl CustomIdentifiers {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}
