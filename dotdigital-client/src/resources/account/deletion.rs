//! Emptying the account's recycle bin.

use super::Account;
use crate::{
    call::{Call, Repeat},
    error::Error,
    limits::Tier,
};

impl Account {
    /// **Deletes for good everything that is in the account's recycle bin**, deleted contacts
    /// among it. Nothing of it can be brought back. Not repeated when its answer is lost: what was
    /// put into the bin meanwhile would go too.
    ///
    /// `POST /v2/accounts/empty-recycle-bin/` (tier: medium)
    ///
    /// # Errors
    ///
    /// Fails as any call does.
    pub async fn empty_recycle_bin(&self) -> Result<(), Error> {
        self.client.send(&empty_recycle_bin_call()).await.map(drop)
    }
}

fn empty_recycle_bin_call() -> Call {
    Call::new("POST /v2/accounts/empty-recycle-bin/", Tier::Medium, Repeat::ActsAgain)
}
