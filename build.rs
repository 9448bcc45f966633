//! Compiles `proto/` for the `api` crate: messages, services, and one access rule per RPC.
use std::{env, path::Path};

fn main() {
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    #[expect(clippy::expect_used, reason = "cargo sets OUT_DIR for build scripts")]
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR for build scripts");
    println!("cargo::rerun-if-changed={}", proto.display());
    if let Err(error) = codegen::build(&proto, Path::new(&out)) {
        for line in error.to_string().lines() {
            println!("cargo::error={line}");
        }
    }
}
