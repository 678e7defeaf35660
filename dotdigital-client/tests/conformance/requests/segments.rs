//! Requests about segments.

use dotdigital_client::SegmentId;
use proptest::prelude::*;

use super::{Case, case, inputs::soon};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("segments::Segments::list", "GET /v2/segments", Just(()), |client, ()| async move {
            client.segments().list().await.ok();
        }),
        case(
            "segments::Segments::refresh",
            "POST /v2/segments/refresh/{id}",
            segment_id(),
            |client, segment| async move {
                client.segments().refresh(segment).await.ok();
            },
        ),
        case(
            "segments::Segments::refresh_progress",
            "GET /v2/segments/refresh/{id}",
            segment_id(),
            |client, segment| async move {
                client.segments().refresh_progress(segment).await.ok();
            },
        ),
        case(
            "segments::Segments::wait",
            "GET /v2/segments/refresh/{id}",
            segment_id(),
            |client, segment| async move {
                client.segments().wait(segment, &soon()).await.ok();
            },
        ),
    ]
}

fn segment_id() -> impl Strategy<Value = SegmentId> {
    (1..=i32::MAX).prop_map(|id| SegmentId::new(id).unwrap())
}
