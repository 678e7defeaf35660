//! Who must not be written to.

use crate::client::Client;

/// Calls about suppression. From [`Client::suppressions`].
#[derive(Clone, Debug)]
pub struct Suppressions {
    client: Client,
}

impl Suppressions {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}
