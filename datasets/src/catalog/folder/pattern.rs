//! Patterns of paths: texts with `{subject}`, `{session}`, `{run}` and `*`, each of which
//! stands for one or more characters other than `/`, as few as possible.

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Subject,
    Session,
    Run,
    Any,
}

/// What a path says, where it fits a pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// The subject's label.
    pub subject: String,
    /// The session's, empty where the pattern has none.
    pub session: String,
    /// The run's, empty where the pattern has none.
    pub run: String,
}

/// A pattern of paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<Piece>,
}

impl Pattern {
    /// The pattern of a text, or what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '*']) {
            if at > 0 {
                pieces.push(Piece::Literal(rest[..at].to_owned()));
            }
            let (piece, behind) = piece(&rest[at..])?;
            pieces.push(piece);
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        let is_wild = |piece: &Piece| !matches!(piece, Piece::Literal(_));
        if pieces.windows(2).any(|two| is_wild(&two[0]) && is_wild(&two[1])) {
            return Err("has two placeholders with nothing between them".to_owned());
        }
        Ok(Self { pieces })
    }

    /// Whether it says where the subject's label stands.
    pub fn names_subject(&self) -> bool {
        self.pieces.contains(&Piece::Subject)
    }

    /// What a path says, if it fits.
    pub fn labels_of(&self, path: &str) -> Option<Labels> {
        let mut labels = Labels::default();
        fits(&self.pieces, path, &mut labels).then_some(labels)
    }

    /// The path with labels in the place of placeholders; `*` can't be filled.
    pub fn path_of(&self, labels: &Labels) -> String {
        let text = |piece: &Piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Subject => labels.subject.clone(),
            Piece::Session => labels.session.clone(),
            Piece::Run => labels.run.clone(),
            Piece::Any => "*".to_owned(),
        };
        self.pieces.iter().map(text).collect()
    }
}

/// The placeholder at the start of `text`, and what stands behind it.
fn piece(text: &str) -> Result<(Piece, &str), String> {
    let known = [
        ("*", Piece::Any),
        ("{subject}", Piece::Subject),
        ("{session}", Piece::Session),
        ("{run}", Piece::Run),
    ];
    let found = known.into_iter().find_map(|(word, piece)| Some((piece, text.strip_prefix(word)?)));
    found.ok_or_else(|| "has a brace that opens none of {subject}, {session}, {run}".to_owned())
}

/// Whether `path` fits `pieces`; a label that occurs twice has to be the same.
fn fits(pieces: &[Piece], path: &str, labels: &mut Labels) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return path.is_empty() };
    if let Piece::Literal(text) = first {
        return path.strip_prefix(text.as_str()).is_some_and(|path| fits(rest, path, labels));
    }
    let ends = path.char_indices().map(|(at, c)| at + c.len_utf8());
    for end in ends {
        let (label, behind) = path.split_at(end);
        if label.ends_with('/') {
            return false;
        }
        let before = labels.clone();
        if set(first, label, labels) && fits(rest, behind, labels) {
            return true;
        }
        *labels = before;
    }
    false
}

/// Notes a label; whether it is the one noted before, if any was.
fn set(piece: &Piece, label: &str, labels: &mut Labels) -> bool {
    let place = match piece {
        Piece::Subject => &mut labels.subject,
        Piece::Session => &mut labels.session,
        Piece::Run => &mut labels.run,
        Piece::Any | Piece::Literal(_) => return true,
    };
    if place.is_empty() {
        label.clone_into(place);
    }
    place == label
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a path says, commas between the labels; nothing where it does not fit.
    fn labels(pattern: &str, path: &str) -> String {
        let labels = Pattern::parse(pattern).unwrap().labels_of(path);
        labels.map_or(String::new(), |l| [l.subject, l.session, l.run].join(","))
    }

    #[test]
    fn labels_come_from_names() {
        assert_eq!(labels("S{subject}R{run}.edf", "S001R04.edf"), "001,,04");
        let deep = "{subject}/{session}/{subject}_run{run}_*.bdf";
        assert_eq!(labels(deep, "anna/b/anna_run2_x.bdf"), "anna,b,2");
        assert_eq!(labels(deep, "anna/b/bert_run2_x.bdf"), "");
        assert_eq!(labels("S{subject}.edf", "S1/2.edf"), "");
        assert_eq!(labels("S{subject}.edf", "S.edf"), "");
        assert_eq!(labels("{subject}_{run}.edf", "a_b_c.edf"), "a,,b_c");
    }

    #[test]
    fn paths_come_from_labels() {
        let pattern = Pattern::parse("{subject}/ev-{run}.tsv").unwrap();
        let labels = Labels { subject: "3".to_owned(), run: "1".to_owned(), ..Labels::default() };
        assert_eq!(pattern.path_of(&labels), "3/ev-1.tsv");
    }

    #[test]
    fn patterns_are_checked() {
        assert!(Pattern::parse("{subjekt}.edf").is_err());
        assert!(Pattern::parse("{subject}{run}.edf").is_err());
        assert!(!Pattern::parse("a.edf").unwrap().names_subject());
    }
}
