//! What is wrong with a configuration, and where.

use std::{
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

use toml::de::{DeTable, DeValue, Error as TomlError};

/// A configuration that cannot be used: file, line and key as far as there is one, and what was
/// expected.
#[derive(Debug, thiserror::Error)]
pub(crate) struct ConfigError {
    file: PathBuf,
    line: Option<usize>,
    key: Option<String>,
    message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl ConfigError {
    /// An error of the file as a whole.
    pub(crate) fn of_file(file: &Path, message: String) -> Self {
        Self { file: file.to_owned(), line: None, key: None, message }
    }

    /// An error in the file's syntax.
    pub(crate) fn at(file: &Path, line: Option<usize>, error: &TomlError) -> Self {
        Self { line, ..Self::of_file(file, format!("not valid TOML: {}", error.message())) }
    }
}

/// The place of what has none in the text.
pub(crate) const WHOLE_FILE: Range<usize> = 0..0;

/// What is wrong, at a place of the text.
#[derive(Debug)]
pub(crate) struct Problem {
    span: Range<usize>,
    /// The key that is meant, which may be below the one at `span`.
    below: Option<String>,
    message: String,
}

impl Problem {
    /// A problem of the key or value at `span`.
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, below: None, message: message.into() }
    }

    /// A problem of `key` below what is at `span`.
    pub(crate) fn below(
        span: Range<usize>,
        key: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { span, below: Some(key.into()), message: message.into() }
    }

    /// Adds keys that were read apart to those that an unknown one is compared with.
    pub(crate) fn also_expecting(mut self, keys: &str) -> Self {
        if self.message.starts_with(UNKNOWN_KEY) {
            self.message.push_str(&format!(", {keys}"));
        }
        self
    }
}

const UNKNOWN_KEY: &str = "unknown key";

/// Values of the file are left out of the message: one of them may be a secret in the wrong place.
impl From<TomlError> for Problem {
    fn from(error: TomlError) -> Self {
        let message = error.message();
        let span = error.span().unwrap_or(WHOLE_FILE);
        if let Some(key) = quoted_after(message, "missing field ") {
            return Self::below(span, key, "is missing");
        }
        if let Some(key) = quoted_after(message, "unknown field ") {
            return Self::below(span, key, message.replacen("unknown field", UNKNOWN_KEY, 1));
        }
        let message = match (message.split_once(['"', '`']), message.rsplit_once(", expected ")) {
            (Some((found, _)), Some((_, expected))) if found.starts_with("invalid ") => {
                format!("{}, expected {}", found.trim_end(), in_plain_words(expected))
            }
            _ => message.to_owned(),
        };
        Self::new(span, message)
    }
}

fn quoted_after<'a>(message: &'a str, beginning: &str) -> Option<&'a str> {
    let (quoted, _) = message.strip_prefix(beginning)?.strip_prefix('`')?.split_once('`')?;
    Some(quoted)
}

fn in_plain_words(expected: &str) -> &str {
    match expected {
        "u64" | "usize" => "a whole number from 0",
        "a nonzero u32" | "a nonzero usize" => "a whole number from 1",
        "f64" => "a number",
        other => other,
    }
}

/// Finds the line and the dotted key of a place in the text.
pub(crate) struct Locator<'a> {
    text: &'a str,
    table: DeTable<'a>,
    keys: Vec<(Range<usize>, String)>,
}

impl<'a> Locator<'a> {
    /// Knows the keys of `table`, which was read from `text`.
    pub(crate) fn new(text: &'a str, table: &DeTable<'a>) -> Self {
        let mut keys = Vec::new();
        collect(table, "", &mut keys);
        Self { text, table: table.clone(), keys }
    }

    /// Names the key of `problem`.
    pub(crate) fn locate(&self, file: &Path, problem: Problem) -> ConfigError {
        let Problem { span, below, message } = problem;
        let line = (span != WHOLE_FILE).then(|| line(self.text, span.start));
        let key = line.and_then(|_| self.key(&span));
        let key = match (key, below) {
            (Some(key), Some(below)) if key.rsplit('.').next() != Some(&below) => {
                Some(format!("{key}.{below}"))
            }
            (key, below) => key.or(below),
        };
        let key = key.map(|key| match self.segment(&key) {
            Some(segment) => format!("{key} (segment \"{segment}\")"),
            None => key,
        });
        ConfigError { file: file.to_owned(), line, key, message }
    }

    /// The segment of the activation that `key` belongs to.
    fn segment(&self, key: &str) -> Option<&str> {
        let (index, _) = key.strip_prefix("activation[")?.split_once(']')?;
        let activations = self.table.get("activation")?.get_ref();
        activations.get(index.parse::<usize>().ok()?)?.get_ref().get("segment")?.get_ref().as_str()
    }

    /// The key that covers `span` most closely.
    fn key(&self, span: &Range<usize>) -> Option<String> {
        let covers = |known: &Range<usize>| known.start <= span.start && span.end <= known.end;
        let covering = self.keys.iter().filter(|(known, _)| covers(known));
        covering.min_by_key(|(known, _)| known.len()).map(|(_, key)| key.clone())
    }
}

/// The line of a byte, from 1.
pub(crate) fn line(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

fn collect(table: &DeTable<'_>, above: &str, keys: &mut Vec<(Range<usize>, String)>) {
    for (key, value) in table {
        let path = match above {
            "" => key.get_ref().to_string(),
            above => format!("{above}.{}", key.get_ref()),
        };
        keys.push((key.span(), path.clone()));
        collect_value(value.get_ref(), value.span(), path, keys);
    }
}

fn collect_value(
    value: &DeValue<'_>,
    span: Range<usize>,
    path: String,
    keys: &mut Vec<(Range<usize>, String)>,
) {
    match value {
        DeValue::Table(table) => collect(table, &path, keys),
        DeValue::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                collect_value(value.get_ref(), value.span(), format!("{path}[{index}]"), keys);
            }
        }
        _ => {}
    }
    keys.push((span, path));
}
