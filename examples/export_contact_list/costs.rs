//! What the runs cost in calls, beside what one call for each change would have cost.

use std::collections::BTreeMap;

use activation_core::RunReport;

use crate::telling::{number, say};

/// The calls of all runs so far.
#[derive(Default)]
pub(crate) struct Costs {
    calls: Vec<BTreeMap<String, u64>>,
    changes: Vec<u64>,
}

impl Costs {
    /// Adds a run.
    pub(crate) fn add(&mut self, report: &RunReport) {
        self.calls.push(report.calls.clone());
        self.changes.push(report.added + report.removed);
    }

    /// Prints calls by endpoint and run.
    pub(crate) fn tell(&self) {
        let runs: String =
            (1..=self.calls.len()).map(|run| format!("{:>8}", format!("run {run}"))).collect();
        row("calls", &runs, "in all");
        let mut endpoints: Vec<&String> = self.calls.iter().flat_map(BTreeMap::keys).collect();
        endpoints.sort();
        endpoints.dedup();
        for endpoint in endpoints {
            let calls = self.calls.iter().map(|calls| calls.get(endpoint).copied().unwrap_or(0));
            numbers(endpoint, calls);
        }
        numbers("together", self.totals());
        numbers("one call for each change would be", self.changes.iter().copied());
    }

    /// Whether all runs together made fewer calls than changes.
    pub(crate) fn are_low(&self) -> bool {
        self.totals().sum::<u64>() < self.changes.iter().sum()
    }

    fn totals(&self) -> impl Iterator<Item = u64> {
        self.calls.iter().map(|calls| calls.values().sum())
    }
}

fn numbers(name: &str, values: impl Iterator<Item = u64>) {
    let values: Vec<u64> = values.collect();
    let columns: String = values.iter().map(|value| format!("{:>8}", number(*value))).collect();
    row(name, &columns, &number(values.iter().sum::<u64>()));
}

fn row(name: &str, columns: &str, total: &str) {
    say(&format!("   {name:<56}{columns}{total:>9}"));
}
