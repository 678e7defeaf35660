//! Preferences as the service tells them, and as they are created and changed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::{decode, ids::PreferenceId};

/// A preference, or a category with the preferences in it.
///
/// Together they form a tree of at most two levels: categories hold preferences, and a preference
/// is in one category or in none.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Preference {
    /// Its id, for as long as it exists.
    pub id: PreferenceId,
    /// The name that contacts see.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub public_name: String,
    /// The name that users of the account see.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub private_name: String,
    /// Whether it is a preference, which contacts can choose, and not a category.
    // One documented answer spells the name with a 2.
    #[serde(default, alias = "isPreference2", deserialize_with = "decode::null_as_default")]
    pub is_preference: bool,
    /// Its place among its neighbours, from 0. `None` when missing or not a number.
    #[serde(default, rename = "order", deserialize_with = "position")]
    pub position: Option<u32>,
    /// Whether contacts are shown it.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub is_public: bool,
    /// The category it is in.
    #[serde(default, rename = "categoryId", deserialize_with = "decode::lenient")]
    pub category: Option<PreferenceId>,
    /// How many preferences a category has.
    #[serde(default, deserialize_with = "decode::count")]
    pub preference_count: u64,
    /// When it was created. `None` when missing or in a spelling this crate does not know.
    #[serde(default, deserialize_with = "decode::lenient_time")]
    pub created: Option<DateTime<Utc>>,
    /// When it was last changed. `None` when missing or in a spelling this crate does not know.
    #[serde(default, deserialize_with = "decode::lenient_time")]
    pub last_modified: Option<DateTime<Utc>>,
    /// Whether the contact asked about is opted in; `None` where no contact was asked about.
    #[serde(default, rename = "isOptedIn", deserialize_with = "decode::lenient")]
    pub opted_in: Option<bool>,
    /// The preferences of a category.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub preferences: Vec<Preference>,
}

/// A number that the service spells as text.
fn position<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => number.as_u64().and_then(|number| number.try_into().ok()),
        _ => None,
    })
}

/// Where a preference or category stands among its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Position {
    /// First.
    Top,
    /// Last.
    Bottom,
    /// At this place, from 0.
    At(u32),
}

/// The word or number as text.
impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Top => serializer.serialize_str("top"),
            Self::Bottom => serializer.serialize_str("bottom"),
            Self::At(place) => serializer.collect_str(place),
        }
    }
}

/// What a preference or category is to be like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NewPreference {
    /// The name that contacts see.
    pub public_name: String,
    /// The name that users of the account see.
    pub private_name: String,
    /// Whether it is a preference and not a category.
    is_preference: bool,
    /// Its place. The service chooses when there is none.
    #[serde(rename = "order", skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Whether contacts are shown it.
    pub is_public: bool,
    /// The category of a preference.
    #[serde(rename = "categoryId", skip_serializing_if = "Option::is_none")]
    category: Option<PreferenceId>,
}

impl NewPreference {
    /// A preference outside of all categories, which contacts are shown.
    pub fn preference(public_name: impl Into<String>, private_name: impl Into<String>) -> Self {
        Self {
            public_name: public_name.into(),
            private_name: private_name.into(),
            is_preference: true,
            position: None,
            is_public: true,
            category: None,
        }
    }

    /// A preference in a category, which contacts are shown.
    pub fn preference_in(
        category: PreferenceId,
        public_name: impl Into<String>,
        private_name: impl Into<String>,
    ) -> Self {
        Self { category: Some(category), ..Self::preference(public_name, private_name) }
    }

    /// A category, which is in no other.
    pub fn category(public_name: impl Into<String>, private_name: impl Into<String>) -> Self {
        Self { is_preference: false, ..Self::preference(public_name, private_name) }
    }

    /// The same at this place.
    #[must_use]
    pub fn position(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    /// The same, not shown to contacts.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.is_public = false;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Preference {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_category_is_read_with_what_is_in_it() {
        let category = read(
            r#"{"id":8,"publicName":"Contact by","privateName":"by","isPreference2":false,
                "order":"3","isPublic":true,"categoryId":0,"preferenceCount":1,
                "created":"2020-01-01 09:40:18.527000+00:00","lastModified":"2020-01-02T00:00:00Z",
                "preferences":[{"id":"9","isPreference":true,"order":1,"categoryId":8,
                "isOptedIn":true}]}"#,
        );
        assert_eq!((category.id.get(), category.position, category.category), (8, Some(3), None));
        assert!(!category.is_preference && category.is_public && category.opted_in.is_none());
        assert!(category.last_modified > category.created);
        let leaf = &category.preferences[0];
        assert_eq!((leaf.id.get(), leaf.position, leaf.opted_in), (9, Some(1), Some(true)));
        assert!(leaf.is_preference && leaf.category == Some(category.id));
    }

    #[test]
    fn a_preference_with_odd_parts_is_still_read() {
        let odd = read(
            r#"{"id":8,"publicName":null,"order":"top","categoryId":null,"isPublic":null,
                "isOptedIn":null,"created":"soon","preferences":null,"unheardOf":{}}"#,
        );
        assert_eq!((odd.position, odd.category, odd.created), (None, None, None));
        assert!(odd.preferences.is_empty() && odd.opted_in.is_none() && !odd.is_preference);
    }

    #[test]
    fn what_is_sent_says_whether_it_is_a_category() {
        let json = |new| serde_json::to_string::<NewPreference>(&new).unwrap();
        assert_eq!(
            json(NewPreference::category("Sport", "sport").position(Position::Top).hidden()),
            r#"{"publicName":"Sport","privateName":"sport","isPreference":false,"order":"top","isPublic":false}"#
        );
        let category = PreferenceId::new(8).unwrap();
        assert_eq!(
            json(NewPreference::preference_in(category, "Tennis", "t").position(Position::At(2))),
            r#"{"publicName":"Tennis","privateName":"t","isPreference":true,"order":"2","isPublic":true,"categoryId":8}"#
        );
        assert_eq!(
            json(NewPreference::preference("Tennis", "t").position(Position::Bottom)),
            r#"{"publicName":"Tennis","privateName":"t","isPreference":true,"order":"bottom","isPublic":true}"#
        );
    }
}
