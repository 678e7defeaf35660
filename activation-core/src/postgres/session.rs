//! A connection that leaves nothing running behind.

use std::{future::poll_fn, sync::Arc};

use tokio::{runtime::Handle, task::JoinHandle, time};
use tokio_postgres::{Client, Connection, tls::TlsStream};

use super::{Failure, PostgresServer, tls};

/// A connection. Unless it is [at rest](Self::rest), dropping it cancels what the server is doing for
/// it and closes it at once.
pub(crate) struct Session {
    client: Arc<Client>,
    /// Reads and writes the socket.
    driver: JoinHandle<()>,
    server: PostgresServer,
    at_rest: bool,
}

impl Session {
    /// Connects and logs in.
    pub(crate) async fn open(server: &PostgresServer) -> Result<Self, Failure> {
        let tls = tls::connector(server.verifies(), server.authorities())
            .map_err(|error| Failure::of_tls(server, &error))?;
        let config = server.config();
        // The driver's own time limit is for the first packets only.
        let connected = time::timeout(server.connect_timeout(), config.connect(tls)).await;
        let connected = connected.map_err(|_| Failure::of_silence(server))?;
        let (client, connection) =
            connected.map_err(|error| Failure::of_connecting(server, &error))?;
        let driver = tokio::spawn(drive(connection));
        Ok(Self { client: Arc::new(client), driver, server: server.clone(), at_rest: false })
    }

    /// For statements.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// For statements of a piece of work that does not borrow this.
    pub(crate) fn shared_client(&self) -> Arc<Client> {
        Arc::clone(&self.client)
    }

    /// Something is under way, or will be.
    pub(crate) fn work(&mut self) {
        self.at_rest = false;
    }

    /// Nothing is under way on the connection, and nothing has to be undone.
    pub(crate) fn rest(&mut self) {
        self.at_rest = true;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.at_rest {
            // The driver says goodbye and ends when the client is gone.
            return;
        }
        // Else it would read to the end of what nobody wants.
        self.driver.abort();
        // A server notices a closed socket when it writes, which may be hours later.
        let token = self.client.cancel_token();
        let tls = tls::connector(self.server.verifies(), self.server.authorities());
        if let (Ok(runtime), Ok(tls)) = (Handle::try_current(), tls) {
            runtime.spawn(async move {
                if let Err(error) = token.cancel_query(tls).await {
                    tracing::debug!(%error, "a query that nobody wants could not be cancelled");
                }
            });
        }
    }
}

/// Keeps the connection going until it ends. What went wrong is told by the statement under way.
async fn drive<S, T>(mut connection: Connection<S, T>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: TlsStream + Unpin,
{
    // Polled by hand, since as a future it would log notices of the server, which may show data.
    while let Some(Ok(_notice)) = poll_fn(|context| connection.poll_message(context)).await {}
}
