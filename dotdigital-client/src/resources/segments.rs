//! Segments that the service itself computes.

use crate::client::Client;

/// Calls about segments. From [`Client::segments`].
#[derive(Clone, Debug)]
pub struct Segments {
    client: Client,
}

impl Segments {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}
