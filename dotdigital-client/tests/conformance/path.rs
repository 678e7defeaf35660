//! Paths with parameters, and concrete paths matched against them.

use percent_encoding::percent_decode_str;

/// A path such as `/v2/programs/{id}`.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Parameter(String),
}

impl Template {
    /// A slash at the end means nothing.
    pub(crate) fn new(text: &str) -> Self {
        let segments = segments(text).map(|segment| {
            match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(name) => Segment::Parameter(name.to_owned()),
                None => Segment::Literal(segment.to_owned()),
            }
        });
        Self { text: text.trim_end_matches('/').to_owned(), segments: segments.collect() }
    }

    /// As it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The path without the names of its parameters: `/v2/programs/{}`.
    pub(crate) fn shape(&self) -> String {
        let shown = self.segments.iter().map(|segment| match segment {
            Segment::Literal(text) => format!("/{text}"),
            Segment::Parameter(_) => "/{}".to_owned(),
        });
        shown.collect()
    }

    /// The decoded values of the parameters, if the path is one of this template.
    pub(crate) fn matches(&self, path: &str) -> Option<Vec<(&str, String)>> {
        let found: Vec<&str> = segments(path).collect();
        if found.len() != self.segments.len() {
            return None;
        }
        let mut values = Vec::new();
        for (segment, text) in self.segments.iter().zip(found) {
            match segment {
                Segment::Literal(literal) if literal == text => {}
                Segment::Literal(_) => return None,
                Segment::Parameter(_) if text.is_empty() => return None,
                Segment::Parameter(name) => values.push((name.as_str(), decoded(text))),
            }
        }
        Some(values)
    }

    /// Sorts templates that match the same path: the more literal from the left comes first.
    pub(crate) fn precedence(&self) -> Vec<bool> {
        self.segments.iter().map(|segment| matches!(segment, Segment::Parameter(_))).collect()
    }
}

/// Names and decoded values of a query.
pub(crate) fn query(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.trim_start_matches('/').trim_end_matches('/').split('/')
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

#[test]
fn a_path_is_matched_and_its_values_are_decoded() {
    let template = Template::new("/contacts/v3/{identifier}/{value}");
    let values = template.matches("/contacts/v3/email/a%2Fb%40example.com").unwrap();
    assert_eq!(values, [("identifier", "email".to_owned()), ("value", "a/b@example.com".into())]);
    assert_eq!(template.matches("/contacts/v3/email"), None);
    assert_eq!(template.matches("/contacts/v3//x"), None);
    assert!(Template::new("/v2/x/").matches("/v2/x").is_some());
}

#[test]
fn literals_outrank_parameters() {
    let literal = Template::new("/contacts/v3/import/{importId}");
    let pattern = Template::new("/contacts/v3/{identifier}/{value}");
    assert!(literal.precedence() < pattern.precedence());
    assert_eq!(pattern.shape(), "/contacts/v3/{}/{}");
}
