//! Segments and their refreshing: `/v2/segments`.

use serde_json::{Value, json};

use super::{
    Answer, Context,
    answer::{json_body, v2_error},
    v2_parameters::{Slice, int32},
};
use crate::{
    simulator::account::{Account, Segment, Work},
    transport::HttpResponse,
};

/// `GET /v2/segments`.
pub(super) fn page(context: &mut Context<'_>) -> Answer {
    let slice = Slice::read(&context.query)?;
    let account = &*context.account;
    let shown = |segment: &Segment| {
        let members = segment.members.iter().filter(|id| account.contacts.get(**id).is_some());
        json!({"id": segment.id, "name": segment.name, "contacts": members.count()})
    };
    let page: Vec<Value> = slice.of(account.segments.values()).map(shown).collect();
    Ok(json_body(200, &page))
}

/// `POST /v2/segments/refresh/{id}`.
pub(super) fn refresh(context: &mut Context<'_>) -> Answer {
    let id = known(context.account, context.arg(0))?.id;
    let job = context.submit(Work::RefreshSegment);
    if let Some(segment) = context.account.segments.get_mut(&id) {
        segment.refresh = Some(job);
    }
    Ok(json_body(202, &json!({"id": id, "status": "NotStarted"})))
}

/// `GET /v2/segments/refresh/{id}`.
pub(super) fn refresh_status(context: &mut Context<'_>) -> Answer {
    let segment = known(context.account, context.arg(0))?;
    let status = segment.refresh_status(&context.account.jobs);
    Ok(json_body(200, &json!({"id": segment.id, "status": status})))
}

fn known<'a>(account: &'a Account, id: &str) -> Result<&'a Segment, HttpResponse> {
    let segment = account.segments.get(&int32(id)?);
    segment.ok_or_else(|| v2_error(404, "ERROR_SEGMENT_NOT_FOUND"))
}
