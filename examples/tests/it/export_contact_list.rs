//! The example that tells the whole story. It checks its own claims against warehouse and service.

use std::process::Command;

use crate::support::{assert_no_secrets, program};

#[test]
fn the_story_is_true_and_fits_on_a_screen_or_two() {
    let output = Command::new(program("export_contact_list")).output().unwrap();
    let story = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{story}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    for line in [
        "ok the list is there, under that name and private",
        "people with a usable address were added",
        "44 placed a large order",
        "23 withdrew marketing consent",
        "no order for a year",
        "ok exactly those 79 were added and those",
        "ok no call that writes was made",
        "the guard: the segment is empty, and had",
        "approve exactly this plan: activate",
        "ok nothing was written, and everybody is still on the list",
        "members are the segment and the guest",
        "ok nobody was unsubscribed, resubscribed or deleted",
        "PUT /contacts/v3/import ",
        "ok that is fewer calls than one for each change",
    ] {
        assert!(story.contains(line), "{line} is not in {story}");
    }
    assert!(!story.contains("NOT TRUE"), "{story}");
    assert!(story.lines().count() <= 70, "{} lines", story.lines().count());
    assert_no_secrets("the story", &story);
}
