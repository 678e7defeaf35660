//! A contact's standing on each channel, as the service tells it.

use serde::Deserialize;

use crate::service_enum::service_enum;

service_enum! {
    /// The standing of a contact on the email channel.
    EmailStatus {
        /// Never subscribed.
        NoSubscription = "noSubscription",
        /// Subscribed.
        Subscribed = "subscribed",
        /// Left by the contact's own decision.
        Unsubscribed = "unsubscribed",
        /// Mail could not be delivered for now.
        SoftBounced = "softBounced",
        /// Mail can never be delivered.
        HardBounced = "hardBounced",
        /// The contact complained to its mail provider.
        IspComplained = "ispComplained",
        /// Asked to confirm.
        PendingOptIn = "pendingOptIn",
        /// The contact complained to the sender or the vendor.
        DirectComplaint = "directComplaint",
        /// An address that exists to catch senders without permission.
        SpamTrap = "spamTrap",
        /// Deleted.
        Deleted = "deleted",
        /// The part before the `@` belongs to a role, not to a person.
        BlockedLocalPart = "blockedlocalpart",
        /// Suppressed by a list that accounts share.
        SharedSuppression = "sharedsuppression",
        /// The domain is suppressed by a list that accounts share.
        SharedDomainSuppression = "sharedDomainSuppression",
        /// Silenced by the account's decision.
        Suppressed = "suppressed",
        /// Known from lists of addresses that are sold.
        Purchased = "purchased",
        /// Known to complain.
        KnownComplainer = "knownComplainer",
        /// Known to go to court.
        KnownLitigator = "knownLitigator",
        /// In the recycle bin.
        Binned = "binned",
        /// The address's domain is suppressed.
        DomainSuppressed = "domainSuppressed",
    }
}

service_enum! {
    /// The standing of a contact on the SMS channel.
    SmsStatus {
        /// Never subscribed.
        NoSubscription = "noSubscription",
        /// Subscribed.
        Subscribed = "subscribed",
        /// Left by the contact's own decision.
        Unsubscribed = "unsubscribed",
        /// Messages cannot be delivered.
        Bounced = "bounced",
        /// Deleted.
        Deleted = "deleted",
        /// Silenced by the account's decision.
        Suppressed = "suppressed",
        /// In the recycle bin.
        Binned = "binned",
    }
}

service_enum! {
    /// The standing of a contact on the WhatsApp channel.
    WhatsAppStatus {
        /// Never subscribed.
        NoSubscription = "noSubscription",
        /// Subscribed.
        Subscribed = "subscribed",
        /// Left by the contact's own decision.
        Unsubscribed = "unsubscribed",
        /// Silenced by the account's decision.
        Suppressed = "suppressed",
    }
}

service_enum! {
    /// The form in which a contact gets its mails.
    EmailType {
        /// Text alone.
        PlainText = "PlainText",
        /// Text with its looks.
        Html = "Html",
    }
}

service_enum! {
    /// How a contact agreed to get mails.
    OptInType {
        /// Not known.
        Unknown = "Unknown",
        /// It signed up.
        Single = "Single",
        /// It signed up and was asked to confirm.
        Double = "Double",
        /// It signed up and confirmed by a mail of the service.
        VerifiedDouble = "VerifiedDouble",
    }
}

/// A contact's standing on each channel it has. All empty when the call did not ask for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Channels {
    /// Email.
    pub email: Option<EmailChannel>,
    /// SMS and MMS.
    pub sms: Option<SmsChannel>,
    /// WhatsApp.
    #[serde(rename = "whatsApp")]
    pub whatsapp: Option<WhatsAppChannel>,
}

/// A contact's standing on the email channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct EmailChannel {
    /// Its standing.
    pub status: Option<EmailStatus>,
    /// The form of its mails.
    pub email_type: Option<EmailType>,
    /// How it agreed.
    pub opt_in_type: Option<OptInType>,
}

/// A contact's standing on the SMS channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SmsChannel {
    /// Its standing.
    pub status: Option<SmsStatus>,
    /// The country of its mobile number, in two letters.
    pub country_code: Option<String>,
}

/// A contact's standing on the WhatsApp channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct WhatsAppChannel {
    /// Its standing.
    pub status: Option<WhatsAppStatus>,
}
