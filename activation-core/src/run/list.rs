//! Which list a run keeps: found by its pin, adopted or created. Never two.

use super::error::RunError;
use crate::{
    Activation, Destination, DestinationError, DestinationErrorKind, ExistingList, ListAction,
    ListPin, ListState, ListWish,
};

/// The list as it was found, and what has to be done about it.
#[derive(Clone, Debug)]
pub(super) struct FoundList {
    pub(super) action: ListAction,
    /// `None` only when it has to be created.
    pub(super) state: Option<ListState>,
    /// Whether an update gives it another name.
    pub(super) rename: bool,
}

/// Looks for the activation's list; reads only.
pub(super) async fn find(
    destination: &dyn Destination,
    activation: &Activation,
    pin: Option<&ListPin>,
    create_intent: bool,
) -> Result<FoundList, RunError> {
    match pin {
        Some(pin) => find_pinned(destination, activation, pin).await,
        None => find_by_name(destination, activation, create_intent).await,
    }
}

/// Does what `found` says and gives the pin to remember.
pub(super) async fn ensure(
    destination: &dyn Destination,
    activation: &Activation,
    account: &str,
    found: FoundList,
    create_intent: bool,
) -> Result<ListPin, RunError> {
    let mut wish = wish(activation);
    let state = match (found.action, found.state) {
        (ListAction::Create, _) | (_, None) => {
            create(destination, activation, &wish, create_intent).await?
        }
        // An adopted list is brought to the wanted visibility as well.
        (ListAction::Update, Some(state)) => {
            if !found.rename {
                // Somebody renamed it by hand, and our own name for it did not change.
                wish.name = state.name;
            }
            destination.update_list(state.id, &wish).await?
        }
        (ListAction::Adopt, Some(state)) if state.visibility != Some(wish.visibility) => {
            destination.update_list(state.id, &wish).await?
        }
        (ListAction::Adopt | ListAction::Keep, Some(state)) => state,
    };
    Ok(ListPin {
        account: account.to_owned(),
        list_id: state.id,
        name: activation.list_name().to_owned(),
        visibility: wish.visibility,
    })
}

fn wish(activation: &Activation) -> ListWish {
    ListWish {
        name: activation.list_name().to_owned(),
        visibility: activation.resolved().visibility,
    }
}

async fn find_pinned(
    destination: &dyn Destination,
    activation: &Activation,
    pin: &ListPin,
) -> Result<FoundList, RunError> {
    let state = pinned(destination, pin).await?;
    // What others changed by hand is accepted; what our own configuration changed is passed on.
    let wish = wish(activation);
    let rename = wish.name != pin.name;
    let changed = rename || wish.visibility != pin.visibility;
    let action = if changed { ListAction::Update } else { ListAction::Keep };
    Ok(FoundList { action, state: Some(state), rename })
}

/// The list that the pin names.
pub(super) async fn pinned(
    destination: &dyn Destination,
    pin: &ListPin,
) -> Result<ListState, RunError> {
    destination.list(pin.list_id).await?.ok_or_else(|| {
        RunError::Stopped(format!(
            "list {} (\"{}\") no longer exists; nothing was changed. Bring it back, or give this \
             activation a fresh state to start a new list",
            pin.list_id, pin.name
        ))
    })
}

async fn find_by_name(
    destination: &dyn Destination,
    activation: &Activation,
    create_intent: bool,
) -> Result<FoundList, RunError> {
    match destination.list_named(activation.list_name()).await? {
        None => Ok(FoundList { action: ListAction::Create, state: None, rename: false }),
        Some(state) => {
            // It was not there when the intent was written: it is the one we asked for.
            if !create_intent {
                may_adopt(destination, activation, &state).await?;
            }
            Ok(FoundList { action: ListAction::Adopt, state: Some(state), rename: false })
        }
    }
}

async fn may_adopt(
    destination: &dyn Destination,
    activation: &Activation,
    state: &ListState,
) -> Result<(), RunError> {
    let policy = activation.resolved().existing_list;
    if matches!(policy, ExistingList::KeepMembers | ExistingList::OwnAll) {
        return Ok(());
    }
    if policy == ExistingList::OnlyIfEmpty {
        let first_page = destination.members(state.id).next_page().await?;
        if first_page.is_none_or(|page| page.is_empty()) {
            return Ok(());
        }
    }
    Err(RunError::Stopped(format!(
        "a list named \"{}\" exists already (id {}){}; nothing was changed. Give the activation \
         another name, or set existing_list to \"keep_members\" to use it and leave its members, or to \
         \"own_all\" to take them for your own",
        state.name,
        state.id,
        if policy == ExistingList::OnlyIfEmpty { " and has members" } else { "" },
    )))
}

async fn create(
    destination: &dyn Destination,
    activation: &Activation,
    wish: &ListWish,
    create_intent: bool,
) -> Result<ListState, RunError> {
    let error = match destination.create_list(wish).await {
        Ok(state) => return Ok(state),
        Err(error) => error,
    };
    match error.kind {
        // The answer was lost, perhaps after the list was made; its name tells. When that cannot be
        // asked either, what remains is that the list may be there.
        DestinationErrorKind::Unknown => match destination.list_named(&wish.name).await {
            Ok(Some(state)) => Ok(state),
            Ok(None) | Err(_) => Err(error.into()),
        },
        DestinationErrorKind::NameTaken => match destination.list_named(&wish.name).await? {
            // It appeared after the plan was made: who is on it was not looked at. With an intent it
            // is the one an earlier run asked for.
            Some(_)
                if !create_intent
                    && activation.resolved().existing_list == ExistingList::OwnAll =>
            {
                Err(RunError::NotYet(format!(
                    "a list named \"{}\" has appeared just now; the next run looks at its members",
                    wish.name
                )))
            }
            Some(state) if create_intent => Ok(state),
            Some(state) => may_adopt(destination, activation, &state).await.map(|()| state),
            None => Err(name_taken(error).into()),
        },
        _ => Err(error.into()),
    }
}

fn name_taken(error: DestinationError) -> DestinationError {
    DestinationError::new(
        DestinationErrorKind::NameTaken,
        "the list's name belongs to a segment or to the system; give the activation another",
    )
    .caused_by(error)
}
