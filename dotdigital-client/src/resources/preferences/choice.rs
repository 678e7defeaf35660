//! What a contact is opted in to and out of.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::ids::PreferenceId;

/// Whether a contact is opted in to one preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreferenceChoice {
    /// The preference; never a category.
    pub preference: PreferenceId,
    /// The category it is in, as [`Preference::category`](super::Preference::category) tells.
    pub category: Option<PreferenceId>,
    /// Whether the contact is opted in, or out.
    pub opted_in: bool,
}

/// The choices as the service takes them: those in a category stand below it.
pub(super) struct ChoiceTree(Vec<Node>);

enum Node {
    Preference(Leaf),
    Category(PreferenceId, Vec<Leaf>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Leaf {
    id: PreferenceId,
    is_preference: bool,
    is_opted_in: bool,
}

impl ChoiceTree {
    pub(super) fn new(choices: &[PreferenceChoice]) -> Self {
        let mut categories: BTreeMap<PreferenceId, Vec<Leaf>> = BTreeMap::new();
        let mut nodes = Vec::new();
        for choice in choices {
            let leaf =
                Leaf { id: choice.preference, is_preference: true, is_opted_in: choice.opted_in };
            match choice.category {
                Some(category) => categories.entry(category).or_default().push(leaf),
                None => nodes.push(Node::Preference(leaf)),
            }
        }
        nodes.extend(categories.into_iter().map(|(id, leaves)| Node::Category(id, leaves)));
        Self(nodes)
    }
}

impl Serialize for ChoiceTree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Without `isOptedIn`, as the vendor's own example and clients send a category: what the
        // service makes of one there is not documented.
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Category<'a> {
            id: PreferenceId,
            is_preference: bool,
            preferences: &'a [Leaf],
        }
        match self {
            Self::Preference(leaf) => leaf.serialize(serializer),
            Self::Category(id, leaves) => {
                Category { id: *id, is_preference: false, preferences: leaves }
                    .serialize(serializer)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_stand_below_their_categories() {
        let id = |id| PreferenceId::new(id).unwrap();
        let choice = |preference, category: Option<i32>, opted_in| PreferenceChoice {
            preference: id(preference),
            category: category.map(id),
            opted_in,
        };
        let choices = [
            choice(26, Some(14), true),
            choice(1027, None, true),
            choice(30, Some(5), false),
            choice(19, Some(14), false),
        ];
        assert_eq!(
            serde_json::to_string(&ChoiceTree::new(&choices)).unwrap(),
            concat!(
                r#"[{"id":1027,"isPreference":true,"isOptedIn":true},"#,
                r#"{"id":5,"isPreference":false,"preferences":[{"id":30,"isPreference":true,"isOptedIn":false}]},"#,
                r#"{"id":14,"isPreference":false,"preferences":[{"id":26,"isPreference":true,"isOptedIn":true},"#,
                r#"{"id":19,"isPreference":true,"isOptedIn":false}]}]"#
            )
        );
    }
}
