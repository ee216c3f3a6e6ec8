//! A page as it grows, and its figures as files.

use super::figure::Figure;
use crate::cli::output::write_file;
use acquisition::text::printable;
use anyhow::{Context as _, Result};
use models::checkpoint::sha256_hex;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The folder beside the page that has its figures as files.
pub const FIGURES: &str = "figures";

/// The list of what is in it.
const SUMS: &str = "SHA256SUMS";

/// Most letters of a file's name that come from words: file systems take 255 in all.
const MOST_LETTERS: usize = 200;

/// Of the page.
pub const STYLE: &str = "
:root { color-scheme: light dark; --faint: #c9ced6; }
@media (prefers-color-scheme: dark) { :root { --faint: #4a5260; } }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .6rem 0; display: block; overflow-x: auto; }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid var(--faint); }
th:first-child, td:first-child { text-align: left; }
.figure { overflow-x: auto; margin: .8rem 0; }
.figure svg { display: block; }
pre { overflow-x: auto; padding: .7rem; border: 1px solid var(--faint); }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
";

/// A page.
#[derive(Default)]
pub struct Page {
    /// Its text.
    pub html: String,
    /// With the names of their files.
    figures: Vec<(String, Figure)>,
}

impl Page {
    /// Puts a figure on the page, for a file whose name is made of `words`.
    pub fn figure(&mut self, words: &str, figure: Figure) -> Result<()> {
        self.html.push_str(&figure.of_the_page()?);
        let name = file_name(words);
        let is_taken = |name: &String| self.figures.iter().any(|(other, _)| other == name);
        let numbered = (2..).map(|n| format!("{name}-{n}"));
        let free = [name.clone()].into_iter().chain(numbered).find(|name| !is_taken(name));
        self.figures.extend(free.map(|name| (name, figure)));
        Ok(())
    }

    /// The figures as files, and the list of their digests, in `sha256sum`'s format. What that
    /// list names of an earlier page goes; a file that was changed since stays, as does
    /// everything else in the folder.
    pub fn write_figures(&self, folder: &Path) -> Result<()> {
        let made = fs::create_dir_all(folder);
        made.with_context(|| format!("can't make the folder {}", folder.display()))?;
        for name in written_before(folder) {
            let path = folder.join(&name);
            let removed = fs::remove_file(&path);
            removed.with_context(|| format!("can't remove {}", path.display()))?;
        }
        let mut sums = String::new();
        let mut write = |(name, figure): &(String, Figure)| -> Result<()> {
            for (file, digest) in figure.write(folder, name)? {
                writeln!(sums, "{digest}  {file}")?;
            }
            Ok(())
        };
        // What was written is listed, even where not all could be.
        let written = self.figures.iter().try_for_each(&mut write);
        write_file(&folder.join(SUMS), sums.as_bytes()).and(written)
    }
}

/// Files that the list of an earlier page names, and that are as they were written.
fn written_before(folder: &Path) -> BTreeSet<String> {
    let Ok(sums) = fs::read_to_string(folder.join(SUMS)) else { return BTreeSet::new() };
    let is_ours = |(sum, name): &(&str, &str)| {
        // Whatever the list says, nothing outside of the folder is touched.
        let is_inside = !name.contains(['/', '\\']) && !name.starts_with('.');
        is_inside && fs::read(folder.join(name)).is_ok_and(|bytes| sha256_hex(&bytes) == *sum)
    };
    let lines = sums.lines().filter_map(|line| line.split_once("  ")).filter(is_ours);
    lines.map(|(_, name)| name.to_owned()).collect()
}

/// Words as a name that every file system takes: only `a-z`, `0-9`, `.` and `-`.
fn file_name(words: &str) -> String {
    let lower = words.to_lowercase();
    let parts = lower.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
    let name = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    // A point in front would hide it.
    name.trim_start_matches(['.', '-']).chars().take(MOST_LETTERS).collect()
}

/// Lines as a list.
pub fn list(page: &mut String, lines: &[String]) -> Result<()> {
    page.push_str("<ul>");
    for line in lines {
        write!(page, "<li>{}</li>", escape(line))?;
    }
    page.push_str("</ul>");
    Ok(())
}

/// Text as HTML shows it; what could steer a terminal that shows the file is written as an escape.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push(c),
            c => out.push_str(&printable(c.encode_utf8(&mut [0; 4]))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::figure::{Column, Figure};
    use super::{Page, file_name};

    #[test]
    fn figures_are_named_by_what_they_show() {
        for (words, name) in [
            (
                "physionet-mi within-session, offline scores",
                "physionet-mi-within-session-offline-scores",
            ),
            ("../Own <b> \u{e9}", "own-b"),
            ("TS+LR over v1.5", "ts-lr-over-v1.5"),
        ] {
            assert_eq!(file_name(words), name);
        }
        assert_eq!(file_name(&"a".repeat(999)).len(), 200);
    }

    fn figure() -> Figure {
        let column =
            Column { label: "mdm".to_owned(), values: vec![0.5], behind: vec![], mean: None };
        Figure::Columns { columns: vec![column], scale: "accuracy", reference: None }
    }

    fn page(words: &[&str]) -> Page {
        let mut page = Page::default();
        for words in words {
            page.figure(words, figure()).unwrap();
        }
        page
    }

    #[test]
    fn figures_of_an_earlier_page_go_and_nothing_else() {
        let folder = tempfile::TempDir::new().unwrap();
        let figures = folder.path().join("figures");
        page(&["old", "kept", "mended"]).write_figures(&figures).unwrap();
        std::fs::write(figures.join("notes.txt"), "by hand").unwrap();
        std::fs::write(figures.join("mended.svg"), "<svg/>").unwrap();
        // A list that someone else wrote names nothing outside of the folder.
        let outside = folder.path().join("outside");
        std::fs::write(&outside, "x").unwrap();
        let sums = std::fs::read_to_string(figures.join("SHA256SUMS")).unwrap();
        let line = format!("{}  ../outside\n", super::sha256_hex(b"x"));
        std::fs::write(figures.join("SHA256SUMS"), line + &sums + &sums).unwrap();
        page(&["kept", "new"]).write_figures(&figures).unwrap();
        let mut names: Vec<_> = std::fs::read_dir(&figures)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let expected =
            ["SHA256SUMS", "kept.png", "kept.svg", "mended.svg", "new.png", "new.svg", "notes.txt"];
        assert_eq!(names, expected);
        assert!(outside.is_file());
    }

    #[test]
    fn figures_of_one_name_do_not_overwrite_each_other() {
        let page = page(&["a b", "a+b", "A b"]);
        let folder = tempfile::TempDir::new().unwrap();
        page.write_figures(&folder.path().join("figures")).unwrap();
        for name in ["a-b", "a-b-2", "a-b-3"] {
            for end in ["svg", "png"] {
                assert!(folder.path().join(format!("figures/{name}.{end}")).is_file(), "{name}");
            }
        }
        assert_eq!(page.html.matches("<div class=\"figure\"><svg").count(), 3);
    }
}
