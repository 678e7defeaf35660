//! Campaigns as lists tell of them.

use std::fmt;

use serde::Deserialize;

use crate::{decode, ids::CampaignId, service_enum::service_enum};

service_enum! {
    /// How far a campaign has come.
    CampaignStatus {
        /// Not sent.
        Unsent = "Unsent",
        /// Being sent.
        Sending = "Sending",
        /// Sent.
        Sent = "Sent",
        /// Stopped half way.
        Paused = "Paused",
        /// Called off.
        Cancelled = "Cancelled",
        /// Waits for the service's approval.
        RequiresSystemApproval = "RequiresSystemApproval",
        /// Waits for approval by text message.
        RequiresSmsApproval = "RequiresSMSApproval",
        /// Waits for approval by a user of the account.
        RequiresWorkflowApproval = "RequiresWorkflowApproval",
        /// Sent whenever something happens.
        Triggered = "Triggered",
    }
}

service_enum! {
    /// What is done with replies to a campaign.
    ReplyAction {
        /// Nothing was chosen.
        Unset = "Unset",
        /// Kept in the account and passed on.
        WebMailForward = "WebMailForward",
        /// Kept in the account.
        Webmail = "Webmail",
        /// Deleted.
        Delete = "Delete",
    }
}

/// A campaign.
///
/// `Debug` shows neither addresses nor content.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Campaign {
    /// Its id, for as long as it exists.
    pub id: CampaignId,
    /// Its name.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub name: String,
    /// The subject of its message.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub subject: String,
    /// The sender's name.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub from_name: String,
    /// The sender's address.
    #[serde(default, deserialize_with = "decode::lenient")]
    pub from_address: Option<Sender>,
    /// Its message as HTML. The service leaves it out here.
    #[serde(default, deserialize_with = "decode::lenient")]
    pub html_content: Option<String>,
    /// Its message as plain text. The service leaves it out here.
    #[serde(default, deserialize_with = "decode::lenient")]
    pub plain_text_content: Option<String>,
    /// What is done with replies.
    #[serde(default, deserialize_with = "decode::lenient")]
    pub reply_action: Option<ReplyAction>,
    /// Where replies are passed on to.
    #[serde(default, deserialize_with = "decode::lenient")]
    pub reply_to_address: Option<String>,
    /// Whether it tries several messages against each other.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub is_split_test: bool,
    /// How far it has come.
    #[serde(default, deserialize_with = "decode::lenient")]
    pub status: Option<CampaignStatus>,
}

/// An address that campaigns are sent from.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Sender {
    /// Its number.
    #[serde(default, deserialize_with = "decode::lenient")]
    pub id: Option<i64>,
    /// The email address.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub email: String,
}

impl fmt::Debug for Campaign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Campaign")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_with_odd_parts_is_still_read_and_shows_no_address() {
        let campaign: Campaign = serde_json::from_str(
            r#"{"id":4,"name":"New","subject":null,"fromAddress":{"id":1,"email":"demo@example.com"},
                "htmlContent":null,"replyAction":"newWord","replyToAddress":"jane@example.com",
                "isSplitTest":null,"status":"requiresSmsApproval","unheardOf":1}"#,
        )
        .unwrap();
        assert_eq!(campaign.status, Some(CampaignStatus::RequiresSmsApproval));
        assert_eq!(campaign.reply_action, Some(ReplyAction::Other("newWord".into())));
        let shown = format!("{campaign:?} {:?}", campaign.from_address);
        assert!(shown.contains("New") && !shown.contains("example.com"), "{shown}");
    }
}
