//! The HTTP side of the account: recognising calls, checking their shape, answering in the
//! service's words.

mod account_info;
mod answer;
mod body;
mod consent;
mod contact_json;
mod contact_pages;
mod contacts;
mod deletion;
mod import;
mod list_members;
mod lists;
mod query;
mod route;
mod schema;

use chrono::{DateTime, Utc};

use self::route::Operation;
pub(super) use self::{
    answer::{
        forbidden_region, html, status, throttled, too_many_imports, unauthorised, usage_exceeded,
    },
    body::Body,
    query::Query,
    route::{Matched, route},
};
use super::account::{Account, JobFault, Work};
use crate::transport::HttpResponse;

/// An answer; `Err` is one that ends the handling early.
type Answer = Result<HttpResponse, HttpResponse>;

/// One call that was let in, and the account it is about.
pub(super) struct Context<'a> {
    pub(super) account: &'a mut Account,
    /// Scheme and authority the caller used.
    pub(super) base: &'a str,
    /// Values of the path's parameters, decoded.
    pub(super) args: &'a [String],
    pub(super) query: Query,
    pub(super) body: Body,
    pub(super) body_bytes: usize,
    pub(super) calls_in_last_hour: usize,
    pub(super) job_fault: Option<JobFault>,
    pub(super) now: DateTime<Utc>,
}

impl Context<'_> {
    /// The path's parameter of that position; the route has made sure that there is one.
    fn arg(&self, position: usize) -> &str {
        self.args.get(position).map_or("", String::as_str)
    }

    /// Hands in a job and returns its id.
    fn submit(&mut self, work: Work) -> String {
        let takes = self.account.settings.latency.of(work.len());
        self.account.jobs.submit(work, self.job_fault.take(), self.now, takes)
    }
}

/// Answers a call.
pub(super) fn respond(operation: Operation, mut context: Context<'_>) -> HttpResponse {
    let context = &mut context;
    let answer = match operation {
        Operation::AccountInfo => account_info::get(context),
        Operation::CreateList => lists::create(context),
        Operation::Lists => lists::page(context),
        Operation::GetList => lists::get(context),
        Operation::UpdateList => lists::update(context),
        Operation::DeleteList => lists::delete(context),
        Operation::RemoveMember => list_members::remove(context),
        Operation::RemoveMembers => list_members::remove_many(context),
        Operation::RemovalStatus => list_members::removal_status(context),
        Operation::EmptyList => list_members::empty(context),
        Operation::EmptyListJob => list_members::empty_by_job(context),
        Operation::Import => import::submit(context),
        Operation::ImportStatus => import::status(context),
        Operation::Contacts => contact_pages::page(context),
        Operation::GetContact => contacts::get(context),
        Operation::UpdateContact => contacts::update(context),
        Operation::ReplaceContact => contacts::replace(context),
        Operation::DeleteContact => deletion::delete(context),
        Operation::DeleteContacts => deletion::delete_many(context),
        Operation::DeleteStatus => deletion::delete_status(context),
        Operation::DeleteContactV2 => deletion::delete_v2(context),
        Operation::EmptyBin => deletion::empty_bin(context),
        Operation::UnsubscribeFromList => consent::unsubscribe_from_list(context),
        Operation::Unsubscribe => consent::unsubscribe(context),
        Operation::ResubscribeToList => consent::resubscribe_to_list(context),
        Operation::Resubscribe => consent::resubscribe(context),
        Operation::Suppress => consent::suppress(context),
        Operation::Unknown => Err(answer::no_such_endpoint(false)),
        Operation::UnknownV3 => Err(answer::no_such_endpoint(true)),
    };
    answer.unwrap_or_else(|early| early)
}
