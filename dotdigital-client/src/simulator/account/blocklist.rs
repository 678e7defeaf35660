//! Addresses that no contact may have.

use std::collections::HashSet;

use super::UpsertFault;

/// Whom the vendor refuses, whatever the account wants. Everything in lower case.
#[derive(Default)]
pub(in crate::simulator) struct Blocklist {
    globally_suppressed: HashSet<String>,
    domains: HashSet<String>,
    addresses: HashSet<String>,
}

impl Blocklist {
    pub(in crate::simulator) fn suppress_globally(&mut self, email: &str) {
        self.globally_suppressed.insert(email.to_lowercase());
    }

    pub(in crate::simulator) fn suppress_domain(&mut self, domain: &str) {
        self.domains.insert(domain.to_lowercase());
    }

    pub(in crate::simulator) fn block(&mut self, email: &str) {
        self.addresses.insert(email.to_lowercase());
    }

    /// Why a contact may not have that address, if it may not.
    pub(in crate::simulator) fn fault(&self, email: &str) -> Option<UpsertFault> {
        // Imports ask this for every row, and most accounts block nobody.
        if self.globally_suppressed.is_empty()
            && self.domains.is_empty()
            && self.addresses.is_empty()
        {
            return None;
        }
        let email = email.to_lowercase();
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
        if self.globally_suppressed.contains(&email) {
            Some(UpsertFault::GloballySuppressed)
        } else if self.domains.contains(domain) {
            Some(UpsertFault::SuppressedByDomain)
        } else if self.addresses.contains(&email) {
            Some(UpsertFault::Blocked)
        } else {
            None
        }
    }
}
