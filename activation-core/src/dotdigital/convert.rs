//! Between the engine's words and the client's. Pure.

use dotdigital_client::{self as client, contacts::ContactUpdate, imports::ImportContact};

use crate::{
    BatchMember, ContactId, DestinationError, DestinationErrorKind, Identifier, IdentifierKind,
    ListMember, ListState, ListWish, Operation, Visibility,
};

/// A list as the engine knows it.
pub(super) fn list_state(list: client::lists::ContactList) -> ListState {
    ListState {
        id: list_id(list.id),
        visibility: match list.visibility {
            client::lists::Visibility::Private => Some(Visibility::Private),
            client::lists::Visibility::Public => Some(Visibility::Public),
            _ => None,
        },
        name: list.name,
    }
}

/// A list's id as the engine knows it.
pub(super) fn list_id(id: client::ListId) -> u64 {
    u64::from(id.get().unsigned_abs())
}

/// A list as the client wants it.
pub(super) fn new_list(wish: &ListWish) -> Result<client::lists::NewList, DestinationError> {
    let name = list_name(&wish.name)?;
    let visibility = match wish.visibility {
        Visibility::Private => client::lists::Visibility::Private,
        Visibility::Public => client::lists::Visibility::Public,
    };
    Ok(client::lists::NewList { name, visibility })
}

/// A list's name as the client wants it.
pub(super) fn list_name(name: &str) -> Result<client::lists::ListName, DestinationError> {
    client::lists::ListName::parse(name).map_err(|error| {
        let message = format!("\"{name}\" cannot be the name of a list");
        DestinationError::new(DestinationErrorKind::Configuration, message).caused_by(error)
    })
}

/// A list id as the client wants it.
pub(super) fn client_list_id(id: u64) -> Result<client::ListId, DestinationError> {
    i32::try_from(id).ok().and_then(|id| client::ListId::new(id).ok()).ok_or_else(unknown_list)
}

/// An error for an id that no list of this service can have.
pub(super) fn unknown_list() -> DestinationError {
    DestinationError::new(
        DestinationErrorKind::ListGone,
        "the state names a list id that this service does not use",
    )
}

/// A contact id as the engine knows it.
pub(super) fn contact_id(id: client::ContactId) -> Option<ContactId> {
    u64::try_from(id.get()).ok().and_then(ContactId::new)
}

/// The id of a contact, unless it is in the recycle bin: naming it there would bring it back.
pub(super) fn live_contact(contact: &client::contacts::Contact) -> Option<ContactId> {
    match contact.status {
        Some(
            client::contacts::ContactStatus::Binned | client::contacts::ContactStatus::Deleted,
        ) => None,
        _ => contact_id(contact.contact_id),
    }
}

/// The contact id of a member to remove.
pub(super) fn client_contact_id(
    member: &BatchMember,
) -> Result<client::ContactId, DestinationError> {
    member
        .contact
        .and_then(|contact| i64::try_from(contact.get()).ok())
        .and_then(|contact| client::ContactId::new(contact).ok())
        .ok_or_else(|| refused("invalid_contact_id"))
}

/// What a member to add is matched by: the contact id where the contact must exist already.
pub(super) fn match_identifier(
    member: &BatchMember,
) -> Result<client::Identifier, DestinationError> {
    if member.contact.is_some() {
        return client_contact_id(member).map(client::Identifier::ContactId);
    }
    member.identifier.as_ref().ok_or_else(|| refused("no_identifier")).and_then(client_identifier)
}

/// A member to add or to move as a row of an import.
pub(super) fn import_contact(
    operation: Operation,
    list: client::ListId,
    member: &BatchMember,
) -> Result<ImportContact, DestinationError> {
    if operation == Operation::Move {
        let (contact, update) = move_of(list, member)?;
        return Ok(ImportContact::with(contact, update));
    }
    Ok(ImportContact::new(match_identifier(member)?).list(list))
}

/// What a member to move is matched by, and what is to be stored: the new identifier and the list,
/// nothing else.
pub(super) fn move_of(
    list: client::ListId,
    member: &BatchMember,
) -> Result<(client::Identifier, ContactUpdate), DestinationError> {
    let contact = client::Identifier::ContactId(client_contact_id(member)?);
    let update = ContactUpdate::new().list(list);
    let identifier = member.identifier.as_ref().ok_or_else(|| refused("no_identifier"))?;
    match client_identifier(identifier)? {
        client::Identifier::Email(email) => Ok((contact, update.email(email))),
        client::Identifier::MobileNumber(number) => Ok((contact, update.mobile_number(number))),
        // A contact id is given by the service and never changes.
        _ => Err(refused("not_movable")),
    }
}

/// An identifier as the client wants it.
pub(super) fn client_identifier(
    identifier: &Identifier,
) -> Result<client::Identifier, DestinationError> {
    let text = identifier.to_text();
    match identifier.kind() {
        IdentifierKind::ContactId => (text.parse().ok())
            .and_then(|id| client::ContactId::new(id).ok())
            .map(client::Identifier::ContactId)
            .ok_or_else(|| refused("invalid_contact_id")),
        IdentifierKind::Email => client::EmailAddress::parse(&text)
            .map(client::Identifier::Email)
            .map_err(|_| refused("invalid_email")),
        IdentifierKind::MobileNumber => client::MobileNumber::parse(&text)
            .map(client::Identifier::MobileNumber)
            .map_err(|_| refused("invalid_mobile_number")),
    }
}

/// A member of a list as the engine knows them.
pub(super) fn list_member(contact: client::contacts::Contact) -> Option<ListMember> {
    let id = contact_id(contact.contact_id)?;
    Some(ListMember { contact: id, identifiers: identifiers(id, &contact.identifiers) })
}

/// Everything a contact is recognised by, in normal form. The service may echo another spelling
/// than was sent.
pub(super) fn identifiers(
    contact: ContactId,
    identifiers: &client::contacts::Identifiers,
) -> Vec<Identifier> {
    texts(identifiers).chain([Identifier::from(contact)]).collect()
}

/// The addresses among what a contact is recognised by, in normal form.
pub(super) fn texts(
    identifiers: &client::contacts::Identifiers,
) -> impl Iterator<Item = Identifier> {
    let email = identifiers.email.as_ref().map(|email| (IdentifierKind::Email, email));
    let mobile = identifiers.mobile_number.as_ref();
    let mobile = mobile.map(|mobile| (IdentifierKind::MobileNumber, mobile));
    let both = [email, mobile].into_iter().flatten();
    both.filter_map(|(kind, text)| kind.normalise(text.as_bytes()).ok())
}

/// Refuses a batch because of a member in it; the engine then finds out which.
fn refused(code: &str) -> DestinationError {
    DestinationError::new(
        DestinationErrorKind::Refused { code: code.to_owned() },
        "an identifier cannot be sent to this service",
    )
}
