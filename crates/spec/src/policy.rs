//! What v1 manifests and platform settings may ask of Kubernetes.
//!
//! Both are held against tables of the fields that are known to be harmless (`workflow`, `pod`, `platform`). What the
//! tables lack is refused, whatever it is: lists of what is forbidden have failed again and again, because the next
//! version of Argo or of Kubernetes has a field more (CVE-2026-31892, CVE-2026-42296, CVE-2026-54526). Some fields are
//! harmful only where a tenant is not trusted; those an installation can allow by an [`Allowance`].
mod allowance;
mod labels;
mod platform;
mod pod;
mod shape;
mod touches;
mod walk;
mod workflow;

pub use allowance::Allowance;
pub use labels::check_domain;
pub use touches::Touches;

use crate::{Manifest, Template};
use domain::Result;
use serde_json::Value;
use shape::Shape;
use std::collections::BTreeSet;
use walk::Walk;

/// What one namespace's definitions may have. The default allows nothing but what is harmless.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    pub allow: BTreeSet<Allowance>,
    /// Domains whose labels and annotations may be set, such as `example.com`, each with all below it. Those that
    /// everybody may set need not be listed.
    pub domains: BTreeSet<String>,
    /// The account of runs that name none. A definition may name it, since that changes nothing.
    pub default_service_account: String,
}

impl Policy {
    /// Passes a definition all of whose fields are allowed, and tells what it can touch.
    ///
    /// # Errors
    /// `InvalidArgument` with the path of the first field that is not, and with the allowance that it takes where
    /// there is one.
    pub fn check(&self, template: &Template) -> Result<Touches> {
        match template {
            Template::V1(manifest) => self.check_workflow(manifest),
            Template::V2(package) => {
                package.platform.as_ref().map_or(Ok(Touches::default()), |it| self.check_platform(it))
            }
        }
    }

    /// The same for a v1 manifest.
    ///
    /// # Errors
    /// As [`Policy::check`].
    pub fn check_workflow(&self, manifest: &Manifest) -> Result<Touches> {
        self.walk(manifest.document(), &workflow::WORKFLOW)
    }

    /// The same for platform settings: a document with `platforms.kubernetes`.
    ///
    /// # Errors
    /// As [`Policy::check`].
    pub fn check_platform(&self, document: &Value) -> Result<Touches> {
        self.walk(document, &platform::PLATFORMS)
    }

    fn walk(&self, document: &Value, shape: &Shape) -> Result<Touches> {
        let mut walk = Walk::new(self);
        walk.check(document, shape)?;
        Ok(walk.touches)
    }
}
