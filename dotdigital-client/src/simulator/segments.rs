//! Setting segments up.

use super::Simulator;

impl Simulator {
    /// Creates a segment, or finds the one of that name; returns its id. No list can have its name.
    pub fn add_segment(&self, name: &str) -> i32 {
        self.lock().account.add_segment(name)
    }

    /// Puts a contact into a segment.
    pub fn add_segment_member(&self, segment: i32, contact: i64) {
        if let Some(segment) = self.lock().account.segments.get_mut(&segment) {
            segment.members.insert(contact);
        }
    }

    /// Takes a contact out of a segment.
    pub fn remove_segment_member(&self, segment: i32, contact: i64) {
        if let Some(segment) = self.lock().account.segments.get_mut(&segment) {
            segment.members.remove(&contact);
        }
    }
}
