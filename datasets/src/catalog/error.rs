//! What the catalogue says where it can't answer.

/// Why the catalogue can't answer. All are answers to a user, who can put them right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// No dataset has this name: take the one that is suggested, or one of the list.
    #[error("no dataset is called {asked:?}, did you mean {nearest}? (known: {known})")]
    UnknownDataset {
        /// The name asked for.
        asked: String,
        /// The name most like it.
        nearest: &'static str,
        /// All names.
        known: String,
    },
    /// The dataset has no such class: take the one that is suggested, or one of the list.
    #[error("{dataset} has no class {asked:?}, did you mean {nearest}? (known: {known})")]
    UnknownClass {
        /// The dataset.
        dataset: &'static str,
        /// The name asked for.
        asked: String,
        /// The name most like it.
        nearest: String,
        /// All names.
        known: String,
    },
    /// Classes have to differ, and there has to be one: correct the list.
    #[error("classes have to be listed once each, and at least one: {0:?}")]
    Classes(Vec<String>),
    /// The text is no list of subjects: write it like `1-10` or `1,2,88`.
    #[error("subjects are written like 1-10 or 1,2,88, not {asked:?}: {problem}")]
    Subjects {
        /// The text.
        asked: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The dataset has no such subject: ask for one it has.
    #[error("{dataset} has no subject {subject} (subjects 1-{n_subjects})")]
    NoSubject {
        /// The dataset.
        dataset: &'static str,
        /// Subject asked for.
        subject: u32,
        /// Subjects it has.
        n_subjects: u32,
    },
    /// The subject has no such run: ask for one it has.
    #[error("subject {subject} of {dataset} has no run {run} (runs: {known})")]
    NoRun {
        /// The dataset.
        dataset: &'static str,
        /// The subject.
        subject: u32,
        /// Run asked for.
        run: u32,
        /// Numbers of its runs.
        known: String,
    },
    /// The file is not in the folder: do what `remedy` says, or name the folder that has it.
    #[error("subject {subject} session {session} run {run} is not here, {remedy}: {path}")]
    Missing {
        /// The subject.
        subject: u32,
        /// The session.
        session: u32,
        /// The run.
        run: u32,
        /// How to get it.
        remedy: String,
        /// Where it was expected first.
        path: String,
    },
    /// A folder can't be used as a dataset: correct what `problem` says.
    #[error("the folder {problem}: {path}")]
    Folder {
        /// What is wrong with it.
        problem: String,
        /// The folder, or the file in it.
        path: String,
    },
    /// The dataset's subjects are found in its folder: look there first ([`Dataset::at`]).
    ///
    /// [`Dataset::at`]: super::Dataset::at
    #[error("what {dataset} holds is found in its folder: name it by --data-dir")]
    NotLooked {
        /// The dataset.
        dataset: &'static str,
    },
    /// The dataset has no server that hands out its files one by one: get them as `how` says.
    #[error("{dataset} can't be fetched file by file: {how}")]
    ByHand {
        /// The dataset.
        dataset: &'static str,
        /// What to do instead.
        how: &'static str,
    },
}
