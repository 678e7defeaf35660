//! What runs next. Pure: the loop tells it the time and what happened.

use chrono::{DateTime, TimeDelta, Utc};

use super::RunnerLimits;
use crate::{Schedule, Share};

/// The wait after a run that should be tried again; doubled each time in a row up to
/// [`LAST_RETRY`].
const FIRST_RETRY: TimeDelta = TimeDelta::minutes(1);
const LAST_RETRY: TimeDelta = TimeDelta::minutes(30);

/// How long a run is put off at the most, whatever it was told: a clock may be wrong elsewhere.
const LONGEST_PUT_OFF: TimeDelta = TimeDelta::days(1);

/// Everything that may run, and what of it is running.
#[derive(Debug)]
pub(super) struct Agenda {
    limits: RunnerLimits,
    entries: Vec<Entry>,
}

/// One activation on the agenda.
#[derive(Debug)]
pub(super) struct Entry {
    /// Which destination it belongs to, as a number.
    destination: usize,
    schedule: Schedule,
    place: Share,
    last: Option<DateTime<Utc>>,
    /// When it runs next; while it is running, whether and since when it is wanted again.
    due: Option<DateTime<Utc>>,
    running: bool,
    /// How many runs in a row should be tried again.
    retries: u32,
}

/// How a run ended, as far as the next one is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Done, or not worth trying before its time.
    Final,
    /// Worth trying again, though not before that.
    Temporary { not_before: Option<DateTime<Utc>> },
}

impl Entry {
    pub(super) fn new(
        destination: usize,
        schedule: Schedule,
        place: Share,
        last: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Self {
        let due = schedule.next_after(last, now, place);
        Self { destination, schedule, place, last, due, running: false, retries: 0 }
    }

    fn is_due(&self, now: DateTime<Utc>) -> bool {
        !self.running && self.due.is_some_and(|due| due <= now)
    }

    fn next_due(&self, ending: Ending, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let scheduled = self.schedule.next_after(self.last, now, self.place);
        let (due, not_before) = match ending {
            Ending::Final => (self.due.or(scheduled), None),
            Ending::Temporary { not_before } => {
                let retry = Some(now + retry_wait(self.retries));
                let due = self.due.or_else(|| scheduled.into_iter().chain(retry).min());
                (due, not_before.map(|time| time.min(now + LONGEST_PUT_OFF)))
            }
        };
        due.max(not_before)
    }
}

fn retry_wait(retries: u32) -> TimeDelta {
    let doubled = 2_i32.saturating_pow(retries.saturating_sub(1).min(16));
    FIRST_RETRY.checked_mul(doubled).map_or(LAST_RETRY, |wait| wait.min(LAST_RETRY))
}

impl Agenda {
    pub(super) fn new(limits: RunnerLimits, entries: Vec<Entry>) -> Self {
        Self { limits, entries }
    }

    /// Asks for a run that begins after now. One that waits for its turn is such a run; one that is
    /// going on is not, and is followed by another, however often it is asked for.
    pub(super) fn trigger(&mut self, entry: usize, now: DateTime<Utc>) {
        if let Some(entry) = self.entries.get_mut(entry) {
            entry.due = Some(entry.due.map_or(now, |due| due.min(now)));
        }
    }

    /// Begins the run whose turn it is, if one may begin: at the destination with the fewest runs
    /// going on, whatever has been due for longest.
    pub(super) fn begin_next(&mut self, now: DateTime<Utc>) -> Option<usize> {
        if self.running() >= self.limits.runs.get() {
            return None;
        }
        let ready = (self.entries.iter().enumerate()).filter(|(_, entry)| entry.is_due(now));
        let turns =
            ready.map(|(index, entry)| (self.running_at(entry.destination), entry.due, index));
        let (_, _, index) = turns
            .filter(|(running, _, _)| *running < self.limits.runs_per_destination.get())
            .min()?;
        let entry = self.entries.get_mut(index)?;
        entry.running = true;
        entry.due = None;
        entry.last = Some(now);
        Some(index)
    }

    /// Takes note that a run ended; returns when the next one is due.
    pub(super) fn ended(
        &mut self,
        entry: usize,
        ending: Ending,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let entry = self.entries.get_mut(entry)?;
        entry.running = false;
        entry.retries = match ending {
            Ending::Final => 0,
            Ending::Temporary { .. } => entry.retries + 1,
        };
        entry.due = entry.next_due(ending, now);
        entry.due
    }

    /// When to look again, if nothing happens before.
    pub(super) fn next_due_after(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let waiting = self.entries.iter().filter(|entry| !entry.running);
        waiting.filter_map(|entry| entry.due).filter(|due| *due > now).min()
    }

    /// What is due, is going on, or should be tried again.
    pub(super) fn unfinished(&self, now: DateTime<Utc>) -> impl Iterator<Item = usize> {
        let unfinished =
            move |entry: &Entry| entry.running || entry.is_due(now) || entry.retries > 0;
        (self.entries.iter().enumerate())
            .filter(move |(_, entry)| unfinished(entry))
            .map(|(index, _)| index)
    }

    fn running(&self) -> usize {
        self.entries.iter().filter(|entry| entry.running).count()
    }

    fn running_at(&self, destination: usize) -> usize {
        let runs = self.entries.iter().filter(|entry| entry.running);
        runs.filter(|entry| entry.destination == destination).count()
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroUsize, time::Duration};

    use proptest::prelude::*;

    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    fn limits(runs: usize, runs_per_destination: usize) -> RunnerLimits {
        let number = |number| NonZeroUsize::new(number).unwrap();
        RunnerLimits::default()
            .runs(number(runs))
            .runs_per_destination(number(runs_per_destination))
    }

    /// An agenda of activations that run when triggered, by their destinations.
    fn manual(limits: RunnerLimits, destinations: &[usize]) -> Agenda {
        let entry = |destination: &usize| {
            Entry::new(*destination, Schedule::manual(), Share::NONE, None, at(0))
        };
        Agenda::new(limits, destinations.iter().map(entry).collect())
    }

    fn every(minutes: u64) -> Agenda {
        let schedule = Schedule::every(Duration::from_secs(60 * minutes)).unwrap();
        let entry = Entry::new(0, schedule, Share::NONE, Some(at(0)), at(0));
        Agenda::new(RunnerLimits::default(), vec![entry])
    }

    const BUSY: Ending = Ending::Temporary { not_before: None };

    #[test]
    fn triggers_while_a_run_is_going_on_are_one_run_after_it() {
        let mut agenda = manual(limits(8, 8), &[0]);
        assert_eq!(agenda.begin_next(at(0)), None);
        agenda.trigger(0, at(0));
        agenda.trigger(0, at(1));
        assert_eq!(agenda.begin_next(at(1)), Some(0));
        assert_eq!(agenda.begin_next(at(1)), None);
        agenda.trigger(0, at(2));
        agenda.trigger(0, at(3));
        assert_eq!(agenda.begin_next(at(4)), None);
        assert_eq!(agenda.ended(0, Ending::Final, at(5)), Some(at(2)));
        assert_eq!(agenda.begin_next(at(5)), Some(0));
        assert_eq!(agenda.ended(0, Ending::Final, at(6)), None);
        assert_eq!(agenda.begin_next(at(6)), None);
    }

    #[test]
    fn a_run_that_takes_longer_than_its_period_is_followed_by_one() {
        let mut agenda = every(15);
        assert_eq!(agenda.next_due_after(at(0)), Some(at(15)));
        assert_eq!(agenda.begin_next(at(15)), Some(0));
        assert_eq!(agenda.ended(0, Ending::Final, at(80)), Some(at(30)));
        assert_eq!(agenda.begin_next(at(80)), Some(0));
        assert_eq!(agenda.ended(0, Ending::Final, at(81)), Some(at(95)));
    }

    #[test]
    fn a_run_to_be_tried_again_waits_longer_each_time_and_at_most_for_its_schedule() {
        let mut agenda = manual(limits(8, 8), &[0]);
        agenda.trigger(0, at(0));
        let mut waits = Vec::new();
        let mut now = at(0);
        for _ in 0..7 {
            assert_eq!(agenda.begin_next(now), Some(0));
            let next = agenda.ended(0, BUSY, now).unwrap();
            waits.push((next - now).num_minutes());
            now = next;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(agenda.begin_next(now), Some(0));
        agenda.ended(0, Ending::Final, now);
        agenda.trigger(0, now);
        agenda.begin_next(now);
        let next = agenda.ended(0, BUSY, now);
        assert_eq!(next, Some(now + TimeDelta::minutes(1)), "counted anew");

        let mut agenda = every(15);
        agenda.begin_next(at(15));
        agenda.entries[0].retries = 10;
        assert_eq!(agenda.ended(0, BUSY, at(16)), Some(at(30)));
    }

    #[test]
    fn a_run_that_was_told_until_when_to_wait_waits_whatever_else_it_is_due_for() {
        let told = Ending::Temporary { not_before: Some(at(40)) };
        let mut agenda = every(15);
        agenda.begin_next(at(15));
        assert_eq!(agenda.ended(0, told, at(16)), Some(at(40)));
        agenda.begin_next(at(40));
        agenda.trigger(0, at(41));
        let told = Ending::Temporary { not_before: Some(at(50)) };
        assert_eq!(agenda.ended(0, told, at(42)), Some(at(50)));
        // A new trigger is worth a try at once: the other may be done by now.
        agenda.trigger(0, at(43));
        assert_eq!(agenda.begin_next(at(43)), Some(0));
        let never = Ending::Temporary { not_before: Some(DateTime::<Utc>::MAX_UTC) };
        assert_eq!(agenda.ended(0, never, at(44)), Some(at(44 + 24 * 60)), "a day at the most");
    }

    #[test]
    fn turns_go_to_the_destination_with_the_fewest_runs_and_there_by_age() {
        let mut agenda = manual(limits(3, 2), &[0, 0, 0, 1, 1]);
        for (entry, minute) in [(2, 0), (0, 1), (1, 2), (4, 3), (3, 4)] {
            agenda.trigger(entry, at(minute));
        }
        let began: Vec<_> = std::iter::from_fn(|| agenda.begin_next(at(9))).collect();
        assert_eq!(began, [2, 4, 0], "three at once, and at most two at one destination");
        agenda.ended(4, Ending::Final, at(9));
        assert_eq!(agenda.begin_next(at(9)), Some(3));
        assert_eq!(agenda.unfinished(at(9)).collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Trigger(usize),
        Begin,
        End(usize, bool),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0_usize..6).prop_map(Step::Trigger),
            Just(Step::Begin),
            (any::<usize>(), any::<bool>()).prop_map(|(run, busy)| Step::End(run, busy)),
        ]
    }

    proptest! {
        #[test]
        fn no_trigger_is_dropped_and_none_is_piled_up(
            steps in proptest::collection::vec(step(), 1..60),
            runs in 1_usize..5,
            per_destination in 1_usize..4,
        ) {
            let destinations = [0, 0, 0, 1, 1, 2];
            let mut agenda = manual(limits(runs, per_destination), &destinations);
            let mut going: Vec<usize> = Vec::new();
            // What is owed by the rules: a run that begins after the last trigger.
            let mut owed = [false; 6];
            let drain = std::iter::repeat_n([Step::Begin, Step::End(0, false)], 12).flatten();
            for (minute, step) in (0..).zip(steps.into_iter().chain(drain)) {
                let now = at(minute * 60);
                match step {
                    Step::Trigger(entry) => {
                        agenda.trigger(entry, now);
                        owed[entry] = true;
                    }
                    Step::Begin => while let Some(entry) = agenda.begin_next(now) {
                        prop_assert!(owed[entry] && !going.contains(&entry));
                        owed[entry] = false;
                        going.push(entry);
                        prop_assert!(going.len() <= runs);
                        let there = going.iter().filter(|&&other| destinations[other] == destinations[entry]);
                        prop_assert!(there.count() <= per_destination);
                    },
                    Step::End(run, busy) if !going.is_empty() => {
                        let entry = going.remove(run % going.len());
                        agenda.ended(entry, if busy { BUSY } else { Ending::Final }, now);
                        owed[entry] |= busy;
                    }
                    Step::End(..) => {}
                }
            }
            prop_assert_eq!(owed, [false; 6]);
        }
    }
}
