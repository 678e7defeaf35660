//! Deleting custom identifiers.

use super::CustomIdentifiers;
use crate::{
    call::{Call, Repeat},
    error::Error,
    identifier::CustomName,
    limits::Tier,
};

impl CustomIdentifiers {
    /// **Deletes the custom identifier and with it every contact's value of it**: no contact is
    /// recognised by it any more.
    ///
    /// `DELETE /configuration/v3/customIdentifiers/{name}` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is none of that name, and
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) with the code
    /// `customIdentifiers:inUse` while a segment or program uses it.
    pub async fn delete(&self, name: &CustomName) -> Result<(), Error> {
        self.client.send(&delete_call(name)).await.map(drop)
    }
}

fn delete_call(name: &CustomName) -> Call {
    const ENDPOINT: &str = "DELETE /configuration/v3/customIdentifiers/{name}";
    Call::new(ENDPOINT, Tier::Medium, Repeat::Harmless).arg(name.as_str())
}
