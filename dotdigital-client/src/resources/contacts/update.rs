//! What to store about a contact: one content for single calls and imports.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{ConsentRecord, EmailType, body::ChannelChanges};
use crate::{
    call::Repeat,
    data_fields::FieldValue,
    identifier::{CustomName, CustomValue, EmailAddress, MobileNumber},
    ids::{ListId, PreferenceId},
};

/// What to store about a contact, the same for a single call and in an import.
///
/// What is left out stays as it is, except in a call that replaces the contact. A channel's status
/// is not among it unless the feature `consent-changes` is on, so being put on a list subscribes
/// nobody.
///
/// ```
/// # use dotdigital_client::{ListId, PreferenceId, contacts::ContactUpdate, data_fields::FieldType};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let update = ContactUpdate::new()
///     .list(ListId::new(7)?)
///     .field("FIRSTNAME", "Jane")
///     .field("LAST_ORDER", FieldType::Date.parse("2024-05-01")?)
///     .preference(PreferenceId::new(3)?, true);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactUpdate {
    pub(super) identifiers: MoreIdentifiers,
    pub(super) fields: BTreeMap<String, FieldValue>,
    pub(super) channels: ChannelChanges,
    pub(super) lists: Vec<ListId>,
    pub(super) preferences: Vec<PreferenceChange>,
    pub(super) consent_records: Vec<ConsentRecord>,
}

/// Identifiers to store, besides the one that the contact is found by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MoreIdentifiers {
    pub(super) email: Option<EmailAddress>,
    pub(super) mobile_number: Option<MobileNumber>,
    pub(super) custom: BTreeMap<CustomName, CustomValue>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PreferenceChange {
    id: PreferenceId,
    is_opted_in: bool,
}

impl ContactUpdate {
    /// The most lists that the service takes with one contact.
    pub const MOST_LISTS: usize = 100;
    /// The most consent records that the service takes with one contact.
    pub const MOST_CONSENT_RECORDS: usize = 5;

    /// Changes nothing; an unknown contact is still created.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also puts the contact on this list, one of at most 100. It stays on all others.
    #[must_use]
    pub fn list(mut self, list: ListId) -> Self {
        if !self.lists.contains(&list) {
            self.lists.push(list);
        }
        self
    }

    /// Also stores this email address. An address that another contact has is a conflict.
    #[must_use]
    pub fn email(mut self, email: EmailAddress) -> Self {
        self.identifiers.email = Some(email);
        self
    }

    /// Also stores this mobile number. A number that another contact has is a conflict.
    #[must_use]
    pub fn mobile_number(mut self, number: MobileNumber) -> Self {
        self.identifiers.mobile_number = Some(number);
        self
    }

    /// Also stores this custom identifier, which has to exist in the account.
    #[must_use]
    pub fn custom(mut self, name: CustomName, value: CustomValue) -> Self {
        self.identifiers.custom.insert(name, value);
        self
    }

    /// Also stores a value in a data field. Give the field's name as
    /// [`DataFields::list`](crate::data_fields::DataFields::list) spells it.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, value: impl Into<FieldValue>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }

    /// Also sets the form in which the contact gets its mails.
    #[must_use]
    pub fn email_type(mut self, email_type: EmailType) -> Self {
        self.channels.email.email_type = Some(email_type);
        self
    }

    /// Also stores whether the contact wishes to hear about a preference. A category of
    /// preferences cannot be set.
    #[must_use]
    pub fn preference(mut self, id: PreferenceId, is_opted_in: bool) -> Self {
        self.preferences.retain(|preference| preference.id != id);
        self.preferences.push(PreferenceChange { id, is_opted_in });
        self
    }

    /// Also adds a record of consent, one of at most 5.
    #[must_use]
    pub fn consent(mut self, record: ConsentRecord) -> Self {
        self.consent_records.push(record);
        self
    }

    /// What storing it a second time does.
    pub(super) fn repeat(&self) -> Repeat {
        // Records are only ever added.
        if !self.consent_records.is_empty() || self.channels.act_again() {
            Repeat::ActsAgain
        } else {
            Repeat::Harmless
        }
    }
}
