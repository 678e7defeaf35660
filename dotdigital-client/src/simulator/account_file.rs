//! An account described in JSON, for demos and the simulator as a program.

use std::time::Duration;

use serde::Deserialize;

use super::{
    RateLimits, Simulator, SimulatorSettings, TierLimits, Visibility, settings::JobLatency,
};

/// What a simulated account holds and how it behaves, as written in a JSON file.
///
/// Every key may be left out; an unknown one is an error that names it.
///
/// ```
/// use dotdigital_client::simulator::AccountFile;
///
/// let file = AccountFile::from_json(r#"{
///     "user": "apiuser@example.com",
///     "password": "secret",
///     "contacts": [{"email": "ann@example.com"}, {"mobile_number": "447123123123"}],
///     "lists": [{"name": "VIP", "visibility": "public", "members": ["ann@example.com"]}],
///     "segments": ["Lapsed"],
///     "calls_per_minute": {"low": 35, "medium": 150, "high": 600},
///     "job_seconds": 2.5
/// }"#)?;
/// let simulator = file.open()?;
/// assert_eq!(simulator.contacts().len(), 2);
/// # Ok::<(), dotdigital_client::simulator::AccountFileError>(())
/// ```
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountFile {
    user: String,
    password: String,
    contacts: Vec<ContactEntry>,
    lists: Vec<ListEntry>,
    segments: Vec<String>,
    custom_identifiers: Vec<String>,
    globally_suppressed: Vec<String>,
    calls_per_minute: Option<CallsPerMinute>,
    job_seconds: Option<f64>,
}

/// Why an account file could not be used. Carries no address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountFileError {
    /// The text is not JSON, has an unknown key, or a value of the wrong kind.
    #[error("account file is not valid: {0}")]
    Malformed(String),
    /// A contact has neither an email address nor a mobile number.
    #[error("contact {0} of the account file has neither email nor mobile_number")]
    Unreachable(usize),
    /// The number of seconds a job takes is negative or not a number.
    #[error("job_seconds of the account file must be a number from 0 on")]
    Latency,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContactEntry {
    email: Option<String>,
    mobile_number: Option<String>,
    #[serde(default)]
    suppressed: bool,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListEntry {
    name: String,
    #[serde(default)]
    visibility: Visibility,
    /// Email addresses or mobile numbers; who is no contact yet becomes one.
    #[serde(default)]
    members: Vec<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallsPerMinute {
    low: u32,
    medium: u32,
    high: u32,
}

impl Default for AccountFile {
    fn default() -> Self {
        let settings = SimulatorSettings::default();
        Self {
            user: settings.user,
            password: settings.password,
            contacts: Vec::new(),
            lists: Vec::new(),
            segments: Vec::new(),
            custom_identifiers: Vec::new(),
            globally_suppressed: Vec::new(),
            calls_per_minute: None,
            job_seconds: None,
        }
    }
}

impl AccountFile {
    /// Reads an account from JSON.
    ///
    /// # Errors
    ///
    /// Fails with position and key when the text is not such a description.
    pub fn from_json(text: &str) -> Result<Self, AccountFileError> {
        serde_json::from_str(text).map_err(|error| AccountFileError::Malformed(error.to_string()))
    }

    /// The user that is let in.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The user's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Opens an account as described.
    ///
    /// # Errors
    ///
    /// Fails when a contact cannot be reached at all, or the time of a job is no time.
    pub fn open(&self) -> Result<Simulator, AccountFileError> {
        let simulator = Simulator::new(self.settings()?);
        for (number, contact) in (1..).zip(&self.contacts) {
            contact.add_to(&simulator).ok_or(AccountFileError::Unreachable(number))?;
        }
        for list in &self.lists {
            let id = simulator.add_list(&list.name, list.visibility);
            for member in &list.members {
                simulator.add_member(id, ensure_contact(&simulator, member));
            }
        }
        for segment in &self.segments {
            simulator.add_segment_name(segment);
        }
        for email in &self.globally_suppressed {
            simulator.globally_suppress(email);
        }
        Ok(simulator)
    }

    fn settings(&self) -> Result<SimulatorSettings, AccountFileError> {
        let mut settings = SimulatorSettings {
            user: self.user.clone(),
            password: self.password.clone(),
            custom_identifiers: self.custom_identifiers.iter().cloned().collect(),
            ..SimulatorSettings::default()
        };
        if let Some(CallsPerMinute { low, medium, high }) = self.calls_per_minute {
            settings.limits = RateLimits::Tiered(TierLimits { low, medium, high });
        }
        if let Some(seconds) = self.job_seconds {
            let base =
                Duration::try_from_secs_f64(seconds).map_err(|_| AccountFileError::Latency)?;
            settings.latency = JobLatency { base, per_member: Duration::ZERO };
        }
        Ok(settings)
    }
}

impl std::fmt::Debug for AccountFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountFile")
            .field("contacts", &self.contacts.len())
            .field("lists", &self.lists.len())
            .finish_non_exhaustive()
    }
}

impl ContactEntry {
    fn add_to(&self, simulator: &Simulator) -> Option<i64> {
        let id = match (&self.email, &self.mobile_number) {
            (Some(email), _) => simulator.add_contact(email),
            (None, Some(mobile)) => simulator.add_mobile_contact(mobile),
            (None, None) => return None,
        };
        if let (Some(_), Some(mobile)) = (&self.email, &self.mobile_number) {
            simulator.set_identifier(id, "mobileNumber", mobile);
        }
        if self.suppressed {
            simulator.suppress_contact(id);
        }
        Some(id)
    }
}

fn ensure_contact(simulator: &Simulator, identifier: &str) -> i64 {
    if identifier.contains('@') {
        simulator.add_contact(identifier)
    } else {
        simulator.add_mobile_contact(identifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let opened = AccountFile::from_json(text).and_then(|file| file.open());
        opened.expect_err("a refusal").to_string()
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        assert!(refusal(r#"{"contatcs": []}"#).contains("`contatcs`"));
        assert!(refusal(r#"{"lists": [{"name": "VIP", "membres": []}]}"#).contains("`membres`"));
    }

    #[test]
    fn a_contact_nobody_can_reach_is_refused_by_number() {
        let text = r#"{"contacts": [{"email": "a@example.com"}, {}]}"#;
        assert!(refusal(text).contains("contact 2"));
    }

    #[test]
    fn a_negative_time_is_refused() {
        assert!(refusal(r#"{"job_seconds": -1}"#).contains("job_seconds"));
    }

    #[test]
    fn an_account_holds_what_its_file_says() {
        let text = r#"{
            "contacts": [{"email": "a@example.com", "mobile_number": "+44 7123 123123"},
                         {"email": "b@example.com", "suppressed": true}],
            "lists": [{"name": "VIP", "visibility": "public",
                       "members": ["A@example.com", "b@example.com", "447000000001"]}],
            "segments": ["Lapsed"]
        }"#;
        let simulator =
            AccountFile::from_json(text).and_then(|file| file.open()).expect("an account");
        let list = simulator.list_named("vip").expect("the list");
        assert_eq!(list.visibility, Visibility::Public);
        let mobiles: Vec<_> = simulator.members(list.id).into_iter().map(|m| m.mobile).collect();
        let expected = ["447123123123", "447000000001"].map(|number| Some(number.to_owned()));
        assert_eq!(mobiles, expected);
        assert_eq!(simulator.contact_count(), 3);
    }
}
