//! What the short programs beside this folder share: a simulated account in the same process.

use std::{error::Error, io::Write, sync::Arc};

use activation_core::dotdigital::Dotdigital;
use dotdigital_client::{
    Client, Credentials, SystemClock,
    simulator::{JobLatency, Simulator, SimulatorSettings},
};

/// A simulated service whose jobs are finished at once, and the way to it.
#[derive(Clone, Debug)]
pub struct Account {
    /// The service, to look behind the scenes and to meddle.
    pub service: Simulator,
    client: Client,
}

impl Account {
    /// An empty account.
    ///
    /// # Errors
    ///
    /// Fails when the client cannot be built.
    pub fn open() -> Result<Self, Box<dyn Error>> {
        let settings =
            SimulatorSettings { latency: JobLatency::NONE, ..SimulatorSettings::default() };
        let credentials = Credentials::new(&settings.user, &settings.password);
        let service = Simulator::new(settings);
        let client = Client::builder()
            .credentials(credentials)
            .endpoint("http://127.0.0.1:1")
            .transport(Arc::new(service.transport(Arc::new(SystemClock))))
            .build()?;
        Ok(Self { service, client })
    }

    /// The account as a destination.
    pub fn destination(&self) -> Dotdigital {
        Dotdigital::new(&self.client)
    }

    /// How many people are on the list of that name.
    pub fn members(&self, list: &str) -> usize {
        self.service.list_named(list).map_or(0, |list| self.service.members(list.id).len())
    }
}

/// Prints a line. If nobody listens, the program goes on all the same.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Made-up addresses, from number `first` on.
pub fn people(first: usize, count: usize) -> Vec<String> {
    (first..first + count).map(|number| format!("person{number}@example.com")).collect()
}

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
