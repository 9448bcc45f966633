//! Where the files of an attempt are.
use crate::Error;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The file in which the SDK's executor leaves its outputs. Beside the artifacts, since the SDK takes its folder for
/// the root of `dsl.get_uri`.
pub(crate) const EXECUTOR_OUTPUT: &str = "executor_output.json";
/// The longest name of a file, in bytes.
const MAX_NAME: usize = 255;

/// The folders of an attempt.
pub(crate) struct Folders<'a>(pub(crate) &'a Path);

impl Folders<'_> {
    pub(crate) const ARTIFACTS: &'static str = "artifacts";
    pub(crate) const OUTPUTS: &'static str = "outputs";

    /// Makes them all.
    ///
    /// # Errors
    /// Also if one is there already: whatever made it could have put links into it.
    pub(crate) fn make(&self) -> Result<(), Error> {
        fs::create_dir_all(self.0).map_err(Error::io("making the folder of a task"))?;
        for folder in [self.work(), self.home(), self.tmp(), self.outputs(), self.artifacts()] {
            fs::create_dir(folder).map_err(Error::io("making the folders of a task"))?;
        }
        Ok(())
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.0.join("work")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.0.join("home")
    }

    pub(crate) fn tmp(&self) -> PathBuf {
        self.0.join("tmp")
    }

    pub(crate) fn outputs(&self) -> PathBuf {
        self.0.join(Self::OUTPUTS)
    }

    pub(crate) fn artifacts(&self) -> PathBuf {
        self.0.join(Self::ARTIFACTS)
    }

    pub(crate) fn executor_output(&self) -> PathBuf {
        self.artifacts().join(EXECUTOR_OUTPUT)
    }
}

/// A path as text, for arguments and JSON.
pub(crate) fn text(path: &Path) -> Result<String, Error> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Error::Io { doing: "naming a file of a task", source: io::ErrorKind::InvalidFilename.into() })
}

/// Checks that the name of an output, which the pipeline chose, is the name of a file and of nothing else.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let good = !matches!(name, "" | "." | ".." | EXECUTOR_OUTPUT)
        && name.len() <= MAX_NAME
        && !name.contains(|c: char| c == '/' || c == '\\' || c.is_control());
    if good { Ok(()) } else { Err(Error::task("the name cannot be the name of a file")) }
}
