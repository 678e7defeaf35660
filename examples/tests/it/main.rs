//! The examples, run as processes as people run them, against the simulator over real HTTP.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod activate_adbc;
mod activate_configuration;
mod activate_dry_run;
mod activate_erasure;
mod activate_exit_codes;
mod activate_guard;
#[cfg(unix)]
mod activate_postgres;
mod activate_reconcile;
mod activate_records;
mod activate_report;
mod activate_runs;
mod activate_secrets;
mod export_contact_list;
mod guide_warehouses;
#[cfg(unix)]
#[path = "../../../activation-core/tests/it/postgres/server.rs"]
#[allow(dead_code, reason = "the tests of the crate need more of it")]
mod postgres_server;
mod scheduled_runner;
mod short_programs;
mod support;
