//! The vendor's descriptions: which operations there are, and what goes in and out of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
    sync::OnceLock,
};

use dotdigital_client::HttpRequest;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::{
    path::{self, Template},
    quirks::{self, Quirk},
    say,
    schema::{self, Use},
};

const VARIABLE: &str = "DOTDIGITAL_OPENAPI_DIR";

/// The nine descriptions whose current operations the client covers, and the one of the deprecated
/// v2 contacts, of which it needs a single call. Those named `.yaml` are JSON too, which is YAML.
pub(crate) const FILES: [&str; 10] = [
    "accounts-v2.yaml",
    "configuration-v3.json",
    "contacts-v3.json",
    "data-fields-v2.yaml",
    "email-contacts-v2.yaml",
    "insight-data-v3.json",
    "lists-v2.yaml",
    "preferences-v2.yaml",
    "programs-v2.yaml",
    "segments-v2.yaml",
];

/// Malformed, not let in, the wrong region, nothing there, too large, too many.
const ANYWHERE: [u16; 6] = [400, 401, 403, 404, 413, 429];

/// All operations of all descriptions.
#[derive(Debug)]
pub(crate) struct Descriptions {
    pub(crate) operations: Vec<Operation>,
}

/// One method of one path.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The file that describes it.
    pub(crate) file: &'static str,
    /// `GET` and so on.
    pub(crate) method: String,
    pub(crate) path: Template,
    pub(crate) deprecated: bool,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    answers: BTreeMap<String, Answer>,
}

#[derive(Debug)]
struct Parameter {
    name: String,
    place: String,
    required: bool,
    kind: Value,
    /// What stands between the values of a list.
    separator: char,
    schema: Validator,
}

#[derive(Debug)]
struct Body {
    schema: Validator,
    /// The same, whatever else the objects hold.
    open: Validator,
}

/// What is described of one status: nothing, or how its body looks.
#[derive(Debug, Default)]
struct Answer {
    json: bool,
    schema: Option<Validator>,
    /// The same, with no room for what is not described.
    closed: Option<Validator>,
    /// The media types, without their parameters.
    kinds: Vec<String>,
    /// Where values can stand: what is described, or shown where nothing is.
    places: BTreeSet<String>,
}

/// The descriptions, or `None` after saying that `test` is skipped because nobody told where they
/// are. A directory that lacks one or holds something else fails the test.
pub(crate) fn descriptions(test: &str) -> Option<&'static Descriptions> {
    static LOADED: OnceLock<Descriptions> = OnceLock::new();
    let Some(directory) = env::var_os(VARIABLE).filter(|value| !value.is_empty()) else {
        say(&format!("{test}: skipped: {VARIABLE} is not set, so nothing is compared"));
        return None;
    };
    Some(LOADED.get_or_init(|| Descriptions::read(Path::new(&directory))))
}

impl Descriptions {
    fn read(directory: &Path) -> Self {
        let mut operations = Vec::new();
        for file in FILES {
            let text = fs::read_to_string(directory.join(file))
                .unwrap_or_else(|error| panic!("{VARIABLE}: {file} cannot be read: {error}"));
            let root = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{VARIABLE}: {file} is not JSON: {error}"));
            operations.extend(operations_of(file, root));
        }
        Self { operations }
    }

    /// The operation that a request is one of.
    pub(crate) fn operation_of(&self, method: &str, path: &str) -> Option<&Operation> {
        let fitting = |operation: &&Operation| {
            operation.method == method && operation.path.matches(path).is_some()
        };
        let mut found: Vec<&Operation> = self.operations.iter().filter(fitting).collect();
        found.sort_by_key(|operation| operation.path.precedence());
        let first = *found.first()?;
        let rivals =
            found.iter().filter(|other| other.path.precedence() == first.path.precedence());
        let rivals: Vec<&&Operation> = rivals.collect();
        if rivals.len() > 1 {
            quirks::met(Quirk::SameShape);
        }
        let values_fit = |operation: &&&&Operation| operation.path_faults(path).is_empty();
        Some(rivals.iter().find(values_fit).map_or(first, |operation| operation))
    }
}

impl Operation {
    /// Method and path, as they are described: `GET /v2/programs/{id}`.
    pub(crate) fn endpoint(&self) -> String {
        format!("{} {}", self.method, self.path.as_str())
    }

    /// What is wrong with a request to this operation.
    pub(crate) fn request_faults(&self, request: &HttpRequest) -> Vec<String> {
        let (path, query) = split(&request.path_and_query);
        let mut faults = self.path_faults(path);
        faults.extend(self.query_faults(query));
        faults.extend(self.header_faults(&request.headers));
        let body = request.body.as_ref().map(|body| body.as_slice());
        faults.extend(self.body_faults(body));
        faults
    }

    /// Why a service that keeps to the description must refuse a request: what is wrong with what it
    /// does describe. What it does not speak of, a service may pass over.
    pub(crate) fn forbids(&self, request: &HttpRequest) -> Vec<String> {
        let (path, query) = split(&request.path_and_query);
        let mut faults = self.path_faults(path);
        for (name, value) in path::query(query) {
            faults.extend(
                self.parameter("query", &name).map(|it| it.faults(&value)).into_iter().flatten(),
            );
        }
        if let (Some(described), Some(bytes)) = (&self.body, &request.body) {
            match serde_json::from_slice(bytes) {
                Ok(value) => faults.extend(schema::faults(&described.open, &value)),
                Err(error) => faults.push(format!("the body is not JSON: {error}")),
            }
        }
        faults
    }

    /// What is wrong with an answer. Of a status that is not described only this is said, and not of
    /// one that every call may meet: the descriptions seldom list those.
    pub(crate) fn answer_faults(&self, status: u16, body: &[u8]) -> Vec<String> {
        match self.answers.get(&status.to_string()) {
            Some(answer) => answer.faults(body),
            None if status < 500 && !ANYWHERE.contains(&status) => {
                vec![format!("status {status} is not described")]
            }
            None => Vec::new(),
        }
    }

    /// What an answer holds that is not described, or calls itself.
    pub(crate) fn surplus(&self, status: u16, body: &[u8], kind: Option<&str>) -> Vec<String> {
        let Some(answer) = self.answers.get(&status.to_string()) else { return Vec::new() };
        let mut faults = Vec::new();
        if let (Some(closed), Ok(value)) = (&answer.closed, serde_json::from_slice(body)) {
            faults = schema::faults(closed, &value);
        }
        let kind = kind.and_then(|kind| kind.split(';').next());
        match kind.filter(|_| !answer.kinds.is_empty()) {
            Some(kind) if !answer.kinds.iter().any(|known| known == kind) => {
                faults.push(format!("{kind} is not among {:?}", answer.kinds));
            }
            _ => {}
        }
        faults
    }

    /// Every place where an answer of success can hold a value, with its status.
    pub(crate) fn places(&self) -> BTreeSet<String> {
        let successes = self.answers.iter().filter(|(status, _)| status.starts_with('2'));
        let places = successes.flat_map(|(_, answer)| &answer.places);
        places.map(|place| format!("{} {place}", self.endpoint())).collect()
    }

    fn path_faults(&self, path: &str) -> Vec<String> {
        let values = self.path.matches(path).unwrap_or_default();
        let mut faults = Vec::new();
        for (name, value) in values {
            match self.parameter("path", name) {
                Some(parameter) => faults.extend(parameter.faults(&value)),
                None => faults.push(format!("path parameter {name} is not described")),
            }
        }
        faults
    }

    fn query_faults(&self, query: &str) -> Vec<String> {
        let sent = path::query(query);
        let mut faults = Vec::new();
        for (index, (name, value)) in sent.iter().enumerate() {
            if sent[..index].iter().any(|(earlier, _)| earlier == name) {
                faults.push(format!("query parameter {name} is sent twice"));
            }
            match self.parameter("query", name) {
                Some(parameter) => faults.extend(parameter.faults(value)),
                None => faults.push(format!("query parameter {name} is not described")),
            }
        }
        let missing = self.parameters.iter().filter(|parameter| {
            parameter.place == "query"
                && parameter.required
                && !sent.iter().any(|(name, _)| *name == parameter.name)
        });
        faults.extend(missing.map(|it| format!("query parameter {} is missing", it.name)));
        faults
    }

    fn header_faults(&self, headers: &[(String, String)]) -> Vec<String> {
        let described = |(name, value): &(String, String)| {
            let parameter = self.parameter("header", name)?;
            Some(parameter.faults(value))
        };
        headers.iter().filter_map(described).flatten().collect()
    }

    fn body_faults(&self, body: Option<&[u8]>) -> Vec<String> {
        match (&self.body, body) {
            (None, None) => Vec::new(),
            (None, Some(_)) => vec!["a body is sent and none is described".to_owned()],
            (Some(_), None) => vec!["the body is missing".to_owned()],
            (Some(described), Some(bytes)) => match serde_json::from_slice(bytes) {
                Ok(value) => schema::faults(&described.schema, &value),
                Err(error) => vec![format!("the body is not JSON: {error}")],
            },
        }
    }

    fn parameter(&self, place: &str, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.place == place && parameter.name == name)
    }
}

impl Parameter {
    fn faults(&self, text: &str) -> Vec<String> {
        let value = self.value(&self.kind, text);
        let faults = schema::faults(&self.schema, &value).into_iter();
        faults.map(|fault| format!("{} parameter {}: {fault}", self.place, self.name)).collect()
    }

    /// The text as a value of the type that is described, or as text where it is none.
    fn value(&self, kind: &Value, text: &str) -> Value {
        let fallback = || json!(text);
        match kind.as_str() {
            Some("integer") => {
                text.parse::<i64>().map_or_else(|_| fallback(), |number| json!(number))
            }
            Some("number") => {
                text.parse::<f64>().map_or_else(|_| fallback(), |number| json!(number))
            }
            Some("boolean") => {
                text.parse::<bool>().map_or_else(|_| fallback(), |truth| json!(truth))
            }
            Some("array") => text.split(self.separator).collect(),
            _ => fallback(),
        }
    }
}

impl Answer {
    fn faults(&self, body: &[u8]) -> Vec<String> {
        let Some(schema) = &self.schema else { return Vec::new() };
        let value = if self.json {
            serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))
        } else {
            String::from_utf8(body.to_vec())
                .map(Value::String)
                .map_err(|error| format!("the body is not text: {error}"))
        };
        value.map_or_else(|fault| vec![fault], |value| schema::faults(schema, &value))
    }
}

/// Path and query.
pub(crate) fn split(path_and_query: &str) -> (&str, &str) {
    path_and_query.split_once('?').unwrap_or((path_and_query, ""))
}

fn operations_of(file: &'static str, mut root: Value) -> Vec<Operation> {
    if let Some(Value::Object(schemas)) = root.pointer_mut("/components/schemas") {
        schemas.iter_mut().for_each(|(name, schema)| quirks::component(name, schema));
    }
    let paths = root["paths"].as_object().unwrap_or_else(|| panic!("{file} has no paths"));
    let mut operations = Vec::new();
    for (path, item) in paths {
        for method in ["get", "post", "put", "patch", "delete"] {
            if let Some(described) = item.get(method) {
                let name = format!("{} {path}", method.to_uppercase());
                operations.push(operation(file, &root, &name, item, described));
            }
        }
    }
    assert!(!operations.is_empty(), "{file} describes no operation");
    operations
}

fn operation(
    file: &'static str,
    root: &Value,
    name: &str,
    item: &Value,
    described: &Value,
) -> Operation {
    let (method, path) = name.split_once(' ').unwrap();
    let parameters = [item, described].into_iter().filter_map(|it| it["parameters"].as_array());
    Operation {
        file,
        method: method.to_owned(),
        path: Template::new(path),
        deprecated: described["deprecated"] == true,
        parameters: parameters.flatten().map(|it| parameter(root, name, it)).collect(),
        body: described.get("requestBody").and_then(|it| body(root, name, it)),
        answers: answers(root, &described["responses"]),
    }
}

fn parameter(root: &Value, operation: &str, described: &Value) -> Parameter {
    let described = match described.get("$ref") {
        Some(reference) => schema::follow(root, reference),
        None => described,
    };
    let described = quirks::parameter(operation, described);
    Parameter {
        name: described["name"].as_str().unwrap().to_owned(),
        place: described["in"].as_str().unwrap().to_owned(),
        required: described["required"] == true,
        kind: described["schema"]["type"].clone(),
        separator: if described["style"] == "pipeDelimited" { '|' } else { ',' },
        schema: schema::validator(root, &described["schema"], Use::Request),
    }
}

fn body(root: &Value, operation: &str, described: &Value) -> Option<Body> {
    let described = &described["content"]["application/json"].get("schema")?;
    let schema = quirks::body(operation, described);
    Some(Body {
        schema: schema::validator(root, &schema, Use::Request),
        open: schema::validator(root, &schema, Use::Response),
    })
}

fn answers(root: &Value, described: &Value) -> BTreeMap<String, Answer> {
    let statuses = described.as_object().into_iter().flatten();
    statuses.map(|(status, described)| (status.clone(), answer(root, described))).collect()
}

fn answer(root: &Value, described: &Value) -> Answer {
    let contents = described["content"].as_object();
    let Some((kind, content)) = contents.and_then(|contents| contents.iter().next()) else {
        return Answer::default();
    };
    let schema = content.get("schema").and_then(quirks::answer);
    let places = match schema {
        Some(schema) => schema::places(root, schema),
        None => schema::places_in(&example(content)),
    };
    let validator = |usage| schema.map(|schema| schema::validator(root, schema, usage));
    Answer {
        json: kind == "application/json",
        schema: validator(Use::Response),
        closed: validator(Use::Request),
        kinds: contents.into_iter().flatten().map(|(kind, _)| kind.clone()).collect(),
        places,
    }
}

fn example(content: &Value) -> Value {
    let examples = content["examples"].as_object().into_iter().flatten();
    examples.map(|(_, example)| example["value"].clone()).next().unwrap_or_default()
}

/// What the rest relies on: as many operations as there are, each found by a path of its own.
#[test]
fn all_operations_are_read() {
    let Some(descriptions) = descriptions("all_operations_are_read") else { return };
    let current = descriptions.operations.iter().filter(|operation| !operation.deprecated);
    assert_eq!(current.count(), 83);
    for (method, path, expected) in [
        ("GET", "/contacts/v3/import/d7-e", "GET /contacts/v3/import/{importId}"),
        ("GET", "/contacts/v3/email/a%40b.c", "GET /contacts/v3/{identifier}/{value}"),
        ("GET", "/v2/address-books/private", "GET /v2/address-books/private"),
        ("GET", "/v2/address-books/7", "GET /v2/address-books/{id}"),
        ("GET", "/v2/programs/enrolments/Finished", "GET /v2/programs/enrolments/{status}"),
        (
            "GET",
            "/v2/programs/enrolments/b0ff06d6-af04-4af8-a299-51bcbad94c1c",
            "GET /v2/programs/enrolments/{enrolmentId}",
        ),
        ("POST", "/v2/accounts/empty-recycle-bin", "POST /v2/accounts/empty-recycle-bin"),
    ] {
        let operation = descriptions.operation_of(method, path).unwrap();
        assert_eq!(operation.endpoint(), expected);
    }
    assert!(descriptions.operation_of("PATCH", "/v2/address-books/7").is_none());
}

#[test]
fn every_excuse_is_needed() {
    let Some(descriptions) = descriptions("every_excuse_is_needed") else { return };
    descriptions.operation_of("GET", "/v2/programs/enrolments/Finished").unwrap();
    assert_eq!(quirks::unmet(), []);
}
