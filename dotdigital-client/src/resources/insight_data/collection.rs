//! Collections of records.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{decode, service_enum::service_enum};

/// Whom the records of a collection are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CollectionScope {
    /// The account as a whole.
    Account,
    /// Single contacts.
    Contact,
}

impl CollectionScope {
    /// The word as the service documents it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Contact => "contact",
        }
    }
}

impl fmt::Display for CollectionScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for CollectionScope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let known = [Self::Account, Self::Contact];
        let found = known.into_iter().find(|it| it.as_str().eq_ignore_ascii_case(&word));
        found.ok_or_else(|| serde::de::Error::custom("neither account nor contact"))
    }
}

service_enum! {
    /// What the records of a collection are.
    CollectionType {
        /// Carts, also abandoned ones.
        CartInsight = "cartInsight",
        /// Products.
        Catalog = "catalog",
        /// Consent that was given.
        ConsentInsight = "consentInsight",
        /// Anything of the account's own.
        Custom = "custom",
        /// Extensions of the campaign editor.
        EasyEditorExtensions = "easyEditorExtensions",
        /// Campaigns of a personalisation service.
        NostoEmailCampaigns = "nostoEmailCampaigns",
        /// Orders.
        Orders = "orders",
        /// Categories of products.
        ProductCategories = "productCategories",
        /// Visits to a site.
        WebInsight = "webInsight",
        /// Lists of wishes.
        WishList = "wishList",
    }
}

/// A collection.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Collection {
    /// Its name.
    #[serde(rename = "collectionName")]
    pub name: String,
    /// What its records are.
    #[serde(rename = "collectionType")]
    pub kind: CollectionType,
    /// Whom they are about. `None` when the service does not tell.
    #[serde(default, rename = "collectionScope", deserialize_with = "decode::lenient")]
    pub scope: Option<CollectionScope>,
    /// How many there are.
    #[serde(default, deserialize_with = "decode::count")]
    pub record_count: u64,
}

/// The fields that the records of a collection have.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CollectionSchema<S> {
    /// The collection's name.
    #[serde(rename = "collectionName")]
    pub name: String,
    /// What its records are.
    #[serde(rename = "collectionType")]
    pub kind: CollectionType,
    /// The fields. The vendor describes an object and shows an array, so read it as what fits
    /// both, such as `serde_json::Value`.
    pub schema: S,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_collections_are_still_read() {
        let collection: Collection = serde_json::from_str(
            r#"{"collectionName":"Orders","collectionType":"ORDERS","collectionScope":"Contact",
                "recordCount":null,"new":1}"#,
        )
        .unwrap();
        assert_eq!(collection.kind, CollectionType::Orders);
        assert_eq!(
            (collection.scope, collection.record_count),
            (Some(CollectionScope::Contact), 0)
        );
        let other =
            r#"{"collectionName":"x","collectionType":"newKind","collectionScope":"planet"}"#;
        let collection: Collection = serde_json::from_str(other).unwrap();
        assert_eq!(collection.kind, CollectionType::Other("newKind".into()));
        assert_eq!(collection.scope, None);
    }
}
