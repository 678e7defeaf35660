//! How clauses are checked, and what is said of those that are broken.

use std::fmt;

use crate::{DestinationError, LedgerError, SourceError, StoreError};

/// The clauses of a contract that an implementation breaks.
///
/// `Debug` and `Display` show one line for each, so that `.unwrap()` in a test tells all.
#[derive(Clone, PartialEq, Eq)]
pub struct Violations {
    suite: &'static str,
    violations: Vec<Violation>,
}

/// One broken clause.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The clause, as the suite names it.
    pub clause: &'static str,
    /// What was seen instead.
    pub found: String,
}

impl Violations {
    /// The broken clauses, in the order of the suite.
    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.violations.iter()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} does not keep its contract:", self.suite)?;
        for Violation { clause, found } in &self.violations {
            write!(f, "\n  {}: {found}", clause.replace('_', " "))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Violations {}

/// The result of a suite: the clauses that were checked and kept, or those that are broken.
pub type Conformance = Result<Vec<&'static str>, Violations>;

/// The result of one clause.
pub(super) type Checked = Result<(), Broken>;

/// What was seen instead of what a clause promises.
#[derive(Debug)]
pub(super) struct Broken(String);

impl Broken {
    pub(super) fn new(found: String) -> Self {
        Self(found)
    }
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Self(format!("the store failed ({:?}): {error}", error.kind))
    }
}

impl From<SourceError> for Broken {
    fn from(error: SourceError) -> Self {
        Self(format!("the source failed: {error}"))
    }
}

impl From<DestinationError> for Broken {
    fn from(error: DestinationError) -> Self {
        Self(format!("the destination failed ({:?}): {error}", error.kind))
    }
}

impl From<LedgerError> for Broken {
    fn from(error: LedgerError) -> Self {
        Self(format!("the ledger failed: {error}"))
    }
}

/// Collects the results of a suite.
pub(super) struct Suite {
    kept: Vec<&'static str>,
    broken: Violations,
}

impl Suite {
    pub(super) fn of(suite: &'static str) -> Self {
        Self { kept: Vec::new(), broken: Violations { suite, violations: Vec::new() } }
    }

    pub(super) fn record(&mut self, clause: &'static str, checked: Checked) {
        match checked {
            Ok(()) => self.kept.push(clause),
            Err(Broken(found)) => self.broken.violations.push(Violation { clause, found }),
        }
    }

    pub(super) fn conclude(self) -> Conformance {
        if self.broken.violations.is_empty() { Ok(self.kept) } else { Err(self.broken) }
    }
}

/// What is there, or that it should be.
pub(super) fn found<T>(value: Option<T>, what: &str) -> Result<T, Broken> {
    value.ok_or_else(|| Broken::new(format!("{what} is missing")))
}

/// Runs each clause, a function that is named like it, with the same arguments.
macro_rules! check_each {
    ($suite:literal, $arguments:tt; $($($path:ident)::+),+ $(,)?) => {{
        let mut suite = $crate::conformance::check::Suite::of($suite);
        $(check_each!(@one suite, $arguments, $($path)::+);)+
        suite.conclude()
    }};
    (@one $suite:ident, ($($argument:expr),*), $module:ident::$clause:ident) => {
        // On the heap, since a suite would otherwise be as large as its clauses together.
        let checked = Box::pin($module::$clause($($argument),*)).await;
        $suite.record(stringify!($clause), checked);
    };
}

/// Breaks the clause unless the condition holds.
macro_rules! ensure {
    ($condition:expr) => {
        if !$condition {
            return Err($crate::conformance::check::Broken::new(format!(
                "not true: {}",
                stringify!($condition)
            )));
        }
    };
}

/// Breaks the clause unless both are equal.
macro_rules! ensure_eq {
    ($found:expr, $expected:expr) => {
        match (&$found, &$expected) {
            (found, expected) => {
                if *found != *expected {
                    return Err($crate::conformance::check::Broken::new(format!(
                        "{} is {found:?} and not {expected:?}",
                        stringify!($found)
                    )));
                }
            }
        }
    };
}

pub(super) use {check_each, ensure, ensure_eq};
