//! What runs do with the files of SQLite.

use std::{fs, sync::Arc};

use activation_core::{
    Activation, IdentifierKind, RunStatus, Runner, ScheduledActivation, Settings, SettingsPatch,
};
use rusqlite::Connection;

use super::{Host, MINUTE, Side, plain, vip};
use crate::world::people;

#[tokio::test(start_paused = true)]
async fn only_what_changed_travels() {
    let host = Host::new("CREATE TABLE members (email)");
    let side = Side::new(host.pushed_down());
    host.set_texts(&people(1_000));
    assert_eq!(side.run(&vip()).await.added, 1_000);
    assert_eq!(side.steps.rows(), 1_000, "the first run reads everybody");
    let mut members = people(1_003);
    members.drain(..2);
    members.push("PERSON000500@example.com".to_owned());
    host.set_texts(&members);
    let report = side.run(&vip()).await;
    assert_eq!((report.added, report.removed, report.unchanged), (3, 2, 998), "{report}");
    assert_eq!(side.steps.rows(), 1 + 2 + 4, "the number of rows, who went, who came");
    let report = side.run(&vip()).await;
    assert_eq!((report.status, report.unchanged), (RunStatus::NothingToDo, 1_001), "{report}");
    assert_eq!(side.steps.rows(), 1 + 1, "the second spelling is met in each run");
    side.assert_tidy(&vip(), &host).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_dwells_returns_or_is_spelt_anew_is_known_without_a_full_read() {
    let host = Host::new("CREATE TABLE members (email)");
    let side = Side::new(host.pushed_down());
    let patch = SettingsPatch::default().leave_after_runs(3.try_into().unwrap());
    let patient =
        Activation::new("vip").settings(Settings::resolve(&SettingsPatch::default(), &patch));
    host.set_texts(&people(100));
    side.run(&patient).await;
    // How many are in the segment, and how many rows come: the number of rows, and each change.
    for (members, rows) in [(98, 1 + 2), (98, 1), (99, 1 + 1), (99, 1), (99, 1)] {
        side.steps.rows();
        host.set_texts(&people(100)[100 - members..]);
        let report = side.run(&patient).await;
        assert_eq!((report.unchanged, side.steps.rows()), (members as u64, rows), "{report}");
    }
    assert_eq!(side.world.on_list("vip"), people(100)[1..]);
    // Everybody is spelt in another way, and stays.
    let capitals: Vec<String> = people(100)[1..].iter().map(|one| one.to_uppercase()).collect();
    for rows in [1 + 99 + 99, 1] {
        host.set_texts(&capitals);
        let report = side.run(&patient).await;
        assert_eq!((report.unchanged, side.steps.rows()), (99, rows), "{report}");
    }
    side.assert_tidy(&patient, &host).await;
}

#[tokio::test(start_paused = true)]
async fn a_table_of_another_kind_of_identifier_is_not_compared_with() {
    let host = Host::new("CREATE TABLE members (email)");
    let side = Side::new(host.pushed_down());
    host.set_texts(&people(3));
    side.run(&vip()).await;
    let patch = SettingsPatch::default().identifier(IdentifierKind::MobileNumber);
    let mobile = vip().settings(Settings::resolve(&SettingsPatch::default(), &patch));
    let report = side.run(&mobile).await;
    assert_eq!(report.rejected["invalid_mobile_number"], 3, "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_table_that_was_lost_or_changed_is_made_anew() {
    let host = Host::new("CREATE TABLE members (email)");
    let side = Side::new(host.pushed_down());
    host.set_texts(&people(100));
    side.run(&vip()).await;
    for damage in ["DROP TABLE {}", "DELETE FROM {} WHERE rowid < 3"] {
        let table = side.state(&vip()).await.head.table.unwrap();
        let damage = damage.replace("{}", &table);
        Connection::open(host.tables_file()).unwrap().execute_batch(&damage).unwrap();
        side.steps.rows();
        let report = side.run(&vip()).await;
        assert_eq!((report.status, report.unchanged), (RunStatus::NothingToDo, 100), "{report}");
        assert!(side.steps.rows() >= 100, "everybody was read");
        side.run(&vip()).await;
        assert_eq!(side.steps.rows(), 1);
        side.assert_tidy(&vip(), &host).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_makes_no_table_and_the_segments_file_stays_as_it_is() {
    let host = Host::new("CREATE TABLE members (email)");
    host.set_texts(&people(10));
    let before = fs::read(host.file()).unwrap();
    let side = Side::new(host.pushed_down());
    let destination = side.world.destination();
    side.engine().plan(&vip(), &side.source, &destination).await;
    assert!(!host.tables_file().exists());
    side.run(&vip()).await;
    assert_eq!(fs::read(host.file()).unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn columns_that_compare_in_other_ways_and_numbers_count_as_they_do_in_a_full_read() {
    let columns = ["TEXT COLLATE NOCASE", "TEXT COLLATE RTRIM", "TEXT", "INTEGER", "BLOB"];
    let patch = SettingsPatch::default().identifier(IdentifierKind::MobileNumber);
    let mobile =
        Activation::new("vip").settings(Settings::resolve(&SettingsPatch::default(), &patch));
    for column in columns {
        let host = Host::new(&format!("CREATE TABLE members (email {column})"));
        let (full, pushed) = (Side::new(host.read_in_full()), Side::new(host.pushed_down()));
        for values in [
            "(491700000001), ('491700000001'), ('491700000001 '), (491700000002), (NULL)",
            "('491700000001 '), ('+491700000002'), ('491700000003'), (''), (7), (7), ('x'), ('X')",
        ] {
            host.execute(&format!("DELETE FROM members; INSERT INTO members VALUES {values}"));
            let (expected, report) = (full.run(&mobile).await, pushed.run(&mobile).await);
            let json = |report| serde_json::to_value(report).unwrap();
            assert_eq!(json(report), json(expected), "{column}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_identifier_stops_the_run_as_it_does_in_a_full_read() {
    let host = Host::new("CREATE TABLE members (email)");
    let side = Side::new(host.pushed_down());
    host.set_texts(&people(3));
    side.run(&vip()).await;
    for value in ["1.5", "x'ff'"] {
        host.execute(&format!("INSERT INTO members VALUES ({value})"));
        let report = side.run(&vip()).await;
        let message = report.error.unwrap().message;
        assert!(message.contains("gives a "), "{message}");
        assert_eq!(side.world.on_list("vip"), people(3));
        side.assert_tidy(&vip(), &host).await;
        host.execute("DELETE FROM members WHERE typeof(email) <> 'text'");
    }
}

#[tokio::test(start_paused = true)]
async fn runs_that_fail_one_after_the_other_do_not_fill_the_journal() {
    let host = Host::new("CREATE TABLE members (email); INSERT INTO members VALUES (1.5)");
    let side = Side::new(host.pushed_down());
    for _ in 0..30 {
        assert_eq!(side.run(&vip()).await.status, RunStatus::Failed);
    }
    let entries = side.state(&vip()).await.journal.len();
    assert!(entries <= 10, "{entries} entries");
    host.set_texts(&people(3));
    assert_eq!(side.run(&vip()).await.added, 3);
    side.assert_tidy(&vip(), &host).await;
}

#[tokio::test(start_paused = true)]
async fn files_may_have_any_name_and_queries_any_column() {
    let host = Host::new("CREATE TABLE members (\"e-mail\"\"s\", email)");
    host.set_texts(&people(5));
    let directory = host.directory.path().join("a?mode=ro&x#y%20'z\"");
    fs::create_dir(&directory).unwrap();
    fs::rename(host.file(), directory.join("file:w.db?")).unwrap();
    let source = activation_core::sources::SqliteSource::new(
        directory.join("file:w.db?"),
        "WITH q AS (SELECT * FROM members) SELECT *, email || '' AS \"k; --\" FROM q; ",
    );
    let side = Side::new(source.column("k; --").push_down(directory.join("t;a'b.db")));
    let report = side.run(&vip()).await;
    assert_eq!((report.status, report.added), (RunStatus::Done, 5), "{report}");
    assert!(directory.join("t;a'b.db").exists());
}

#[tokio::test(start_paused = true)]
async fn tables_that_cannot_be_made_stop_the_run_and_say_so() {
    let host = Host::new("CREATE TABLE members (email)");
    host.set_texts(&people(5));
    let nowhere = host.directory.path().join("nowhere").join("tables.db");
    let side = Side::new(host.read_in_full().push_down(&nowhere));
    let report = side.run(&vip()).await;
    assert_eq!((report.status, report.added), (RunStatus::Failed, 0), "{report}");
    let message = report.error.unwrap().message;
    assert!(message.contains(&format!("the difference in {}", nowhere.display())), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_file_in_another_encoding_is_refused() {
    let host = Host::new("PRAGMA encoding = 'UTF-16'; CREATE TABLE members (email)");
    host.set_texts(&people(5));
    let report = Side::new(host.pushed_down()).run(&vip()).await;
    let message = report.error.unwrap().message;
    assert!(message.contains("encoding"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_runner_leaves_the_difference_to_the_warehouse_too() {
    let host = Host::new("CREATE TABLE members (email)");
    host.set_texts(&people(5));
    let side = Side::new(host.pushed_down());
    let destination = Arc::new(side.world.destination());
    let source = Arc::new(side.source.clone());
    let activation = ScheduledActivation::new(vip(), source, "account", destination);
    let runner = Runner::new(side.engine(), vec![activation]).unwrap();
    let handle = runner.handle();
    let running = tokio::spawn(runner.run());
    handle.trigger(&vip().key()).unwrap();
    side.world.wait(30 * MINUTE).await;
    handle.stop(MINUTE);
    running.await.unwrap();
    assert_eq!(side.world.on_list("vip"), people(5));
    assert!(side.state(&vip()).await.head.table.is_some());
    side.assert_tidy(&vip(), &host).await;
}

#[tokio::test]
async fn keys_of_people_need_every_row() {
    let host = Host::new("CREATE TABLE members (email, id)");
    assert!(!plain(&host.pushed_down()));
    assert!(plain(&host.pushed_down().key_column("id")) && plain(&host.read_in_full()));
}

#[tokio::test(start_paused = true)]
async fn an_erasure_ends_the_table_with_the_next_run() {
    let host = Host::new("CREATE TABLE members (email)");
    let side = Side::new(host.pushed_down());
    host.set_texts(&people(10));
    side.run(&vip()).await;
    let ann = IdentifierKind::Email.normalise(people(1)[0].as_bytes()).unwrap();
    side.engine().erase(&[ann]).await.unwrap();
    assert_eq!(side.state(&vip()).await.head.table, None);
    host.set_texts(&people(10)[1..]);
    side.run(&vip()).await;
    side.assert_tidy(&vip(), &host).await;
    let bytes = fs::read(host.tables_file()).unwrap();
    let hers = people(1)[0].clone().into_bytes();
    assert!(!bytes.windows(hers.len()).any(|window| window == hers), "her address is left");
}
