//! What a seed decides once for a whole history: how the account behaves, what is configured, and
//! how people are known.

use std::{collections::BTreeSet, num::NonZeroU32, time::Duration};

use activation_core::{
    ExistingList, GuardSettings, IdentifierKind, MissingContacts, Settings, SettingsPatch, Share,
};
use dotdigital_client::simulator::{
    BadList, ConflictCode, ContactIdForm, EmailEcho, FailureCodeCase, JobLatency, ListCreated,
    ListReading, NonMemberRemoval, RateLimits, RateReset, RemovalStatusCase, Simulator,
    SimulatorSettings, SuppressedAddition, Switches, ThrottleBody, TierLimits, UnknownRemoval,
};
use fastrand::Rng;

use super::history::PEOPLE;

/// Longer than a run waits for a job of an earlier one.
const SLOW: JobLatency =
    JobLatency { base: Duration::from_secs(1_500), per_member: Duration::ZERO };

#[derive(Default)]
pub(super) struct Terrain {
    pub(super) settings: SimulatorSettings,
    pub(super) missing_contacts: MissingContacts,
    identifier: IdentifierKind,
    /// How many runs the segment must be without somebody before she leaves.
    leave_after_runs: u32,
    /// The guard trips easily, additions pass or not, and approvals are recorded in the state.
    pub(super) records_approvals: bool,
    additions_through: bool,
    /// What is done with a list of the activation's name that is there before the first run.
    pub(super) existing_list: ExistingList,
    /// People whom the service takes under no circumstances.
    pub(super) suppressed: BTreeSet<usize>,
    /// People who are contacts and may not be written to on any channel.
    pub(super) silent: BTreeSet<usize>,
}

impl Terrain {
    pub(super) fn random(seed: u64, dice: &mut Rng) -> Self {
        use ExistingList::{KeepMembers, OnlyIfEmpty, OwnAll};
        let identifier = pick(dice, [IdentifierKind::Email, IdentifierKind::MobileNumber]);
        let policies =
            [MissingContacts::Create, MissingContacts::Create, MissingContacts::ExistingOnly];
        let missing_contacts = pick(dice, policies);
        // Only an address can be on the vendor's list of the suppressed, and is no contact then.
        let suppresses = identifier == IdentifierKind::Email
            && missing_contacts == MissingContacts::Create
            && dice.u8(0..3) == 0;
        let suppressed = (0..PEOPLE).filter(|_| suppresses && dice.u8(0..6) == 0).collect();
        let silences = dice.u8(0..3) == 0;
        let silent = (0..PEOPLE).filter(|_| silences && dice.u8(0..6) == 0).collect();
        let settings = SimulatorSettings {
            seed,
            limits: limits(dice),
            latency: latency(dice),
            max_active_imports: pick(dice, [1, 2, 25]),
            switches: switches(dice),
            ..SimulatorSettings::default()
        };
        Self {
            settings,
            missing_contacts,
            identifier,
            leave_after_runs: pick(dice, [1, 1, 2, 3]),
            records_approvals: dice.u8(0..3) == 0,
            additions_through: dice.bool(),
            existing_list: pick(dice, [OnlyIfEmpty, OnlyIfEmpty, KeepMembers, OwnAll]),
            suppressed,
            silent,
        }
    }

    /// All by default, and jobs that take 25 minutes.
    pub(super) fn with_slow_jobs() -> Self {
        let settings = SimulatorSettings { latency: SLOW, ..SimulatorSettings::default() };
        Self { settings, ..Self::default() }
    }

    /// People whom the service refuses; the others it does not put on a list it says nothing about.
    pub(super) fn refused(&self) -> BTreeSet<usize> {
        match self.settings.switches.suppressed_addition {
            SuppressedAddition::Fails => &self.suppressed | &self.silent,
            SuppressedAddition::SilentlyDropped => self.suppressed.clone(),
        }
    }

    /// Whether reading the list shows people who were on it and are suppressed by now.
    pub(super) fn shows_suppressed(&self) -> bool {
        self.settings.switches.list_reading == ListReading::ShowsSuppressed
    }

    pub(super) fn activation(&self) -> Settings {
        let patch = SettingsPatch::default()
            .identifier(self.identifier)
            .missing_contacts(self.missing_contacts)
            .existing_list(self.existing_list)
            .leave_after_runs(self.leave_after_runs.try_into().unwrap_or(NonZeroU32::MIN))
            .guard(match self.records_approvals {
                true => GuardSettings {
                    max_removals: Some(2),
                    max_removal_share: Share::new(0.1).ok(),
                    additions_through: Some(self.additions_through),
                    ..GuardSettings::default()
                },
                false => GuardSettings::default(),
            });
        Settings::resolve(&SettingsPatch::default(), &patch)
    }

    /// A person as the warehouse spells them.
    pub(super) fn spelling(&self, person: usize) -> String {
        match self.identifier {
            IdentifierKind::MobileNumber => format!("+44 7123 000-{person:03}"),
            _ if person.is_multiple_of(3) => format!(" Person{person:02}@Example.com"),
            _ => self.shown(person),
        }
    }

    /// A person as the list shows them, in lower case.
    pub(super) fn shown(&self, person: usize) -> String {
        match self.identifier {
            IdentifierKind::MobileNumber => format!("447123000{person:03}"),
            _ => format!("person{person:02}@example.com"),
        }
    }

    /// Makes a person a contact, with the spelling somebody else chose; returns the contact's id.
    pub(super) fn add_contact(&self, simulator: &Simulator, person: usize) -> i64 {
        match self.identifier {
            IdentifierKind::MobileNumber => simulator.add_mobile_contact(&self.shown(person)),
            _ if person.is_multiple_of(2) => simulator.add_contact(&self.shown(person)),
            _ => simulator.add_contact(&format!("PERSON{person:02}@example.com")),
        }
    }
}

/// Either position of everything that is not known about the service and that a list sync can meet.
fn switches(dice: &mut Rng) -> Switches {
    use ConflictCode::{IdAlreadyExists, IdentifierConflict};
    use NonMemberRemoval::{NoContent204, NotFound404};
    use SuppressedAddition::{Fails, SilentlyDropped};
    Switches {
        list_created: pick(dice, [ListCreated::Ok200, ListCreated::Created201]),
        email_echo: pick(dice, [EmailEcho::AsSent, EmailEcho::LowerCase]),
        rate_reset: pick(dice, [RateReset::EpochSeconds, RateReset::SecondsFromNow]),
        throttle_body: pick(dice, [ThrottleBody::Empty, ThrottleBody::Json, ThrottleBody::Text]),
        non_member_removal: pick(dice, [NoContent204, NotFound404]),
        unknown_removal: pick(dice, [UnknownRemoval::Ignored, UnknownRemoval::JobFails]),
        removal_status: pick(dice, [RemovalStatusCase::Pascal, RemovalStatusCase::Camel]),
        list_reading: pick(dice, [ListReading::HidesSuppressed, ListReading::ShowsSuppressed]),
        bad_list: pick(dice, [BadList::ContactFails, BadList::ListSkipped]),
        contact_id: pick(dice, [ContactIdForm::Number, ContactIdForm::Text]),
        suppressed_addition: pick(dice, [SilentlyDropped, Fails]),
        conflict_code: pick(dice, [IdentifierConflict, IdAlreadyExists]),
        failure_codes: pick(dice, [FailureCodeCase::Camel, FailureCodeCase::Pascal]),
        ..Switches::default()
    }
}

fn limits(dice: &mut Rng) -> RateLimits {
    match dice.u8(0..3) {
        0 => RateLimits::Tiered(TierLimits {
            low: dice.u32(2..20),
            medium: dice.u32(2..20),
            high: dice.u32(5..40),
        }),
        _ => RateLimits::Off,
    }
}

fn latency(dice: &mut Rng) -> JobLatency {
    match dice.u8(0..4) {
        0 => JobLatency::NONE,
        1 => SLOW,
        2 => JobLatency { base: Duration::from_secs(20), per_member: Duration::from_secs(5) },
        _ => JobLatency::default(),
    }
}

fn pick<T: Copy, const N: usize>(dice: &mut Rng, choices: [T; N]) -> T {
    choices[dice.usize(0..N)]
}
