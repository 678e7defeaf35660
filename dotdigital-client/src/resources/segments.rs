//! Segments: groups of contacts that the service itself computes.

use serde::Deserialize;

use crate::{
    call::{Call, Repeat},
    client::Client,
    decode,
    error::Error,
    ids::SegmentId,
    limits::Tier,
    polling::{self, PollPolicy},
    service_enum::service_enum,
};

/// A segment: the contacts that fit a condition.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Segment {
    /// The segment's id, for as long as it exists.
    pub id: SegmentId,
    /// Its name.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub name: String,
    /// How many contacts fitted when it was last computed.
    #[serde(default, deserialize_with = "decode::count")]
    pub contacts: u64,
}

service_enum! {
    /// How far the computing of a segment has come.
    RefreshStatus {
        /// Not begun.
        NotStarted = "NotStarted",
        /// At work.
        NotFinished = "NotFinished",
        /// Done.
        Finished = "Finished",
        /// Failed.
        Failed = "Failed",
    }
}

impl RefreshStatus {
    /// Whether the computing has ended. A status that this crate does not know counts as ended.
    pub fn is_terminal(&self) -> bool {
        !matches!(self, Self::NotStarted | Self::NotFinished)
    }
}

/// Calls about segments. From [`Client::segments`].
#[derive(Clone, Debug)]
pub struct Segments {
    client: Client,
}

impl Segments {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The segments of the account, in one answer. The vendor documents no pages; whether an
    /// account with more than 1000 segments gets all of them is not known.
    ///
    /// `GET /v2/segments` (tier: low)
    ///
    /// # Errors
    ///
    /// Fails as any call does.
    pub async fn list(&self) -> Result<Vec<Segment>, Error> {
        let call = Call::read("GET /v2/segments", Tier::Low);
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// Has a segment computed anew, and returns at once. Repeating it does no harm.
    ///
    /// `POST /v2/segments/refresh/{id}` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such segment.
    pub async fn refresh(&self, segment: SegmentId) -> Result<RefreshStatus, Error> {
        let call = refresh_call(segment);
        let refresh: Refresh = decode::json(&call, &self.client.send(&call).await?)?;
        Ok(refresh.status)
    }

    /// How far the computing of a segment has come.
    ///
    /// `GET /v2/segments/refresh/{id}` (tier: high)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such segment.
    pub async fn refresh_progress(&self, segment: SegmentId) -> Result<RefreshStatus, Error> {
        let call = progress_call(segment);
        let refresh: Refresh = decode::json(&call, &self.client.send(&call).await?)?;
        Ok(refresh.status)
    }

    /// Asks about the computing of a segment until it has ended. Dropping the future leaves it at
    /// work.
    ///
    /// `GET /v2/segments/refresh/{id}` (tier: high)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::GaveUp`](crate::ErrorKind::GaveUp) when it takes longer than `policy` allows,
    /// and as [`refresh_progress`](Self::refresh_progress) does.
    pub async fn wait(
        &self,
        segment: SegmentId,
        policy: &PollPolicy,
    ) -> Result<RefreshStatus, Error> {
        let call = progress_call(segment);
        let has_ended = |refresh: &Refresh| refresh.status.is_terminal();
        let refresh = polling::until_ended(&self.client, &call, policy, has_ended, |_| {}).await?;
        Ok(refresh.status)
    }
}

#[derive(Deserialize)]
struct Refresh {
    status: RefreshStatus,
}

fn refresh_call(segment: SegmentId) -> Call {
    Call::new("POST /v2/segments/refresh/{id}", Tier::Medium, Repeat::Harmless).arg(segment)
}

fn progress_call(segment: SegmentId) -> Call {
    Call::read("GET /v2/segments/refresh/{id}", Tier::High).arg(segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_to_come_or_at_work_goes_on() {
        for word in ["notstarted", "NotFinished"] {
            assert!(!RefreshStatus::from(word).is_terminal(), "{word}");
        }
        for word in ["Finished", "Failed", "NotAvailableInThisVersion"] {
            assert!(RefreshStatus::from(word).is_terminal(), "{word}");
        }
    }
}
