//! AccessService: callers about themselves.
use crate::{Context, names, time};
use access::{Gate, Identity, Proof, Scope, TokenScope};
use api::{
    access::{Resource, Rule, Verb},
    bulkhead::v1::{
        AccessServiceHandlers, CanIRequest, CanIResponse, CreateTokenRequest, CreateTokenResponse,
        ListMyNamespacesRequest, ListMyNamespacesResponse, ListTokensRequest, ListTokensResponse, MyNamespace,
        RevokeTokenRequest, RevokeTokenResponse, Token, TokenScope as ScopeMessage, WhoAmIRequest, WhoAmIResponse,
        access_service_rpc as rpc,
    },
};
use domain::{Code, Error, Home, Namespace, Result, Timestamp};
use std::sync::Arc;
use store::NewToken;

pub(crate) struct AccessService(pub(crate) Context);

impl AccessServiceHandlers<Gate> for AccessService {
    async fn who_am_i(&self, scope: Scope<rpc::WhoAmI>, _: WhoAmIRequest) -> Result<WhoAmIResponse> {
        let who = known(scope.caller())?;
        let default_namespace = match &self.0.gate.owned(who)?[..] {
            [only] => only.to_string(),
            _ => String::new(),
        };
        Ok(WhoAmIResponse {
            user: who.user().to_owned(),
            groups: who.groups().map(str::to_owned).collect(),
            proof: who.proof().to_string(),
            scope: Some(scope_message(who.scope())),
            expires_at: who.until().and_then(time::wire),
            default_namespace,
        })
    }

    async fn can_i(&self, scope: Scope<rpc::CanI>, req: CanIRequest) -> Result<CanIResponse> {
        let who = known(scope.caller())?;
        let verb = Verb::parse(&req.verb).ok_or_else(|| unknown("verb", &req.verb, Verb::ALL))?;
        let resource =
            Resource::parse(&req.resource).ok_or_else(|| unknown("resource", &req.resource, Resource::ALL))?;
        let home = match req.namespace.as_str() {
            _ if !self.0.settings.multi_user => Home::Namespace(Namespace::single_user()),
            "" | "-" => Home::Shared,
            "*" => Home::Cluster,
            name => Home::Namespace(Namespace::parse(name)?),
        };
        let why = self.0.gate.would(who, verb, resource, &home, &req.name).await?;
        Ok(CanIResponse { allowed: why.allows(), reason: why.told() })
    }

    async fn list_my_namespaces(
        &self,
        scope: Scope<rpc::ListMyNamespaces>,
        _: ListMyNamespacesRequest,
    ) -> Result<ListMyNamespacesResponse> {
        let namespaces = self.0.gate.namespaces(known(scope.caller())?, Verb::List, Resource::Runs).await?;
        let message = |(namespace, owned): (Namespace, bool)| MyNamespace { name: namespace.to_string(), owned };
        Ok(ListMyNamespacesResponse { namespaces: namespaces.into_iter().map(message).collect() })
    }

    async fn create_token(
        &self,
        scope: Scope<rpc::CreateToken>,
        req: CreateTokenRequest,
    ) -> Result<CreateTokenResponse> {
        let who = known(scope.caller())?;
        let new = new_token(who, req, self.0.settings.max_token_lifetime, self.0.store.now())?;
        let (token, secret) = self.0.store.create_token(new).await?;
        if let Err(error) = self.0.gate.record(who, <rpc::CreateToken as Rule>::PATH, &token.id).await {
            self.0.store.revoke_token(&token.id).await?;
            return Err(error);
        }
        Ok(CreateTokenResponse { token: Some(token_message(token)), secret })
    }

    async fn list_tokens(&self, scope: Scope<rpc::ListTokens>, _: ListTokensRequest) -> Result<ListTokensResponse> {
        let tokens = self.0.store.tokens_of(known(scope.caller())?).await?;
        Ok(ListTokensResponse { tokens: tokens.into_iter().map(token_message).collect() })
    }

    async fn revoke_token(
        &self,
        scope: Scope<rpc::RevokeToken>,
        req: RevokeTokenRequest,
    ) -> Result<RevokeTokenResponse> {
        let who = known(scope.caller())?;
        self.0.gate.record(who, <rpc::RevokeToken as Rule>::PATH, &req.token_id).await?;
        self.0.store.revoke_token_of(who, &req.token_id).await?;
        Ok(RevokeTokenResponse {})
    }
}

/// The caller, whom the rules of this service always have.
fn known(caller: Option<&Arc<Identity>>) -> Result<&Arc<Identity>> {
    caller.ok_or_else(|| Error::new(Code::Unauthenticated, "the request is not authenticated"))
}

fn unknown<T: std::fmt::Display>(what: &str, text: &str, all: &[T]) -> Error {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    Error::invalid(format!("{what} {text:?} is unknown here: it is one of {}", all.join(", ")))
}

/// What a caller may have made: no more than they came with, and not for longer.
fn new_token(
    who: &Arc<Identity>,
    req: CreateTokenRequest,
    longest: std::time::Duration,
    now: Timestamp,
) -> Result<NewToken> {
    names::description(&req.description)?;
    let longest = Timestamp(now.0.saturating_add(i64::try_from(longest.as_micros()).unwrap_or(i64::MAX)));
    let (made_with, latest) = match who.proof() {
        Proof::ApiToken(id) => (Some(id.to_string()), who.until().map_or(longest, |until| until.min(longest))),
        Proof::TokenReview => {
            return Err(Error::precondition(
                "a token of Kubernetes makes no other: ask Kubernetes for one (kubectl create token)",
            ));
        }
        Proof::SingleUser => {
            return Err(Error::precondition("there is no login here, and so there are no tokens"));
        }
        // Who has logged in.
        _ => (None, longest),
    };
    let wanted = req.scope.unwrap_or_default();
    let wanted = TokenScope::new(&wanted.verbs, &wanted.namespaces)?;
    let scope = match wanted.is_all() {
        true => who.scope().clone(),
        false if wanted.is_within(who.scope()) => wanted,
        false => {
            let text = "the new token would be good for more than the one that it is made with";
            return Err(Error::new(Code::PermissionDenied, text));
        }
    };
    if req.expires_at.is_some_and(|time| time.seconds == 0) {
        return Err(Error::invalid("expires_at is the epoch, which is past; leave it out for the longest that may be"));
    }
    let expires_at = time::read("expires_at", req.expires_at)?.unwrap_or(latest);
    if expires_at <= now {
        return Err(Error::invalid(format!("expires_at {expires_at} is past")));
    }
    if expires_at > latest {
        return Err(Error::invalid(format!("expires_at {expires_at} is too late: a token made now ends by {latest}")));
    }
    // What only Kubernetes vouches for is not written down; everybody is in `system:authenticated` anyway.
    let groups = who.groups().filter(|group| !group.starts_with("system:")).map(str::to_owned).collect();
    let user = who.user().to_owned();
    Ok(NewToken { user, groups, scope, description: req.description, expires_at: Some(expires_at), made_with })
}

fn scope_message(scope: &TokenScope) -> ScopeMessage {
    ScopeMessage {
        verbs: scope.verbs().map(|verb| verb.to_string()).collect(),
        namespaces: scope.namespaces().map(ToString::to_string).collect(),
    }
}

fn token_message(token: store::Token) -> Token {
    Token {
        token_id: token.id,
        description: token.description,
        scope: Some(scope_message(&token.scope)),
        created_at: time::wire(token.created_at),
        expires_at: token.expires_at.and_then(time::wire),
        revoked_at: token.revoked_at.and_then(time::wire),
        made_with: token.made_with.unwrap_or_default(),
    }
}
