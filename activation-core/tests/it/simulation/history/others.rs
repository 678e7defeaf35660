//! What other people do to the account while nobody runs.

use dotdigital_client::simulator::ListView;

use super::{PEOPLE, Stage};

/// Something that a run is not asked about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Edit {
    /// Somebody is suppressed on all channels, and so leaves every list.
    Suppress(usize),
    /// The list gets another name.
    Rename(u8),
}

impl Edit {
    pub(super) fn random(dice: &mut fastrand::Rng) -> Option<Self> {
        let (person, number) = (dice.usize(0..PEOPLE), dice.u8(..));
        match dice.u8(0..10) {
            0 => Some(Self::Suppress(person)),
            1 => Some(Self::Rename(number)),
            _ => None,
        }
    }
}

impl Stage {
    pub(super) async fn edit(&mut self, edit: Edit) {
        match edit {
            Edit::Suppress(person) => {
                let contact = self.terrain.add_contact(&self.simulator, person);
                self.contacts.insert(person);
                self.simulator.suppress_contact(contact);
                self.terrain.silent.insert(person);
                self.suppressed_later.insert(person);
                self.taken_off = true;
            }
            // Before the state knows its id, a list of another name is another list.
            Edit::Rename(number) if self.has_list().await => {
                if let Some(list) = self.list() {
                    self.list_name = format!("VIP {number}");
                    self.simulator.rename_list(list.id, &self.list_name);
                }
            }
            Edit::Rename(_) => {}
        }
    }

    /// The list, whatever it is called by now.
    pub(super) fn list(&self) -> Option<ListView> {
        self.simulator.list_named(&self.list_name)
    }
}
