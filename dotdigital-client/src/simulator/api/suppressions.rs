//! Who may not be written to, since when and why.

use serde_json::{Value, json};

use super::{
    Answer, Context,
    answer::{json_body, v2_error},
    consent::shown,
    v2_parameters::{Slice, since, timestamp},
};
use crate::simulator::account::{Account, ChannelStatus, Contact, Identifier};

/// `GET /v2/contacts/suppressed-since/{date}`: everybody who is closed, for whatever reason.
pub(super) fn suppressed_since(context: &mut Context<'_>) -> Answer {
    since_date(context, |_| true)
}

/// `GET /v2/contacts/unsubscribed-since/{date}`: only those who asked for it themselves.
pub(super) fn unsubscribed_since(context: &mut Context<'_>) -> Answer {
    since_date(context, |contact| contact.email_status == ChannelStatus::Unsubscribed)
}

/// `GET /v2/contacts/{email}/subscriptions`.
pub(super) fn subscriptions(context: &mut Context<'_>) -> Answer {
    let account = &*context.account;
    let id = account.contacts.find_live(&Identifier::email(context.arg(0)));
    let contact = id.and_then(|id| account.contacts.get(id));
    let contact = contact.ok_or_else(|| v2_error(404, "ERROR_CONTACT_NOT_FOUND"))?;
    let answers = contact.preferences.keys().filter_map(|preference| {
        let (opted_in, at) = account.answer(contact, *preference)?;
        Some(opt_in(*preference, NO_LIST, opted_in, &timestamp(at)))
    });
    let answers: Vec<Value> = answers.collect();
    let body =
        json!({"contact": shown(account, Some(contact)), "marketingPreferenceOptIns": answers});
    Ok(json_body(200, &body))
}

/// What stands for the list where an answer was not asked about one.
pub(super) const NO_LIST: i32 = 0;

/// One contact's answer to one preference. The misspelt key is the service's own.
pub(super) fn opt_in(preference: i32, list: i32, opted_in: bool, at: &str) -> Value {
    json!({
        "marketingPreferenceId": preference,
        "addressBookId": list,
        "isOptedIn": opted_in,
        "dateModifed": at,
    })
}

/// A contact that may not be written to, since when and why.
pub(super) fn suppression(
    account: &Account,
    contact: Option<&Contact>,
    at: &str,
    reason: &str,
) -> Value {
    json!({"suppressedContact": shown(account, contact), "dateRemoved": at, "reason": reason})
}

fn since_date(context: &Context<'_>, wanted: impl Fn(&Contact) -> bool) -> Answer {
    let since = since(context.arg(0))?;
    let slice = Slice::read(&context.query)?;
    let closed = context.account.closed_since(since).into_iter();
    let wanted = closed.filter(|(contact, _)| wanted(contact));
    let page: Vec<Value> = slice
        .of(wanted)
        .map(|(contact, at)| {
            suppression(context.account, Some(contact), &timestamp(at), reason(contact))
        })
        .collect();
    Ok(json_body(200, &page))
}

fn reason(contact: &Contact) -> &'static str {
    match contact.email_status {
        ChannelStatus::Unsubscribed => "Unsubscribed",
        _ => "Suppressed",
    }
}
