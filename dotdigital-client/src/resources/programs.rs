//! Programs and the enrolment of contacts in them.

use crate::client::Client;

/// Calls about programs and enrolments. From [`Client::programs`].
#[derive(Clone, Debug)]
pub struct Programs {
    client: Client,
}

impl Programs {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}
