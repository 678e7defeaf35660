//! The same sync written the way a connector does it that handles one contact at a time: an upsert
//! for everybody who came, a look-up and a removal for everybody who left.

use std::{error::Error, ops::Range};

use dotdigital_client::{
    Client, Identifier, ListId, contacts::ContactUpdate, list_members::Removal,
};

use crate::members::address;

/// Brings the list from `before` to `after`, which it is told; a connector would keep or query them.
pub(crate) async fn sync(
    client: &Client,
    list: ListId,
    before: &Range<u32>,
    after: &Range<u32>,
) -> Result<(), Box<dyn Error>> {
    for member in after.clone().filter(|member| !before.contains(member)) {
        let update = ContactUpdate::new().list(list);
        client.contacts().upsert(&Identifier::email(&address(member))?, &update).await?;
    }
    for member in before.clone().filter(|member| !after.contains(member)) {
        let identifier = Identifier::email(&address(member))?;
        let found = client.contacts().find(&identifier).await?;
        let contact = found.ok_or("somebody on the list is no contact")?.contact_id;
        let removal = client.list_members(list).remove(contact).await?;
        if removal != Removal::Removed {
            return Err("a contact was not removed".into());
        }
    }
    Ok(())
}
