//! What happens in a history, step by step.

use std::{collections::BTreeSet, ops::Range, time::Duration};

use activation_core::{ExistingList, ReconcileMode};
use dotdigital_client::{
    Clock as _,
    simulator::{Fault, FaultRule},
};

use super::{
    MINUTE, PEOPLE, Stage,
    others::Edit,
    rival::{Beside, Rival, content},
    stops::Stop,
};
use crate::simulation::{Witnessed, clock::jump, fate::Fate, place::Place, terrain::Terrain};

/// One step: the segment changes, time passes, and a run is tried.
struct Chapter {
    segment: BTreeSet<usize>,
    /// Who must not be on the list.
    excluded: BTreeSet<usize>,
    pause: Duration,
    faults: Vec<FaultRule>,
    /// Somebody puts a guest on the list by hand.
    guest: bool,
    /// Somebody takes a member off the list by hand.
    taken_off: bool,
    /// Whether and how the list is reconciled before the run.
    reconciles: Option<ReconcileMode>,
    /// Becomes a contact by some other way.
    newcomer: Option<usize>,
    /// Is forgotten before the run.
    erased: Option<usize>,
    /// What somebody else does to the account.
    edit: Option<Edit>,
    /// Set forward or back before anything else, by so many seconds.
    clock_jumps: Option<i64>,
    /// What happens to each process of the chapter.
    fate: Fate,
    /// Another process that runs beside the run, if no runner does it.
    rival: Option<Rival>,
    /// A runner does it and is stopped, if nobody kills it.
    stop: Option<Stop>,
}

pub(in crate::simulation) struct History {
    chapters: Vec<Chapter>,
    terrain: Terrain,
    contacts_before: BTreeSet<usize>,
    /// Where the state is kept, if not in a directory.
    place: Option<Place>,
}

impl History {
    /// A first run, then some with removals and additions in bulk and singly; each with the same
    /// fate and rival.
    pub(in crate::simulation) fn fixed(fate: Fate, rival: Option<Rival>) -> Self {
        let chapter = |segment: Range<usize>, reconciles| Chapter {
            // Changes from chapter to chapter, inside and outside of the segment.
            excluded: [segment.start, 7].into(),
            guest: true,
            taken_off: reconciles,
            reconciles: reconciles.then_some(ReconcileMode::Repair),
            erased: reconciles.then_some(8),
            fate,
            rival,
            ..quiet(segment, MINUTE)
        };
        Self {
            chapters: vec![
                chapter(0..12, false),
                chapter(5..20, false),
                chapter(6..21, true),
                chapter(0..4, true),
            ],
            terrain: Terrain::default(),
            contacts_before: (3..9).collect(),
            place: None,
        }
    }

    /// The answer to one write is lost, its job goes on for long, and a minute later the segment is
    /// what it was before: whoever looks then finds nothing wrong, and it is yet to come.
    pub(in crate::simulation) fn with_answer_lost(write: u64) -> Self {
        let lost = FaultRule::new(Fault::TimeoutAfterActing).on("P").from_call(write);
        let hour = 60 * MINUTE;
        let chapter = |segment, pause, faults| Chapter { faults, ..quiet(segment, pause) };
        Self {
            chapters: vec![
                chapter(0..12, MINUTE, Vec::new()),
                // The first run's jobs have ended, and it is known how.
                chapter(0..12, hour, Vec::new()),
                chapter(7..20, hour, vec![lost]),
                chapter(0..12, MINUTE, Vec::new()),
            ],
            terrain: Terrain::with_slow_jobs(),
            contacts_before: (3..9).collect(),
            place: None,
        }
    }

    /// Everything decided by `seed`.
    pub(in crate::simulation) fn random(seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        // Dice of their own, so that the rest of a seed's history stays what it was.
        let mut stops = fastrand::Rng::with_seed(!seed);
        let mut machines = fastrand::Rng::with_seed(seed ^ (1 << 63));
        let mut segment: BTreeSet<usize> = (0..PEOPLE).filter(|_| dice.bool()).collect();
        let mut excluded = BTreeSet::new();
        let chapters = (0..dice.usize(3..8))
            .map(|_| {
                change(&mut segment, &mut dice);
                if dice.u8(0..4) == 0 {
                    excluded = (0..PEOPLE).filter(|_| dice.u8(0..6) == 0).collect();
                }
                Chapter {
                    segment: segment.clone(),
                    excluded: excluded.clone(),
                    pause: pause(&mut dice),
                    faults: (0..dice.usize(0..4)).map(|_| fault(&mut dice)).collect(),
                    guest: dice.u8(0..5) == 0,
                    taken_off: dice.u8(0..6) == 0,
                    reconciles: match dice.u8(0..8) {
                        0 => Some(ReconcileMode::Report),
                        1 => Some(ReconcileMode::Repair),
                        2 => Some(ReconcileMode::Rebuild),
                        _ => None,
                    },
                    newcomer: (dice.u8(0..3) == 0).then(|| dice.usize(0..PEOPLE)),
                    erased: (dice.u8(0..6) == 0).then(|| dice.usize(0..PEOPLE)),
                    edit: Edit::random(&mut machines),
                    clock_jumps: jump(&mut machines),
                    fate: {
                        let kill_at = if dice.bool() { dice.i64(1..120) } else { 0 };
                        Fate::random(kill_at, &mut machines)
                    },
                    rival: Rival::random(&mut machines),
                    stop: Stop::random(&mut stops),
                }
            })
            .collect();
        let contacts_before = (0..PEOPLE).filter(|_| dice.bool()).collect();
        Self { chapters, terrain: Terrain::random(seed, &mut dice), contacts_before, place: None }
    }

    /// The same with the state in `place`.
    pub(in crate::simulation) fn kept_in(self, place: Place) -> Self {
        Self { place: Some(place), ..self }
    }

    /// Plays the history, lets calm runs follow, and checks what must be true.
    pub(in crate::simulation) async fn play(self) -> Witnessed {
        let mut stage = Stage::set(self.terrain, self.contacts_before, self.place);
        let mut overtaken = 0;
        for (number, chapter) in self.chapters.into_iter().enumerate() {
            stage.clock.sleep(chapter.pause).await;
            match chapter.clock_jumps {
                Some(seconds) => stage.machine.jump(seconds),
                None => stage.machine.set_right(),
            }
            if let Some(person) = chapter.newcomer {
                stage.terrain.add_contact(&stage.simulator, person);
                stage.contacts.insert(person);
            }
            if let Some(edit) = chapter.edit {
                stage.edit(edit).await;
            }
            if let (true, Some(list)) = (chapter.guest, stage.list()) {
                let guest = format!("guest{number}@example.com");
                stage.simulator.add_member(list.id, stage.simulator.add_contact(&guest));
                let is_early =
                    stage.terrain.existing_list == ExistingList::OwnAll && !stage.has_list().await;
                if is_early { &mut stage.early } else { &mut stage.guests }.insert(guest);
            }
            if let (true, Some(list)) = (chapter.taken_off, stage.list()) {
                let mut members = stage.simulator.members(list.id).into_iter();
                let is_guest =
                    |email: &String| stage.guests.contains(email) || stage.early.contains(email);
                let ours = members.find(|one| !one.email.as_ref().is_some_and(is_guest));
                ours.into_iter().for_each(|one| stage.simulator.remove_member(list.id, one.id));
                stage.taken_off = true;
            }
            let segment = chapter.segment.iter();
            stage.source.set(segment.map(|person| stage.terrain.spelling(*person)));
            stage.segment = chapter.segment;
            let excluded = chapter.excluded.iter();
            stage.complaints.set(excluded.map(|person| stage.terrain.spelling(*person)));
            stage.excluded = chapter.excluded;
            chapter.faults.into_iter().for_each(|rule| stage.simulator.inject(rule));
            if let Some(mode) = chapter.reconciles {
                let had_list = stage.has_list().await;
                stage.reconcile(chapter.fate, mode).await;
                if !had_list && stage.has_list().await {
                    // Rebuilt before it was adopted: whoever was there is a guest.
                    stage.guests.append(&mut stage.early);
                }
            }
            if let Some(person) = chapter.erased {
                stage.erase(chapter.fate, person).await;
            }
            let fate = chapter.fate;
            match (chapter.stop.filter(|_| fate.kill_at == 0), chapter.rival) {
                (Some(stop), _) => {
                    if let Some(report) = stage.run_until(stop).await.last() {
                        stage.check_report(report).await;
                    }
                }
                (None, Some(rival)) => match stage.run_beside(fate, rival).await {
                    Beside::Reported(report) => stage.check_report(&report).await,
                    Beside::Overtaken => overtaken = 1,
                    Beside::Killed => {}
                },
                (None, None) => {
                    if let Some(report) = stage.run(fate).await {
                        stage.check_report(&report).await;
                    }
                }
            }
            stage.simulator.clear_faults();
            stage.check_harmless();
            // Can be read, whatever happened.
            content(&stage.place).await;
        }
        let clock_set = u64::from(stage.machine.jumps() > 0);
        stage.converges().await;
        let (killed, power_cut) = *stage.deaths.lock().expect("no poison");
        let lost = stage.simulator.ledger().iter().filter(|call| call.lost).count() as u64;
        Witnessed { histories: 1, killed, power_cut, overtaken, clock_set, lost }
    }
}

/// A run after a pause, and nothing else.
fn quiet(segment: Range<usize>, pause: Duration) -> Chapter {
    Chapter {
        segment: segment.collect(),
        excluded: BTreeSet::new(),
        pause,
        faults: Vec::new(),
        guest: false,
        taken_off: false,
        reconciles: None,
        newcomer: None,
        erased: None,
        edit: None,
        clock_jumps: None,
        fate: Fate::default(),
        rival: None,
        stop: None,
    }
}

/// Nothing, a few or most people change sides.
fn change(segment: &mut BTreeSet<usize>, dice: &mut fastrand::Rng) {
    let share = dice.choice([0, 1, 1, 3, 8]).unwrap_or(0);
    for person in 0..PEOPLE {
        if dice.usize(0..10) < share && !segment.remove(&person) {
            segment.insert(person);
        }
    }
}

/// Seconds, minutes or hours.
fn pause(dice: &mut fastrand::Rng) -> Duration {
    Duration::from_secs(dice.choice([1, 20, 300, 4_000, 90_000]).unwrap_or(1))
}

fn fault(dice: &mut fastrand::Rng) -> FaultRule {
    let fault = match dice.u8(0..17) {
        0 => Fault::ConnectionRefused,
        1 => Fault::ResetBeforeActing,
        2 | 3 => Fault::ResetAfterActing,
        4 | 5 => Fault::TimeoutAfterActing,
        6 => Fault::Status(500),
        7 => Fault::StatusAfterActing(502),
        8 => Fault::Html(503),
        9 => Fault::RateLimited,
        10 => Fault::TooManyActiveImports,
        // On the slowest account still within the time that a doubt lasts.
        11 => Fault::SlowJob(Duration::from_secs(dice.u64(10..1_500))),
        12 => Fault::FailRows { code: "ApiSchemaViolation".to_owned(), every: dice.u64(1..4) },
        13 => Fault::FailRows { code: "invalidEmail".to_owned(), every: dice.u64(2..4) },
        14 => Fault::RejectedByWatchdog,
        15 => Fault::FailRows { code: "duplicateIdentifier".to_owned(), every: dice.u64(2..4) },
        _ => Fault::FailedJob,
    };
    let endpoint = dice.choice(["", "", "P", "PUT", "POST", "GET", "DELETE"]).unwrap_or("");
    FaultRule::new(fault).on(endpoint).from_call(dice.u64(1..12)).times(dice.u64(1..6))
}
