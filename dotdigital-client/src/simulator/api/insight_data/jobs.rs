//! What became of deleting and emptying: `/insightData/v3/async/{jobId}`.

use serde_json::{Value, json};

use super::super::{
    Answer, Context,
    answer::{json_body, v3_error},
    import::is_guid,
};
use crate::simulator::account::{Job, RecordsReport, Report, Work};

pub(in crate::simulator::api) fn status(context: &mut Context<'_>) -> Answer {
    let id = context.arg(0);
    if !is_guid(id) {
        return Err(v3_error(400, "insightData:invalidId", "The job id is not valid"));
    }
    let body = match context.account.jobs.get(id) {
        Some(Job::Pending(Work::DeleteCollection { .. } | Work::EmptyCollection { .. }, _)) => {
            json!({"jobId": id, "status": "NotFinished"})
        }
        Some(Job::Done(Report::Records(report))) => shown(id, report),
        _ => {
            const TEXT: &str = "The job could not be found";
            return Err(v3_error(404, "insightData:asyncJobNotFound", TEXT));
        }
    };
    Ok(json_body(200, &body))
}

fn shown(id: &str, report: &RecordsReport) -> Value {
    let missing = json!({
        "errorCode": "insightData:collectionNotFound",
        "description": "The collection could not be found",
    });
    json!({
        "jobId": id,
        "status": if report.failed { "Failed" } else { "Finished" },
        "summary": {
            "totalRecords": report.deleted,
            "totalProcessed": report.deleted,
            "totalFailed": 0,
        },
        "failures": if report.collection_missing { vec![missing] } else { Vec::new() },
    })
}
