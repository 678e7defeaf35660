//! The HTTP side of the account: recognising calls, checking their shape, answering in the
//! service's words.

mod account_info;
mod answer;
mod body;
mod consent;
mod contact_json;
mod contact_pages;
mod contact_preferences;
mod contacts;
mod custom_identifiers;
mod data_fields;
mod deletion;
mod email_contact_json;
mod enrolments;
mod import;
mod insight_data;
mod list_addition;
mod list_members;
mod lists;
mod markers;
mod member_pages;
mod preferences;
mod programs;
mod query;
mod route;
mod schema;
mod segments;
mod suppressions;
mod v2_parameters;

use chrono::{DateTime, Utc};

use self::route::Operation;
pub(super) use self::{
    answer::{
        forbidden_region, html, refused, status, throttled, too_many_imports, unauthorised,
        usage_exceeded,
    },
    body::Body,
    contacts::contact_in_full,
    query::Query,
    route::{Endpoint, Matched, endpoints, route},
};
use super::account::{Account, JobFault, Scope, Work};
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
        Operation::ServerTime => account_info::server_time(context),
        Operation::CustomIdentifiers => custom_identifiers::list(context),
        Operation::CreateCustomIdentifier => custom_identifiers::create(context),
        Operation::DeleteCustomIdentifier => custom_identifiers::delete(context),
        Operation::DataFields => data_fields::list(context),
        Operation::CreateDataField => data_fields::create(context),
        Operation::DeleteDataField => data_fields::delete(context),
        Operation::CreateList => lists::create(context),
        Operation::Lists => lists::page(context),
        Operation::GetList => lists::get(context),
        Operation::UpdateList => lists::update(context),
        Operation::DeleteList => lists::delete(context),
        Operation::Members => member_pages::members(context),
        Operation::ModifiedMembers => member_pages::modified(context),
        Operation::AddMember => list_addition::add(context),
        Operation::RemoveMember => list_members::remove(context),
        Operation::RemoveMembers => list_members::remove_many(context),
        Operation::RemovalStatus => list_members::removal_status(context),
        Operation::EmptyList => list_members::empty(context),
        Operation::EmptyListJob => list_members::empty_by_job(context),
        Operation::Import => import::submit(context),
        Operation::ImportStatus => import::status(context),
        Operation::Contacts => contact_pages::page(context),
        Operation::CreateContact => contacts::create(context),
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
        Operation::ResubscribeToListAtOnce => consent::resubscribe_to_list_at_once(context),
        Operation::Resubscribe => consent::resubscribe(context),
        Operation::ResubscribeAtOnce => consent::resubscribe_at_once(context),
        Operation::Suppress => consent::suppress(context),
        Operation::PrivateLists => lists::private_page(context),
        Operation::PublicLists => lists::public_page(context),
        Operation::ListCampaigns => lists::campaigns(context),
        Operation::UnsubscribedFromList => lists::unsubscribed_since(context),
        Operation::SuppressedSince => suppressions::suppressed_since(context),
        Operation::UnsubscribedSince => suppressions::unsubscribed_since(context),
        Operation::Subscriptions => suppressions::subscriptions(context),
        Operation::Preferences => preferences::tree(context),
        Operation::PreferencesSince => preferences::modified_since(context),
        Operation::CreatePreference => preferences::create(context),
        Operation::UpdatePreference => preferences::update(context),
        Operation::DeletePreference => preferences::delete(context),
        Operation::ContactPreferences => contact_preferences::get(context),
        Operation::SetContactPreferences => contact_preferences::set(context),
        Operation::WithPreference => contact_preferences::with_preference(context),
        Operation::OptInsSince => contact_preferences::changed_since(context),
        Operation::WithPreferenceOnList => contact_preferences::with_preference_on_list(context),
        Operation::OptInsSinceOnList => contact_preferences::changed_since_on_list(context),
        Operation::Programs => programs::page(context),
        Operation::GetProgram => programs::get(context),
        Operation::Enrol => enrolments::create(context),
        Operation::Enrolments => enrolments::page(context),
        Operation::GetEnrolment => enrolments::get(context),
        Operation::EnrolmentFaults => enrolments::faults(context),
        Operation::Segments => segments::page(context),
        Operation::RefreshSegment => segments::refresh(context),
        Operation::SegmentRefresh => segments::refresh_status(context),
        Operation::InsightImport => insight_data::import::submit(context),
        Operation::InsightImportStatus => insight_data::import::status(context),
        Operation::InsightJob => insight_data::jobs::status(context),
        Operation::Collections => insight_data::collections::all(context),
        Operation::CreateCollection => insight_data::collections::create(context),
        Operation::DeleteCollection => insight_data::collections::delete(context),
        Operation::EmptyCollection => insight_data::collections::empty(context),
        Operation::CollectionSchema => insight_data::collections::schema(context),
        Operation::AccountCollections => insight_data::collections::of_account(context),
        Operation::ContactCollections => insight_data::collections::of_contact(context),
        Operation::AccountRecords => insight_data::pages::of_account(context),
        Operation::RecordsOfAllContacts => insight_data::pages::of_all_contacts(context),
        Operation::ContactRecords => insight_data::pages::of_contact(context),
        Operation::GetAccountRecord => insight_data::records::get(context, Scope::Account),
        Operation::PutAccountRecord => insight_data::records::put(context, Scope::Account),
        Operation::DeleteAccountRecord => insight_data::records::delete(context, Scope::Account),
        Operation::DeleteAccountRecords => {
            insight_data::records::delete_many(context, Scope::Account)
        }
        Operation::DeleteContactRecords => {
            insight_data::records::delete_many(context, Scope::Contact)
        }
        Operation::EmptyContactCollection => insight_data::collections::empty_of_contact(context),
        Operation::GetContactRecord => insight_data::records::get(context, Scope::Contact),
        Operation::PutContactRecord => insight_data::records::put(context, Scope::Contact),
        Operation::DeleteContactRecord => insight_data::records::delete(context, Scope::Contact),
        Operation::Unknown => Err(answer::no_such_endpoint(false)),
        Operation::UnknownV3 => Err(answer::no_such_endpoint(true)),
    };
    answer.unwrap_or_else(|early| early)
}
