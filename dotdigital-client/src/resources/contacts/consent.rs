//! Changing whether a contact may be written to.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{ContactUpdate, OptInType, body::lower_camel, consent_record::is_absolute_url};
use crate::suppressions::ChallengeLocale;

/// What to make of a contact's standing on the email channel, in the whole account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum EmailStatusChange {
    /// Subscribe it, also when it had left.
    Subscribed,
    /// As if it had left by its own decision: only the contact itself may come back.
    Unsubscribed,
    /// Silence it by the account's decision.
    Suppressed,
}

/// What to make of a contact's standing on the SMS or WhatsApp channel, in the whole account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum PhoneStatusChange {
    /// Neither subscribed nor refused.
    NoSubscription,
    /// Subscribe it, also when it had left.
    Subscribed,
    /// As if it had left by its own decision.
    Unsubscribed,
    /// Silence it by the account's decision.
    Suppressed,
}

/// The address of a page is no absolute URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address of the page is no absolute URL")]
pub struct InvalidRedirectUrl;

/// How a contact that had left is subscribed again.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResubscribeOptions {
    /// Always sent: the service's own default is not to ask.
    resubscribe_with_no_challenge: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_locale: Option<ChallengeLocale>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_url_after_challenge: Option<String>,
}

impl ResubscribeOptions {
    /// The service writes to the contact and subscribes it once it confirms.
    pub fn asking() -> Self {
        Self {
            resubscribe_with_no_challenge: false,
            preferred_locale: None,
            redirect_url_after_challenge: None,
        }
    }

    /// **Subscribes somebody who had left without asking them.** Only for somebody who asked for
    /// it elsewhere, provably.
    pub fn without_asking() -> Self {
        Self { resubscribe_with_no_challenge: true, ..Self::asking() }
    }

    /// The language in which to ask.
    #[must_use]
    pub fn locale(mut self, locale: ChallengeLocale) -> Self {
        self.preferred_locale = Some(locale);
        self
    }

    /// The page that the contact comes to once it has confirmed.
    ///
    /// # Errors
    ///
    /// Fails unless it is an absolute URL.
    pub fn redirect_url(mut self, url: &str) -> Result<Self, InvalidRedirectUrl> {
        if !is_absolute_url(url) {
            return Err(InvalidRedirectUrl);
        }
        self.redirect_url_after_challenge = Some(url.to_owned());
        Ok(self)
    }
}

/// The page may name the person.
impl fmt::Debug for ResubscribeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResubscribeOptions")
            .field("resubscribe_with_no_challenge", &self.resubscribe_with_no_challenge)
            .field("preferred_locale", &self.preferred_locale)
            .finish_non_exhaustive()
    }
}

impl ContactUpdate {
    /// **Subscribes, unsubscribes or silences the contact for all mail of the account.**
    /// [`Subscribed`](EmailStatusChange::Subscribed) may bring back somebody who had left, and
    /// without asking them unless [`resubscribe`](Self::resubscribe) says otherwise.
    #[must_use]
    pub fn email_status(mut self, status: EmailStatusChange) -> Self {
        self.channels.email.consent.status = Some(status);
        self
    }

    /// **Records how the contact agreed to get mails.**
    /// [`VerifiedDouble`](OptInType::VerifiedDouble) has the service write to the contact, which
    /// gets no other mail until it confirms.
    #[must_use]
    pub fn opt_in_type(mut self, opt_in_type: OptInType) -> Self {
        self.channels.email.consent.opt_in_type = Some(opt_in_type);
        self
    }

    /// **How to subscribe the contact to mails again when it had left**, together with
    /// [`email_status`](Self::email_status). Creating a contact does not take it.
    #[must_use]
    pub fn resubscribe(mut self, options: ResubscribeOptions) -> Self {
        self.channels.email.consent.resubscribe_options = Some(options);
        self
    }

    /// **Subscribes, unsubscribes or silences the contact for all text messages of the account.**
    #[must_use]
    pub fn sms_status(mut self, status: PhoneStatusChange) -> Self {
        self.channels.phone.sms = Some(PhoneChange { status });
        self
    }

    /// **Subscribes, unsubscribes or silences the contact for all WhatsApp messages of the
    /// account.**
    #[must_use]
    pub fn whatsapp_status(mut self, status: PhoneStatusChange) -> Self {
        self.channels.phone.whatsapp = Some(PhoneChange { status });
        self
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EmailConsent {
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "opt_in_type")]
    opt_in_type: Option<OptInType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<EmailStatusChange>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resubscribe_options: Option<ResubscribeOptions>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct PhoneConsent {
    #[serde(skip_serializing_if = "Option::is_none")]
    sms: Option<PhoneChange>,
    #[serde(rename = "whatsApp", skip_serializing_if = "Option::is_none")]
    whatsapp: Option<PhoneChange>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct PhoneChange {
    status: PhoneStatusChange,
}

impl EmailConsent {
    pub(super) fn acts_again(&self) -> bool {
        self.status == Some(EmailStatusChange::Subscribed)
            || self.opt_in_type == Some(OptInType::VerifiedDouble)
            || self.resubscribe_options.is_some()
    }

    pub(super) fn has_unknown_word(&self) -> bool {
        matches!(self.opt_in_type, Some(OptInType::Other(_)))
    }
}

impl PhoneConsent {
    pub(super) fn subscribes(&self) -> bool {
        let subscribed = Some(PhoneChange { status: PhoneStatusChange::Subscribed });
        [self.sms, self.whatsapp].contains(&subscribed)
    }
}

fn opt_in_type<S: Serializer>(word: &Option<OptInType>, serializer: S) -> Result<S::Ok, S::Error> {
    lower_camel(word.as_ref().map(OptInType::as_str).unwrap_or_default(), serializer)
}
