//! Data fields: what an account keeps about its contacts.

mod decimal;
#[cfg(feature = "account-deletion")]
#[cfg_attr(docsrs, doc(cfg(feature = "account-deletion")))]
mod deletion;
mod name;
mod value;

use serde::{Deserialize, Serialize};

use crate::{
    call::{Call, Repeat},
    client::Client,
    decode,
    error::Error,
    limits::Tier,
    service_enum::service_enum,
};

pub use decimal::Decimal;
#[cfg(feature = "account-deletion")]
#[cfg_attr(docsrs, doc(cfg(feature = "account-deletion")))]
pub use deletion::FieldDeletion;
pub use name::{FieldName, InvalidFieldName};
pub use value::{FieldValue, InvalidFieldValue};

service_enum! {
    /// What kind of values a data field holds. It can never be changed.
    FieldType {
        /// Text.
        String = "String",
        /// Numbers.
        Numeric = "Numeric",
        /// Dates with their time of day.
        Date = "Date",
        /// Yes or no.
        Boolean = "Boolean",
    }
}

service_enum! {
    /// Who may see a data field.
    FieldVisibility {
        /// Only users of the account.
        Private = "Private",
        /// Also contacts, on forms for instance.
        Public = "Public",
    }
}

/// A data field of the account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DataField {
    /// Its name, as contacts are to spell it.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Who may see it.
    #[serde(default)]
    pub visibility: Option<FieldVisibility>,
    /// What a contact without a value has.
    #[serde(default)]
    pub default_value: Option<FieldValue>,
}

/// What a data field is to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewDataField {
    /// Its name.
    pub name: FieldName,
    /// What it is to hold.
    pub kind: FieldType,
    /// Who may see it.
    pub visibility: FieldVisibility,
    /// What a contact without a value has.
    pub default_value: Option<FieldValue>,
}

impl NewDataField {
    /// A private field without a default value.
    pub fn new(name: FieldName, kind: FieldType) -> Self {
        Self { name, kind, visibility: FieldVisibility::Private, default_value: None }
    }

    /// The same with another visibility.
    #[must_use]
    pub fn visibility(mut self, visibility: FieldVisibility) -> Self {
        self.visibility = visibility;
        self
    }

    /// The same with a value for contacts that have none, of the field's own type.
    #[must_use]
    pub fn default_value(mut self, value: FieldValue) -> Self {
        self.default_value = Some(value);
        self
    }
}

/// Calls about data fields. From [`Client::data_fields`].
#[derive(Clone, Debug)]
pub struct DataFields {
    client: Client,
}

impl DataFields {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// All data fields of the account, the service's own among them.
    ///
    /// `GET /v2/data-fields` (tier: high)
    ///
    /// # Errors
    ///
    /// Fails as any call does.
    pub async fn list(&self) -> Result<Vec<DataField>, Error> {
        let call = list_call();
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// Creates a data field. Name and type stay for good. Never repeated once it may have been
    /// acted on: when [`Error::may_have_acted`] says so, look for the name before trying again.
    ///
    /// `POST /v2/data-fields` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when there is a field of that name, and
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) before sending for a type or visibility
    /// that the service does not document and for a default value of another type.
    pub async fn create(&self, field: &NewDataField) -> Result<DataField, Error> {
        let call = create_call(field)?;
        let answer = self.client.send(&call).await?;
        if decode::is_empty(&answer) {
            // Accounts differ in whether they repeat what was created.
            return Ok(DataField {
                name: field.name.to_string(),
                kind: field.kind.clone(),
                visibility: Some(field.visibility.clone()),
                default_value: field.default_value.clone(),
            });
        }
        decode::json(&call, &answer)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreateBody<'a> {
    name: &'a FieldName,
    #[serde(rename = "type")]
    kind: &'a FieldType,
    visibility: &'a FieldVisibility,
    /// The service takes it as text, whatever the field's type.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_value: Option<String>,
}

fn list_call() -> Call {
    Call::read("GET /v2/data-fields", Tier::High)
}

fn create_call(field: &NewDataField) -> Result<Call, Error> {
    const ENDPOINT: &str = "POST /v2/data-fields";
    let NewDataField { name, kind, visibility, default_value } = field;
    if matches!(kind, FieldType::Other(_)) || matches!(visibility, FieldVisibility::Other(_)) {
        return Err(Error::refused(
            ENDPOINT,
            "a type or visibility that the service does not take",
        ));
    }
    if default_value.as_ref().is_some_and(|value| !value.fits(kind)) {
        return Err(Error::refused(ENDPOINT, "the default value is not of the field's type"));
    }
    let default_value = default_value.as_ref().map(FieldValue::to_text);
    let body = CreateBody { name, kind, visibility, default_value };
    Call::new(ENDPOINT, Tier::Medium, Repeat::ActsAgain).json(&body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn birthday() -> NewDataField {
        NewDataField::new(FieldName::parse("BIRTHDAY").unwrap(), FieldType::Date)
    }

    #[test]
    fn creating_is_never_marked_as_repeatable() {
        assert_eq!(create_call(&birthday()).unwrap().repeat, Repeat::ActsAgain);
    }

    #[test]
    fn what_the_service_does_not_document_is_refused_before_sending() {
        for field in [
            NewDataField { kind: "Colour".into(), ..birthday() },
            birthday().visibility("Secret".into()),
            birthday().default_value(FieldValue::Boolean(true)),
            birthday().default_value(FieldValue::Clear),
        ] {
            assert_eq!(create_call(&field).err().unwrap().kind(), ErrorKind::Rejected);
        }
    }
}
