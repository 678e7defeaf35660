//! Insight data: collections of records about contacts or the account.

use crate::client::Client;

/// Calls about Insight data. From [`Client::insight_data`].
#[derive(Clone, Debug)]
pub struct InsightData {
    client: Client,
}

impl InsightData {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}
