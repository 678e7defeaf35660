//! Preferences: what contacts wish to hear about.

use crate::client::Client;

/// Calls about preferences. From [`Client::preferences`].
#[derive(Clone, Debug)]
pub struct Preferences {
    client: Client,
}

impl Preferences {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}
