//! What `build.rs` does: protos in, Rust out, and no RPC without an access rule.
mod emit;
mod field;
mod names;
mod rule;

use prost_build::{Service, ServiceGenerator};
use prost_reflect::DescriptorPool;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

pub use rule::{CheckDef, MethodRule, rules};

/// Packages whose messages only annotate other protos and need no Rust.
const ANNOTATIONS: [&str; 2] = ["google.api", "bulkhead.access.v1"];

/// Why nothing was generated. `Display` has one line for each mistake, with its place.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A proto does not compile. Only protox's `Debug` text has line and column.
    #[error("{0:?}")]
    Proto(#[from] protox::Error),
    /// What protox made is not a valid set of descriptors.
    #[error("{0}")]
    Descriptors(#[from] prost_reflect::DescriptorError),
    /// RPCs whose rule is absent or makes no sense.
    #[error("{}", .0.join("\n"))]
    Rules(Vec<String>),
    /// A proto cannot be read, or the output not be written.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Compiles every `.proto` below `proto` into `out`: `protos.rs` with messages, services, rules and handler traits,
/// and `descriptors.bin`, the descriptor set with its options, for the gateway and for reflection.
///
/// # Errors
/// See [`Error`]; all wrong rules are reported at once.
pub fn build(proto: &Path, out: &Path) -> Result<(), Error> {
    let mut files = Vec::new();
    collect(proto, &mut files)?;
    let mut compiler = protox::Compiler::new([proto])?;
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(&files)?;
    // The encoded set keeps extension options; the typed one, which prost wants, drops them.
    let bytes = compiler.encode_file_descriptor_set();
    let rules = rules(&DescriptorPool::decode(bytes.as_slice())?).map_err(Error::Rules)?;
    fs::write(out.join("descriptors.bin"), bytes)?;

    let mut typed = compiler.file_descriptor_set();
    typed.file.retain(|file| !ANNOTATIONS.contains(&file.package()));
    let inner = tonic_prost_build::configure().service_generator();
    let mut config = prost_build::Config::new();
    config.out_dir(out).include_file("protos.rs").service_generator(Box::new(WithRules { inner, rules }));
    // Its other variants are far smaller.
    config.boxed(".ml_metadata.ArtifactStruct.value.artifact");
    config.compile_fds(typed)?;
    Ok(())
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}

/// tonic's generator, preceded by rules and handlers. Both are written at package level, where the type paths that
/// prost hands over are valid.
struct WithRules {
    inner: Box<dyn ServiceGenerator>,
    rules: BTreeMap<String, MethodRule>,
}

impl ServiceGenerator for WithRules {
    fn generate(&mut self, service: Service, buf: &mut String) {
        emit::rules(&service, &self.rules, buf);
        emit::handlers(&service, buf);
        self.inner.generate(service, buf);
    }

    fn finalize(&mut self, buf: &mut String) {
        self.inner.finalize(buf);
    }

    fn finalize_package(&mut self, package: &str, buf: &mut String) {
        self.inner.finalize_package(package, buf);
    }
}
