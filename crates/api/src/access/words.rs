//! Verbs and resources, as values and as types. An unknown word in a rule is an unknown name in the generated code.

macro_rules! words {
    ($(#[$doc:meta])* $kind:ident, $module:ident, $tr:ident: $($name:ident = $text:literal),* $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $kind { $($name),* }

        impl $kind {
            /// All words, in the order of their numbers.
            pub const ALL: &'static [$kind] = &[$($kind::$name),*];

            /// As RBAC spells it.
            pub const fn as_str(self) -> &'static str {
                match self { $($kind::$name => $text),* }
            }

            /// Reads RBAC's spelling.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }

        impl std::fmt::Display for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        /// The same words as types.
        pub mod $module {$(
            #[doc = concat!("`", $text, "`")]
            #[derive(Clone, Copy, Debug)]
            pub struct $name;
            impl super::$tr for $name { const VALUE: super::$kind = super::$kind::$name; }
        )*}

        /// A word as a type, and back as a value.
        pub trait $tr: Send + Sync + 'static {
            const VALUE: $kind;
        }
    };
}

words!(
    /// What a caller wants to do.
    Verb, verb, IsVerb:
    Get = "get", List = "list", Create = "create", Update = "update", Delete = "delete", Archive = "archive",
    Unarchive = "unarchive", Terminate = "terminate", Retry = "retry", Enable = "enable", Disable = "disable",
    Report = "report", ReportMetrics = "reportMetrics", ReadArtifact = "readArtifact", Use = "use",
);

words!(
    /// What a caller wants to do it to. `viewers` are of the group `kubeflow.org`, `serviceaccounts` of the core
    /// group, all others of `pipelines.kubeflow.org`.
    Resource, resource, IsResource:
    Experiments = "experiments", Runs = "runs", Jobs = "jobs", Pipelines = "pipelines", Workflows = "workflows",
    Scheduledworkflows = "scheduledworkflows", Visualizations = "visualizations", Viewers = "viewers",
    Serviceaccounts = "serviceaccounts",
);

impl Resource {
    /// The API group, as RBAC rules name it.
    pub const fn group(self) -> &'static str {
        match self {
            Resource::Viewers => "kubeflow.org",
            Resource::Serviceaccounts => "",
            _ => "pipelines.kubeflow.org",
        }
    }
}
