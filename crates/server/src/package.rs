//! Pipeline packages as clients send them.
use domain::{Error, Result};
use spec::Package;

/// The largest package, in bytes (KFP API).
const MAX_PACKAGE: usize = 32 << 20;

/// Reads an uploaded file. Its ending decides how.
///
/// # Errors
/// `InvalidArgument`, with the place of the mistake.
pub(crate) fn read(filename: &str, content: &[u8]) -> Result<Package> {
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
