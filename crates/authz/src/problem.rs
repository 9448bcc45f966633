//! What is wrong with a folder of manifests, for the person who keeps it.
use std::{fmt, path::PathBuf};

/// A line and a column, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: u64,
    pub column: u64,
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, or the folder if that is what could not be read.
    pub path: PathBuf,
    /// `None` where the file as a whole is meant.
    pub place: Option<Place>,
    pub what: String,
}

impl fmt::Display for Problem {
    /// `file:line:column: what`, which terminals and editors make a link of.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(Place { line, column }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// Everything that is wrong with a folder, so that it can be put right in one go.
#[derive(Debug, thiserror::Error)]
#[error("the manifests cannot be used; put this right and start again:\n{}", lines(.0))]
pub struct Error(pub Vec<Problem>);

/// One problem a line.
pub(crate) fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}
