//! Names, numbers and checksums as texts: what users type and publishers list.

use super::CatalogError;
use acquisition::text::printable;

/// The checksum of `relative_path` in the text of a `sha256sum` file.
pub(crate) fn checksum_in<'a>(sums: &'a str, relative_path: &str) -> Option<&'a str> {
    let mut lines = sums.lines().filter_map(|line| line.split_once(char::is_whitespace));
    let is_it = |path: &str| path.trim_start().trim_start_matches('*') == relative_path;
    let (sum, _) = lines.find(|(_, path)| is_it(path))?;
    (sum.len() == 64 && sum.bytes().all(|b| b.is_ascii_hexdigit())).then_some(sum)
}

/// A checksum in lower-case hexadecimal, two digits a byte.
pub(crate) fn checksum_text(sum: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    sum.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Most subjects one text may name.
const MAX_SUBJECTS: u32 = 10_000;

/// The subjects a text like `1-10`, `1,2,88` or `1-3,7` names, in its order.
pub fn parse_subjects(text: &str) -> Result<Vec<u32>, CatalogError> {
    let refuse = |problem: String| {
        Err(CatalogError::Subjects { asked: printable(text).into_owned(), problem })
    };
    let mut subjects = Vec::new();
    for piece in text.split(',').map(str::trim) {
        let (first, last) = piece.split_once('-').unwrap_or((piece, piece));
        let (Ok(first), Ok(last)) = (first.trim().parse::<u32>(), last.trim().parse::<u32>())
        else {
            return refuse(format!("{:?} is neither a number nor a range", printable(piece)));
        };
        if first == 0 || last < first || last > MAX_SUBJECTS {
            return refuse(format!("{piece} is no range that begins at 1 or later and ascends"));
        }
        if let Some(again) = (first..=last).find(|s| subjects.contains(s)) {
            return refuse(format!("{again} is listed twice"));
        }
        subjects.extend(first..=last);
    }
    Ok(subjects)
}

/// The name most like `asked`: the fewest insertions, deletions and replacements.
pub(super) fn nearest<'a>(asked: &str, names: &[&'a str]) -> &'a str {
    // A command line may be long; beyond this nothing is alike.
    let asked: Vec<char> = asked.chars().take(64).collect();
    names.iter().min_by_key(|name| edit_distance(&asked, name)).copied().unwrap_or("none")
}

/// Levenshtein distance by one row of the table.
fn edit_distance(from: &[char], to: &str) -> usize {
    let mut row: Vec<usize> = (0..=from.len()).collect();
    for (i, letter) in to.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in from.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[from.len()]
}
