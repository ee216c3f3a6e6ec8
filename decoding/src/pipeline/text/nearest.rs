//! Which known name a wrong one was meant to be.

/// `: did you mean ...?` with the known name nearest to `found`; of equally near ones the
/// first.
pub fn did_you_mean<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let nearest = known.into_iter().min_by_key(|name| distance(found, name));
    nearest.map_or_else(String::new, |name| format!(": did you mean `{name}`?"))
}

/// Fewest insertions, deletions, replacements and swaps of neighbours that turn one text
/// into the other, case aside, each part of a text at most once.
///
/// # Reference
/// F. Damerau (1964), doi 10.1145/363958.363994, in the restricted form.
fn distance(a: &str, b: &str) -> usize {
    let chars = |text: &str| text.to_lowercase().chars().take(64).collect::<Vec<_>>();
    let (a, b) = (chars(a), chars(b));
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        let cases = [
            ("lda", "lda", 0),
            ("ldas", "lda", 1),
            ("", "mdm", 3),
            ("covaraince", "covariance", 1),
        ];
        for (a, b, expected) in cases {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
        assert_eq!(did_you_mean("LDA", ["mdm", "lda"]), ": did you mean `lda`?");
    }
}
