//! How the story is told.

use activation_core::{RunReport, RunStatus};

/// A claim of the story that is not true.
#[derive(Debug, thiserror::Error)]
#[error("the claim above is not true; this is a bug")]
struct Untrue;

/// Prints a line.
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// Begins a part of the story.
pub(crate) fn chapter(title: &str) {
    say(&format!("\n{title}"));
}

/// Says something that was checked.
///
/// # Errors
///
/// Fails when it is not true, which ends the story.
pub(crate) fn claim(text: &str, is_true: bool) -> Result<(), Box<dyn std::error::Error>> {
    say(&format!("   {} {text}", if is_true { "ok" } else { "NOT TRUE:" }));
    if is_true { Ok(()) } else { Err(Untrue.into()) }
}

/// Lists counts by reason and gives their sum.
pub(crate) fn counts(verb: &str, reasons: &[(String, u64)]) -> u64 {
    let sum = reasons.iter().map(|(_, count)| count).sum();
    say(&format!("   {:>5} {verb} the segment:", number(sum)));
    for (reason, count) in reasons {
        say(&format!("         {count:>5} {reason}"));
    }
    sum
}

/// What a run says of itself.
pub(crate) fn report(report: &RunReport) {
    if report.status != RunStatus::Blocked {
        let counts = [report.added, report.removed, report.unchanged].map(number);
        let [added, removed, unchanged] = counts;
        say(&format!("   the run: added {added}, removed {removed}, unchanged {unchanged}"));
    }
    for (reason, count) in &report.rejected {
        say(&format!("   rows without a usable address: {count} ({reason})"));
    }
    for reason in &report.guard.reasons {
        say(&format!("   the guard: {reason}"));
    }
    if let Some(error) = &report.error {
        say(&format!("   the run: {}", error.message));
    }
}

/// A number with its thousands set apart.
pub(crate) fn number(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
