//! What every example starts with: a simulated account and a client of it, in virtual time.

use std::{error::Error, sync::Arc};

use dotdigital_client::{
    Client, ClientBuilder, Credentials, Region, Transport,
    simulator::{Simulator, SimulatorSettings, SimulatorTransport, VirtualClock},
};

pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// A client of a fresh simulated account. Against the real service this line would be
/// `ClientBuilder::from_env()?.connect().await?`, and everything after it the same.
#[allow(dead_code, reason = "some examples set up a client of their own")]
pub(crate) fn simulated_client() -> Result<(Client, Simulator), Box<dyn Error>> {
    client_through(SimulatorSettings::default(), |transport| transport)
}

/// A client of a simulated account with these settings, through whatever is put around it.
#[allow(dead_code, reason = "some examples set up a client of their own")]
pub(crate) fn client_through<T: Transport>(
    settings: SimulatorSettings,
    network: impl FnOnce(SimulatorTransport) -> T,
) -> Result<(Client, Simulator), Box<dyn Error>> {
    let (builder, simulator) = builder_through(settings, network)?;
    Ok((builder.build()?, simulator))
}

/// The same, for a client that is to be set up further.
pub(crate) fn builder_through<T: Transport>(
    settings: SimulatorSettings,
    network: impl FnOnce(SimulatorTransport) -> T,
) -> Result<(ClientBuilder, Simulator), Box<dyn Error>> {
    let credentials = Credentials::new(settings.user.clone(), settings.password.clone());
    let simulator = Simulator::new(settings);
    let clock = Arc::new(VirtualClock::starting_at("2026-01-05T09:00:00Z".parse()?));
    let builder = Client::builder()
        .credentials(credentials)
        .region(Region::R1)
        .transport(Arc::new(network(simulator.transport(clock.clone()))))
        .clock(clock);
    Ok((builder, simulator))
}
