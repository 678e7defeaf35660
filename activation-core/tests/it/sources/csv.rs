//! One column of a CSV file.

use std::{fs, path::PathBuf};

use activation_core::{ADVISED_BATCH, SegmentSource, sources::CsvSource};
use tempfile::TempDir;

use super::{failure, rows, scan, texts};

struct Table(TempDir);

impl Table {
    fn new(content: impl AsRef<[u8]>) -> Self {
        let table = Self(tempfile::tempdir().unwrap());
        fs::write(table.file(), content).unwrap();
        table
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("people.csv")
    }

    fn column(&self, name: &str) -> CsvSource {
        CsvSource::new(self.file(), name)
    }

    /// What is wrong with the file, without its name.
    async fn complaint(&self, column: &str) -> String {
        let told = failure(&self.column(column)).await;
        let place = format!("{} ", self.file().display());
        told.strip_prefix(&place).unwrap_or_else(|| panic!("{told}")).to_owned()
    }
}

const CUT: &str = "ends inside quotes: it was cut, or a quote is missing";

#[tokio::test]
async fn the_named_column_is_read_whatever_ends_the_lines() {
    for end in ["\n", "\r\n", "\r"] {
        for last in [end, ""] {
            let content = ["id,email,name", "1,a@example.com,A", "2,,B", "3,c@example.com,"];
            let table = Table::new(content.join(end) + last);
            let keys = texts(&table.column("email")).await;
            assert_eq!(keys, ["a@example.com", "", "c@example.com"], "{end:?} {last:?}");
            assert_eq!(texts(&table.column("name")).await, ["A", "B", ""]);
        }
    }
}

#[tokio::test]
async fn quotes_protect_commas_line_feeds_and_quotes() {
    let table =
        Table::new("\"email\",x\n\"a,b\",1\n\"c\nd\",2\n\"e\"\"f\",3\n\"\",4\n\"g\n\",\"5\n\"");
    assert_eq!(texts(&table.column("email")).await, ["a,b", "c\nd", "e\"f", "", "g\n"]);
    assert_eq!(texts(&table.column("x")).await, ["1", "2", "3", "4", "5\n"]);
}

#[tokio::test]
async fn a_quote_inside_an_unquoted_field_is_a_character() {
    let table = Table::new("size,email\n5\",a@example.com\n6,b\"");
    assert_eq!(texts(&table.column("size")).await, ["5\"", "6"]);
    assert_eq!(texts(&table.column("email")).await, ["a@example.com", "b\""]);
}

#[tokio::test]
async fn a_byte_order_mark_is_not_part_of_the_header() {
    for header in ["\u{feff}email\n", "\u{feff}\"email\"\r\n"] {
        assert_eq!(texts(&Table::new(format!("{header}a")).column("email")).await, ["a"]);
    }
}

#[tokio::test]
async fn bytes_that_are_not_utf_8_pass_as_they_are() {
    let table = Table::new(b"email,name\na\xffb,\xe9\n");
    assert_eq!(scan(&table.column("email")).await.unwrap(), [b"a\xffb"]);
}

#[tokio::test]
async fn a_header_alone_is_an_empty_segment() {
    for content in ["email", "email\n", "email\r\n\r\n"] {
        assert!(scan(&Table::new(content).column("email")).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn an_empty_file_has_no_header() {
    for content in ["", "\n\n", "\u{feff}"] {
        let told = Table::new(content).complaint("email").await;
        assert_eq!(told, "is empty; it must have a header", "{content:?}");
    }
}

#[tokio::test]
async fn the_column_must_be_there_once_under_exactly_that_name() {
    let table = Table::new("id,Email, email\n");
    let told = table.complaint("email").await;
    assert_eq!(told, r#"has no column "email"; it has "id", "Email", " email""#);
    let told = Table::new("email,email\n").complaint("email").await;
    assert_eq!(told, r#"has several columns "email""#);
}

#[tokio::test]
async fn a_file_without_a_header_does_not_show_its_first_person() {
    let told = Table::new("1,ann@example.com\n2,ben@example.com\n").complaint("email").await;
    assert!(told.starts_with(r#"has no column "email"; it has "1", "#), "{told}");
    assert!(!told.contains("ann"), "{told}");
}

#[tokio::test]
async fn a_row_with_another_number_of_fields_is_named_by_its_line() {
    for (content, told) in [
        ("id,email\n1,a\n2\n3,c\n", "has 1 fields in line 3 and 2 in its header"),
        ("id,email\n1,a\n2,b,c\n", "has 3 fields in line 3 and 2 in its header"),
        ("id,email\r\n1,a\r\n\r\n2\r\n", "has 1 fields in line 4 and 2 in its header"),
        ("\u{feff}id,email\n1,\"a\nb\nc\"\n\n\n2", "has 1 fields in line 7 and 2 in its header"),
    ] {
        assert_eq!(Table::new(content).complaint("email").await, told, "{content:?}");
    }
}

#[tokio::test]
async fn a_file_cut_inside_quotes_is_an_error() {
    for content in [
        "email\n\"a@example.com",
        "email\na\n\"b\n",
        "id,email\n1,a\n2,\"b",
        "id,email\n1,a\n2,\"b\"\"",
        "id,email\n1,a\n\"2,b\n3,c\n4,d\n",
        "\"email",
        "id,\"email",
    ] {
        assert_eq!(Table::new(content).complaint("email").await, CUT, "{content:?}");
    }
}

#[tokio::test]
async fn a_file_cut_at_any_byte_gives_no_key_that_was_not_there() {
    let content = "id,email\n1,\"a,\"\"1\"\n22,b\r\n\"3\n3\",\"\"\n";
    let whole = ["a,\"1", "b", ""];
    for length in 0..content.len() {
        let Ok(keys) = scan(&Table::new(&content[..length]).column("email")).await else {
            continue;
        };
        // What looks complete lacks rows at the end, or a part of the last field.
        for (key, full) in keys.iter().zip(whole) {
            assert!(full.as_bytes().starts_with(key), "cut at {length}");
        }
    }
}

#[tokio::test]
async fn twenty_thousand_rows_come_in_batches_and_in_order() {
    let rows: Vec<String> = (0..20_000).map(|i| format!("{i},m{i}@example.com\n")).collect();
    let table = Table::new(format!("id,email\n{}", rows.concat()));
    let keys = texts(&table.column("email")).await;
    assert_eq!(keys.len(), 20_000);
    assert!(keys.iter().zip(0..).all(|(key, i)| *key == format!("m{i}@example.com")));
    let mut scan = table.column("email").open().await.unwrap();
    assert_eq!(scan.next_batch().await.unwrap().unwrap().len(), ADVISED_BATCH);
}

#[tokio::test]
async fn an_error_half_way_is_an_error_and_not_a_short_segment() {
    let mut rows: Vec<String> = (0..20_000).map(|i| format!("{i},m{i}\n")).collect();
    rows[15_000] = "too,many,fields\n".into();
    let table = Table::new(format!("id,email\n{}", rows.concat()));
    let mut scan = table.column("email").open().await.unwrap();
    assert_eq!(scan.next_batch().await.unwrap().unwrap().len(), ADVISED_BATCH);
    let error = scan.next_batch().await.unwrap_err();
    assert!(error.to_string().ends_with("has 3 fields in line 15002 and 2 in its header"));
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_read_may_be_read_again_later() {
    let rows = "a@example.com\n".repeat(200_000);
    let table = Table::new(format!("email\n{rows}"));
    let mut scan = table.column("email").open().await.unwrap();
    scan.next_batch().await.unwrap();
    // The reader is at most a few batches ahead of us, and so not yet at the end.
    fs::File::options().write(true).open(table.file()).unwrap().set_len(6 + 14 * 150_000).unwrap();
    let error = loop {
        match scan.next_batch().await {
            Ok(batch) => assert!(batch.is_some(), "a short segment"),
            Err(error) => break error,
        }
    };
    assert!(error.is_temporary());
    assert!(error.to_string().ends_with("changed while it was read"), "{error}");
}

#[tokio::test]
async fn a_missing_file_and_a_directory_are_errors_that_name_it() {
    let table = Table::new("");
    let missing = CsvSource::new(table.0.path().join("missing.csv"), "email");
    assert!(failure(&missing).await.contains("missing.csv cannot be read: "));
    let directory = CsvSource::new(table.0.path(), "email");
    assert!(failure(&directory).await.contains("cannot be read: "));
}

#[test]
fn dropping_a_scan_stops_its_thread() {
    let table = Table::new(format!("email\n{}", "a\n".repeat(1_000_000)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { drop(table.column("email").open().await.unwrap()) });
    // Waits for the thread, which would wait for a reader for ever.
    drop(runtime);
}

#[tokio::test]
async fn a_key_column_gives_each_row_its_warehouse_key() {
    let table = Table::new("id,email\n 17 ,a@example.com\n,b@example.com\nx-1,\n");
    let source = table.column("email").key_column("id");
    let pairs = [("a@example.com", "17"), ("b@example.com", ""), ("", "x-1")];
    let pairs = pairs.map(|(email, key)| (email.to_owned(), key.to_owned()));
    assert_eq!(rows(&source).await, pairs);
    let told = failure(&table.column("email").key_column("customer")).await;
    assert!(told.contains(r#"has no column "customer"; it has "id", "email""#), "{told}");
}

#[tokio::test]
async fn without_a_key_column_no_batch_has_keys() {
    let table = Table::new("id,email\n17,a@example.com\n");
    let mut scan = table.column("email").open().await.unwrap();
    assert!(!scan.next_batch().await.unwrap().unwrap().has_warehouse_keys());
}
