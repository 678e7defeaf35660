//! How an activation behaves: a destination's defaults, overridden per activation.

use std::num::NonZeroU32;

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

/// What happens when the segment has somebody under another identifier than before, as her warehouse
/// key shows. Without such keys nothing of the kind is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierChange {
    /// Her contact keeps its history and gets the new identifier at the destination.
    #[default]
    Move,
    /// The contact with the old identifier is taken off the list, and one with the new identifier is
    /// put on it. No contact is changed.
    Replace,
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
    /// It is used, and everybody already on it counts as put there by this activation: the first run
    /// removes from it whoever is not in the segment, within the guard's limits. Members put there
    /// by others later stay.
    OwnAll,
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
    /// See [`Settings::identifier_change`].
    pub identifier_change: Option<IdentifierChange>,
    /// See [`Settings::existing_list`].
    pub existing_list: Option<ExistingList>,
    /// See [`Settings::hold_days`].
    pub hold_days: Option<NonZeroU32>,
    /// See [`Settings::skip_days`].
    pub skip_days: Option<NonZeroU32>,
    /// See [`Settings::leave_after_runs`].
    pub leave_after_runs: Option<NonZeroU32>,
    /// See [`Settings::show_rejects`].
    pub show_rejects: Option<u32>,
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

    /// Sets what happens when somebody has another identifier than before.
    #[must_use]
    pub fn identifier_change(mut self, change: IdentifierChange) -> Self {
        self.identifier_change = Some(change);
        self
    }

    /// Sets what happens when the list exists already.
    #[must_use]
    pub fn existing_list(mut self, existing_list: ExistingList) -> Self {
        self.existing_list = Some(existing_list);
        self
    }

    /// Sets how long a held member is left alone.
    #[must_use]
    pub fn hold_days(mut self, days: NonZeroU32) -> Self {
        self.hold_days = Some(days);
        self
    }

    /// Sets how long a member who is no contact is passed over.
    #[must_use]
    pub fn skip_days(mut self, days: NonZeroU32) -> Self {
        self.skip_days = Some(days);
        self
    }

    /// Sets after how many runs without her a member leaves the list.
    #[must_use]
    pub fn leave_after_runs(mut self, runs: NonZeroU32) -> Self {
        self.leave_after_runs = Some(runs);
        self
    }

    /// Sets how many unusable rows a report shows as they are.
    #[must_use]
    pub fn show_rejects(mut self, rows: u32) -> Self {
        self.show_rejects = Some(rows);
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
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Settings {
    /// Who can see the list; private by default.
    pub visibility: Visibility,
    /// What the segment's rows carry; email by default.
    pub identifier: IdentifierKind,
    /// Whether members unknown to the destination are created, which is the default.
    pub missing_contacts: MissingContacts,
    /// What happens when somebody has another identifier than before, where the source gives
    /// warehouse keys; moved by default. Contact ids never change, so where they are the identifiers
    /// it has no meaning, and keys are not looked at.
    pub identifier_change: IdentifierChange,
    /// What happens when the list exists already; used only if empty by default.
    pub existing_list: ExistingList,
    /// After how many days a held member is tried again without any sign of change; 7 by default.
    pub hold_days: NonZeroU32,
    /// After how many days a member who was no contact is looked up again, under "existing
    /// contacts only"; 1 by default.
    pub skip_days: NonZeroU32,
    /// The minimum dwell: a member leaves the list in the run that misses her in the segment for
    /// this many runs in succession; 1 by default, which is at once. Runs that the guard stops do
    /// not count. Whoever is excluded leaves at once in any case.
    pub leave_after_runs: NonZeroU32,
    /// Up to how many rows without a usable identifier a report shows as they are, for finding out
    /// what is wrong with them; none by default. **Such rows may be addresses of people**: keep and
    /// delete the report accordingly.
    pub show_rejects: u32,
    /// When a run is stopped as suspicious.
    pub guard: GuardLimits,
}

const A_WEEK: NonZeroU32 = NonZeroU32::MIN.saturating_add(6);

impl Default for Settings {
    fn default() -> Self {
        Self {
            visibility: Visibility::default(),
            identifier: IdentifierKind::default(),
            missing_contacts: MissingContacts::default(),
            identifier_change: IdentifierChange::default(),
            existing_list: ExistingList::default(),
            hold_days: A_WEEK,
            skip_days: NonZeroU32::MIN,
            leave_after_runs: NonZeroU32::MIN,
            show_rejects: 0,
            guard: GuardLimits::default(),
        }
    }
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
            identifier_change: overrides
                .identifier_change
                .or(defaults.identifier_change)
                .unwrap_or(ours.identifier_change),
            existing_list: overrides
                .existing_list
                .or(defaults.existing_list)
                .unwrap_or(ours.existing_list),
            hold_days: overrides.hold_days.or(defaults.hold_days).unwrap_or(ours.hold_days),
            skip_days: overrides.skip_days.or(defaults.skip_days).unwrap_or(ours.skip_days),
            leave_after_runs: overrides
                .leave_after_runs
                .or(defaults.leave_after_runs)
                .unwrap_or(ours.leave_after_runs),
            show_rejects: overrides
                .show_rejects
                .or(defaults.show_rejects)
                .unwrap_or(ours.show_rejects),
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
            .hold_days(days(30))
            .skip_days(days(2))
            .identifier_change(IdentifierChange::Replace)
            .guard(GuardSettings { max_removals: Some(7), ..GuardSettings::default() });
        let overrides = SettingsPatch::default()
            .identifier(IdentifierKind::ContactId)
            .hold_days(days(3))
            .leave_after_runs(days(2))
            .show_rejects(5)
            .guard(GuardSettings { max_removal_share: Some(half), ..GuardSettings::default() });
        let settings = Settings::resolve(&defaults, &overrides);
        assert_eq!(settings.visibility, Visibility::Public);
        assert_eq!(settings.identifier, IdentifierKind::ContactId);
        assert_eq!(settings.missing_contacts, MissingContacts::Create);
        assert_eq!((settings.guard.max_removals, settings.guard.max_removal_share), (7, half));
        assert_eq!((settings.hold_days, settings.skip_days), (days(3), days(2)));
        assert_eq!(settings.identifier_change, IdentifierChange::Replace);
        assert_eq!((settings.leave_after_runs, settings.show_rejects), (days(2), 5));
        let untouched = Settings::resolve(&SettingsPatch::default(), &SettingsPatch::default());
        assert_eq!(untouched, Settings::default());
    }

    fn days(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    #[test]
    fn settings_are_written_with_their_units() {
        let text = r#"{"identifier_change":"replace","hold_days":3,"skip_days":2,"leave_after_runs":4,
            "guard":{"max_age_hours":36,"additions_through":true}}"#;
        let patch: SettingsPatch = serde_json::from_str(text).unwrap();
        let settings = Settings::resolve(&SettingsPatch::default(), &patch);
        assert_eq!((settings.hold_days, settings.skip_days), (days(3), days(2)));
        assert_eq!(settings.leave_after_runs, days(4));
        assert_eq!(settings.identifier_change, IdentifierChange::Replace);
        assert_eq!(settings.guard.max_age_hours, Some(36));
        assert!(settings.guard.additions_through);
        assert!(serde_json::from_str::<SettingsPatch>(r#"{"leave_after_runs":0}"#).is_err());
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error =
            serde_json::from_str::<SettingsPatch>(r#"{"visibilty":"private"}"#).unwrap_err();
        assert!(error.to_string().contains("visibilty"), "{error}");
    }
}
