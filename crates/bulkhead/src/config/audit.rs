//! Where access decisions are taken down.
use anyhow::bail;
use serde::Deserialize;
use std::path::PathBuf;

/// The audit trail.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Audit {
    pub(crate) sink: AuditSink,
    pub(crate) file: Option<PathBuf>,
    pub(crate) fail_closed: bool,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AuditSink {
    /// The server's own log.
    #[default]
    Log,
    Stdout,
    File,
    Database,
}

impl Audit {
    /// # Errors
    /// What does not go together.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        match (self.sink, &self.file, self.fail_closed) {
            (AuditSink::File, None, _) => bail!("audit.file: a path is needed, since audit.sink is file"),
            (AuditSink::Log | AuditSink::Stdout | AuditSink::Database, Some(_), _) => {
                bail!("audit.file is set, and audit.sink is not file: set audit.sink to file")
            }
            (AuditSink::Log, None, true) => bail!(
                "audit.fail_closed needs a trail that can tell whether it was written: set audit.sink to file, stdout \
                 or database"
            ),
            _ => Ok(()),
        }
    }
}
