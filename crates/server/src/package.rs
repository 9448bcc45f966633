//! Pipeline packages as clients send them.
use api::bulkhead::v1::Package as UploadedPackage;
use domain::{Error, Result};
use spec::Package;

/// The largest package, in bytes (KFP API). This is the limit that counts, whichever way a package came; `MAX_FILE` of
/// `gateway::upload` is the same number, and keeps a larger file out of memory before this can look at it.
const MAX_PACKAGE: usize = 32 << 20;

/// Reads an uploaded file to its canonical text. Its ending decides how.
///
/// # Errors
/// `InvalidArgument`, with the place of the mistake.
pub(crate) async fn read(file: UploadedPackage) -> Result<String> {
    off_the_runtime(move || parse(&file.filename, &file.content)?.canonical()).await
}

/// Reads a stored or inline text.
///
/// # Errors
/// As [`read`].
pub(crate) async fn read_text(text: String) -> Result<Package> {
    off_the_runtime(move || Package::parse(&text)).await
}

/// A package can have 32 MiB, and its reader must not keep others waiting.
async fn off_the_runtime<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

fn parse(filename: &str, content: &[u8]) -> Result<Package> {
    if content.len() > MAX_PACKAGE {
        let text = format!("the package has {} bytes, and at most {MAX_PACKAGE} (32 MiB) are allowed", content.len());
        return Err(Error::invalid(text));
    }
    let ending = filename.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    if !matches!(ending.as_str(), "yaml" | "yml" | "json") {
        return Err(Error::invalid(format!(
            "{filename:?} is not a pipeline package: its name must end in .yaml, .yml or .json"
        )));
    }
    let text = str::from_utf8(content).map_err(|error| Error::invalid(format!("the package is not UTF-8: {error}")))?;
    let package = Package::parse(text)?;
    package.check_name()?;
    Ok(package)
}
