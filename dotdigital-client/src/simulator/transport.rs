//! The simulator as a transport in process.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use super::{Simulator, service::Delivery};
use crate::{
    clock::Clock,
    transport::{HttpRequest, HttpResponse, Transport, TransportError, TransportErrorKind},
};

/// Hands requests to a [`Simulator`] without a network, at the time its clock tells.
///
/// A call whose answer is scripted not to arrive in time waits for the request's timeout on that
/// clock.
#[derive(Clone)]
pub struct SimulatorTransport {
    simulator: Simulator,
    clock: Arc<dyn Clock>,
}

impl SimulatorTransport {
    pub(super) fn new(simulator: Simulator, clock: Arc<dyn Clock>) -> Self {
        Self { simulator, clock }
    }
}

impl fmt::Debug for SimulatorTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatorTransport").finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for SimulatorTransport {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let (kind, message) = match self.simulator.deliver(request, self.clock.now()) {
            Delivery::Answered(response) => return Ok(response),
            Delivery::Refused => (TransportErrorKind::NotSent, "connection refused"),
            Delivery::Reset { .. } => (TransportErrorKind::MaybeSent, "connection reset"),
            Delivery::TimedOut => {
                self.clock.sleep(request.timeout).await;
                (TransportErrorKind::TimedOut, "no answer in time")
            }
        };
        Err(TransportError { kind, message: message.to_owned() })
    }
}
