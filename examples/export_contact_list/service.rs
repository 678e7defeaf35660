//! A simulated account over HTTP, and the typed client that looks into it.

use std::{collections::BTreeSet, error::Error, sync::Arc, time::Duration};

use dotdigital_client::{
    Client, Credentials, Method, SystemClock,
    lists::ContactList,
    simulator::{ContactView, JobLatency, Simulator, SimulatorServer, SimulatorSettings},
};

/// An account that answers on a port of this machine.
pub(crate) struct Service {
    simulator: Simulator,
    client: Client,
    /// Answers as long as it lives.
    _server: SimulatorServer,
}

impl Service {
    /// Opens an account that has `contacts`.
    pub(crate) async fn open(contacts: &BTreeSet<String>) -> Result<Self, Box<dyn Error>> {
        let settings = SimulatorSettings {
            latency: JobLatency { base: Duration::from_millis(50), per_member: Duration::ZERO },
            ..SimulatorSettings::default()
        };
        let credentials = Credentials::new(&settings.user, &settings.password);
        let simulator = Simulator::new(settings);
        for contact in contacts {
            simulator.add_contact(contact);
        }
        let clock = Arc::new(SystemClock);
        let server = SimulatorServer::on_any_port(simulator.clone(), clock).await?;
        let client = Client::builder().credentials(credentials).endpoint(server.url()).build()?;
        Ok(Self { simulator, client, _server: server })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The list of that name, as the service shows it.
    pub(crate) async fn list(&self, name: &str) -> Result<ContactList, Box<dyn Error>> {
        let list = self.client.lists().find_by_name(name).await?;
        list.ok_or_else(|| "the list does not exist".into())
    }

    /// The members of a list, as the service shows them.
    pub(crate) async fn members(&self, name: &str) -> Result<BTreeSet<String>, Box<dyn Error>> {
        let list = self.list(name).await?;
        let mut pages = self.client.list_members(list.id).pages(1_000);
        let mut members = BTreeSet::new();
        while let Some(page) = pages.next_page().await? {
            members.extend(page.into_iter().filter_map(|contact| contact.identifiers.email));
        }
        Ok(members)
    }

    /// Puts somebody on a list as a colleague might, in the account's own pages.
    pub(crate) fn add_by_hand(&self, list: &str, email: &str) -> Result<(), Box<dyn Error>> {
        let list = self.simulator.list_named(list).ok_or("the list does not exist")?;
        self.simulator.add_member(list.id, self.simulator.add_contact(email));
        Ok(())
    }

    /// Everybody in the account, on a list or not.
    pub(crate) fn contacts(&self) -> BTreeSet<String> {
        let email = |contact: ContactView| contact.email;
        self.simulator.contacts().into_iter().filter_map(email).collect()
    }

    /// How many contacts have been deleted.
    pub(crate) fn deleted(&self) -> usize {
        self.simulator.binned().len()
    }

    /// Whether no call was made that deletes people, empties lists or touches anybody's consent.
    pub(crate) fn is_unharmed(&self) -> bool {
        self.simulator.forbidden_calls().is_empty() && self.simulator.status_writes() == 0
    }

    /// The calls so far that can change something.
    pub(crate) fn write_calls(&self) -> usize {
        self.simulator.ledger().iter().filter(|call| call.method != Method::Get).count()
    }
}
