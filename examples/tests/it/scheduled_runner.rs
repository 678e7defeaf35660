//! The example of the runner tells a day in which little goes to plan.

use std::process::Command;

use crate::support::{assert_no_secrets, program};

#[test]
fn the_day_ends_with_every_list_as_it_should_be() {
    let output = Command::new(program("scheduled_runner")).output().unwrap();
    let day = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{day}");
    for line in [
        "05:30  vip: done, 500 added",
        "08:09  basket: stopped for now",
        "08:41  basket: nothing to do",
        // The clocks of Berlin were put forward in the night.
        "04:30  vip: stopped for now",
        "vip is not finished; another runner goes on",
        "vip: done, 0 added, 20 removed; next 04:30",
        "Europe: 480 people are on the list \"vip\"",
        "Europe: 2000 people are on the list \"newsletter\"",
        "America: 40 people are on the list \"basket\"",
    ] {
        assert!(day.contains(line), "{line} is not in {day}");
    }
    assert_eq!(day.matches("newsletter: done").count(), 1, "{day}");
    assert!(day.lines().count() <= 40, "{day}");
    assert_no_secrets("the day", &day);
}
