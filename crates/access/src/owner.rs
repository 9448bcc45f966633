//! Who set up what acts later, without them.
use crate::{Caller, Claims, Extra, Gate, Identity, Proof, TokenScope};
use domain::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Whoever created or enabled something that acts by itself later on, as they were then: name, groups, and how far
/// their credentials reached. A token that they did it with must not have been revoked. It is worth nothing until
/// [`Gate::act_for`], and what it asks for is then decided anew, so that a right which was withdrawn meanwhile is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    who: Arc<Identity>,
    /// When they were known to be in these groups.
    recorded_at: Timestamp,
}

/// How a row has it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    user: String,
    groups: Vec<String>,
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    extra: Extra,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    verbs: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    namespaces: Vec<String>,
    /// The id of the token that they did it with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    recorded_at: Timestamp,
}

impl Owner {
    /// The holder of credentials, at this moment.
    pub fn of(who: &Arc<Identity>, now: Timestamp) -> Self {
        Self { who: who.clone(), recorded_at: now }
    }

    pub fn user(&self) -> &str {
        self.who.user()
    }

    /// When their groups were known to be theirs.
    pub fn recorded_at(&self) -> Timestamp {
        self.recorded_at
    }

    /// What a row keeps.
    pub fn to_row(&self) -> String {
        let who = &self.who;
        let row = Row {
            user: who.user().to_owned(),
            groups: who.groups().map(str::to_owned).collect(),
            extra: who.extra().clone(),
            verbs: who.scope().verbs().map(|verb| verb.as_str().to_owned()).collect(),
            namespaces: who.scope().namespaces().map(|namespace| namespace.as_str().to_owned()).collect(),
            token: match who.proof() {
                Proof::ApiToken(id) => Some(id.to_string()),
                _ => None,
            },
            recorded_at: self.recorded_at,
        };
        // Texts, lists and numbers can be written always.
        serde_json::to_string(&row).unwrap_or_default()
    }

    /// Reads what `to_row` wrote. For the store alone: whatever else is read as an owner is an impersonation.
    ///
    /// # Errors
    /// `Internal` for anything else.
    pub fn from_row(text: &str) -> Result<Self> {
        let row: Row = serde_json::from_str(text).map_err(Error::internal)?;
        let scope = TokenScope::new(&row.verbs, &row.namespaces)?;
        let proof = Proof::Recorded(row.token.map(Into::into));
        let claims = Claims { user: row.user, groups: row.groups, extra: row.extra, proof, scope, until: None };
        Ok(Self { who: Identity::make(claims), recorded_at: row.recorded_at })
    }
}

impl Gate {
    /// The caller as whom something acts that its owner set up. Every call that is made so passes the gate.
    pub fn act_for(&self, owner: &Owner) -> Caller {
        Caller::Known(owner.who.clone())
    }
}
