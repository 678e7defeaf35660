//! Writing an import of 100,000 contacts and reading its report, beside plain serde on the same
//! data.
//!
//! `cargo bench -p dotdigital-client --bench imports`

use std::fmt::Write as _;

use divan::{AllocProfiler, Bencher, counter::BytesCount};
use dotdigital_client::{
    EmailAddress, Identifier, ListId,
    imports::{ImportBody, ImportContact, ImportLimits, ImportStatus, MergeOption},
};
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const CONTACTS: u32 = 100_000;
const LIST: i32 = 12_345;

fn main() {
    divan::main();
}

fn address(number: u32) -> String {
    format!("person.number{number:06}@customers.example.com")
}

fn contacts() -> Vec<ImportContact> {
    let list = ListId::new(LIST).expect("positive");
    (0..CONTACTS)
        .map(|number| {
            let email = EmailAddress::parse(&address(number)).expect("valid");
            ImportContact::new(Identifier::Email(email)).list(list)
        })
        .collect()
}

fn encoded(contacts: &[ImportContact]) -> ImportBody {
    let limits = ImportLimits { max_contacts: contacts.len(), ..ImportLimits::default() };
    let mut body = ImportBody::new(MergeOption::Overwrite, limits);
    for contact in contacts {
        let _ = body.push(contact).expect("small");
    }
    assert_eq!(body.len(), contacts.len());
    body
}

#[divan::bench]
fn encode_import_body(bencher: Bencher<'_, '_>) {
    let contacts = contacts();
    let bytes = encoded(&contacts).byte_len();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| encoded(&contacts));
}

/// The same body as plain structs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlainBody {
    merge_option: &'static str,
    contacts: Vec<PlainContact>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlainContact {
    match_identifier: &'static str,
    identifiers: PlainIdentifiers,
    lists: Vec<i32>,
}

#[derive(Serialize, Deserialize)]
struct PlainIdentifiers {
    email: String,
}

fn plain_body() -> PlainBody {
    let contact = |number| PlainContact {
        match_identifier: "email",
        identifiers: PlainIdentifiers { email: address(number) },
        lists: vec![LIST],
    };
    PlainBody { merge_option: "overwrite", contacts: (0..CONTACTS).map(contact).collect() }
}

#[divan::bench]
fn encode_serde_to_vec(bencher: Bencher<'_, '_>) {
    let body = plain_body();
    let bytes = serde_json::to_vec(&body).expect("plain data");
    assert_eq!(bytes, encoded(&contacts()).as_bytes(), "both write the same");
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench_local(|| serde_json::to_vec(&body).expect("plain data"));
}

/// The report of the import as the service sends it.
fn report() -> Vec<u8> {
    let mut text = format!(
        r#"{{"importId":"d7de900d-d337-43f6-b1e1-c8ec73e1a434","status":"Finished","summary":{{"newContacts":{CONTACTS},"updatedContacts":0,"globallySuppressed":0,"invalidEntries":0,"duplicateIdentifiers":0}},"created":["#
    );
    for number in 0..CONTACTS {
        let comma = if number > 0 { "," } else { "" };
        let (id, email) = (35_000_000 + number, address(number));
        write!(text, r#"{comma}{{"contactId":{id},"identifiers":{{"email":"{email}"}}}}"#)
            .expect("memory");
    }
    text.push_str(r#"],"updated":[],"failures":[]}"#);
    text.into_bytes()
}

#[divan::bench]
fn decode_import_status(bencher: Bencher<'_, '_>) {
    let report = report();
    bencher.counter(BytesCount::new(report.len())).bench_local(|| {
        let status: ImportStatus = serde_json::from_slice(&report).expect("a report");
        assert_eq!(status.created.len(), CONTACTS as usize);
        status
    });
}

/// The same report as plain structs, that know neither odd spellings nor custom identifiers.
#[derive(Deserialize)]
struct PlainReport {
    created: Vec<PlainCreated>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlainCreated {
    #[allow(dead_code, reason = "read to be measured")]
    contact_id: i64,
    #[allow(dead_code, reason = "read to be measured")]
    identifiers: PlainIdentifiers,
}

#[divan::bench]
fn decode_serde_from_slice(bencher: Bencher<'_, '_>) {
    let report = report();
    bencher.counter(BytesCount::new(report.len())).bench_local(|| {
        let status: PlainReport = serde_json::from_slice(&report).expect("a report");
        assert_eq!(status.created.len(), CONTACTS as usize);
        status
    });
}
