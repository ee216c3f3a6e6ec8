//! Where the recordings are.

use std::path::PathBuf;

/// The folder of all recordings; nothing where `needed` is not in it and that is allowed.
pub fn data_dir(needed: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let dir = PathBuf::from(std::env::var_os("MINDLOOP_DATA").unwrap_or(default.into()));
    if dir.join(needed).is_dir() {
        return Some(dir);
    }
    assert!(
        std::env::var("MINDLOOP_REQUIRE_DATA").as_deref() != Ok("1"),
        "recordings are required and not in {}",
        dir.display()
    );
    println!("needs recordings");
    None
}
