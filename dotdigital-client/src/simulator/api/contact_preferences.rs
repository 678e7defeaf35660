//! Which contacts are opted in to which preferences.

use serde_json::{Value, json};

use super::{
    Answer, Context,
    answer::{json_body, v2_error},
    consent::shown,
    lists,
    preferences::{invalid, known, tree_with},
    suppressions::{NO_LIST, opt_in},
    v2_parameters::{ContactSlice, array, int32, int32_value, since, timestamp},
};
use crate::{
    simulator::account::{Account, Contact, Identifier},
    transport::HttpResponse,
};

/// `GET /v2/contacts/{contactIdentifier}/preferences`: all of the account's, with her answers.
pub(super) fn get(context: &mut Context<'_>) -> Answer {
    let account = &*context.account;
    let contact = named(account, context.arg(0))?;
    let tree = tree_with(
        account,
        |_| true,
        |preference, shown| {
            if !preference.is_category {
                let answer = contact.preferences.get(&preference.id);
                shown["isOptedIn"] = answer.copied().unwrap_or(false).into();
            }
        },
    );
    Ok(json_body(200, &tree))
}

/// `PUT /v2/contacts/{contactIdentifier}/preferences`: all of them, or none if one is wrong.
pub(super) fn set(context: &mut Context<'_>) -> Answer {
    let contact = named(context.account, context.arg(0))?.id;
    let body = context.body.take_v2()?;
    let mut answers = Vec::new();
    for entry in array(&body)? {
        read_entry(context.account, entry, &mut answers)?;
    }
    for (preference, opted_in) in answers {
        context.account.set_preference(contact, preference, opted_in, context.now);
    }
    Ok(json_body(200, &json!({"value": ""})))
}

/// `GET /v2/contacts/with-preference/{preferenceId}`.
pub(super) fn with_preference(context: &mut Context<'_>) -> Answer {
    let people = Asked::of_account(context, 0)?.opted_in(context)?;
    Ok(json_body(200, &people))
}

/// `GET /v2/contacts/with-preference/{preferenceId}/opt-ins-since/{date}`.
pub(super) fn changed_since(context: &mut Context<'_>) -> Answer {
    let people = Asked::of_account(context, 0)?.changed_since(context, context.arg(1))?;
    Ok(json_body(200, &people))
}

/// `GET /v2/address-books/{addressBookId}/contacts/with-preference/{preferenceId}`.
pub(super) fn with_preference_on_list(context: &mut Context<'_>) -> Answer {
    let people = Asked::of_list(context)?.opted_in(context)?;
    Ok(json_body(200, &people))
}

/// `GET /v2/address-books/{addressBookId}/contacts/with-preference/{preferenceId}/opt-ins-since/{date}`.
pub(super) fn changed_since_on_list(context: &mut Context<'_>) -> Answer {
    let people = Asked::of_list(context)?.changed_since(context, context.arg(2))?;
    Ok(json_body(200, &people))
}

/// Whose answers to which preference are asked for.
struct Asked {
    list: Option<i32>,
    preference: i32,
}

impl Asked {
    fn of_account(context: &Context<'_>, position: usize) -> Result<Self, HttpResponse> {
        let preference = known(context.account, int32(context.arg(position))?)?.id;
        Ok(Self { list: None, preference })
    }

    fn of_list(context: &Context<'_>) -> Result<Self, HttpResponse> {
        let list = lists::known(context.account, lists::list_id(context.arg(0))?)?.id;
        Ok(Self { list: Some(list), ..Self::of_account(context, 1)? })
    }

    fn opted_in(&self, context: &Context<'_>) -> Result<Vec<Value>, HttpResponse> {
        let slice = ContactSlice::read(&context.query)?;
        let people = self.people(context.account, &slice);
        let opted_in = people.filter(|one| one.preferences.get(&self.preference) == Some(&true));
        let shown = |one: &Contact| json!({"id": one.id, "email": one.email.as_deref()});
        Ok(slice.of(opted_in).map(shown).collect())
    }

    fn changed_since(&self, context: &Context<'_>, date: &str) -> Result<Vec<Value>, HttpResponse> {
        let since = since(date)?;
        let slice = ContactSlice::read(&context.query)?;
        let people = self.people(context.account, &slice).filter_map(|contact| {
            let (opted_in, at) = context.account.answer(contact, self.preference)?;
            let list = self.list.unwrap_or(NO_LIST);
            let answer = opt_in(self.preference, list, opted_in, &timestamp(at));
            let shown =
                json!({"contact": shown(context.account, Some(contact)), "marketingPreferenceOptIns": [answer]});
            (at >= since).then_some(shown)
        });
        Ok(slice.of(people).collect())
    }

    /// Contacts with an address, by id.
    fn people<'a>(
        &'a self,
        account: &'a Account,
        slice: &ContactSlice,
    ) -> impl Iterator<Item = &'a Contact> {
        let list = self.list.and_then(|list| account.lists.get(&list));
        let on_list = move |id: i64| list?.members.get(&id).map(|status| account.shows(*status));
        let everybody = account.contacts.live_after(slice.after());
        let people = everybody.filter(|contact| contact.email.is_some());
        people.filter(move |contact| self.list.is_none() || on_list(contact.id) == Some(true))
    }
}

/// The contact of that id or address.
fn named<'a>(account: &'a Account, identifier: &str) -> Result<&'a Contact, HttpResponse> {
    let id = identifier.parse().map(Identifier::ContactId);
    let by = id.unwrap_or_else(|_| Identifier::email(identifier));
    let found = account.contacts.find_live(&by).and_then(|id| account.contacts.get(id));
    found.ok_or_else(|| v2_error(404, "ERROR_CONTACT_NOT_FOUND"))
}

/// Reads one entry: a preference, or a category whose preferences stand inside.
fn read_entry(
    account: &Account,
    entry: &Value,
    answers: &mut Vec<(i32, bool)>,
) -> Result<(), HttpResponse> {
    let id = entry.get("id").and_then(int32_value).ok_or_else(invalid)?;
    let is_leaf = entry.get("isPreference").and_then(Value::as_bool).ok_or_else(invalid)?;
    let is_category = known(account, id)?.is_category;
    let opted_in = match entry.get("isOptedIn") {
        // The description wants one from a category too; its example sends none.
        None if is_category => None,
        value => Some(value.and_then(Value::as_bool).ok_or_else(invalid)?),
    };
    if is_leaf == is_category {
        return Err(invalid());
    }
    if let (false, Some(opted_in)) = (is_category, opted_in) {
        answers.push((id, opted_in));
        return Ok(());
    }
    let inner = match (entry.get("preferences"), opted_in) {
        (None, Some(_)) => return Ok(()),
        (inner, _) => inner.and_then(Value::as_array).ok_or_else(invalid)?,
    };
    if inner.is_empty() {
        return Err(invalid());
    }
    for inner in inner {
        let stands_in = inner.get("id").and_then(int32_value);
        let stands_in = stands_in.and_then(|id| account.preferences.get(id)?.category);
        if stands_in != Some(id) {
            return Err(invalid());
        }
        read_entry(account, inner, answers)?;
    }
    Ok(())
}
