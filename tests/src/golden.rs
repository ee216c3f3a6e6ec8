//! Golden values: files that the programs in `tests/reference` wrote.

use serde::de::DeserializeOwned;
use std::fs;

/// A golden file's content.
pub fn load<T: DeserializeOwned>(name: &str) -> T {
    let path = crate::data::root().join("tests/data/golden").join(name);
    let text = fs::read(&path).unwrap_or_else(|e| panic!("{e}: {}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{e}: {}", path.display()))
}
