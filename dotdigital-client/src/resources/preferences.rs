//! Preferences: what contacts wish to hear about.

mod choice;
#[cfg(feature = "account-deletion")]
mod deletion;
mod opt_ins;
mod preference;

use chrono::{DateTime, Utc};
use serde::Serialize;

use self::choice::ChoiceTree;
use crate::{
    call::{Call, Repeat},
    client::Client,
    contacts::{EmailContact, IdOrEmail, is_missing_contact},
    decode,
    error::Error,
    ids::PreferenceId,
    limits::Tier,
    paging::Pages,
};

pub use choice::PreferenceChoice;
pub use opt_ins::{ContactOptIns, PreferenceOptIn};
pub use preference::{NewPreference, Position, Preference};

/// Calls about preferences. From [`Client::preferences`].
#[derive(Clone, Debug)]
pub struct Preferences {
    client: Client,
}

impl Preferences {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// All preferences of the account: categories with the preferences in them, and the
    /// preferences that are in none.
    ///
    /// `GET /v2/preferences` (tier: low)
    ///
    /// # Errors
    ///
    /// Fails as any call does.
    pub async fn list(&self) -> Result<Vec<Preference>, Error> {
        let call = Call::read("GET /v2/preferences", Tier::Low);
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// The preferences and categories that were changed since then.
    ///
    /// `GET /v2/preferences/modified-since/{date}` (tier: low)
    ///
    /// # Errors
    ///
    /// Fails as any call does.
    pub async fn modified_since(&self, since: DateTime<Utc>) -> Result<Vec<Preference>, Error> {
        let call = Call::read("GET /v2/preferences/modified-since/{date}", Tier::Low);
        let call = call.arg_time(since);
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// Creates a preference or a category. Never repeated once it may have been acted on.
    ///
    /// `POST /v2/preferences` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) before sending for an empty name.
    pub async fn create(&self, preference: &NewPreference) -> Result<Preference, Error> {
        let call = create_call(preference)?;
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// Changes a preference or a category to be like `preference`: also what it is not told, such
    /// as a preference's category, may change. Repeating it does no harm.
    ///
    /// `PUT /v2/preferences/{id}` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when it is gone, and
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) before sending for an empty name.
    pub async fn update(
        &self,
        id: PreferenceId,
        preference: &NewPreference,
    ) -> Result<Preference, Error> {
        let call = update_call(id, preference)?;
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// All preferences of the account, each saying whether this contact is opted in, or `None`
    /// when the account has no such contact.
    ///
    /// `GET /v2/contacts/{contactIdentifier}/preferences` (tier: high)
    ///
    /// # Errors
    ///
    /// Fails as any call does.
    pub async fn of_contact(&self, contact: &IdOrEmail) -> Result<Option<Vec<Preference>>, Error> {
        const ENDPOINT: &str = "GET /v2/contacts/{contactIdentifier}/preferences";
        let call = Call::read(ENDPOINT, Tier::High).arg(contact.path_value());
        match self.client.send(&call).await {
            Ok(answer) => decode::json(&call, &answer).map(Some),
            Err(error) if is_missing_contact(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// **Opts a person in to topics or out of them**, as if the person had chosen so: only for
    /// choices that the person made. Whether preferences that are not named stay as they are is
    /// not documented. Repeating it does no harm.
    ///
    /// `PUT /v2/contacts/{contactIdentifier}/preferences` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown contact or preference,
    /// and [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) before sending without choices.
    pub async fn set_for_contact(
        &self,
        contact: &IdOrEmail,
        choices: &[PreferenceChoice],
    ) -> Result<(), Error> {
        self.client.send(&set_call(contact, choices)?).await?;
        Ok(())
    }

    /// The contacts that are opted in to a preference. Only their ids and addresses are told.
    ///
    /// `GET /v2/contacts/with-preference/{preferenceId}` (tier: low)
    pub fn opted_into(&self, preference: PreferenceId) -> Pages<EmailContact> {
        let call = Call::read("GET /v2/contacts/with-preference/{preferenceId}", Tier::Low);
        Pages::by_lowest_id(self.client.clone(), call.arg(preference), |contact| contact.id)
    }

    /// The contacts whose choice of a preference was changed since then: also those who opted
    /// **out**, see [`PreferenceOptIn::opted_in`].
    ///
    /// `GET /v2/contacts/with-preference/{preferenceId}/opt-ins-since/{date}` (tier: low)
    pub fn choices_since(
        &self,
        preference: PreferenceId,
        since: DateTime<Utc>,
    ) -> Pages<ContactOptIns> {
        const ENDPOINT: &str =
            "GET /v2/contacts/with-preference/{preferenceId}/opt-ins-since/{date}";
        let call = Call::read(ENDPOINT, Tier::Low).arg(preference).arg_time(since);
        Pages::by_lowest_id(self.client.clone(), call, ContactOptIns::contact_id)
    }
}

fn create_call(preference: &NewPreference) -> Result<Call, Error> {
    const ENDPOINT: &str = "POST /v2/preferences";
    check_names(ENDPOINT, preference)?;
    Call::new(ENDPOINT, Tier::Medium, Repeat::ActsAgain).json(preference)
}

fn update_call(id: PreferenceId, preference: &NewPreference) -> Result<Call, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        id: PreferenceId,
        #[serde(flatten)]
        preference: &'a NewPreference,
    }
    const ENDPOINT: &str = "PUT /v2/preferences/{id}";
    check_names(ENDPOINT, preference)?;
    Call::new(ENDPOINT, Tier::Medium, Repeat::Harmless).arg(id).json(&Body { id, preference })
}

fn set_call(contact: &IdOrEmail, choices: &[PreferenceChoice]) -> Result<Call, Error> {
    const ENDPOINT: &str = "PUT /v2/contacts/{contactIdentifier}/preferences";
    if choices.is_empty() {
        return Err(Error::refused(ENDPOINT, "no preferences to set"));
    }
    let call = Call::new(ENDPOINT, Tier::Medium, Repeat::Harmless);
    call.arg(contact.path_value()).json(&ChoiceTree::new(choices))
}

fn check_names(endpoint: &'static str, preference: &NewPreference) -> Result<(), Error> {
    let names = [&preference.public_name, &preference.private_name];
    if names.iter().any(|name| name.trim().is_empty()) {
        return Err(Error::refused(endpoint, "a preference needs a public and a private name"));
    }
    Ok(())
}
