//! Importers: artifacts that exist elsewhere become artifacts of the run.
use super::{
    Shared,
    attempt::{failure, invalid},
    folders,
    records::to_engine,
};
use domain::{ArtifactId, Namespace};
use engine::{Artifact, Failure, Import, Outputs, Plan};
use launcher::beneath::{self, Found};
use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// The folder of imported artifacts in a workspace (a name that KFP has given).
const IMPORTED: &str = ".artifacts";
/// How many files and folders are copied into a workspace at most, and how deep.
const MAX_FILES: usize = 100_000;
const MAX_DEPTH: usize = 64;
/// How many bytes are copied where the installation bounds no task's disk.
const MAX_BYTES: u64 = 100 << 30;

/// Where an import happens.
pub(super) struct Importing<'a> {
    pub(super) shared: &'a Shared,
    pub(super) namespace: &'a Namespace,
    pub(super) plan: &'a Plan,
    /// The folder that the tasks of the run share, where what is copied goes.
    pub(super) workspace: PathBuf,
}

impl Importing<'_> {
    /// Makes the artifact, or finds that the same pipeline has imported the same before.
    pub(super) async fn run(self, import: &Import) -> Result<Outputs, Failure> {
        self.check(&import.uri).await?;
        let known = if import.reimport { None } else { self.known(import).await? };
        let mut artifact = known.unwrap_or_else(|| Artifact {
            id: ArtifactId::fresh().to_string(),
            name: import.output.clone(),
            uri: import.uri.clone(),
            schema: import.schema.clone(),
            metadata: import.metadata.clone(),
            missing: false,
        });
        if import.to_workspace {
            artifact.id = ArtifactId::fresh().to_string();
            artifact.uri = self.copy(&import.uri, &artifact.id).await?;
        }
        let artifacts = [(import.output.clone(), vec![artifact])].into_iter().collect();
        Ok(Outputs { artifacts, ..Outputs::default() })
    }

    /// A place of this host can be imported if it is what a task of this namespace has put out, which nobody writes any
    /// more: whoever can still write it could put a link there once it was looked at.
    async fn check(&self, uri: &str) -> Result<(), Failure> {
        if launcher::is_remote(uri) {
            return Ok(());
        }
        let grant = self.shared.system.grant("look for the artifact that is imported", self.namespace);
        match self.shared.store.is_put_out(&grant, uri).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(invalid(format!(
                "{uri:?} is neither a URI such as gs://bucket/object nor an artifact that a task of this namespace has put out"
            ))),
            Err(error) => Err(failure(format!("the artifact to import could not be looked for: {error}"))),
        }
    }

    async fn known(&self, import: &Import) -> Result<Option<Artifact>, Failure> {
        let grant = self.shared.system.grant("look for an artifact that was imported before", self.namespace);
        let (name, kind) = (self.plan.pipeline_name(), &import.schema.schema_title);
        let known = self.shared.store.imported(&grant, name, kind, &import.uri, &import.metadata).await;
        let known = known.map_err(|error| failure(format!("earlier imports could not be looked for: {error}")))?;
        Ok(known.map(to_engine))
    }

    /// Copies an artifact of this namespace into the workspace; others are out of reach from here. Tasks write there, so
    /// that no link is followed.
    async fn copy(&self, uri: &str, artifact_id: &str) -> Result<String, Failure> {
        let runs = folders::runs(&self.shared.options.folder, self.namespace);
        let Ok(below) = Path::new(uri).strip_prefix(&runs).map(Path::to_owned) else {
            return Err(invalid(format!(
                "{uri:?} cannot be copied into the workspace: this server reads artifacts of its own alone"
            )));
        };
        let name = below.file_name().unwrap_or_default();
        let target = Path::new(IMPORTED).join(artifact_id).join(name);
        let workspace = self.workspace.clone();
        let bytes = self.shared.options.limits.disk.unwrap_or(MAX_BYTES);
        let copied = tokio::task::spawn_blocking(move || {
            fs::create_dir_all(&workspace)?;
            let mut copying = Copying { root: &runs, workspace: &workspace, files: MAX_FILES, bytes };
            copying.copy(&below, &target, MAX_DEPTH)?;
            let path = workspace.join(target).into_os_string().into_string();
            path.map_err(|_| io::Error::other("its path is not UTF-8"))
        });
        let copied = copied.await.map_err(io::Error::other).and_then(|copied| copied);
        copied.map_err(|error| failure(format!("{uri:?} could not be copied into the workspace: {error}")))
    }
}

/// A copy of a file or a folder, with what is left of its bounds.
struct Copying<'a> {
    root: &'a Path,
    workspace: &'a Path,
    files: usize,
    bytes: u64,
}

impl Copying<'_> {
    /// Copies without following links and without going into what is neither a file nor a folder.
    fn copy(&mut self, below: &Path, target: &Path, depth: usize) -> io::Result<()> {
        let left = self.files.checked_sub(1).filter(|_| depth > 0);
        self.files = left.ok_or_else(|| io::Error::other("it has too many files, or folders in folders"))?;
        match beneath::look(self.root, below)? {
            Found::Nothing => Err(io::ErrorKind::NotFound.into()),
            Found::Strange => Err(io::Error::other("it has something that is neither a file nor a folder")),
            Found::File(file) => {
                let mut new = beneath::create(self.workspace, target)?;
                let copied = io::copy(&mut file.take(self.bytes + 1), &mut new)?;
                let left = self.bytes.checked_sub(copied);
                self.bytes = left.ok_or_else(|| io::Error::other("it is larger than a task may write"))?;
                Ok(())
            }
            Found::Folder => {
                beneath::create_folder(self.workspace, target)?;
                let entries = fs::read_dir(self.root.join(below))?;
                let names: Vec<_> =
                    entries.take(MAX_FILES).map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
                names.iter().try_for_each(|name| self.copy(&below.join(name), &target.join(name), depth - 1))
            }
        }
    }
}
