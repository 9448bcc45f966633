//! Pipeline packages as clients send them, name them or write them into a request.
mod archive;

use crate::{Context, json};
use api::bulkhead::v1::Package as File;
use domain::{Error, Home, Result};
use prost_types::Struct;
use spec::Template;
use tokio::sync::Semaphore;

/// The largest package, in bytes (KFP API). This is the limit that counts, whichever way a package came; `MAX_FILE` of
/// `gateway::upload` is the same number, and keeps a larger file out of memory before this can look at it.
pub const MAX_PACKAGE: usize = 32 << 20;

/// Where a definition comes from.
pub(crate) enum Origin {
    File(File),
    Url(String),
    Inline(Struct),
}

/// A definition as it is stored.
pub(crate) struct Definition {
    /// The canonical text.
    pub(crate) spec: String,
    /// The URL that it came from, or nothing.
    pub(crate) package_url: String,
}

/// Reads a definition that is to be stored in that home.
///
/// # Errors
/// `InvalidArgument`, with the place of the mistake, or of what is not allowed there; those of [`crate::Fetch`].
pub(crate) async fn read(context: &Context, home: &Home, origin: Origin) -> Result<Definition> {
    let (settings, home) = (context.settings.clone(), home.clone());
    let canonical = move |template: &Template| {
        template.check_name()?;
        settings.policies.check(&home, template)?;
        template.canonical()
    };
    let (file, package_url) = match origin {
        Origin::File(file) => (file, String::new()),
        Origin::Url(url) => {
            let fetched = context.fetch.fetch(&url, MAX_PACKAGE).await?;
            (File { filename: fetched.filename, content: fetched.content }, without_query(url))
        }
        Origin::Inline(document) => {
            let document = json::from_struct(document).map_err(|error| error.at("pipeline_spec"))?;
            let read = move || canonical(&Template::from_json(&document.into())?);
            return Ok(Definition { spec: off_the_runtime(read).await?, package_url: String::new() });
        }
    };
    let spec = off_the_runtime(move || canonical(&parse(&file.filename, file.content)?)).await?;
    Ok(Definition { spec, package_url })
}

/// A URL as everybody may see it who may see the version: signatures and tokens stand in its query.
fn without_query(url: String) -> String {
    url.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// Reads a stored or inline text that is to be run.
///
/// # Errors
/// `InvalidArgument`, with the place of the mistake.
pub(crate) async fn read_text(text: String) -> Result<Template> {
    off_the_runtime(move || Template::parse(&text)).await
}

/// Packages that are read at one time. The threads that they are read on are those that the database waits on.
static READERS: Semaphore = Semaphore::const_new(8);

/// A package can have 32 MiB, and its reader must not keep others waiting.
pub(crate) async fn off_the_runtime<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let _turn = READERS.acquire().await.map_err(Error::internal)?;
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

/// A file's name decides how it is read, or else its first bytes do (KFP API, "File handling").
fn parse(filename: &str, content: Vec<u8>) -> Result<Template> {
    if content.len() > MAX_PACKAGE {
        let text = format!("the package has {} bytes, and at most {MAX_PACKAGE} (32 MiB) are allowed", content.len());
        return Err(Error::invalid(text));
    }
    let content = match () {
        () if is_text(filename) || filename.to_ascii_lowercase().ends_with(".json") => content,
        () if content.starts_with(b"PK") => archive::zip(content)?,
        () if content.starts_with(b"\x1f\x8b") => archive::tar_gz(&content)?,
        () => {
            return Err(Error::invalid(format!(
                "{filename:?} is not a pipeline package: its name must end in .yaml, .yml or .json, or it must be a \
                 .zip or .tar.gz archive"
            )));
        }
    };
    let text =
        str::from_utf8(&content).map_err(|error| Error::invalid(format!("the package is not UTF-8: {error}")))?;
    Template::parse(text)
}

/// Whether a name is that of a YAML file.
fn is_text(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    matches!(ending.as_deref(), Some("yaml" | "yml"))
}
