//! The examples, run as processes as people run them, against the simulator over real HTTP.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod activate_adbc;
mod activate_configuration;
mod activate_dry_run;
mod activate_erasure;
mod activate_exit_codes;
mod activate_guard;
mod activate_reconcile;
mod activate_records;
mod activate_report;
mod activate_runs;
mod activate_secrets;
mod export_contact_list;
mod scheduled_runner;
mod short_programs;
mod support;
