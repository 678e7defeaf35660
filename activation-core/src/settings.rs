//! How an activation behaves: a destination's defaults, overridden per activation.

use serde::{Deserialize, Serialize};

use crate::{ActivationKey, GuardLimits, GuardSettings, IdentifierKind};

/// Who can see a list at the destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Only users of the account.
    #[default]
    Private,
    /// Contacts too, on preference pages.
    Public,
}

/// What happens to members that the destination does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingContacts {
    /// A contact is created, with the one mapped identifier and nothing else.
    #[default]
    Create,
    /// The member is skipped. Nobody is ever created.
    ExistingOnly,
}

/// What happens when a list of the wanted name exists before the first run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExistingList {
    /// The run stops.
    Refuse,
    /// It is used if nobody is on it; else the run stops.
    #[default]
    OnlyIfEmpty,
    /// It is used, and everybody already on it stays until somebody else removes them.
    KeepMembers,
}

/// Settings as people write them: everything optional, unknown keys refused.
///
/// The same type serves a destination's defaults and an activation's overrides.
///
/// ```
/// use activation_core::{MissingContacts, Settings, SettingsPatch, Visibility};
///
/// let defaults = SettingsPatch::default().visibility(Visibility::Public);
/// let activation = SettingsPatch::default().missing_contacts(MissingContacts::ExistingOnly);
/// let settings = Settings::resolve(&defaults, &activation);
/// assert_eq!(settings.visibility, Visibility::Public);
/// assert_eq!(settings.missing_contacts, MissingContacts::ExistingOnly);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SettingsPatch {
    /// See [`Settings::visibility`].
    pub visibility: Option<Visibility>,
    /// See [`Settings::identifier`].
    pub identifier: Option<IdentifierKind>,
    /// See [`Settings::missing_contacts`].
    pub missing_contacts: Option<MissingContacts>,
    /// See [`Settings::existing_list`].
    pub existing_list: Option<ExistingList>,
    /// See [`Settings::guard`]; merged limit by limit.
    pub guard: GuardSettings,
}

impl SettingsPatch {
    /// Sets the visibility.
    #[must_use]
    pub fn visibility(mut self, visibility: Visibility) -> Self {
        self.visibility = Some(visibility);
        self
    }

    /// Sets the identifier.
    #[must_use]
    pub fn identifier(mut self, identifier: IdentifierKind) -> Self {
        self.identifier = Some(identifier);
        self
    }

    /// Sets what happens to unknown members.
    #[must_use]
    pub fn missing_contacts(mut self, missing_contacts: MissingContacts) -> Self {
        self.missing_contacts = Some(missing_contacts);
        self
    }

    /// Sets what happens when the list exists already.
    #[must_use]
    pub fn existing_list(mut self, existing_list: ExistingList) -> Self {
        self.existing_list = Some(existing_list);
        self
    }

    /// Sets guard limits.
    #[must_use]
    pub fn guard(mut self, guard: GuardSettings) -> Self {
        self.guard = guard;
        self
    }
}

/// Settings with every question answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Settings {
    /// Who can see the list; private by default.
    pub visibility: Visibility,
    /// What the segment's rows carry; email by default.
    pub identifier: IdentifierKind,
    /// Whether members unknown to the destination are created, which is the default.
    pub missing_contacts: MissingContacts,
    /// What happens when the list exists already; used only if empty by default.
    pub existing_list: ExistingList,
    /// When a run is stopped as suspicious.
    pub guard: GuardLimits,
}

impl Settings {
    /// An activation's overrides on top of a destination's defaults on top of ours.
    pub fn resolve(defaults: &SettingsPatch, overrides: &SettingsPatch) -> Self {
        let ours = Self::default();
        Self {
            visibility: overrides.visibility.or(defaults.visibility).unwrap_or(ours.visibility),
            identifier: overrides.identifier.or(defaults.identifier).unwrap_or(ours.identifier),
            missing_contacts: overrides
                .missing_contacts
                .or(defaults.missing_contacts)
                .unwrap_or(ours.missing_contacts),
            existing_list: overrides
                .existing_list
                .or(defaults.existing_list)
                .unwrap_or(ours.existing_list),
            guard: ours.guard.with(&defaults.guard).with(&overrides.guard),
        }
    }
}

/// The configuration that ties one segment to one list of a destination.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Activation {
    segment: String,
    list_name: Option<String>,
    settings: Settings,
}

impl Activation {
    /// Keeps a list equal to `segment`. The list takes the segment's name.
    pub fn new(segment: impl Into<String>) -> Self {
        Self { segment: segment.into(), list_name: None, settings: Settings::default() }
    }

    /// Gives the activation, and so the list, a name of its own.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.list_name = Some(name.into());
        self
    }

    /// Replaces all settings.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The segment's name.
    pub fn segment(&self) -> &str {
        &self.segment
    }

    /// The list's name.
    pub fn list_name(&self) -> &str {
        self.list_name.as_deref().unwrap_or(&self.segment)
    }

    /// The settings.
    pub fn resolved(&self) -> &Settings {
        &self.settings
    }

    /// What the state store knows this activation by. Renaming the list does not change it.
    pub fn key(&self) -> ActivationKey {
        ActivationKey::new(&self.segment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Share;

    #[test]
    fn the_list_is_named_after_the_activation_and_by_default_after_the_segment() {
        assert_eq!(Activation::new("vip").list_name(), "vip");
        let named = Activation::new("vip").named("VIP customers");
        assert_eq!((named.list_name(), named.segment()), ("VIP customers", "vip"));
    }

    #[test]
    fn an_activation_overrides_only_what_it_names() {
        let half = Share::new(0.5).unwrap();
        let defaults = SettingsPatch::default()
            .visibility(Visibility::Public)
            .identifier(IdentifierKind::MobileNumber)
            .guard(GuardSettings { max_removals: Some(7), ..GuardSettings::default() });
        let overrides = SettingsPatch::default()
            .identifier(IdentifierKind::ContactId)
            .guard(GuardSettings { max_removal_share: Some(half), ..GuardSettings::default() });
        let settings = Settings::resolve(&defaults, &overrides);
        assert_eq!(settings.visibility, Visibility::Public);
        assert_eq!(settings.identifier, IdentifierKind::ContactId);
        assert_eq!(settings.missing_contacts, MissingContacts::Create);
        assert_eq!((settings.guard.max_removals, settings.guard.max_removal_share), (7, half));
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error =
            serde_json::from_str::<SettingsPatch>(r#"{"visibilty":"private"}"#).unwrap_err();
        assert!(error.to_string().contains("visibilty"), "{error}");
    }
}
