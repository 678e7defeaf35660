//! Whatever is asked, nothing panics and every answer has a documented shape.

use proptest::{collection::vec, prelude::*};

use crate::traffic::{Caller, any_switches, assert_documented, calls, each_switch, tour};

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
}
