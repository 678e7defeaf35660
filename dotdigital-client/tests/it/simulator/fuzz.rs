//! Whatever is asked, nothing panics and every answer has a documented shape.

use dotdigital_client::simulator::Switches;
use proptest::{collection::vec, prelude::*};

use crate::traffic::{
    Caller, any_switches, assert_documented, calls, each_switch, requests_with_samples, tour,
};

#[test]
fn a_tour_of_all_endpoints_is_answered_in_documented_shapes() {
    for (_, switches) in each_switch() {
        tour(switches, &mut |request, response| {
            assert_documented(&request.path_and_query, response);
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_calls_are_answered_in_documented_shapes(
        switches in any_switches(), calls in vec(calls(), 1..12)
    ) {
        let caller = Caller::new(switches);
        for call in calls {
            caller.wait(call.wait);
            assert_documented(&call.path_and_query, &caller.send(&call.request()));
        }
        let ledger = caller.simulator.ledger();
        prop_assert!(ledger.iter().all(|entry| entry.status.is_some() && !entry.lost));
    }

    /// Each account has hash maps of its own, so an order taken from one of them would show.
    #[test]
    fn the_same_calls_at_the_same_times_are_answered_alike(
        switches in any_switches(), calls in vec(calls(), 1..12), faults in any::<u64>()
    ) {
        let accounts = [Caller::new(switches), Caller::new(switches)];
        accounts.iter().for_each(|caller| caller.simulator.faults_from_seed(faults, 0.2));
        for call in calls {
            let [one, other] = accounts.each_ref().map(|caller| {
                caller.wait(call.wait);
                let answer = caller.send(&call.request());
                (answer.status, answer.headers, answer.body)
            });
            prop_assert_eq!(one, other, "{:?}", call);
        }
        let [one, other] = accounts.each_ref().map(|caller| caller.simulator.ledger());
        prop_assert_eq!(one, other);
    }
}

#[test]
fn bodies_as_they_should_be_are_taken_in_any_position_of_the_switches() {
    for (switch, switches) in each_switch() {
        for request in requests_with_samples() {
            let status = Caller::new(switches).send(&request).status;
            // One of the samples creates a contact that exists.
            let path = &request.path_and_query;
            assert!(status < 300 || status == 409, "{switch}: {path}: {status}");
        }
    }
}

#[test]
fn a_tour_taken_twice_is_answered_alike() {
    let answers = || {
        let mut answers = Vec::new();
        tour(Switches::default(), &mut |request, response| {
            let answer = (response.status, response.headers.clone(), response.body.clone());
            answers.push((request.path_and_query.clone(), answer));
        });
        answers
    };
    assert_eq!(answers(), answers());
}
