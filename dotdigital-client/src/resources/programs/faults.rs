//! The report on contacts that were not enrolled: CSV with a header.

use std::{fmt, mem};

use crate::ids::ContactId;

/// A contact that was not enrolled.
///
/// `Debug` shows no address and no number.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnrolmentFault {
    /// The contact. `None` when the report does not tell.
    pub contact_id: Option<ContactId>,
    /// Its email address.
    pub email: Option<String>,
    /// Its telephone number.
    pub telephone_number: Option<String>,
    /// Why, in the service's word, such as `AlreadyInProgram`.
    pub reason: String,
}

impl fmt::Debug for EnrolmentFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnrolmentFault")
            .field("contact_id", &self.contact_id)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// Reads the report, whatever the order of its columns. `None` when it is no text, or without a
/// column that tells the reason. A report without any line tells of no fault.
pub(super) fn read(report: &[u8]) -> Option<Vec<EnrolmentFault>> {
    let mut lines = lines(std::str::from_utf8(report).ok()?).into_iter();
    let Some(header) = lines.next() else { return Some(Vec::new()) };
    let column = |name: &str| header.iter().position(|it| it.trim().eq_ignore_ascii_case(name));
    let reason = column("Reason")?;
    let (id, email) = (column("Id"), column("Email"));
    let telephone = column("TelephoneNumber");
    let faults = lines.map(|fields| {
        let field = |column: Option<usize>| {
            let text = column.and_then(|column| fields.get(column)).map(|text| text.trim());
            text.filter(|text| !text.is_empty())
        };
        EnrolmentFault {
            contact_id: field(id).and_then(|id| ContactId::new(id.parse().ok()?).ok()),
            email: field(email).map(str::to_owned),
            telephone_number: field(telephone).map(str::to_owned),
            reason: field(Some(reason)).unwrap_or_default().to_owned(),
        }
    });
    Some(faults.collect())
}

/// The fields of each line that is not empty. A field in quotes may hold commas, line breaks and,
/// doubled, quotes.
fn lines(text: &str) -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    let (mut line, mut field) = (Vec::new(), String::new());
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => line.push(mem::take(&mut field)),
            '\n' | '\r' if !quoted => end_line(&mut lines, &mut line, &mut field),
            other => field.push(other),
        }
    }
    end_line(&mut lines, &mut line, &mut field);
    lines
}

fn end_line(lines: &mut Vec<Vec<String>>, line: &mut Vec<String>, field: &mut String) {
    if !line.is_empty() || !field.is_empty() {
        line.push(mem::take(field));
        lines.push(mem::take(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_read_by_the_names_of_its_columns() {
        let report = "Reason,\"Email\",Id,Other\r\nUnsubscribed,\"a,\"\"b\"\"@example.com\",12,x\r\n\
                      AlreadyInProgram,,,\n";
        let faults = read(report.as_bytes()).unwrap();
        assert_eq!(faults.len(), 2);
        assert_eq!(faults[0].contact_id, ContactId::new(12).ok());
        assert_eq!(faults[0].email.as_deref(), Some("a,\"b\"@example.com"));
        assert_eq!(faults[1].reason, "AlreadyInProgram");
        assert_eq!((faults[1].contact_id, &faults[1].email), (None, &None));
        assert!(!format!("{faults:?}").contains("example.com"));
    }

    #[test]
    fn what_is_no_report_is_told_from_one_without_faults() {
        assert_eq!(read(b""), Some(Vec::new()));
        assert_eq!(read(b"Id,Email,TelephoneNumber,Reason\n"), Some(Vec::new()));
        assert_eq!(read(b"<html>busy</html>"), None);
        assert_eq!(read(b"\xff\xfe"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_fields_are_read_as_they_were_written(
            rows in proptest::collection::vec(proptest::collection::vec("[ -~\n\r\"é,]{1,9}", 1..4), 0..5),
        ) {
            let quoted = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
            let line = |row: &Vec<String>| row.iter().map(quoted).collect::<Vec<_>>().join(",");
            let text = rows.iter().map(line).collect::<Vec<_>>().join("\r\n");
            proptest::prop_assert_eq!(lines(&text), rows);
        }
    }
}
