//! The environments of all namespaces: found, or built once however many ask.
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use sha2::{Digest, Sha256};

use super::arguments::Install;
use super::builder::{Builder, Plan};
use super::{BuildSettings, Error, Interpreter};
use crate::sandbox::{self, Sandbox};
use tokio_util::task::AbortOnDropHandle;

/// What the name of the file ends with that says that an environment is complete.
const COMPLETE: &str = ".complete";

/// What a component asks for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The namespace's own folder; no task may write it.
    pub folder: &'a Path,
    /// Each is the arguments of a `pip install`, done one after the other.
    pub installs: &'a [Vec<String>],
    /// Whether the namespace's tasks have the host's network: a build runs tenants' code as they do.
    pub network: bool,
}

/// An environment that is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    pub path: PathBuf,
    /// Its programs: for the front of a task's PATH.
    pub bin: PathBuf,
    /// What a sandbox must show, read-only, for it to run: itself, and the interpreter that it rests on.
    pub read_only: Vec<PathBuf>,
    /// As long as somebody has this, it is in use.
    _held: Arc<()>,
}

/// Finds and builds environments. Clones share what they know.
#[derive(Clone, Debug)]
pub struct Environments(Arc<Inner>);

type Build = Shared<BoxFuture<'static, Result<(), Error>>>;
type Awaited = WeakShared<BoxFuture<'static, Result<(), Error>>>;

struct Inner {
    builder: Builder,
    interpreter: Result<Interpreter, Error>,
    /// Builds that somebody waits for. When nobody does any more, a build is ended.
    under_way: Mutex<HashMap<PathBuf, Awaited>>,
    /// Environments that are in use, or were.
    held: Mutex<HashMap<PathBuf, Weak<()>>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("builder", &self.builder).field("interpreter", &self.interpreter).finish()
    }
}

impl Environments {
    /// Looks once for the host's Python and for `uv`. That there is no Python is an error to those who need it.
    pub async fn new(sandbox: Sandbox, settings: BuildSettings) -> Self {
        let builder = Builder { sandbox, settings, uv: sandbox::find("uv") };
        Self(Arc::new(Inner {
            builder,
            interpreter: Interpreter::find().await,
            under_way: Mutex::default(),
            held: Mutex::default(),
        }))
    }

    /// The host's Python, for components that install nothing.
    pub fn interpreter(&self) -> Result<&Interpreter, Error> {
        self.0.interpreter.as_ref().map_err(Clone::clone)
    }

    /// The environment in which these were installed. None when nothing is to be installed.
    ///
    /// An environment is known by the installs, the operator's settings and the interpreter. A build goes on as long as
    /// somebody waits for it.
    ///
    /// # Errors
    ///
    /// Nothing is left of a build that failed, and the next request tries again.
    pub async fn ready(&self, request: Request<'_>) -> Result<Option<Environment>, Error> {
        let Request { folder, installs, network } = request;
        let installs = installs.iter().map(|arguments| Install::parse(arguments)).collect::<Result<Vec<_>, _>>()?;
        if installs.iter().all(|install| install.requirements.is_empty()) {
            return Ok(None);
        }
        let interpreter = self.interpreter()?;
        let place = Place { folder: folder.to_owned(), key: self.0.key(interpreter, &installs) };
        // First held and then looked for, so that it cannot be collected in between.
        let path = place.environment();
        let held = self.0.hold(&path);
        if !place.is_complete() {
            self.0.build_once(place.clone(), installs, network).await?;
        }
        place.touch();
        let mut read_only = interpreter.read_only();
        read_only.push(path.clone());
        Ok(Some(Environment { bin: path.join("bin"), path, read_only, _held: held }))
    }

    /// Removes the environments of a namespace that nobody has asked for in a while and nobody uses.
    ///
    /// # Errors
    ///
    /// The folder cannot be read. What cannot be removed is left for the next time.
    pub async fn collect(&self, folder: &Path, unused_for: Duration) -> io::Result<()> {
        for place in Place::all(folder)? {
            if self.0.let_go(&place, unused_for) {
                tracing::info!(environment = %place.environment().display(), "removing an environment that was not used");
                if let Err(error) = self.0.clear(&place).await {
                    tracing::warn!(environment = %place.environment().display(), %error, "it could not be removed");
                }
            }
        }
        Ok(())
    }
}

impl Inner {
    fn key(&self, interpreter: &Interpreter, installs: &[Install]) -> String {
        let of =
            serde_json::json!([1, interpreter, installs, self.builder.settings.variables, self.builder.uv.is_some()]);
        hex::encode(Sha256::digest(of.to_string()))[..32].to_owned()
    }

    /// Joins the build that is under way, or starts one. All who wait get the same answer.
    fn build_once(self: &Arc<Self>, place: Place, installs: Vec<Install>, network: bool) -> Build {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(build) = under_way.get(&place.environment()).and_then(WeakShared::upgrade) {
            return build;
        }
        let path = place.environment();
        let (inner, key) = (Arc::clone(self), path.clone());
        let job = AbortOnDropHandle::new(tokio::spawn(async move {
            let built = inner.build(&place, &installs, network).await;
            inner.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            built
        }));
        let failed = path.clone();
        let build =
            job.map(|built| built.unwrap_or_else(|error| Err(Error::Host { path: failed, why: error.to_string() })));
        let build = build.boxed().shared();
        if let Some(weak) = build.downgrade() {
            under_way.insert(path, weak);
        }
        build
    }

    fn hold(&self, path: &Path) -> Arc<()> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = held.get(path).and_then(Weak::upgrade) {
            return held;
        }
        let new = Arc::new(());
        held.retain(|_, others| others.strong_count() > 0);
        held.insert(path.to_owned(), Arc::downgrade(&new));
        new
    }

    /// Makes an environment incomplete that was not asked for in a while and is not in use. Says whether it did.
    fn let_go(&self, place: &Place, unused_for: Duration) -> bool {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let in_use = held.get(&place.environment()).is_some_and(|held| held.strong_count() > 0);
        let old = place.asked_for().is_some_and(|age| age >= unused_for);
        !in_use && old && std::fs::remove_file(place.marker()).is_ok()
    }

    async fn build(&self, place: &Place, installs: &[Install], network: bool) -> Result<(), Error> {
        let host = |error: io::Error| Error::Host { path: place.environment(), why: error.to_string() };
        let interpreter = self.interpreter.as_ref().map_err(Clone::clone)?;
        let locking = place.clone();
        let lock = tokio::task::spawn_blocking(move || Lock::take(&locking)).await.map_err(io::Error::other);
        let _lock = lock.flatten().map_err(host)?;
        // Another server on this folder may have been first.
        if place.is_complete() {
            return Ok(());
        }
        // Left by a server that was killed in the middle of a build.
        self.clear(place).await.map_err(host)?;
        place.prepare().map_err(host)?;
        let (path, scratch, cache, log) = (place.environment(), place.scratch(), place.cache(), place.log());
        let plan = Plan { interpreter, installs, path: &path, scratch: &scratch, cache: &cache, log: &log, network };
        let built = self.builder.build(&plan).await;
        if built.is_ok() {
            File::create(place.marker()).map_err(host)?;
            let _ = std::fs::remove_file(&log);
            let _ = self.builder.sandbox.remove(&scratch).await;
        } else if let Err(error) = self.clear(place).await {
            tracing::warn!(environment = %path.display(), %error, "what a failed build has left could not be removed");
        }
        built
    }

    async fn clear(&self, place: &Place) -> io::Result<()> {
        for path in [place.marker(), place.environment(), place.scratch(), place.log()] {
            self.builder.sandbox.remove(&path).await?;
        }
        Ok(())
    }
}

/// The files of one environment in the folder of its namespace. All but the environment, the scratch folder and the
/// cache are the server's, which no build can write.
#[derive(Clone, Debug)]
struct Place {
    folder: PathBuf,
    key: String,
}

impl Place {
    /// Those of a folder that are complete.
    fn all(folder: &Path) -> io::Result<Vec<Self>> {
        let entries = match std::fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let keys = names.filter_map(|name| name.strip_suffix(COMPLETE).map(str::to_owned));
        Ok(keys.map(|key| Self { folder: folder.to_owned(), key }).collect())
    }

    /// How long ago it was last asked for.
    fn asked_for(&self) -> Option<Duration> {
        let touched = std::fs::metadata(self.marker()).ok()?.modified().ok()?;
        // In the future is now.
        Some(SystemTime::now().duration_since(touched).unwrap_or_default())
    }

    fn environment(&self) -> PathBuf {
        self.folder.join(&self.key)
    }

    fn scratch(&self) -> PathBuf {
        self.folder.join(format!("{}.scratch", self.key))
    }

    fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.key))
    }

    /// Exists when the build came to its end. Its time of change is when the environment was last asked for.
    fn marker(&self) -> PathBuf {
        self.folder.join(format!("{}{COMPLETE}", self.key))
    }

    fn lock(&self) -> PathBuf {
        self.folder.join(format!("{}.lock", self.key))
    }

    fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    fn is_complete(&self) -> bool {
        self.marker().is_file() && self.environment().is_dir()
    }

    fn touch(&self) {
        let marker = OpenOptions::new().write(true).open(self.marker());
        let _ = marker.and_then(|marker| marker.set_modified(SystemTime::now()));
    }

    fn prepare(&self) -> io::Result<()> {
        std::fs::create_dir_all(self.cache())?;
        std::fs::create_dir(self.environment())?;
        std::fs::create_dir(self.scratch())
    }
}

/// The right to build at a place, against other servers. Its file is gone when nobody builds there.
struct Lock {
    // Held, not read: the kernel lets go of the lock with it.
    _file: File,
    path: PathBuf,
}

impl Lock {
    fn take(place: &Place) -> io::Result<Self> {
        std::fs::create_dir_all(&place.folder)?;
        let path = place.lock();
        loop {
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
            file.lock()?;
            // Who held it before has removed the file, so that what was locked here may be no longer the lock.
            let same =
                std::fs::metadata(&path).is_ok_and(|now| file.metadata().is_ok_and(|own| own.ino() == now.ino()));
            if same {
                return Ok(Self { _file: file, path });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
