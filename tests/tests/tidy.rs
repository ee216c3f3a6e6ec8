//! The architecture as a test: the edges between packages and modules, the bans and
//! the limits that ARCHITECTURE.md states. A failure names file, line and rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const PACKAGES: [&str; 6] = ["acquisition", "datasets", "decoding", "models", "tui", "tests"];
/// Limits only ever go down.
const MAX_FILE_LINES: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace root").to_path_buf()
}

/// Every Rust file of a folder, with its path relative to the root and its text.
fn rust_files(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root()).expect("below the root");
                let text = fs::read_to_string(&path).expect("UTF-8 source");
                found.push((name.to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{folder} holds no Rust file");
    found
}

fn all_rust_files() -> Vec<(String, String)> {
    PACKAGES.iter().flat_map(|p| rust_files(p)).collect()
}

/// Code lines with their numbers: comments are cut off.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(i, line)| (i + 1, line.split("//").next().unwrap_or("")))
}

/// Fails with every code line of `files` that holds one of `words`.
fn forbid(files: &[(String, String)], words: &[&str], rule: &str) {
    let mut broken = Vec::new();
    for (name, text) in files {
        for (number, line) in code_lines(text) {
            if let Some(word) = words.iter().find(|w| line.contains(**w)) {
                broken.push(format!("{name}:{number}: `{word}`"));
            }
        }
    }
    assert!(broken.is_empty(), "{rule}\n{}", broken.join("\n"));
}

/// Names under `[dependencies]` of a package.
fn dependencies(package: &str) -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join(package).join("Cargo.toml")).expect("a manifest");
    let mut section = String::new();
    let mut names = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            line.trim_matches(['[', ']']).clone_into(&mut section);
        } else if section == "dependencies"
            && let Some((name, _)) = line.split_once('=')
        {
            names.insert(name.split('.').next().unwrap_or(name).trim().to_owned());
        }
    }
    names
}

#[test]
fn packages_depend_leftward_only() {
    for (i, package) in PACKAGES.iter().enumerate() {
        for dependency in dependencies(package) {
            if let Some(j) = PACKAGES.iter().position(|p| *p == dependency) {
                assert!(j < i, "{package} must not depend on {dependency}");
            }
        }
    }
}

#[test]
fn heavy_libraries_stay_in_their_package() {
    let owners = [
        ("lsl", "acquisition"),
        ("lsl-sys", "acquisition"),
        ("ringbuf", "acquisition"),
        ("ureq", "datasets"),
        ("faer", "decoding"),
        ("fearless_simd", "decoding"),
        ("realfft", "decoding"),
        ("rustfft", "decoding"),
        ("saphyr", "decoding"),
        ("burn", "models"),
        ("ratatui", "tui"),
        ("crossterm", "tui"),
        ("burn", "models"),
        ("clap", "tui"),
        ("anyhow", "tui"),
        ("crossbeam-channel", "tui"),
        ("hdf5", "tui"),
        ("plotters", "tui"),
    ];
    for package in &PACKAGES[..5] {
        for dependency in dependencies(package) {
            if let Some((_, owner)) = owners.iter().find(|(name, _)| *name == dependency) {
                assert_eq!(owner, package, "{dependency} belongs to {owner}");
            }
        }
    }
}

#[test]
fn declared_dependencies_are_used() {
    for package in PACKAGES {
        let sources: String = rust_files(package).into_iter().map(|(_, text)| text).collect();
        for dependency in dependencies(package) {
            let name = dependency.replace('-', "_");
            let is_used =
                ["::", " as ", ";"].iter().any(|after| sources.contains(&format!("{name}{after}")));
            assert!(is_used, "{package} declares {dependency} and does not use it");
        }
    }
}

#[test]
fn decoding_knows_epochs_and_splits_but_no_reader() {
    let files = rust_files("decoding/src");
    forbid(&files, &["datasets::reader", "datasets::download", "datasets::catalog"], "no readers");
    forbid(&files, &["models::", "tui::", "burn::", "ratatui::"], "knowledge flows left");
}

#[test]
fn decoding_and_sync_are_functions_of_their_arguments() {
    let mut files = rust_files("decoding/src");
    let is_sync = |(name, _): &(String, String)| name.starts_with("acquisition/src/sync");
    files.extend(rust_files("acquisition/src").into_iter().filter(is_sync));
    let words =
        ["Instant", "SystemTime", "thread::spawn", "std::fs", "File::", "rand::rng", "std::env"];
    forbid(&files, &words, "no clock, thread, file or global generator");
}

#[test]
fn screens_see_acquisition_and_decoding_alone() {
    let is_screen = |(name, _): &(String, String)| {
        let inner = name.trim_start_matches("tui/src/");
        !(inner.starts_with("cli")
            || inner.starts_with("runtime")
            || inner == "main.rs"
            || inner == "lib.rs")
    };
    let files: Vec<_> = rust_files("tui/src").into_iter().filter(is_screen).collect();
    let words = ["datasets::", "models::", "crate::cli", "crate::runtime", "anyhow::", "crossbeam"];
    forbid(&files, &words, "only cli and runtime see everything");
}

#[test]
fn state_knows_no_view() {
    let is_state = |(name, _): &(String, String)| {
        ["tui/src/app", "tui/src/update", "tui/src/message"].iter().any(|p| name.starts_with(p))
    };
    let files: Vec<_> = rust_files("tui/src").into_iter().filter(is_state).collect();
    forbid(&files, &["ratatui::", "crate::view", "Color::", "Span::"], "state, then view");
}

#[test]
fn geometry_is_mathematics() {
    let files = rust_files("decoding/src/riemann");
    let words = [
        "crate::filter",
        "crate::psd",
        "crate::spatial_filter",
        "crate::classifier",
        "crate::session",
        "acquisition::",
    ];
    forbid(&files, &words, "riemann imports no sibling and no word of the field");
}

#[test]
fn the_live_path_knows_no_future() {
    let is_other = |(name, _): &(String, String)| {
        let inner = name.trim_start_matches("decoding/src/");
        !["lib.rs", "offline.rs"].contains(&inner) && !inner.starts_with("offline/")
    };
    let mut files: Vec<_> = rust_files("decoding/src").into_iter().filter(is_other).collect();
    files.extend(rust_files("tui/src/runtime"));
    forbid(&files, &["offline"], "filters that see the future are for complete recordings");
    // Nor can it come in by the back door: what is offline takes no frame.
    let text = fs::read_to_string(root().join("decoding/src/offline.rs")).expect("the module");
    for (number, line) in code_lines(&text) {
        let is_entry = line.trim_start().starts_with("pub fn") && line.contains("&mut");
        assert!(
            !is_entry,
            "decoding/src/offline.rs:{number}: no state is handed from call to call"
        );
    }
}

#[test]
fn unsafe_code_stands_in_one_file() {
    let is_other = |(name, _): &(String, String)| {
        name != "acquisition/src/lsl/ffi.rs" && !name.starts_with("tests/")
    };
    let files: Vec<_> = all_rust_files().into_iter().filter(is_other).collect();
    forbid(&files, &["unsafe {", "unsafe fn", "unsafe impl"], "unsafe only where liblsl is called");
}

#[test]
fn nothing_is_unfinished_or_silenced() {
    let is_other = |(name, _): &(String, String)| !name.ends_with("tidy.rs");
    let files: Vec<_> = all_rust_files().into_iter().filter(is_other).collect();
    let words = ["todo!(", "unimplemented!(", "#[ignore", "#[allow(", "#![allow(", "dbg!("];
    forbid(&files, &words, "finished code only; `expect` with a reason instead of `allow`");
}

#[test]
fn files_are_short_and_modern() {
    for (name, text) in all_rust_files() {
        assert!(!name.ends_with("/mod.rs"), "{name}: foo.rs + foo/, no mod.rs");
        let n_lines = text.lines().count();
        assert!(n_lines <= MAX_FILE_LINES, "{name}: {n_lines} lines, split past {MAX_FILE_LINES}");
        let is_documented = text.starts_with("//!") || name.ends_with("/tests.rs");
        assert!(is_documented, "{name}: begin with a module doc");
    }
}

#[test]
fn the_two_clippy_files_agree() {
    let keys = |path: &str| -> BTreeMap<String, String> {
        let text = fs::read_to_string(root().join(path)).expect("a clippy file");
        let lines = text.lines().filter(|l| !l.starts_with([' ', '#', ']']));
        lines
            .filter_map(|l| l.split_once(" = "))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    };
    let inner = keys("decoding/clippy.toml");
    for (key, value) in keys("clippy.toml") {
        assert_eq!(inner.get(&key), Some(&value), "decoding/clippy.toml: {key}");
    }
}

#[test]
fn the_map_names_every_package_and_top_module() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the map");
    for package in &PACKAGES[..5] {
        let lib = fs::read_to_string(root().join(package).join("src/lib.rs")).expect("a lib.rs");
        for (_, line) in code_lines(&lib) {
            if let Some(module) = line.trim().strip_prefix("pub mod ") {
                let module = module.trim_end_matches(';');
                assert!(
                    map.contains(&format!("`{module}`")),
                    "ARCHITECTURE.md: {package}::{module}"
                );
            }
        }
    }
}
