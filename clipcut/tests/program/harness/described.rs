//! The document of the API, as the program prints it, to compare its answers with.

use reqwest::{Method, Response};
use serde_json::Value;

use super::{clipcut, finish};

/// The document.
pub(crate) struct Described(pub(crate) Value);

/// The methods that an operation of the document may have.
pub(crate) const METHODS: [&str; 6] = ["get", "head", "post", "put", "patch", "delete"];

impl Described {
    /// Asks the program.
    pub(crate) fn read() -> Self {
        let home = tempfile::tempdir().unwrap();
        let printed = finish(clipcut(home.path()).arg("openapi"));
        assert_eq!((printed.code, printed.stderr.as_str()), (Some(0), ""));
        Self(serde_json::from_str(&printed.stdout).unwrap())
    }

    /// Returns all operations, each by its path and its method.
    pub(crate) fn operations(&self) -> Vec<(&str, &str, &Value)> {
        let paths = self.0["paths"].as_object().unwrap().iter();
        let operations = paths.flat_map(|(path, item)| {
            let members = item.as_object().unwrap().iter();
            let operations = members.filter(|(name, _)| METHODS.contains(&name.as_str()));
            operations.map(|(method, operation)| (path.as_str(), method.as_str(), operation))
        });
        operations.collect()
    }

    /// Returns what the document does not say of an answer to an operation.
    pub(crate) fn fault(&self, path: &str, method: &Method, answer: &Response) -> Option<String> {
        let item = &self.0["paths"][path];
        let method = method.as_str().to_ascii_lowercase();
        // tus asks by HEAD alone where the table of access has a GET.
        let operation = item.get(&method).or_else(|| item.get("head").filter(|_| method == "get"));
        let Some(operation) = operation else { return Some("no such operation".to_owned()) };
        let status = answer.status();
        let Some(described) = operation["responses"].get(status.as_str()) else {
            return Some(format!("no status {status}"));
        };
        let kind = answer.headers().get("content-type").map(|value| value.to_str().unwrap());
        let kind = kind.map(|kind| kind.split(';').next().unwrap_or(kind));
        let kinds = described["content"].as_object();
        match (kind, kinds) {
            (None, None) => None,
            (Some(kind), Some(kinds)) if kinds.contains_key(kind) => None,
            (kind, kinds) => Some(format!("{kind:?} with {status}, which may be {kinds:?}")),
        }
    }
}
