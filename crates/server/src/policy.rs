//! Which definitions may be stored and run where.
//!
//! What a tenant may ask of Kubernetes is judged when a definition is stored, so that its author hears of it, and again
//! whenever it is to be executed: a shared pipeline is of no namespace, a run can be of another one than its pipeline,
//! and a policy can have become stricter since.
use crate::{Context, package};
use domain::{Code, Error, Home, Namespace, Result};
use spec::{Allowance, Package, Policy, Template};
use std::collections::{BTreeMap, BTreeSet};

/// The policies of an installation.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// What holds everywhere, and alone for shared pipelines.
    pub everywhere: Policy,
    /// What single namespaces are allowed besides.
    pub namespaces: BTreeMap<Namespace, BTreeSet<Allowance>>,
    pub v1: V1,
}

/// Whether v1 manifests are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum V1 {
    #[default]
    Everywhere,
    /// Only in these namespaces; shared ones if the server's own is among them.
    Only { namespaces: BTreeSet<Namespace>, server: Namespace },
}

impl Policies {
    /// Passes a definition that may be stored in that home, or run there.
    ///
    /// # Errors
    /// `InvalidArgument`, with the path of what is not allowed.
    pub(crate) fn check(&self, home: &Home, template: &Template) -> Result<()> {
        if let (Template::V1(_), V1::Only { namespaces, server }) = (template, &self.v1) {
            let namespace = home.namespace().unwrap_or(server);
            if !namespaces.contains(namespace) {
                return Err(Error::invalid(format!(
                    "v1 manifests (Argo Workflows) are refused in namespace {namespace} by the server's configuration \
                     (policy.block_v1): compile the pipeline with kfp 2"
                )));
            }
        }
        let besides = home.namespace().and_then(|namespace| self.namespaces.get(namespace));
        match besides {
            None => self.everywhere.check(template)?,
            Some(besides) => {
                let mut policy = self.everywhere.clone();
                policy.allow.extend(besides);
                policy.check(template)?
            }
        };
        Ok(())
    }
}

/// The package of a definition that is to be executed in that home.
///
/// # Errors
/// As [`Policies::check`]; `Unimplemented` for a v1 manifest that is allowed.
pub(crate) async fn package(context: &Context, home: &Home, template: Template) -> Result<Package> {
    let (settings, home) = (context.settings.clone(), home.clone());
    package::off_the_runtime(move || {
        settings.policies.check(&home, &template)?;
        template.into_package()
    })
    .await
}

/// Passes the stored definition of something that is to be executed again. It was allowed once.
///
/// # Errors
/// `FailedPrecondition` if it is not any more.
pub(crate) async fn check_again(context: &Context, home: &Home, spec: String) -> Result<()> {
    let template = package::read_text(spec).await?;
    match package(context, home, template).await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Code::InvalidArgument => {
            Err(Error::precondition(error.message()).at("its definition is not allowed any more"))
        }
        Err(error) => Err(error),
    }
}
