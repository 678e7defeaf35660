//! Emptying a list. Only with feature `account-deletion`.

use super::{ListMembers, RemovalJob};
use crate::{
    call::{Call, Repeat},
    decode,
    error::Error,
    ids::ListId,
    limits::Tier,
};

#[cfg_attr(docsrs, doc(cfg(feature = "account-deletion")))]
impl ListMembers {
    /// **Empties the list**: has the service take every member off it, also those that others put
    /// there, and returns at once. Who was on the list is lost; the contacts stay in the account.
    /// Not repeated when its answer is lost: the job may be there, and come to life after somebody
    /// was put back.
    ///
    /// `POST /v2/address-books/{addressBookId}/contacts/delete-all` (tier: low)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the list does not exist.
    pub async fn remove_all(&self) -> Result<RemovalJob, Error> {
        let call = remove_all_call(self.list);
        decode::json(&call, &self.client.send(&call).await?)
    }
}

fn remove_all_call(list: ListId) -> Call {
    const ENDPOINT: &str = "POST /v2/address-books/{addressBookId}/contacts/delete-all";
    Call::new(ENDPOINT, Tier::Low, Repeat::ActsAgain).arg(list)
}
