//! Imports: contacts with all their parts, and waiting with progress.

use dotdigital_client::{
    EmailAddress, ImportId,
    contacts::ContactUpdate,
    data_fields::FieldValue,
    imports::{
        ImportBody, ImportContact, ImportContactError, ImportLimits, ImportState, MergeOption,
        PollPolicy,
    },
};

use crate::{
    calls::check,
    support::{Script, answer, email, list_id, serve, virtual_client},
};

#[tokio::test]
async fn an_import_carries_all_there_is_to_store() {
    let (server, client) = serve(202, r#"{"importId":"d7de900d"}"#).await;
    let mut body = ImportBody::new(MergeOption::OverwriteIfNotEmpty, ImportLimits::default());
    let update = ContactUpdate::new()
        .field("FIRSTNAME", "Jane")
        .field("NOTE", FieldValue::Clear)
        .list(list_id(8));
    let contact = ImportContact::with(email("jane@example.com"), update).list(list_id(7));
    let length = contact.encoded_len();
    let empty = body.byte_len();
    let _ = body.push(&contact).unwrap();
    assert_eq!(body.byte_len(), empty + length);
    client.imports().submit(&body).await.unwrap();
    let expected = concat!(
        r#"PUT /contacts/v3/import {"mergeOption":"overwriteIfNotEmpty","contacts":["#,
        r#"{"matchIdentifier":"email","identifiers":{"email":"jane@example.com"},"#,
        r#""dataFields":{"FIRSTNAME":"Jane","NOTE":null},"lists":[8,7]}]}"#
    );
    check(&server, expected).await;
}

#[test]
fn a_contact_that_the_service_would_refuse_leaves_the_body_as_it_was() {
    let mut body = ImportBody::new(MergeOption::Overwrite, ImportLimits::default());
    let other = EmailAddress::parse("other@example.com").unwrap();
    let update = ContactUpdate::new().email(other);
    let contact = ImportContact::with(email("jane@example.com"), update);
    let before = body.as_bytes().to_vec();
    assert!(matches!(body.push(&contact), Err(ImportContactError::Invalid(_))));
    assert_eq!(body.as_bytes(), before);
}

#[tokio::test(start_paused = true)]
async fn every_answer_is_shown_while_waiting() {
    let state = |word| Ok(answer(200, &format!(r#"{{"importId":"a","status":"{word}"}}"#)));
    let script = Script::new(["NotFinished", "NotFinished", "Finished"].map(state));
    let (client, _) = virtual_client(script);
    let import = ImportId::new("a").unwrap();
    let mut seen = Vec::new();
    let progress = |status: &_| seen.push(Clone::clone(status));
    let status =
        client.imports().wait_with(&import, &PollPolicy::default(), progress).await.unwrap();
    let states: Vec<ImportState> = seen.iter().map(|status| status.state.clone()).collect();
    use ImportState::{Finished, NotFinished};
    assert_eq!(states, [NotFinished, NotFinished, Finished]);
    assert_eq!(seen.last(), Some(&status));
}
