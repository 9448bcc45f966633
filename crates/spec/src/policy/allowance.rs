//! What an installation can allow beyond what is harmless.
use std::{fmt, str::FromStr};

/// Defines the allowances with their words in the configuration.
macro_rules! allowances {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// Something that manifests are refused unless it is allowed. `docs/ACCESS.md` says what each gives away.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Allowance {
            $($(#[$doc])* $name,)*
        }

        impl Allowance {
            /// All of them.
            pub const ALL: &[Allowance] = &[$(Allowance::$name),*];

            /// Its word in the configuration.
            pub fn word(self) -> &'static str {
                match self {
                    $(Allowance::$name => $word,)*
                }
            }
        }
    };
}

allowances! {
    /// `artifactGC`: pods that delete artifacts, with an account and metadata of their own.
    ArtifactGc = "artifact-gc",
    /// Artifacts at places that the manifest names, which the credentials of the shared repository may reach.
    ArtifactLocations = "artifact-locations",
    /// Lifecycle hooks: templates that run when an expression becomes true.
    Hooks = "hooks",
    /// Lines of a pod's `/etc/hosts`.
    HostAliases = "host-aliases",
    /// The network and the ports of a node.
    HostNamespaces = "host-namespaces",
    /// Folders of a node.
    HostPath = "host-path",
    /// Volumes that a node mounts from elsewhere by itself: NFS, inline CSI, images.
    NodeVolumes = "node-volumes",
    /// Executor, template and artifact plugins.
    Plugins = "plugins",
    /// Patches of pods. They can set any field, and so this gives away everything that a pod can have.
    PodSpecPatch = "pod-spec-patch",
    /// Root, capabilities, unconfined profiles, sysctls and whatever else a securityContext can loosen.
    Privileged = "privileged",
    /// Templates that create, change or delete objects of Kubernetes other than a volume claim of fixed content.
    ResourceTemplates = "resource-templates",
    /// Priorities, schedulers, and affinity to the pods of other namespaces.
    Scheduling = "scheduling",
    /// Service accounts other than the run's, and their tokens where pods do not have them by themselves.
    ServiceAccounts = "service-accounts",
    /// Locks that are shared with other namespaces.
    Synchronization = "synchronization",
    /// Templates of other objects, whose content is not seen here.
    TemplateRefs = "template-refs",
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Allowance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().copied().find(|allowance| allowance.word() == text);
        found.ok_or_else(|| {
            let words: Vec<_> = Self::ALL.iter().map(|allowance| allowance.word()).collect();
            format!("{text:?} is nothing that can be allowed; there are {}", words.join(", "))
        })
    }
}
