//! # Testing against the simulator
//!
//! With the feature `simulator` the crate carries a faithful Dotdigital in memory: contacts, lists,
//! suppression, the recycle bin, jobs that take time, both schemes of call limits, and the service's
//! own refusals. It answers the same client that production uses, in one of two ways.
//!
//! **In process, in virtual time.** Hours of polling pass in milliseconds, and nothing depends on the
//! machine's speed. Use tokio's paused clock:
//!
//! ```
//! # #[cfg(feature = "simulator")]
//! # {
//! use std::sync::Arc;
//!
//! use dotdigital_client::{
//!     Client, Credentials, Region,
//!     simulator::{Simulator, SimulatorSettings, VirtualClock, Visibility},
//! };
//!
//! # async fn test() -> Result<(), dotdigital_client::Error> {
//! let settings = SimulatorSettings::default();
//! let credentials = Credentials::new(settings.user.clone(), settings.password.clone());
//! let simulator = Simulator::new(settings);
//! let vip = simulator.add_list("VIP", Visibility::Private);
//!
//! let clock = Arc::new(VirtualClock::starting_at("2026-01-05T09:00:00Z".parse().expect("a time")));
//! let client = Client::builder()
//!     .credentials(credentials)
//!     .region(Region::R1)
//!     .transport(Arc::new(simulator.transport(clock.clone())))
//!     .clock(clock)
//!     .build()?;
//!
//! assert_eq!(client.lists().find_by_name("vip").await?.map(|list| list.id.get()), Some(vip));
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().start_paused(true).enable_time().build().unwrap().block_on(test()).unwrap();
//! # }
//! ```
//!
//! **Over real HTTP**, with the feature `simulator-server`: `SimulatorServer` listens on a port, for
//! programs in any language.
//!
//! # What to test
//!
//! * **That nothing harmful is called.** The dangerous calls exist in the simulator and do their harm;
//!   `Simulator::forbidden_calls` and `Simulator::status_writes` show who made one.
//! * **That failures lose nothing.** `Simulator::inject` scripts a fault for the next call of an
//!   endpoint: refused or broken connections before or after the service acted, timeouts, 5xx, a
//!   proxy's HTML, both meanings of 429, jobs that are slow, stuck, failed or rejected, single rows
//!   that fail. `Simulator::faults_from_seed` draws them at random, and the same way each time.
//! * **That limits are kept.** `RateLimits` sets calls per tier and minute, or the older hourly scheme.
//! * **That it does not matter what nobody knows.** Where the documentation is silent the simulator has
//!   a switch (`Switches`). Run the test under both positions.
