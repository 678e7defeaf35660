//! Finding the column of identifiers, and naming columns in errors.

use crate::SourceError;

/// The position of the one column called exactly `wanted`.
///
/// # Errors
///
/// Fails when there is none, listing what was found, and when there are several.
pub(super) fn find(columns: &[&str], wanted: &str, place: &str) -> Result<usize, SourceError> {
    let mut found = columns.iter().enumerate().filter(|(_, column)| **column == wanted);
    match (found.next(), found.next()) {
        (Some((position, _)), None) => Ok(position),
        (Some(_), Some(_)) => {
            Err(SourceError::permanent(format!("{place} has several columns {wanted:?}")))
        }
        (None, _) => Err(SourceError::permanent(format!(
            "{place} has no column {wanted:?}; it has {}",
            list(columns)
        ))),
    }
}

/// The identifiers of a query as the column `k`, found by position: a name may be anything, or that of
/// two columns. The line break ends a comment that the query may end with.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(super) fn only(query: &str, columns: usize, identifier: usize) -> String {
    let query = query.trim_end().trim_end_matches(';');
    let names: Vec<String> = (0..columns).map(|position| format!("c{position}")).collect();
    format!("WITH q ({}) AS (\n{query}\n) SELECT c{identifier} AS k FROM q", names.join(", "))
}

/// Where a result has what is wanted.
#[cfg(any(feature = "arrow", feature = "postgres", feature = "sqlite"))]
pub(super) struct Positions {
    pub(super) identifier: usize,
    pub(super) key: Option<usize>,
}

/// The positions of the identifiers and, where they are wanted, of the keys, among the columns of a
/// result. Without a name, the identifiers are in the only column, or in the only other one.
///
/// # Errors
///
/// Fails when a column cannot be found or chosen.
#[cfg(any(feature = "arrow", feature = "postgres", feature = "sqlite"))]
pub(super) fn positions(
    columns: &[&str],
    identifier: Option<&str>,
    key: Option<&str>,
    place: &str,
) -> Result<Positions, SourceError> {
    if columns.is_empty() {
        return Err(SourceError::permanent(format!("{place} gives no columns")));
    }
    let key = key.map(|key| find(columns, key, place)).transpose()?;
    let identifier = match (identifier, columns, key) {
        (Some(wanted), columns, _) => find(columns, wanted, place)?,
        (None, [_], _) => 0,
        // The other one of two.
        (None, [_, _], Some(key)) => 1 - key,
        (None, columns, _) => {
            return Err(SourceError::permanent(format!(
                "{place} gives {} columns; name the one with the identifiers: {}",
                columns.len(),
                list(columns)
            )));
        }
    };
    Ok(Positions { identifier, key })
}

/// The names of columns as an error may show them.
pub(super) fn list(columns: &[&str]) -> String {
    let mut names: Vec<String> = columns.iter().take(MOST_SHOWN).map(|name| show(name)).collect();
    if columns.len() > MOST_SHOWN {
        names.push(format!("{} more", columns.len() - MOST_SHOWN));
    }
    names.join(", ")
}

/// The name of a column as an error may show it. A file without a header has a person's row where
/// the names should be, so names that may be an address or a phone number are withheld.
pub(super) fn show(name: &str) -> String {
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    if name.contains('@') || digits >= MANY_DIGITS || name.chars().count() > LONGEST_SHOWN {
        return "(a name not shown, since it looks like data)".to_owned();
    }
    format!("{name:?}")
}

const MOST_SHOWN: usize = 20;
const LONGEST_SHOWN: usize = 64;
/// Fewer than the digits of any phone number in international form.
const MANY_DIGITS: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_found_by_its_exact_name_only() {
        assert_eq!(find(&["id", "email"], "email", "the file").unwrap(), 1);
        let error = find(&["id", "Email", " email"], "email", "the file").unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"the file has no column "email"; it has "id", "Email", " email""#
        );
    }

    #[test]
    fn two_columns_of_one_name_are_refused() {
        let error = find(&["email", "email"], "email", "the file").unwrap_err();
        assert_eq!(error.to_string(), r#"the file has several columns "email""#);
    }

    #[test]
    fn a_row_of_data_in_place_of_names_is_not_shown() {
        let error = find(&["ann@example.com", "+491701234567"], "email", "the file").unwrap_err();
        assert!(!error.to_string().contains("ann"), "{error}");
        assert!(!error.to_string().contains("4917"), "{error}");
    }

    #[test]
    fn a_long_list_of_columns_is_cut() {
        let names: Vec<String> = (0..100).map(|number| format!("c{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(list(&names).ends_with(r#""c19", 80 more"#));
    }
}
