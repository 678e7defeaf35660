//! Setting up a client.

use std::{
    env::VarError,
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

/// How long one attempt may take: the vendor's own advice.
const ATTEMPT: Duration = Duration::from_secs(121);

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
    integration_token: Option<String>,
    deadline: Duration,
    attempt_deadline: Duration,
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
            integration_token: None,
            deadline: Duration::from_secs(3600),
            attempt_deadline: ATTEMPT,
        }
    }
}

impl ClientBuilder {
    /// Takes from the environment what it names: `DOTDIGITAL_USER` and `DOTDIGITAL_PASSWORD`, which
    /// are needed, `DOTDIGITAL_ENDPOINT` or `DOTDIGITAL_REGION` (`r1`, `r2` or `r3`), and
    /// `DOTDIGITAL_INTEGRATION_TOKEN`. Variables that are empty count as missing.
    ///
    /// # Errors
    ///
    /// Fails with [`ErrorKind::Config`](crate::ErrorKind::Config) without user or password, for a
    /// region that does not exist, and for a value that is not Unicode. The message names the
    /// variable, never its value.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variables(|name| std::env::var(name))
    }

    fn from_variables(read: impl Fn(&str) -> Result<String, VarError>) -> Result<Self, Error> {
        let find = |name: &str| match read(name) {
            Ok(value) => Ok(Some(value).filter(|value| !value.trim().is_empty())),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => {
                Err(Error::config(format!("the variable {name} is not Unicode")))
            }
        };
        let need = |name: &str| {
            find(name)?.ok_or_else(|| Error::config(format!("the variable {name} is not set")))
        };
        let credentials = Credentials::new(need("DOTDIGITAL_USER")?, need("DOTDIGITAL_PASSWORD")?);
        let region = find("DOTDIGITAL_REGION")?
            .map(|text| text.parse())
            .transpose()
            .map_err(|_| Error::config("the variable DOTDIGITAL_REGION is not r1, r2 or r3"))?;
        Ok(Self {
            credentials: Some(credentials),
            endpoint: find("DOTDIGITAL_ENDPOINT")?,
            region,
            integration_token: find("DOTDIGITAL_INTEGRATION_TOKEN")?,
            ..Self::default()
        })
    }

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

    /// The token by which the vendor tells a verified integration (`x-ddg-integration-token`), a
    /// GUID that partners are given. Sent with every call.
    pub fn integration_token(mut self, token: impl Into<String>) -> Self {
        self.integration_token = Some(token.into());
        self
    }

    /// The longest that one attempt of a call may take. 121 seconds unless changed, which is the
    /// vendor's own advice.
    pub fn attempt_deadline(mut self, deadline: Duration) -> Self {
        self.attempt_deadline = deadline;
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
    /// region or endpoint, and for an endpoint, user agent or integration token that is not allowed.
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
        let token = self.integration_token.as_deref().map(str::trim);
        if token.is_some_and(|token| !is_guid(token)) {
            return Err(Error::config("the integration token is not a GUID"));
        }
        let integration_token = token.map(str::to_owned);
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
            integration_token,
            deadline: self.deadline,
            attempt_deadline: self.attempt_deadline,
            transport,
            governor: Governor::new(self.limits, Arc::clone(&self.clock)),
            clock: self.clock,
            policy: self.retry,
            chance: Mutex::new(Chance { budget: Budget::new(self.retry.budget), random }),
        }))
    }
}

/// Whether a text is a GUID, in braces or without.
fn is_guid(text: &str) -> bool {
    let bare = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let groups = bare
        .split('-')
        .map(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(group.len()));
    groups.eq([8, 4, 4, 4, 12].map(Some))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<ClientBuilder, Error> {
        ClientBuilder::from_variables(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned()).ok_or(VarError::NotPresent)
        })
    }

    const USER: (&str, &str) = ("DOTDIGITAL_USER", "apiuser-1");
    const PASSWORD: (&str, &str) = ("DOTDIGITAL_PASSWORD", "hunter2");

    #[test]
    fn the_environment_sets_up_a_client() {
        let client = read(&[USER, PASSWORD, ("DOTDIGITAL_REGION", "R2")]).unwrap().build().unwrap();
        assert_eq!(client.endpoint(), "https://r2-api.dotdigital.com");
        let endpoint = ("DOTDIGITAL_ENDPOINT", "https://gateway.example.com");
        let client = read(&[USER, PASSWORD, endpoint]).unwrap().build().unwrap();
        assert_eq!(client.endpoint(), "https://gateway.example.com");
    }

    #[test]
    fn what_the_environment_lacks_is_named_and_nothing_shown() {
        for (variables, name) in [
            (&[PASSWORD][..], "DOTDIGITAL_USER"),
            (&[USER, ("DOTDIGITAL_PASSWORD", " ")], "DOTDIGITAL_PASSWORD"),
            (&[USER, PASSWORD, ("DOTDIGITAL_REGION", "mars")], "DOTDIGITAL_REGION"),
        ] {
            let error = read(variables).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
            assert!(!error.contains("hunter2") && !error.contains("mars"), "{error}");
        }
        let odd = ClientBuilder::from_variables(|_| Err(VarError::NotUnicode("hunter2".into())));
        assert!(!odd.unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn an_integration_token_is_a_guid() {
        let ready = || read(&[USER, PASSWORD, ("DOTDIGITAL_REGION", "r1")]).unwrap();
        for good in
            ["5a96bc79-19a7-4544-973b-e2da0c9136f9", "{5A96BC79-19A7-4544-973B-E2DA0C9136F9}"]
        {
            assert!(ready().integration_token(good).build().is_ok(), "{good}");
        }
        for bad in ["", "token", "5a96bc79-19a7-4544-973b", "5a96bc79-19a7-4544-973b-e2da0c9136fg"]
        {
            assert!(ready().integration_token(bad).build().is_err(), "{bad}");
        }
    }
}
