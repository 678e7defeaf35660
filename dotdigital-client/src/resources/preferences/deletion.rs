//! Deleting preferences. Only with feature `account-deletion`.

use super::Preferences;
use crate::{
    call::{Call, Repeat},
    error::{Error, ErrorKind},
    ids::PreferenceId,
    limits::Tier,
};

#[cfg_attr(docsrs, doc(cfg(feature = "account-deletion")))]
impl Preferences {
    /// **Deletes a preference from the account, or a category with all preferences in it**, and
    /// with them what every contact had chosen there. Says whether the account had it; repeating
    /// it does no harm, so `false` may also mean that an answer was lost on the way.
    ///
    /// `DELETE /v2/preferences/{id}` (tier: medium)
    ///
    /// # Errors
    ///
    /// Fails as any call does.
    pub async fn delete(&self, id: PreferenceId) -> Result<bool, Error> {
        let call = Call::new("DELETE /v2/preferences/{id}", Tier::Medium, Repeat::Harmless).arg(id);
        match self.client.send(&call).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}
