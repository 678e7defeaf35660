//! Deterministic simulation: whatever is cut, lost or refused, the list ends up equal to the
//! segment, and nobody is harmed. `TESTING.md` tells what it decides, what it checks, what it has
//! found, and how to replay a seed.

mod clock;
mod crash;
mod disk;
mod fate;
mod gauge;
mod history;
mod identities;
mod place;
mod seeds;
#[cfg(all(feature = "postgres", unix))]
mod tables;
mod terrain;
mod torn_database;

use std::{ops::AddAssign, time::Duration};

use self::{
    fate::Fate,
    history::{History, Rival},
    place::Place,
    seeds::Seeds,
};

/// Histories, and in how many of them something happened.
#[derive(Clone, Copy, Debug, Default)]
struct Witnessed {
    histories: u64,
    killed: u64,
    power_cut: u64,
    overtaken: u64,
    clock_set: u64,
    /// Answers that never arrived.
    lost: u64,
}

impl AddAssign for Witnessed {
    fn add_assign(&mut self, more: Self) {
        self.histories += more.histories;
        self.killed += more.killed;
        self.power_cut += more.power_cut;
        self.overtaken += more.overtaken;
        self.clock_set += more.clock_set;
        self.lost += more.lost;
    }
}

#[test]
fn a_run_killed_at_any_point_is_made_good_by_the_next_ones() {
    let killed = at_every_point(|point| (Fate::killed_at(point), None), |seen| seen.killed);
    // Fewer points would mean that a wrapper no longer sees what it should cut.
    assert!(killed > 100, "only {killed} points to be killed at");
}

#[test]
fn a_power_cut_at_any_point_is_made_good_by_the_next_ones() {
    let cut = |point: i64| {
        (Fate { power_cut: Some(point.unsigned_abs()), ..Fate::killed_at(point) }, None)
    };
    let cuts = at_every_point(cut, |seen| seen.power_cut);
    assert!(cuts > 100, "only {cuts} points to cut the power at");
}

#[test]
fn a_process_that_is_overtaken_at_any_point_writes_nothing_more() {
    let rival = Rival { at: 0, pause: Duration::from_secs(600), kill_at: 0 };
    let overtake = |point| (Fate::default(), Some(Rival { at: point, ..rival }));
    let overtaken = at_every_point(overtake, |seen| seen.overtaken);
    assert!(overtaken > 50, "only {overtaken} points to be overtaken at");
}

#[test]
fn a_clock_set_forward_or_back_at_any_point_does_no_harm() {
    for seconds in [7_200, -7_200] {
        let set = |point| (Fate { jump: Some((point, seconds)), ..Fate::default() }, None);
        let jumps = at_every_point(set, |seen| seen.clock_set);
        assert!(jumps > 100, "only {jumps} points to set the clock at");
    }
}

#[test]
fn an_answer_lost_at_any_write_is_made_good_although_its_job_ends_late() {
    let play = |write| with_paused_time(History::with_answer_lost(write).play()).lost;
    let lost = (1..).map(play).take_while(|lost| *lost > 0).count();
    // Removals and additions, each in more than one batch.
    assert!(lost > 3, "only {lost} writes whose answer can be lost");
}

#[test]
fn random_histories_converge_and_harm_nobody() {
    let seen = play_seeds(|history| history);
    assert!(seen.power_cut > seen.histories / 8 || seen.histories < 100, "{seen:?}");
}

#[test]
fn histories_in_memory_converge_and_harm_nobody() {
    play_seeds(|history| history.kept_in(Place::new_memory()));
}

/// Plays histories that seeds decide.
fn play_seeds(set: impl Fn(History) -> History + Sync) -> Witnessed {
    let play = |seed| with_paused_time(set(History::random(seed)).play());
    let seen = Seeds::from_environment().play(play);
    // Less would mean that the histories have lost their teeth.
    if seen.histories >= 100 {
        assert!(seen.killed > seen.histories / 3, "{seen:?}");
        assert!(seen.overtaken > seen.histories / 20, "{seen:?}");
        assert!(seen.clock_set > seen.histories / 3, "{seen:?}");
        assert!(seen.lost > seen.histories / 3, "{seen:?}");
    }
    seen
}

/// Fewer of them, since each statement is a way to a server and back.
#[cfg(all(feature = "postgres", unix))]
#[test]
fn random_histories_converge_and_harm_nobody_with_the_state_in_postgresql() {
    if crate::postgres::server().is_none() {
        return;
    }
    let seen = Seeds::from_environment()
        .one_in(16)
        .play(|seed| with_paused_time(History::random(seed).kept_in(tables::new_place()).play()));
    if seen.histories >= 20 {
        assert!(seen.killed > seen.histories / 3, "{seen:?}");
    }
}

/// Not at each point, for the same reason; the cut is before, amid or after a statement in turn.
#[cfg(all(feature = "postgres", unix))]
#[test]
fn a_run_with_its_state_in_postgresql_is_made_good_wherever_it_was_killed() {
    if crate::postgres::server().is_none() {
        return;
    }
    const POINTS: u64 = 20;
    let seen = Seeds::up_to(POINTS).play(|number| {
        let point = 1 + 8 * number;
        let fate = Fate { power_cut: Some(point), ..Fate::killed_at(point.cast_signed()) };
        let history = History::fixed(fate, None).kept_in(tables::new_place());
        with_paused_time(history.play())
    });
    assert_eq!(seen.killed, POINTS, "fewer points to be killed at");
}

/// Plays the fixed history with something at its first point, its second one and so on, until there
/// is nothing to happen any more. Gives how often it happened.
fn at_every_point(
    what: impl Fn(i64) -> (Fate, Option<Rival>),
    happened: impl Fn(&Witnessed) -> u64,
) -> u64 {
    let mut times = 0;
    let mut missed = 0;
    for point in 1.. {
        let (fate, rival) = what(point);
        match happened(&with_paused_time(History::fixed(fate, rival).play())) {
            0 => missed += 1,
            _ => (times, missed) = (times + 1, 0),
        }
        // A process may hold no lease for some points, before it has begun.
        if missed > 20 {
            break;
        }
    }
    times
}

fn with_paused_time<T>(history: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(history)
}
