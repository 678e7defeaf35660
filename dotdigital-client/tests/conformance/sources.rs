//! What the sources of the crate say about its calls.

use std::{fs, path::Path};

/// A public method whose documentation names an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Documented {
    /// Module, type and method: `lists::Lists::create`.
    pub(crate) method: String,
    /// `POST /v2/address-books`.
    pub(crate) endpoint: String,
    /// `medium`.
    pub(crate) tier: String,
}

/// All methods that document an operation.
pub(crate) fn documented() -> Vec<Documented> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/resources");
    let mut found = Vec::new();
    walk(&folder, None, &mut found);
    found
}

/// The rows of the crate's table of calls: operation, and the cell that names its methods.
pub(crate) fn table() -> Vec<(String, String)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let text = fs::read_to_string(file).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | `"));
    rows.filter_map(|row| row.split_once("` |"))
        .map(|(endpoint, cell)| (endpoint.to_owned(), cell.to_owned()))
        .collect()
}

/// `module` is the resource that a folder's files belong to.
fn walk(folder: &Path, module: Option<&str>, found: &mut Vec<Documented>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let own = path.file_stem().unwrap().to_str().unwrap();
        let module = module.unwrap_or(own);
        if path.is_dir() {
            walk(&path, Some(module), found);
        } else {
            found.extend(in_file(module, &fs::read_to_string(&path).unwrap()));
        }
    }
}

fn in_file(module: &str, text: &str) -> Vec<Documented> {
    let mut found = Vec::new();
    let mut owner = "";
    let mut endpoints = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("impl ") {
            owner = rest.split([' ', '<']).next().unwrap();
        }
        let line = line.trim_start();
        if let Some(comment) = line.strip_prefix("///") {
            endpoints.extend(endpoints_of(comment.trim()));
        } else if let Some(method) = public_method(line) {
            for (endpoint, tier) in endpoints.drain(..) {
                let method = format!("{module}::{owner}::{method}");
                found.push(Documented { method, endpoint, tier });
            }
        } else if !line.starts_with("#[") {
            assert!(endpoints.is_empty(), "an operation is named above no public method: {line}");
        }
    }
    found
}

/// Operations and tiers of a line such as `` `GET /v2/programs` (tier: low) ``, which may name
/// several with commas between them.
fn endpoints_of(comment: &str) -> Vec<(String, String)> {
    let endpoint = |part: &str| {
        let (endpoint, rest) = part.strip_prefix('`')?.split_once('`')?;
        let tier = rest.trim().strip_prefix("(tier: ")?;
        Some((endpoint.to_owned(), tier.to_owned()))
    };
    let parts = comment.strip_suffix(')').into_iter().flat_map(|parts| parts.split("), "));
    parts.map(endpoint).collect::<Option<_>>().unwrap_or_default()
}

fn public_method(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub async fn ").or_else(|| line.strip_prefix("pub fn "))?;
    rest.split(['(', '<']).next()
}

#[test]
fn methods_and_their_operations_are_found() {
    let text = "impl Lists {\n    /// Makes one.\n    ///\n    /// `POST /v2/x` (tier: low)\n    \
                #[must_use]\n    pub async fn create<T>(&self) {}\n    pub fn other(&self) {}\n}\n";
    let expected = Documented {
        method: "lists::Lists::create".to_owned(),
        endpoint: "POST /v2/x".to_owned(),
        tier: "low".to_owned(),
    };
    assert_eq!(in_file("lists", text), [expected]);
    let both = endpoints_of("`PUT /a` (tier: low), `GET /a/{id}` (tier: high)");
    let expected = [("PUT /a", "low"), ("GET /a/{id}", "high")];
    assert_eq!(both, expected.map(|(endpoint, tier)| (endpoint.to_owned(), tier.to_owned())));
    assert!(endpoints_of("`PUT /a` is written (as told)").is_empty());
}
