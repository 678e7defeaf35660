//! Setting up a client.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::{
    client::Client,
    clock::{Clock, SystemClock},
    credentials::Credentials,
    endpoint::{Endpoint, Region},
    error::Error,
    limits::{Governor, LimitSettings},
    pipeline::{Chance, Pipeline},
    reqwest_transport::ReqwestTransport,
    retry::{Budget, RetryPolicy},
    transport::Transport,
};

/// Sets up a [`Client`]. Credentials are needed, everything else has a default.
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    credentials: Option<Credentials>,
    region: Option<Region>,
    endpoint: Option<String>,
    transport: Option<Arc<dyn Transport>>,
    clock: Arc<dyn Clock>,
    retry: RetryPolicy,
    limits: LimitSettings,
    user_agent: String,
    deadline: Duration,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            credentials: None,
            region: None,
            endpoint: None,
            transport: None,
            clock: Arc::new(SystemClock),
            retry: RetryPolicy::default(),
            limits: LimitSettings::default(),
            user_agent: concat!("dotdigital-client/", env!("CARGO_PKG_VERSION")).to_owned(),
            deadline: Duration::from_secs(3600),
        }
    }
}

impl ClientBuilder {
    /// The API user.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// The region the account lives in. An [`endpoint`](Self::endpoint) outranks it.
    pub fn region(mut self, region: Region) -> Self {
        self.region = Some(region);
        self
    }

    /// Scheme and host of the service. Must be `https`, except on this machine itself. Host names
    /// of the time of dotmailer are mapped to the current ones.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Sends through something else than HTTP, such as the simulator.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Takes the time from something else than the machine's clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The bounds of trying again.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How the account's limits are kept.
    pub fn limits(mut self, settings: LimitSettings) -> Self {
        self.limits = settings;
        self
    }

    /// The `user-agent` header.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// The longest that one call may take in all, with waiting for limits and retries. An hour
    /// unless changed.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Builds the client without any call.
    ///
    /// # Errors
    ///
    /// Fails with [`ErrorKind::Config`](crate::ErrorKind::Config) without credentials, without
    /// region or endpoint, and for an endpoint that is not allowed.
    pub fn build(self) -> Result<Client, Error> {
        let endpoint = match (&self.endpoint, self.region) {
            (Some(endpoint), _) => Endpoint::parse(endpoint)?,
            (None, Some(region)) => region.into(),
            (None, None) => {
                return Err(Error::config(
                    "neither region nor endpoint is set: set one, or let connect() find it",
                ));
            }
        };
        self.at(endpoint)
    }

    /// Builds the client and, when neither region nor endpoint is set, asks the service where the
    /// account lives: `GET /v2/account-info` on r1, which answers for every region.
    ///
    /// # Errors
    ///
    /// Fails as [`build`](Self::build) does, and as the call does.
    pub async fn connect(self) -> Result<Client, Error> {
        if self.endpoint.is_some() || self.region.is_some() {
            return self.build();
        }
        let first = self.clone().at(Region::R1.into())?;
        let account = first.account().info().await?;
        match account.endpoint() {
            Some(endpoint) => self.at(Endpoint::parse(endpoint)?),
            None => Ok(first),
        }
    }

    fn at(self, endpoint: Endpoint) -> Result<Client, Error> {
        let credentials =
            self.credentials.ok_or_else(|| Error::config("the credentials are not set"))?;
        let visible = |c: char| c == ' ' || c.is_ascii_graphic();
        if self.user_agent.is_empty() || !self.user_agent.chars().all(visible) {
            return Err(Error::config("the user agent cannot stand in a header"));
        }
        let transport = match self.transport {
            Some(transport) => transport,
            // The password must not reach a proxy in clear.
            None if endpoint.is_plain() => Arc::new(ReqwestTransport::without_proxy()?),
            None => Arc::new(ReqwestTransport::new()?),
        };
        let random =
            self.retry.jitter_seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        Ok(Client::from_pipeline(Pipeline {
            endpoint,
            authorization: credentials.authorization()?,
            user_agent: self.user_agent,
            deadline: self.deadline,
            transport,
            governor: Governor::new(self.limits, Arc::clone(&self.clock)),
            clock: self.clock,
            policy: self.retry,
            chance: Mutex::new(Chance { budget: Budget::new(self.retry.budget), random }),
        }))
    }
}
