//! Templates: what the text of a pipeline version is, a package or a v1 manifest.
use crate::{Manifest, Package, manifest::Parameter, yaml};
use domain::{Error, Result};
use serde_json::Value;

/// A definition that can be stored. Only packages can be run here.
#[derive(Clone, Debug, PartialEq)]
pub enum Template {
    V2(Box<Package>),
    V1(Manifest),
}

impl Template {
    /// Reads a pipeline file, YAML or JSON: a v1 manifest if its first document is one, else a package (KFP API,
    /// "Template detection"). The caller bounds the size of the text.
    ///
    /// # Errors
    /// `InvalidArgument` for anything that is neither, naming the place.
    pub fn parse(text: &str) -> Result<Self> {
        let documents = yaml::read(text)?;
        if documents.is_empty() {
            return Err(Error::invalid(
                "the pipeline is empty: a PipelineSpec is wanted, as `kfp dsl compile` writes it",
            ));
        }
        Self::from_documents(documents)
    }

    /// Reads what a request carries: the IR itself, `{"pipeline_spec": .., "platform_spec": ..}`, or a v1 manifest.
    ///
    /// # Errors
    /// As `parse`.
    pub fn from_json(document: &Value) -> Result<Self> {
        let field = |names: [&str; 2]| names.iter().find_map(|name| document.get(name)).cloned();
        let Some(pipeline) = field(["pipeline_spec", "pipelineSpec"]) else {
            return Self::from_documents(vec![document.clone()]);
        };
        let platform = field(["platform_spec", "platformSpec"]).filter(|platform| !platform.is_null());
        Self::from_documents([Some(pipeline), platform].into_iter().flatten().collect())
    }

    /// The definition as the API shows it.
    pub fn to_json(&self) -> Value {
        match self {
            Template::V2(package) => package.to_json(),
            Template::V1(manifest) => manifest.to_json(),
        }
    }

    /// The text to store, which reads as the same template.
    ///
    /// # Errors
    /// `InvalidArgument` for a manifest that would not.
    pub fn canonical(&self) -> Result<String> {
        match self {
            Template::V2(package) => package.canonical(),
            Template::V1(manifest) => manifest.canonical(),
        }
    }

    /// Whether the name inside lets the template be stored.
    ///
    /// # Errors
    /// `InvalidArgument` if not.
    pub fn check_name(&self) -> Result<()> {
        match self {
            Template::V2(package) => package.check_name(),
            Template::V1(manifest) => manifest.check_name(),
        }
    }

    /// The package, for whoever wants to run it.
    ///
    /// # Errors
    /// `Unimplemented` for a v1 manifest.
    pub fn into_package(self) -> Result<Package> {
        match self {
            Template::V2(package) => Ok(*package),
            Template::V1(_) => Err(Error::unimplemented(
                "this is a v1 manifest (an Argo Workflow), which needs the Argo backend; compile the pipeline again \
                 with kfp 2 to run it here",
            )),
        }
    }

    /// The parameters that a stored text shows: those of a v1 manifest. Packages have typed inputs instead.
    ///
    /// # Errors
    /// `InvalidArgument` for a text that `canonical` has not written.
    pub fn parameters(canonical: &str) -> Result<Vec<Parameter>> {
        // Manifests are stored as JSON and packages as YAML, which begins with a key: most need no reading.
        if !canonical.starts_with('{') {
            return Ok(Vec::new());
        }
        match Self::parse(canonical)? {
            Template::V1(manifest) => Ok(manifest.parameters),
            Template::V2(_) => Ok(Vec::new()),
        }
    }

    fn from_documents(mut documents: Vec<Value>) -> Result<Self> {
        if !documents.first().is_some_and(Manifest::is) {
            return Package::from_documents(documents).map(|package| Template::V2(Box::new(package)));
        }
        if documents.len() > 1 {
            return Err(Error::invalid("document 2: a v1 manifest is a document of its own; remove the others"));
        }
        Manifest::read(documents.remove(0)).map(Template::V1)
    }
}
