//! Where the recordings are. Tests that need some ask here; where there are none they
//! say `needs recordings` and pass, unless `MINDLOOP_REQUIRE_DATA=1`.

use std::path::{Path, PathBuf};

/// The workspace's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("packages lie in the workspace")
}

/// A file or folder below `MINDLOOP_DATA` (default: `../shared/data`, seen from the
/// workspace's root), if it is there.
pub fn find(relative: &str) -> Option<PathBuf> {
    let data = std::env::var_os("MINDLOOP_DATA").unwrap_or_else(|| "../shared/data".into());
    let path = root().join(data).join(relative);
    if path.exists() {
        return Some(path);
    }
    let is_required = std::env::var_os("MINDLOOP_REQUIRE_DATA").is_some_and(|v| v == "1");
    assert!(!is_required, "MINDLOOP_REQUIRE_DATA=1, and there is no {}", path.display());
    println!("needs recordings: {}", path.display());
    None
}
