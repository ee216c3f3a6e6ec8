//! What happened: a bounded list, newest last, that the user can read back.

use std::collections::VecDeque;

/// Most notices kept; the oldest give way.
pub const MAX_NOTICES: usize = 200;

/// How much a notice asks of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Nothing: it is on record.
    Info,
    /// To look.
    Warning,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// When it was learnt.
    pub at_secs: f64,
    /// How much it asks.
    pub level: Level,
    /// What, in printable words.
    pub text: String,
}

/// The list.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    kept: VecDeque<Notice>,
    n_forgotten: u64,
}

impl Notices {
    /// Adds one; forgets the oldest where there are too many.
    pub fn push(&mut self, notice: Notice) {
        if self.kept.len() == MAX_NOTICES {
            self.kept.pop_front();
            self.n_forgotten += 1;
        }
        self.kept.push_back(notice);
    }

    /// Newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Notice> {
        self.kept.iter().rev()
    }

    /// Number kept.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Number that gave way.
    pub fn n_forgotten(&self) -> u64 {
        self.n_forgotten
    }

    /// The newest warning.
    pub fn newest_warning(&self) -> Option<&Notice> {
        self.newest_first().find(|notice| notice.level == Level::Warning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_bounded() {
        let mut notices = Notices::default();
        for k in 0..MAX_NOTICES + 3 {
            let text = k.to_string();
            notices.push(Notice { at_secs: 0.0, level: Level::Info, text });
        }
        assert_eq!((notices.len(), notices.n_forgotten()), (MAX_NOTICES, 3));
        assert_eq!(notices.newest_first().next().unwrap().text, (MAX_NOTICES + 2).to_string());
    }
}
