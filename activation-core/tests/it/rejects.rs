//! Rows without a usable identifier: counted always, shown on request only.

use activation_core::{Activation, Reject, RunReport, Settings, SettingsPatch};

use crate::world::World;

async fn run(patch: &SettingsPatch) -> RunReport {
    let world = World::new();
    let mut rows = vec!["jane(at)example.com".to_owned(), String::new(), "x".repeat(3_000)];
    rows.extend(crate::world::people(200));
    world.segment(rows);
    let settings = Settings::resolve(&SettingsPatch::default(), patch);
    let activation = Activation::new("vip").settings(settings);
    let planned = world.plan(&activation).await;
    let report = world.run(&activation).await;
    assert_eq!(planned.rejected_rows, report.rejected_rows, "a dry run shows the same");
    assert_eq!(report.rejected.values().sum::<u64>(), 3, "{report}");
    report
}

#[tokio::test(start_paused = true)]
async fn by_default_no_report_shows_any() {
    let report = run(&SettingsPatch::default()).await;
    assert_eq!(report.rejected_rows, []);
    let shown =
        [serde_json::to_string(&report).unwrap(), report.to_string(), format!("{report:?}")];
    for text in shown {
        assert!(!text.contains("jane") && !text.contains("rejected_rows\":"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn on_request_a_report_carries_the_first_of_them_with_reasons() {
    let report = run(&SettingsPatch::default().show_rejects(2)).await;
    let rows: Vec<_> = report.rejected_rows.iter().map(|row| (row.reason, &*row.row)).collect();
    assert_eq!(rows, [(Reject::InvalidEmail, "jane(at)example.com"), (Reject::Empty, "")]);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["rejected_rows"][0]["row"], "jane(at)example.com");
    assert_eq!(json["rejected_rows"][0]["reason"], "invalid_email");
    for text in [report.to_string(), format!("{report:?}")] {
        assert!(!text.contains("jane"), "not where it may be logged: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_row_is_cut() {
    let report = run(&SettingsPatch::default().show_rejects(9)).await;
    assert_eq!(report.rejected_rows.len(), 3);
    assert_eq!(report.rejected_rows[2].row.len(), 1_000);
}
