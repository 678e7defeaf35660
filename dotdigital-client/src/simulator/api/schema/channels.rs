//! `channelProperties` of a request.

use serde_json::Value;

use super::{
    Place,
    check::{Checked, ShapeFault, flag, object, one_of, text, uri},
};
use crate::simulator::account::{Channel, ChannelStatus, ContactChange};

const EMAIL_TYPES: [&str; 2] = ["PlainText", "Html"];
const OPT_IN_TYPES: [&str; 4] = ["Unknown", "Single", "Double", "VerifiedDouble"];
/// The languages in which a contact can be asked to confirm.
pub(in crate::simulator::api) const LOCALES: [&str; 20] = [
    "cs-CS", "da-DA", "de-DE", "el-EL", "en-EN", "es-ES", "es", "fi-FI", "fr-FR", "hu-HU", "it-IT",
    "nl-NL", "nb-NO", "pl-PL", "pt-PT", "ru-RU", "se-SE", "sk-SK", "tr-TR", "zh-CN",
];

pub(super) fn read(value: &Value, place: Place, change: &mut ContactChange) -> Checked<()> {
    for (name, properties) in object(value, "channelProperties")? {
        let channel = match name.as_str() {
            "email" => Channel::Email,
            "sms" => Channel::Sms,
            "whatsApp" => Channel::WhatsApp,
            _ => return Err(ShapeFault::unexpected("channelProperties", name)),
        };
        for (key, value) in object(properties, name)? {
            let email = channel == Channel::Email;
            match key.as_str() {
                "status" => {
                    let status = status(channel, text(value, "status")?);
                    let status = status.ok_or_else(|| ShapeFault::unexpected(name, "status"))?;
                    change.channels.push((channel, status));
                }
                "emailType" if email => change.email_type = Some(one_of(value, key, &EMAIL_TYPES)?),
                "optInType" if email => change.opt_in = Some(one_of(value, key, &OPT_IN_TYPES)?),
                // The description knows these everywhere but where a contact is created.
                "resubscribeOptions" if email && place != Place::Create => {
                    change.challenged = is_challenged(value)?;
                }
                _ => return Err(ShapeFault::unexpected(name, key)),
            }
        }
    }
    Ok(())
}

fn status(channel: Channel, status: &str) -> Option<ChannelStatus> {
    Some(match status {
        "subscribed" => ChannelStatus::Subscribed,
        "unsubscribed" => ChannelStatus::Unsubscribed,
        "suppressed" => ChannelStatus::Suppressed,
        "noSubscription" if channel != Channel::Email => ChannelStatus::NoSubscription,
        _ => return None,
    })
}

/// Whether somebody who subscribes again is asked to confirm; the service asks nobody by default.
fn is_challenged(value: &Value) -> Checked<bool> {
    let mut challenged = false;
    for (key, value) in object(value, "resubscribeOptions")? {
        match key.as_str() {
            "resubscribeWithNoChallenge" => challenged = !flag(value, key)?,
            "preferredLocale" => {
                one_of(value, key, &LOCALES)?;
            }
            "redirectUrlAfterChallenge" => {
                uri(value, key)?;
            }
            _ => {}
        }
    }
    Ok(challenged)
}
