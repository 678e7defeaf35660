//! Custom identifiers: what else than the service's own identifiers recognises a contact.

#[cfg(feature = "account-deletion")]
#[cfg_attr(docsrs, doc(cfg(feature = "account-deletion")))]
mod deletion;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    call::{Call, Repeat},
    client::Client,
    decode,
    error::Error,
    identifier::CustomName,
    limits::Tier,
};

/// An identifier that the account added to the service's own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CustomIdentifier {
    /// Its name, as contacts are to spell it.
    pub name: String,
    /// When it was created.
    #[serde(default, deserialize_with = "decode::lenient_time")]
    pub created: Option<DateTime<Utc>>,
    /// When it was last changed.
    #[serde(default, deserialize_with = "decode::lenient_time")]
    pub updated: Option<DateTime<Utc>>,
}

/// Calls about custom identifiers. From [`Client::custom_identifiers`].
#[derive(Clone, Debug)]
pub struct CustomIdentifiers {
    client: Client,
}

impl CustomIdentifiers {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// All custom identifiers of the account.
    ///
    /// `GET /configuration/v3/customIdentifiers` (tier: high)
    ///
    /// # Errors
    ///
    /// Fails as any call does.
    pub async fn list(&self) -> Result<Vec<CustomIdentifier>, Error> {
        let call = Call::read("GET /configuration/v3/customIdentifiers", Tier::High);
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// Adds an identifier by which contacts can be recognised from then on. Never repeated once it
    /// may have been acted on: when [`Error::may_have_acted`] says so, look for the name before
    /// trying again.
    ///
    /// `POST /configuration/v3/customIdentifiers` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when there is one of that name, and
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) with [`status`](Error::status) 412 when
    /// the account has as many as it may have.
    pub async fn create(&self, name: &CustomName) -> Result<CustomIdentifier, Error> {
        let call = create_call(name)?;
        decode::json(&call, &self.client.send(&call).await?)
    }
}

#[derive(Serialize)]
struct CreateBody<'a> {
    name: &'a str,
}

fn create_call(name: &CustomName) -> Result<Call, Error> {
    Call::new("POST /configuration/v3/customIdentifiers", Tier::Medium, Repeat::ActsAgain)
        .json(&CreateBody { name: name.as_str() })
}
