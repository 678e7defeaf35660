//! The account itself.

#[cfg(feature = "account-deletion")]
#[cfg_attr(docsrs, doc(cfg(feature = "account-deletion")))]
mod deletion;

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::{call::Call, client::Client, decode, error::Error, ids::AccountId, limits::Tier};

/// Calls about the account. From [`Client::account`].
#[derive(Clone, Debug)]
pub struct Account {
    client: Client,
}

impl Account {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Id and properties of the account; also proves that the credentials work.
    ///
    /// `GET /v2/account-info` (tier: high)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorised`](crate::ErrorKind::Unauthorised) for wrong credentials.
    pub async fn info(&self) -> Result<AccountInfo, Error> {
        let call = info_call();
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// What time it is at the service.
    ///
    /// `GET /v2/server-time` (tier: high)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) for a spelling that is not known.
    pub async fn server_time(&self) -> Result<DateTime<Utc>, Error> {
        let call = Call::read("GET /v2/server-time", Tier::High);
        let answer = self.client.send(&call).await?;
        // Plain text by the vendor's description, a JSON string by another of the vendor's.
        decode::timestamp(&decode::text(&answer.response.body))
            .ok_or_else(|| Error::decode(&call, &answer, "the answer is not a time"))
    }
}

/// What `GET /v2/account-info` tells.
#[derive(Clone, Deserialize)]
#[non_exhaustive]
pub struct AccountInfo {
    /// The account's id.
    pub id: AccountId,
    /// Everything else, in the service's order.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub properties: Vec<AccountProperty>,
}

/// One property of an account. The service spells every value as text, whatever its type.
#[derive(Clone, Deserialize)]
#[non_exhaustive]
pub struct AccountProperty {
    /// The name, such as `ApiEndpoint`.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub name: String,
    /// The type, such as `String`, `Int` or `Boolean`.
    #[serde(default, rename = "type", deserialize_with = "decode::null_as_default")]
    pub kind: String,
    /// The value as text.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub value: String,
}

impl AccountInfo {
    /// The value of a property, whatever the case of its name.
    pub fn property(&self, name: &str) -> Option<&str> {
        let property = self.properties.iter().find(|p| p.name.eq_ignore_ascii_case(name))?;
        Some(&property.value)
    }

    /// Where the account lives, as the service spells it; `None` when that is missing or empty.
    pub fn endpoint(&self) -> Option<&str> {
        self.property("ApiEndpoint").map(str::trim).filter(|endpoint| !endpoint.is_empty())
    }
}

/// Shows no values: one of them is the owner's address.
impl fmt::Debug for AccountInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountInfo")
            .field("id", &self.id)
            .field("properties", &self.properties)
            .finish()
    }
}

impl fmt::Debug for AccountProperty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountProperty")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

fn info_call() -> Call {
    Call::read("GET /v2/account-info", Tier::High)
}
