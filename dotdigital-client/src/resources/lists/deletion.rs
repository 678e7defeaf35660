//! Deleting lists. Only with feature `account-deletion`.

use super::{Lists, is_missing_list};
use crate::{
    call::{Call, Repeat},
    error::Error,
    ids::ListId,
    limits::Tier,
};

#[cfg_attr(docsrs, doc(cfg(feature = "account-deletion")))]
impl Lists {
    /// **Deletes the list from the account**, for good: its name and who was on it are lost. The
    /// contacts stay. Says whether the account had the list; repeating it does no harm, so `false`
    /// may also mean that an answer was lost on the way.
    ///
    /// `DELETE /v2/address-books/{id}` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for a list in use or of the service.
    pub async fn delete(&self, id: ListId) -> Result<bool, Error> {
        match self.client.send(&delete_call(id)).await {
            Ok(_) => Ok(true),
            Err(error) if is_missing_list(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn delete_call(id: ListId) -> Call {
    Call::new("DELETE /v2/address-books/{id}", Tier::Medium, Repeat::Harmless).arg(id)
}
