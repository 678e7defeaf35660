//! The short programs check by themselves what they tell, and end badly if it is not so.

use std::process::Command;

use crate::support::{assert_no_secrets, program};

fn story(name: &str) -> String {
    let output = Command::new(program(name)).output().unwrap();
    let story = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{story}{}", String::from_utf8_lossy(&output.stderr));
    assert_no_secrets("the story", &story);
    story
}

#[test]
fn a_plan_is_approved_and_carried_out() {
    let story = story("plan_and_approval");
    assert!(story.contains("vip -> list \"vip\": blocked by the guard"), "{story}");
    assert!(story.contains("approved by Ada: the campaign is over"), "{story}");
}

#[test]
fn a_list_is_reconciled_and_a_lost_state_made_anew() {
    let story = story("reconcile");
    assert!(story.contains("vanished 3") && story.contains("foreign 1"), "{story}");
}

#[test]
fn a_warehouse_of_a_hosts_own_becomes_a_segment() {
    let story = story("custom_source");
    assert!(story.contains("added 20000, removed 0"), "{story}");
}
