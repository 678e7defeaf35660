//! The service's resources: one module each, with its calls and its types.

pub mod account;
pub mod contacts;
pub mod custom_identifiers;
pub mod data_fields;
pub mod imports;
pub mod insight_data;
pub mod list_members;
pub mod lists;
pub mod preferences;
pub mod programs;
pub mod segments;
pub mod suppressions;
