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
    fs, io,
    path::{Path, PathBuf},
};

/// The folder of imported artifacts in a workspace (a name that KFP has given).
const IMPORTED: &str = ".artifacts";
/// How many files and folders are copied into a workspace at most.
const MAX_FILES: usize = 100_000;

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
        let remote = uri.split_once("://").is_some_and(|(scheme, _)| !scheme.eq_ignore_ascii_case("file"));
        if remote {
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
        let copied = tokio::task::spawn_blocking(move || {
            fs::create_dir_all(&workspace)?;
            copy(&runs, &below, &workspace, &target, &mut MAX_FILES.clone())?;
            let path = workspace.join(target).into_os_string().into_string();
            path.map_err(|_| io::Error::other("its path is not UTF-8"))
        });
        let copied = copied.await.map_err(io::Error::other).and_then(|copied| copied);
        copied.map_err(|error| failure(format!("{uri:?} could not be copied into the workspace: {error}")))
    }
}

/// Copies a file or a folder, without following links and without going into what is neither.
fn copy(root: &Path, below: &Path, workspace: &Path, target: &Path, left: &mut usize) -> io::Result<()> {
    *left = left.checked_sub(1).ok_or_else(|| io::Error::other(format!("it has more than {MAX_FILES} files")))?;
    match beneath::look(root, below)? {
        Found::Nothing => Err(io::ErrorKind::NotFound.into()),
        Found::Strange => Err(io::Error::other("it has something that is neither a file nor a folder")),
        Found::File(mut file) => io::copy(&mut file, &mut beneath::create(workspace, target)?).map(drop),
        Found::Folder => {
            beneath::create_folder(workspace, target)?;
            for entry in fs::read_dir(root.join(below))? {
                let name = entry?.file_name();
                copy(root, &below.join(&name), workspace, &target.join(&name), left)?;
            }
            Ok(())
        }
    }
}
