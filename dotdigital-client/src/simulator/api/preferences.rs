//! The account's preferences: `/v2/preferences`.

use serde_json::{Map, Value, json};

use super::{
    Answer, Context,
    answer::{json_body, text_body, v2_error},
    v2_parameters::{int32_value, object, since, timestamp},
};
use crate::{
    simulator::account::{Account, Position, Preference, PreferenceChange},
    transport::HttpResponse,
};

/// `GET /v2/preferences`.
pub(super) fn tree(context: &mut Context<'_>) -> Answer {
    Ok(json_body(200, &tree_with(context.account, |_| true, |_, _| {})))
}

/// `GET /v2/preferences/modified-since/{date}`: a category is shown also for what is in it.
pub(super) fn modified_since(context: &mut Context<'_>) -> Answer {
    let since = since(context.arg(0))?;
    Ok(json_body(200, &tree_with(context.account, |one| one.modified >= since, |_, _| {})))
}

/// `POST /v2/preferences`.
pub(super) fn create(context: &mut Context<'_>) -> Answer {
    let body = context.body.take_v2()?;
    let body = object(&body)?;
    let is_category = !flag(body, "isPreference")?.unwrap_or(false);
    let change = Wanted::read(body)?.change(context.account, is_category, None)?;
    let id = context.account.preferences.create(is_category, change, context.now);
    answer(context.account, id)
}

/// `PUT /v2/preferences/{id}`. What is not sent stays; a preference never becomes a category.
pub(super) fn update(context: &mut Context<'_>) -> Answer {
    let id = preference_id(context.arg(0))?;
    let body = context.body.take_v2()?;
    let body = object(&body)?;
    let stored = known(context.account, id)?;
    let is_category = stored.is_category;
    let same_kind = flag(body, "isPreference")?.is_none_or(|leaf| leaf != is_category);
    if body.get("id").and_then(int32_value) != Some(id) || !same_kind {
        return Err(invalid());
    }
    let change = Wanted::read(body)?.change(context.account, is_category, Some(stored))?;
    context.account.preferences.update(id, change, context.now);
    answer(context.account, id)
}

/// `DELETE /v2/preferences/{id}`: a category goes with all that is in it.
pub(super) fn delete(context: &mut Context<'_>) -> Answer {
    let id = preference_id(context.arg(0))?;
    known(context.account, id)?;
    context.account.delete_preference(id);
    const DONE: &str = "Preference or category (and preferences) were deleted successfully";
    Ok(text_body(200, "text/plain; charset=utf-8", DONE))
}

/// Reads the id of a preference; here it is described as a text, so one that is no number is only
/// not found.
fn preference_id(text: &str) -> Result<i32, HttpResponse> {
    text.parse().map_err(|_| not_found())
}

/// The preference of that id.
pub(super) fn known(account: &Account, id: i32) -> Result<&Preference, HttpResponse> {
    let found = account.preferences.get(id);
    found.ok_or_else(not_found)
}

fn not_found() -> HttpResponse {
    v2_error(404, "ERROR_PREFERENCE_NOT_FOUND")
}

pub(super) fn invalid() -> HttpResponse {
    v2_error(400, "ERROR_PREFERENCE_INVALID")
}

/// All wanted preferences within their categories; `add` completes what is shown of each.
pub(super) fn tree_with(
    account: &Account,
    wanted: impl Fn(&Preference) -> bool,
    add: impl Fn(&Preference, &mut Value),
) -> Vec<Value> {
    let one = |preference: &Preference| {
        let mut one = shown(account, preference);
        add(preference, &mut one);
        one
    };
    let mut tree = Vec::new();
    for top in account.preferences.within(None) {
        let within = account.preferences.within(Some(top.id)).into_iter();
        let inner: Vec<Value> = within.filter(|inner| wanted(inner)).map(one).collect();
        if wanted(top) || !inner.is_empty() {
            let mut branch = one(top);
            if top.is_category {
                branch["preferences"] = inner.into();
            }
            tree.push(branch);
        }
    }
    tree
}

fn answer(account: &Account, id: i32) -> Answer {
    Ok(json_body(200, &shown(account, known(account, id)?)))
}

fn shown(account: &Account, preference: &Preference) -> Value {
    json!({
        "id": preference.id,
        "publicName": preference.public_name,
        "privateName": preference.private_name,
        "isPreference": !preference.is_category,
        "order": preference.order.to_string(),
        "isPublic": preference.is_public,
        "categoryId": preference.category.unwrap_or(0),
        "preferenceCount": account.preferences.within(Some(preference.id)).len(),
        "created": timestamp(preference.created),
        "lastModified": timestamp(preference.modified),
    })
}

/// The body that creates or changes a preference.
struct Wanted {
    public_name: String,
    private_name: String,
    is_public: Option<bool>,
    position: Option<Position>,
    /// Not sent, sent as none, or sent.
    category: Option<Option<i32>>,
}

impl Wanted {
    fn read(body: &Map<String, Value>) -> Result<Self, HttpResponse> {
        let name = |key: &str| body.get(key).and_then(Value::as_str).ok_or_else(invalid);
        // The description writes the key one way and its own examples the other, where it may be
        // null.
        let category = body.get("categoryID").map(category_of);
        let category = category.or_else(|| body.get("categoryId").map(category_or_null));
        Ok(Self {
            public_name: name("publicName")?.to_owned(),
            private_name: name("privateName")?.to_owned(),
            is_public: flag(body, "isPublic")?,
            position: body.get("order").map(position).transpose()?,
            category: category.transpose()?,
        })
    }

    fn change(
        self,
        account: &Account,
        is_category: bool,
        stored: Option<&Preference>,
    ) -> Result<PreferenceChange, HttpResponse> {
        let category = self.category.unwrap_or_else(|| stored.and_then(|stored| stored.category));
        let allowed = |id: i32| !is_category && account.preferences.is_category(id);
        if category.is_some_and(|id| !allowed(id)) {
            return Err(invalid());
        }
        let kept = stored.filter(|stored| stored.category == category);
        let kept = kept.map_or(Position::Bottom, |stored| Position::At(stored.order));
        Ok(PreferenceChange {
            public_name: self.public_name,
            private_name: self.private_name,
            is_public: self.is_public.unwrap_or_else(|| stored.is_none_or(|one| one.is_public)),
            category,
            position: self.position.unwrap_or(kept),
        })
    }
}

fn flag(body: &Map<String, Value>, key: &str) -> Result<Option<bool>, HttpResponse> {
    body.get(key).map(|value| value.as_bool().ok_or_else(invalid)).transpose()
}

/// A position, as text or, as in the description's example, as a number.
fn position(value: &Value) -> Result<Position, HttpResponse> {
    match value {
        Value::String(word) if word == "top" => Ok(Position::At(0)),
        Value::String(word) if word == "bottom" => Ok(Position::Bottom),
        Value::String(number) => number.parse().map(Position::At).map_err(|_| invalid()),
        number => {
            let number = int32_value(number).and_then(|number| usize::try_from(number).ok());
            number.map(Position::At).ok_or_else(invalid)
        }
    }
}

fn category_or_null(value: &Value) -> Result<Option<i32>, HttpResponse> {
    if value.is_null() { Ok(None) } else { category_of(value) }
}

/// 0 is no category.
fn category_of(id: &Value) -> Result<Option<i32>, HttpResponse> {
    int32_value(id).map(|id| (id != 0).then_some(id)).ok_or_else(invalid)
}
