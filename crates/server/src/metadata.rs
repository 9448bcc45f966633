//! MetadataStoreService: what ML metadata has of runs, tasks and artifacts, as its clients read it.
//!
//! No request of it names a namespace, and an answer has what there is in all namespaces that the caller may read.
mod filter;
mod lineage;
mod list;
mod messages;

use crate::Context;
use access::{Gate, Reach, Scope};
use api::{
    access::{resource::Runs, verb::Get},
    ml_metadata::{metadata_store_service_rpc as rpc, *},
};
use domain::{
    Error, Result,
    metadata::{Node, NodeKind, NodeType, SystemType},
};
use list::Asked;
use messages::Shown;
use std::collections::HashMap;
use store::{EventsOf, Listing, Nodes};

/// How many objects one request may name.
const MAX_NAMED: usize = 10_000;

pub(crate) struct Metadata(pub(crate) Context);

impl Metadata {
    /// All that is meant, where it is no list.
    async fn find(&self, reach: &Reach<Get, Runs>, which: Nodes) -> Result<Vec<Node>> {
        self.0.store.nodes(reach, which, Listing::of_ids(list::MAX_UNPAGED)).await
    }

    async fn by_ids(&self, reach: &Reach<Get, Runs>, kind: NodeKind, ids: Vec<i64>) -> Result<Vec<Node>> {
        let mut nodes = self.find(reach, Nodes { ids: Some(bounded(ids)?), ..Nodes::all(kind) }).await?;
        nodes.sort_by_key(|node| node.id);
        Ok(nodes)
    }

    /// The one of a type and a name. Of several that are in different namespaces it is that of the first, in the order of
    /// the reach.
    async fn by_name(
        &self,
        reach: &Reach<Get, Runs>,
        kind: NodeKind,
        (type_name, version, name): (Option<String>, Option<String>, Option<String>),
    ) -> Result<Option<Node>> {
        let name = name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Error::invalid("the request does not name a name"))?;
        let types = self.named_types(reach, kind, type_name, version).await?;
        let which = Nodes { types: Some(ids_of(&types)), name: Some(name), ..Nodes::all(kind) };
        let nodes = self.find(reach, which).await?;
        let place = |node: &Node| reach.namespaces().iter().position(|namespace| *namespace == node.namespace);
        Ok(nodes.into_iter().min_by_key(|node| (place(node), node.id)))
    }

    /// The types of that name, the system's first and then in the order of the reach. None has a version.
    async fn named_types(
        &self,
        reach: &Reach<Get, Runs>,
        kind: NodeKind,
        name: Option<String>,
        version: Option<String>,
    ) -> Result<Vec<NodeType>> {
        let name = name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Error::invalid("the request does not name a type"))?;
        if version.is_some_and(|version| !version.is_empty()) {
            return Ok(Vec::new());
        }
        let types = self.types(reach, kind).await?;
        Ok(types.into_iter().filter(|known| known.name == name).collect())
    }

    /// All types, the system's first.
    async fn types(&self, reach: &Reach<Get, Runs>, kind: NodeKind) -> Result<Vec<NodeType>> {
        let system = SystemType::ALL.into_iter().map(NodeType::from);
        let own = self.0.store.node_types(reach).await?;
        Ok(system.chain(own).filter(|known| known.of == kind).collect())
    }

    async fn types_by_ids(&self, reach: &Reach<Get, Runs>, kind: NodeKind, ids: Vec<i64>) -> Result<Vec<NodeType>> {
        let mut types = self.types(reach, kind).await?;
        types.retain(|known| ids.contains(&known.id));
        Ok(types)
    }

    async fn type_named<T: Shown<NodeType>>(
        &self,
        reach: &Reach<Get, Runs>,
        kind: NodeKind,
        name: Option<String>,
        version: Option<String>,
    ) -> Result<Option<T>> {
        let absent = format!("there is no type {:?}", domain::clipped(name.as_deref().unwrap_or_default()));
        let found = self.named_types(reach, kind, name, version).await?.into_iter().next();
        // Clients tell by this code that they have to make it first.
        let found = found.ok_or_else(|| Error::new(domain::Code::NotFound, absent))?;
        Ok(Some(T::shown(found)))
    }

    /// One page of those that are meant.
    async fn page(
        &self,
        reach: &Reach<Get, Runs>,
        list: &str,
        which: Nodes,
        options: Option<ListOperationOptions>,
    ) -> Result<(Vec<Node>, Option<String>)> {
        let asked = Asked::read(&self.0.store, list, &which, options)?;
        list::page(&self.0.store, reach, which, asked).await
    }

    async fn page_of_type(
        &self,
        reach: &Reach<Get, Runs>,
        kind: NodeKind,
        (name, version): (Option<String>, Option<String>),
        options: Option<ListOperationOptions>,
    ) -> Result<(Vec<Node>, Option<String>)> {
        let list = format!("of type {}", name.as_deref().unwrap_or_default());
        let types = self.named_types(reach, kind, name, version).await?;
        let which = Nodes { types: Some(ids_of(&types)), ..Nodes::all(kind) };
        self.page(reach, &list, which, options).await
    }

    /// The contexts of one node.
    async fn contexts_of(&self, reach: &Reach<Get, Runs>, kind: NodeKind, id: Option<i64>) -> Result<Vec<Context_>> {
        let pairs = self.0.store.contexts_of(reach, kind, vec![named(id)?]).await?;
        // Of very many, the latest ones.
        let contexts = pairs.into_iter().rev().map(|(_, context)| context).take(MAX_NAMED).collect();
        Ok(convert(self.by_ids(reach, NodeKind::Context, contexts).await?))
    }

    /// The contexts that some are parts of, or that are parts of them, by the ids of those.
    async fn related(&self, reach: &Reach<Get, Runs>, ids: Vec<i64>, way: Way) -> Result<HashMap<i64, Vec<Context_>>> {
        let ids = bounded(ids)?;
        let pairs = self.0.store.parts_of_contexts(reach, ids.clone()).await?;
        let mut pairs: Vec<(i64, i64)> = match way {
            Way::Parents => pairs,
            Way::Children => pairs.into_iter().map(|(part, whole)| (whole, part)).collect(),
        };
        pairs.retain(|(of, _)| ids.contains(of));
        let others = pairs.iter().map(|(_, other)| *other).collect();
        let nodes = self.by_ids(reach, NodeKind::Context, others).await?;
        let nodes: HashMap<i64, Node> = nodes.into_iter().map(|node| (node.id, node)).collect();
        let mut found: HashMap<i64, Vec<Context_>> = HashMap::new();
        for (of, other) in pairs {
            found.entry(of).or_default().extend(nodes.get(&other).cloned().map(Shown::shown));
        }
        Ok(found)
    }
}

/// `ml_metadata.Context`, which is not what services share.
type Context_ = api::ml_metadata::Context;

#[derive(Clone, Copy)]
enum Way {
    Parents,
    Children,
}

fn ids_of(types: &[NodeType]) -> Vec<i64> {
    types.iter().map(|known| known.id).collect()
}

fn bounded<T>(named: Vec<T>) -> Result<Vec<T>> {
    if named.len() > MAX_NAMED {
        return Err(Error::invalid(format!("the request names {} objects: {MAX_NAMED} are the most", named.len())));
    }
    Ok(named)
}

fn named(id: Option<i64>) -> Result<i64> {
    id.ok_or_else(|| Error::invalid("the request does not name an id"))
}

fn convert<T, M: Shown<T>>(all: Vec<T>) -> Vec<M> {
    all.into_iter().map(M::shown).collect()
}

/// What is written by clients themselves.
fn unsupported<T>() -> Result<T> {
    Err(Error::unimplemented(
        "metadata of runs is written by the server, with the run itself, and cannot be put by clients",
    ))
}

/// Handlers that are alike for artifacts, executions and contexts, or for what clients cannot do.
macro_rules! handlers {
    ($(unsupported $name:ident $rpc:ident $request:ident $response:ident;)*) => {$(
        async fn $name(&self, _: Scope<rpc::$rpc>, _: $request) -> Result<$response> {
            unsupported()
        }
    )*};
    ($(of $kind:ident $field:ident $type_field:ident $types_field:ident {
        one $one:ident $One:ident $OneReq:ident $OneRes:ident,
        ids $ids:ident $Ids:ident $IdsReq:ident $IdsRes:ident,
        types $types:ident $Types:ident $TypesReq:ident $TypesRes:ident,
        all $all:ident $All:ident $AllReq:ident $AllRes:ident,
        of_type $of_type:ident $OfType:ident $OfTypeReq:ident $OfTypeRes:ident,
        external $external:ident $External:ident $ExternalReq:ident $ExternalRes:ident,
        external_types $etypes:ident $ETypes:ident $ETypesReq:ident $ETypesRes:ident,
    })*) => {$(
        async fn $one(&self, scope: Scope<rpc::$One>, req: $OneReq) -> Result<$OneRes> {
            let found = self.type_named(&scope.reach(), NodeKind::$kind, req.type_name, req.type_version).await?;
            Ok($OneRes { $type_field: found })
        }

        async fn $ids(&self, scope: Scope<rpc::$Ids>, req: $IdsReq) -> Result<$IdsRes> {
            let types = self.types_by_ids(&scope.reach(), NodeKind::$kind, req.type_ids).await?;
            Ok($IdsRes { $types_field: convert(types) })
        }

        async fn $types(&self, scope: Scope<rpc::$Types>, _: $TypesReq) -> Result<$TypesRes> {
            Ok($TypesRes { $types_field: convert(self.types(&scope.reach(), NodeKind::$kind).await?) })
        }

        async fn $all(&self, scope: Scope<rpc::$All>, req: $AllReq) -> Result<$AllRes> {
            let which = Nodes::all(NodeKind::$kind);
            let (nodes, next_page_token) = self.page(&scope.reach(), "all", which, req.options).await?;
            Ok($AllRes { $field: convert(nodes), next_page_token })
        }

        async fn $of_type(&self, scope: Scope<rpc::$OfType>, req: $OfTypeReq) -> Result<$OfTypeRes> {
            let named = (req.type_name, req.type_version);
            let page = self.page_of_type(&scope.reach(), NodeKind::$kind, named, req.options).await?;
            Ok($OfTypeRes { $field: convert(page.0), next_page_token: page.1 })
        }

        // Nothing that the server writes has an id elsewhere.
        async fn $external(&self, _: Scope<rpc::$External>, req: $ExternalReq) -> Result<$ExternalRes> {
            bounded(req.external_ids)?;
            Ok($ExternalRes::default())
        }

        async fn $etypes(&self, _: Scope<rpc::$ETypes>, req: $ETypesReq) -> Result<$ETypesRes> {
            bounded(req.external_ids)?;
            Ok($ETypesRes::default())
        }
    )*};
}

impl MetadataStoreServiceHandlers<Gate> for Metadata {
    handlers! {
        of Artifact artifacts artifact_type artifact_types {
            one get_artifact_type GetArtifactType GetArtifactTypeRequest GetArtifactTypeResponse,
            ids get_artifact_types_by_id GetArtifactTypesById GetArtifactTypesByIdRequest GetArtifactTypesByIdResponse,
            types get_artifact_types GetArtifactTypes GetArtifactTypesRequest GetArtifactTypesResponse,
            all get_artifacts GetArtifacts GetArtifactsRequest GetArtifactsResponse,
            of_type get_artifacts_by_type GetArtifactsByType GetArtifactsByTypeRequest GetArtifactsByTypeResponse,
            external get_artifacts_by_external_ids GetArtifactsByExternalIds GetArtifactsByExternalIdsRequest GetArtifactsByExternalIdsResponse,
            external_types get_artifact_types_by_external_ids GetArtifactTypesByExternalIds GetArtifactTypesByExternalIdsRequest GetArtifactTypesByExternalIdsResponse,
        }
        of Execution executions execution_type execution_types {
            one get_execution_type GetExecutionType GetExecutionTypeRequest GetExecutionTypeResponse,
            ids get_execution_types_by_id GetExecutionTypesById GetExecutionTypesByIdRequest GetExecutionTypesByIdResponse,
            types get_execution_types GetExecutionTypes GetExecutionTypesRequest GetExecutionTypesResponse,
            all get_executions GetExecutions GetExecutionsRequest GetExecutionsResponse,
            of_type get_executions_by_type GetExecutionsByType GetExecutionsByTypeRequest GetExecutionsByTypeResponse,
            external get_executions_by_external_ids GetExecutionsByExternalIds GetExecutionsByExternalIdsRequest GetExecutionsByExternalIdsResponse,
            external_types get_execution_types_by_external_ids GetExecutionTypesByExternalIds GetExecutionTypesByExternalIdsRequest GetExecutionTypesByExternalIdsResponse,
        }
        of Context contexts context_type context_types {
            one get_context_type GetContextType GetContextTypeRequest GetContextTypeResponse,
            ids get_context_types_by_id GetContextTypesById GetContextTypesByIdRequest GetContextTypesByIdResponse,
            types get_context_types GetContextTypes GetContextTypesRequest GetContextTypesResponse,
            all get_contexts GetContexts GetContextsRequest GetContextsResponse,
            of_type get_contexts_by_type GetContextsByType GetContextsByTypeRequest GetContextsByTypeResponse,
            external get_contexts_by_external_ids GetContextsByExternalIds GetContextsByExternalIdsRequest GetContextsByExternalIdsResponse,
            external_types get_context_types_by_external_ids GetContextTypesByExternalIds GetContextTypesByExternalIdsRequest GetContextTypesByExternalIdsResponse,
        }
    }

    handlers! {
        unsupported put_artifact_type PutArtifactType PutArtifactTypeRequest PutArtifactTypeResponse;
        unsupported put_execution_type PutExecutionType PutExecutionTypeRequest PutExecutionTypeResponse;
        unsupported put_context_type PutContextType PutContextTypeRequest PutContextTypeResponse;
        unsupported put_types PutTypes PutTypesRequest PutTypesResponse;
        unsupported put_artifacts PutArtifacts PutArtifactsRequest PutArtifactsResponse;
        unsupported put_executions PutExecutions PutExecutionsRequest PutExecutionsResponse;
        unsupported put_events PutEvents PutEventsRequest PutEventsResponse;
        unsupported put_execution PutExecution PutExecutionRequest PutExecutionResponse;
        unsupported put_lineage_subgraph PutLineageSubgraph PutLineageSubgraphRequest PutLineageSubgraphResponse;
        unsupported put_contexts PutContexts PutContextsRequest PutContextsResponse;
        unsupported put_attributions_and_associations PutAttributionsAndAssociations PutAttributionsAndAssociationsRequest PutAttributionsAndAssociationsResponse;
        unsupported put_parent_contexts PutParentContexts PutParentContextsRequest PutParentContextsResponse;
    }

    async fn get_artifacts_by_id(
        &self,
        scope: Scope<rpc::GetArtifactsById>,
        req: GetArtifactsByIdRequest,
    ) -> Result<GetArtifactsByIdResponse> {
        let reach = scope.reach();
        let wants_types = req.populate_artifact_types();
        let nodes = self.by_ids(&reach, NodeKind::Artifact, req.artifact_ids).await?;
        let mut types: Vec<NodeType> = Vec::new();
        if wants_types {
            types = nodes.iter().map(|node| node.node_type.clone()).collect();
            types.sort_by_key(|known| known.id);
            types.dedup();
        }
        Ok(GetArtifactsByIdResponse { artifacts: convert(nodes), artifact_types: convert(types) })
    }

    async fn get_executions_by_id(
        &self,
        scope: Scope<rpc::GetExecutionsById>,
        req: GetExecutionsByIdRequest,
    ) -> Result<GetExecutionsByIdResponse> {
        let nodes = self.by_ids(&scope.reach(), NodeKind::Execution, req.execution_ids).await?;
        Ok(GetExecutionsByIdResponse { executions: convert(nodes) })
    }

    async fn get_contexts_by_id(
        &self,
        scope: Scope<rpc::GetContextsById>,
        req: GetContextsByIdRequest,
    ) -> Result<GetContextsByIdResponse> {
        let nodes = self.by_ids(&scope.reach(), NodeKind::Context, req.context_ids).await?;
        Ok(GetContextsByIdResponse { contexts: convert(nodes) })
    }

    async fn get_artifact_by_type_and_name(
        &self,
        scope: Scope<rpc::GetArtifactByTypeAndName>,
        req: GetArtifactByTypeAndNameRequest,
    ) -> Result<GetArtifactByTypeAndNameResponse> {
        let named = (req.type_name, req.type_version, req.artifact_name);
        let found = self.by_name(&scope.reach(), NodeKind::Artifact, named).await?;
        Ok(GetArtifactByTypeAndNameResponse { artifact: found.map(Shown::shown) })
    }

    async fn get_execution_by_type_and_name(
        &self,
        scope: Scope<rpc::GetExecutionByTypeAndName>,
        req: GetExecutionByTypeAndNameRequest,
    ) -> Result<GetExecutionByTypeAndNameResponse> {
        let named = (req.type_name, req.type_version, req.execution_name);
        let found = self.by_name(&scope.reach(), NodeKind::Execution, named).await?;
        Ok(GetExecutionByTypeAndNameResponse { execution: found.map(Shown::shown) })
    }

    async fn get_context_by_type_and_name(
        &self,
        scope: Scope<rpc::GetContextByTypeAndName>,
        req: GetContextByTypeAndNameRequest,
    ) -> Result<GetContextByTypeAndNameResponse> {
        let named = (req.type_name, req.type_version, req.context_name);
        let found = self.by_name(&scope.reach(), NodeKind::Context, named).await?;
        Ok(GetContextByTypeAndNameResponse { context: found.map(Shown::shown) })
    }

    async fn get_artifacts_by_uri(
        &self,
        scope: Scope<rpc::GetArtifactsByUri>,
        req: GetArtifactsByUriRequest,
    ) -> Result<GetArtifactsByUriResponse> {
        let which = Nodes { uris: Some(bounded(req.uris)?), ..Nodes::all(NodeKind::Artifact) };
        Ok(GetArtifactsByUriResponse { artifacts: convert(self.find(&scope.reach(), which).await?) })
    }

    async fn get_events_by_execution_i_ds(
        &self,
        scope: Scope<rpc::GetEventsByExecutionIDs>,
        req: GetEventsByExecutionIDsRequest,
    ) -> Result<GetEventsByExecutionIDsResponse> {
        let ids = bounded(req.execution_ids)?;
        let events = self.0.store.node_events(&scope.reach(), EventsOf::Executions, ids).await?;
        Ok(GetEventsByExecutionIDsResponse { events: convert(events) })
    }

    async fn get_events_by_artifact_i_ds(
        &self,
        scope: Scope<rpc::GetEventsByArtifactIDs>,
        req: GetEventsByArtifactIDsRequest,
    ) -> Result<GetEventsByArtifactIDsResponse> {
        let ids = bounded(req.artifact_ids)?;
        let events = self.0.store.node_events(&scope.reach(), EventsOf::Artifacts, ids).await?;
        Ok(GetEventsByArtifactIDsResponse { events: convert(events) })
    }

    async fn get_contexts_by_artifact(
        &self,
        scope: Scope<rpc::GetContextsByArtifact>,
        req: GetContextsByArtifactRequest,
    ) -> Result<GetContextsByArtifactResponse> {
        let contexts = self.contexts_of(&scope.reach(), NodeKind::Artifact, req.artifact_id).await?;
        Ok(GetContextsByArtifactResponse { contexts })
    }

    async fn get_contexts_by_execution(
        &self,
        scope: Scope<rpc::GetContextsByExecution>,
        req: GetContextsByExecutionRequest,
    ) -> Result<GetContextsByExecutionResponse> {
        let contexts = self.contexts_of(&scope.reach(), NodeKind::Execution, req.execution_id).await?;
        Ok(GetContextsByExecutionResponse { contexts })
    }

    async fn get_parent_contexts_by_context(
        &self,
        scope: Scope<rpc::GetParentContextsByContext>,
        req: GetParentContextsByContextRequest,
    ) -> Result<GetParentContextsByContextResponse> {
        let found = self.related(&scope.reach(), vec![named(req.context_id)?], Way::Parents).await?;
        Ok(GetParentContextsByContextResponse { contexts: found.into_values().flatten().collect() })
    }

    async fn get_children_contexts_by_context(
        &self,
        scope: Scope<rpc::GetChildrenContextsByContext>,
        req: GetChildrenContextsByContextRequest,
    ) -> Result<GetChildrenContextsByContextResponse> {
        let found = self.related(&scope.reach(), vec![named(req.context_id)?], Way::Children).await?;
        Ok(GetChildrenContextsByContextResponse { contexts: found.into_values().flatten().collect() })
    }

    async fn get_parent_contexts_by_contexts(
        &self,
        scope: Scope<rpc::GetParentContextsByContexts>,
        req: GetParentContextsByContextsRequest,
    ) -> Result<GetParentContextsByContextsResponse> {
        use get_parent_contexts_by_contexts_response::ParentContextsPerChild;
        let found = self.related(&scope.reach(), req.context_ids, Way::Parents).await?;
        let per = |(id, parent_contexts)| (id, ParentContextsPerChild { parent_contexts });
        Ok(GetParentContextsByContextsResponse { contexts: found.into_iter().map(per).collect() })
    }

    async fn get_children_contexts_by_contexts(
        &self,
        scope: Scope<rpc::GetChildrenContextsByContexts>,
        req: GetChildrenContextsByContextsRequest,
    ) -> Result<GetChildrenContextsByContextsResponse> {
        use get_children_contexts_by_contexts_response::ChildrenContextsPerParent;
        let found = self.related(&scope.reach(), req.context_ids, Way::Children).await?;
        let per = |(id, children_contexts)| (id, ChildrenContextsPerParent { children_contexts });
        Ok(GetChildrenContextsByContextsResponse { contexts: found.into_iter().map(per).collect() })
    }

    async fn get_artifacts_by_context(
        &self,
        scope: Scope<rpc::GetArtifactsByContext>,
        req: GetArtifactsByContextRequest,
    ) -> Result<GetArtifactsByContextResponse> {
        let which = Nodes { context: Some(named(req.context_id)?), ..Nodes::all(NodeKind::Artifact) };
        let (nodes, next_page_token) = self.page(&scope.reach(), "of a context", which, req.options).await?;
        Ok(GetArtifactsByContextResponse { artifacts: convert(nodes), next_page_token })
    }

    async fn get_executions_by_context(
        &self,
        scope: Scope<rpc::GetExecutionsByContext>,
        req: GetExecutionsByContextRequest,
    ) -> Result<GetExecutionsByContextResponse> {
        let which = Nodes { context: Some(named(req.context_id)?), ..Nodes::all(NodeKind::Execution) };
        let (nodes, next_page_token) = self.page(&scope.reach(), "of a context", which, req.options).await?;
        Ok(GetExecutionsByContextResponse { executions: convert(nodes), next_page_token, ..Default::default() })
    }

    async fn get_lineage_graph(
        &self,
        scope: Scope<rpc::GetLineageGraph>,
        req: GetLineageGraphRequest,
    ) -> Result<GetLineageGraphResponse> {
        let subgraph = lineage::graph(&self.0.store, &scope.reach(), req.options.unwrap_or_default()).await?;
        Ok(GetLineageGraphResponse { subgraph: Some(subgraph) })
    }

    async fn get_lineage_subgraph(
        &self,
        scope: Scope<rpc::GetLineageSubgraph>,
        req: GetLineageSubgraphRequest,
    ) -> Result<GetLineageSubgraphResponse> {
        let mask = req.read_mask.unwrap_or_default().paths;
        let options = req.lineage_subgraph_query_options.unwrap_or_default();
        let graph = lineage::subgraph(&self.0.store, &scope.reach(), options, &mask).await?;
        Ok(GetLineageSubgraphResponse { lineage_subgraph: Some(graph) })
    }
}
