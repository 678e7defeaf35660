//! Which database, and who logs in to it.

use std::{fmt, str::FromStr, time::Duration};

use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};

use super::tls::{Authorities, NotACertificate, PostgresTls};

/// A database on a PostgreSQL server, and who logs in to it.
///
/// The password comes from the host, in the URL or apart from it; no file and no environment variable
/// is read for it. Neither `Debug` nor an error shows it, and at level `debug` the driver
/// (`tokio_postgres`) logs statements, but no password.
///
/// ```
/// use activation_core::{PostgresServer, PostgresTls};
///
/// # fn main() -> Result<(), activation_core::NotAPostgresUrl> {
/// let one: PostgresServer = "postgresql://reader:secret@db.example.com/warehouse?sslmode=require".parse()?;
/// let same = PostgresServer::new("db.example.com", "warehouse", "reader")
///     .password("secret")
///     .tls(PostgresTls::Require);
/// assert_eq!(one.to_string(), "db.example.com/warehouse");
/// assert!(!format!("{one:?}{same:?}").contains("secret"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresServer {
    config: Config,
    authorities: Authorities,
}

/// A text that is no URL of a PostgreSQL database. Shows nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not the URL of a PostgreSQL database: expected postgresql:// with user, password, host and \
     database, special characters of user and password written as %XX, and sslmode one of disable, \
     prefer, require"
)]
pub struct NotAPostgresUrl;

impl PostgresServer {
    /// The database `database` on `host`, as `user`. A host that begins with `/` is the directory of
    /// a Unix socket.
    pub fn new(
        host: impl Into<String>,
        database: impl Into<String>,
        user: impl Into<String>,
    ) -> Self {
        let mut config = Config::new();
        config.host(host.into()).dbname(database.into()).user(user.into());
        Self::of(config)
    }

    /// Another port than 5432.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.config.port(port);
        self
    }

    /// What the user logs in with.
    #[must_use]
    pub fn password(mut self, password: impl AsRef<[u8]>) -> Self {
        self.config.password(password);
        self
    }

    /// Whether the connection is encrypted, and the server's certificate verified: see
    /// [`PostgresTls`].
    #[must_use]
    pub fn tls(mut self, tls: PostgresTls) -> Self {
        self.config.ssl_mode(match tls {
            PostgresTls::Disable => SslMode::Disable,
            PostgresTls::Prefer => SslMode::Prefer,
            PostgresTls::Require => SslMode::Require,
        });
        self
    }

    /// Trusts these certificates of authorities, in PEM, instead of the platform's. Goes with
    /// [`PostgresTls::Require`], and sets it: without it nothing would be verified.
    ///
    /// # Errors
    ///
    /// Fails when `pem` has no certificate, or one that cannot be read.
    pub fn ca_certificates(mut self, pem: impl AsRef<[u8]>) -> Result<Self, NotACertificate> {
        self.authorities = Authorities::from_pem(pem.as_ref())?;
        Ok(self.tls(PostgresTls::Require))
    }

    fn of(mut config: Config) -> Self {
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("activation-core");
        }
        // So that a server that vanished without a word is noticed within a minute, not in hours.
        config.keepalives_idle(KEEPALIVES).keepalives_interval(KEEPALIVES).keepalives_retries(3);
        Self { config, authorities: Authorities::Platform }
    }

    /// How the driver connects. Sockets of Unix have no TLS, whatever the mode.
    pub(super) fn config(&self) -> Config {
        let mut config = self.config.clone();
        if config.get_hosts().iter().all(|host| !matches!(host, Host::Tcp(_))) {
            config.ssl_mode(SslMode::Disable);
        }
        config
    }

    pub(super) fn authorities(&self) -> &Authorities {
        &self.authorities
    }

    pub(super) fn verifies(&self) -> bool {
        self.config.get_ssl_mode() == SslMode::Require
    }

    /// The longest that connecting may take, from the first packet to the end of the log-in.
    pub(super) fn connect_timeout(&self) -> Duration {
        self.config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT)
    }

    pub(super) fn user(&self) -> &str {
        self.config.get_user().unwrap_or("(the user of this process)")
    }

    pub(super) fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or_else(|| self.user())
    }
}

/// Reads a URL (`postgresql://…`) or a connection string (`host=… user=…`). Of the parameters that
/// PostgreSQL's own library knows, those about connecting are understood; `sslmode=verify-full` is
/// what `require` means here. Certificates are given [apart](PostgresServer::ca_certificates). A host
/// or database with an `@` in its name is refused: it is most likely a part of the password.
impl FromStr for PostgresServer {
    type Err = NotAPostgresUrl;

    fn from_str(url: &str) -> Result<Self, NotAPostgresUrl> {
        let url = url.trim().replace("sslmode=verify-full", "sslmode=require");
        // What the driver says of it may show a part of the password.
        let config: Config = url.parse().map_err(|_| NotAPostgresUrl)?;
        // With an @ in it that is not written as %40, the rest of the password is read as the host.
        let is_split = |name: &str| name.contains('@');
        let hosts = config.get_hosts();
        let is_wrong = hosts.is_empty()
            || config.get_dbname().is_some_and(is_split)
            || hosts.iter().any(|host| matches!(host, Host::Tcp(name) if is_split(name)));
        match is_wrong {
            true => Err(NotAPostgresUrl),
            false => Ok(Self::of(config)),
        }
    }
}

/// Host, port and database.
impl fmt::Display for PostgresServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports = self.config.get_ports();
        for (index, host) in self.config.get_hosts().iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            match host {
                Host::Tcp(name) => f.write_str(name)?,
                #[cfg(unix)]
                Host::Unix(directory) => write!(f, "{}", directory.display())?,
            }
            match ports.get(index).or(ports.first()) {
                None | Some(5432) => {}
                Some(port) => write!(f, ":{port}")?,
            }
        }
        write!(f, "/{}", self.database())
    }
}

/// Leaves out the password.
impl fmt::Debug for PostgresServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresServer")
            .field("server", &self.to_string())
            .field("user", &self.user())
            .field("tls", &self.config.get_ssl_mode())
            .finish_non_exhaustive()
    }
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const KEEPALIVES: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_and_its_parts_name_the_same_database() {
        let url: PostgresServer =
            "postgresql://me:p%40ss@db.example.com:5433/warehouse?sslmode=require".parse().unwrap();
        let parts = PostgresServer::new("db.example.com", "warehouse", "me")
            .port(5433)
            .password("p@ss")
            .tls(PostgresTls::Require);
        assert_eq!(url.config, parts.config);
        assert_eq!(url.to_string(), "db.example.com:5433/warehouse");
        let socket: PostgresServer = "host=/run/postgresql dbname=a user=b".parse().unwrap();
        assert_eq!(socket.to_string(), "/run/postgresql/a");
    }

    #[test]
    fn verify_full_is_what_require_means() {
        let server: PostgresServer = "postgres://a@b/c?sslmode=verify-full".parse().unwrap();
        assert!(server.verifies());
        let server: PostgresServer = "postgres://a@b/c".parse().unwrap();
        assert!(!server.verifies());
    }

    #[test]
    fn the_password_is_shown_nowhere() {
        for url in [
            "postgresql://me:a@hush@db.example.com/warehouse",
            "postgresql://me:a@hu/hush@db.example.com/warehouse",
            "postgresql://me:hush@db.example.com:hush/warehouse",
            "postgresql://me:hush@db.example.com/warehouse?sslmode=hush",
            "postgresql:///hush",
            "mysql://me:hush@db/warehouse",
            "",
        ] {
            let error = url.parse::<PostgresServer>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
        }
        for url in ["postgresql://me:hush@db.example.com/w", "postgresql://me:hush?hush@db/w"] {
            let server: PostgresServer = url.parse().unwrap();
            assert!(!format!("{server} {server:?}").contains("hush"));
        }
    }
}
