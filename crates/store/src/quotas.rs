//! How much a namespace may hold, and the refusal of more.
//!
//! What would go beyond a quota is refused in the transaction that would make it, so that two who ask at once do not
//! both get the last place.
use crate::{
    Error, Store,
    connect::Connection,
    counts::{self, Counted, What},
};
use access::Grant;
use api::access::{resource::Runs, verb::List};
use domain::{Code, Home, Namespace, Result};
use std::{collections::BTreeMap, fmt};

/// Something of which a namespace may have so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// Runs that have not ended.
    ActiveRuns,
    /// Runs, archived ones too.
    StoredRuns,
    Pipelines,
    /// Recurring runs, disabled ones too.
    RecurringRuns,
}

/// The quotas of one namespace. `None` is as many as one likes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub active_runs: Option<u32>,
    pub stored_runs: Option<u32>,
    pub pipelines: Option<u32>,
    pub recurring_runs: Option<u32>,
}

/// The quotas of all namespaces. What everybody shares has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quotas {
    pub everywhere: Limits,
    /// Of single namespaces, in place of those.
    pub namespaces: BTreeMap<Namespace, Limits>,
}

/// How a namespace stands with one of its quotas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub quota: Quota,
    pub limit: Option<u32>,
    /// It can be more than the limit, if that was larger before.
    pub used: i64,
}

impl Store {
    /// The same store with quotas, for what is made through this one.
    #[must_use]
    pub fn with_quotas(self, quotas: Quotas) -> Self {
        Self { quotas: quotas.into(), ..self }
    }

    /// How the namespace of the grant stands with each of its quotas, also where it has none.
    ///
    /// # Errors
    /// `InvalidArgument` if the grant is for no namespace.
    pub async fn standing(&self, grant: &Grant<List, Runs>) -> Result<[Standing; 4]> {
        let (usage, limits) = (self.usage(grant).await?, self.limits(grant.home()));
        Ok(Quota::ALL.map(|quota| Standing { quota, limit: limits.of(quota), used: usage.of(quota) }))
    }

    /// The quotas of a home.
    pub(crate) fn limits(&self, home: &Home) -> Limits {
        home.namespace().map(|namespace| self.quotas.of(namespace)).unwrap_or_default()
    }
}

impl Quotas {
    /// Those that hold in a namespace.
    pub fn of(&self, namespace: &Namespace) -> Limits {
        self.namespaces.get(namespace).copied().unwrap_or(self.everywhere)
    }
}

impl Limits {
    /// How many there may be, if that is limited.
    pub fn of(&self, quota: Quota) -> Option<u32> {
        match quota {
            Quota::ActiveRuns => self.active_runs,
            Quota::StoredRuns => self.stored_runs,
            Quota::Pipelines => self.pipelines,
            Quota::RecurringRuns => self.recurring_runs,
        }
    }

    /// Passes if there is room in a namespace for so many more, which are not counted yet. Until the transaction ends, no
    /// other one gets to know whether there is.
    pub(crate) async fn admit(
        &self,
        conn: &mut Connection,
        namespace: &str,
        quota: Quota,
        more: i64,
    ) -> Result<(), Error> {
        let Some(limit) = self.of(quota) else { return Ok(()) };
        Counted::all(quota.what(), namespace).hold(conn).await?;
        let used = counts::used(conn, namespace, quota).await?;
        if used + more <= limit.into() {
            return Ok(());
        }
        Err(exceeded(namespace, quota, used, limit).into())
    }
}

impl Quota {
    pub const ALL: [Quota; 4] = [Self::ActiveRuns, Self::StoredRuns, Self::Pipelines, Self::RecurringRuns];

    /// The name that it has in the configuration and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ActiveRuns => "active_runs",
            Self::StoredRuns => "stored_runs",
            Self::Pipelines => "pipelines",
            Self::RecurringRuns => "recurring_runs",
        }
    }

    /// What has to be held for its number to stay.
    fn what(self) -> What {
        match self {
            Self::ActiveRuns | Self::StoredRuns => What::Runs,
            Self::Pipelines => What::Pipelines,
            Self::RecurringRuns => What::RecurringRuns,
        }
    }

    /// What makes room.
    fn way(self) -> &'static str {
        match self {
            Self::ActiveRuns => "wait until runs have ended, terminate or delete some",
            Self::StoredRuns => "delete runs (archived ones count too)",
            Self::Pipelines => "delete pipelines",
            Self::RecurringRuns => "delete recurring runs (disabled ones count too)",
        }
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The refusal. It has no time after which to try again: room comes about by what somebody does.
fn exceeded(namespace: &str, quota: Quota, used: i64, limit: u32) -> domain::Error {
    let place = match namespace {
        "" => "this server".to_owned(),
        name => format!("namespace {name}"),
    };
    let way = quota.way();
    let text = format!(
        "quota {quota} of {place} is used up, {used} of {limit}: {way}, or ask who runs this server for a larger quota"
    );
    domain::Error::new(Code::ResourceExhausted, text)
}
