//! The guide: how the crate is meant to be used, one chapter a module. There is no code in here.

pub mod dangerous_calls;
pub mod errors;
pub mod testing;
