//! A PostgreSQL server for all tests of this binary, with TLS.

mod proxy;
mod server;

use std::sync::OnceLock;

use activation_core::{PostgresServer, PostgresTls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

pub(crate) use self::{
    proxy::{Cut, Proxy},
    server::{ADMINISTRATOR, Database, Server, pause},
};

/// The server; `None` where PostgreSQL is not installed, which is an error in CI.
pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER
        .get_or_init(|| {
            let certificates = certificates();
            let files = [("server.crt", &*certificates.server), ("server.key", &certificates.key)];
            Server::start(&files, &["ssl=on"])
        })
        .as_ref()
}

/// In PEM.
pub(crate) struct Certificates {
    /// Of the authority.
    pub(crate) authority: String,
    /// Of the server, for the name `localhost`.
    server: String,
    key: String,
}

pub(crate) fn certificates() -> &'static Certificates {
    static CERTIFICATES: OnceLock<Certificates> = OnceLock::new();
    CERTIFICATES.get_or_init(|| {
        let mut authority = CertificateParams::new([]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let server = server.signed_by(&key, &authority).unwrap();
        Certificates { authority: authority.pem(), server: server.pem(), key: key.serialize_pem() }
    })
}

impl Database<'_> {
    /// The way in for the administrator, over the socket.
    pub(crate) fn by_socket(&self) -> PostgresServer {
        let directory = self.server.directory.to_str().unwrap();
        PostgresServer::new(directory, &self.name, ADMINISTRATOR).port(self.server.port)
    }

    /// The URL for the administrator, over the socket.
    #[cfg(feature = "adbc")]
    pub(crate) fn socket_url(&self) -> String {
        let (directory, port) = (self.server.directory.display(), self.server.port);
        format!("postgresql:///{}?host={directory}&port={port}&user={ADMINISTRATOR}", self.name)
    }

    /// The way in for the administrator, through `proxy`.
    pub(crate) fn through(&self, proxy: &Proxy) -> PostgresServer {
        PostgresServer::new("127.0.0.1", &self.name, ADMINISTRATOR)
            .port(proxy.port)
            .tls(PostgresTls::Disable)
    }

    /// The way in over TCP, to `host`.
    pub(crate) fn at(&self, host: &str, user: &str, password: &str) -> PostgresServer {
        PostgresServer::new(host, &self.name, user).port(self.server.port).password(password)
    }
}
