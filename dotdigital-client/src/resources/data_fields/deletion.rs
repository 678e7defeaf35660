//! Deleting data fields.

use serde::Deserialize;

use super::{DataFields, FieldName};
use crate::{
    call::{Call, Repeat},
    decode,
    error::Error,
    limits::Tier,
};

/// What became of the deletion of a data field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldDeletion {
    /// It is gone, and with it what every contact had in it.
    Deleted,
    /// It is still there.
    Blocked {
        /// What uses it, in the service's own words.
        dependencies: Vec<String>,
    },
}

impl DataFields {
    /// **Deletes the data field and every contact's value in it.** It cannot be brought back. A
    /// field that something uses stays, which is no error.
    ///
    /// `DELETE /v2/data-fields/{name}` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such field.
    pub async fn delete(&self, name: &FieldName) -> Result<FieldDeletion, Error> {
        let call = delete_call(name);
        let answer = self.client.send(&call).await?;
        if decode::is_empty(&answer) {
            return Ok(FieldDeletion::Deleted);
        }
        let outcome: Outcome = decode::json(&call, &answer)?;
        Ok(match outcome.result {
            true => FieldDeletion::Deleted,
            false => FieldDeletion::Blocked { dependencies: outcome.dependencies },
        })
    }
}

#[derive(Deserialize)]
struct Outcome {
    result: bool,
    #[serde(default, deserialize_with = "decode::null_as_default")]
    dependencies: Vec<String>,
}

fn delete_call(name: &FieldName) -> Call {
    Call::new("DELETE /v2/data-fields/{name}", Tier::Medium, Repeat::Harmless).arg(name)
}
