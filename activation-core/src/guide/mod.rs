//! Guides, as pages to read.

pub mod warehouses;
