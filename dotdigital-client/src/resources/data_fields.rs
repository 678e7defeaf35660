//! Data fields: what an account keeps about its contacts.

use crate::client::Client;

/// Calls about data fields. From [`Client::data_fields`].
#[derive(Clone, Debug)]
pub struct DataFields {
    client: Client,
}

impl DataFields {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}
