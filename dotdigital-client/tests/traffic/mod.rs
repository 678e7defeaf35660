//! Calls of all kinds to a simulated account: a tour of everything it can do, and arbitrary ones.

pub(crate) mod account;
mod documented;
mod mutation;
mod requests;
mod samples;
mod switches;
mod tour;

pub(crate) use self::{
    account::Caller,
    documented::assert_documented,
    requests::calls,
    samples::requests_with_samples,
    switches::{any_switches, each_switch},
    tour::tour,
};
