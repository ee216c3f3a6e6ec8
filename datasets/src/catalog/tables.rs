//! Small tables of text beside recordings: columns by name, cells as written, separated by
//! tabs, or by commas where the file's name ends in `.csv`.

use crate::reader::ShownPath;
use acquisition::marker::Marker;
use acquisition::signal::Finding;
use acquisition::text::InlineText;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Largest table read.
const MAX_BYTES: u64 = 64 << 20;

/// A table whose rows may be ragged: what is not there is empty.
pub(super) struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Reads the table of a file.
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_BYTES {
            let problem = format!("the table has more than {MAX_BYTES} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        let separator = if path.extension().is_some_and(|e| e == "csv") { ',' } else { '\t' };
        Ok(Self::parse(&String::from_utf8_lossy(&bytes), separator))
    }

    /// The table of a text.
    pub fn parse(text: &str, separator: char) -> Self {
        let cell = |cell: &str| cell.trim().trim_matches('"').to_owned();
        let text = text.trim_start_matches('\u{feff}');
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let mut cells = || lines.next().map(|line| line.split(separator).map(cell).collect());
        let columns = cells().unwrap_or_default();
        Self { columns, rows: std::iter::from_fn(cells).collect() }
    }

    /// The cells of a column, as many as there are rows; `None` without such a column.
    pub fn column(&self, name: &str) -> Option<Vec<&str>> {
        let at = self.columns.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        Some(self.rows.iter().map(|row| row.get(at).map_or("", String::as_str)).collect())
    }
}

/// Whether a cell says something.
pub(super) fn is_given(cell: &str) -> bool {
    !cell.is_empty() && cell != "n/a"
}

/// The events of a table with `onset` in seconds, and `duration` and `trial_type` (or
/// `value`, or `event`) where they are given; what can't be placed in time is a finding.
pub(super) fn markers(path: &Path, findings: &mut Vec<Finding>) -> io::Result<Vec<Marker>> {
    let table = Table::read(path)?;
    let place = || ShownPath(path.file_name().unwrap_or_default().into()).to_string();
    let texts = ["trial_type", "value", "event"].into_iter().find_map(|name| table.column(name));
    let (Some(onsets), Some(texts)) = (table.column("onset"), texts) else {
        let what = "has no columns `onset` and `trial_type`; it gives no events".to_owned();
        findings.push(Finding { place: place(), what });
        return Ok(Vec::new());
    };
    let durations = table.column("duration").unwrap_or_else(|| vec![""; onsets.len()]);
    let mut markers = Vec::new();
    let mut n_lost = 0;
    for ((onset, duration), text) in onsets.iter().zip(durations).zip(texts) {
        let onset_secs = onset.parse::<f64>().ok().filter(|secs| secs.is_finite());
        let Some(onset_secs) = onset_secs else {
            n_lost += 1;
            continue;
        };
        let duration_secs = duration.parse::<f64>().ok().filter(|secs| secs.is_finite());
        let duration_secs = duration_secs.unwrap_or_default().max(0.0);
        markers.push(Marker { onset_secs, duration_secs, text: InlineText::new(text) });
    }
    if n_lost > 0 {
        let what = format!("{n_lost} events without a time are left out");
        findings.push(Finding { place: place(), what });
    }
    markers.sort_by(|a, b| a.onset_secs.total_cmp(&b.onset_secs));
    Ok(markers)
}
