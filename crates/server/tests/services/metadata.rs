//! ML metadata over gRPC: Jane may read in two namespaces, and sees both.
use crate::world::{World, text};
use access::{Caller, Grant, Identity};
use api::ml_metadata::{lineage_subgraph_query_options::*, list_operation_options::OrderByField, *};
use axum::body::Body;
use domain::{Artifact as Made, ArtifactId, Home, Namespace, RunId, RuntimeState, Task, Timestamp};
use http::Request;
use http_body_util::BodyExt as _;
use prost::Message;
use store::Progress;
use tower::ServiceExt as _;

/// What a refusal says: the code's number and the text.
type Refusal = (i32, String);

/// Calls a method as somebody, over gRPC.
async fn ask_as<A: Message + Default>(
    world: &World,
    user: &str,
    method: &str,
    request: &impl Message,
) -> Result<A, Refusal> {
    let mut body = vec![0];
    body.extend(u32::try_from(request.encoded_len()).unwrap().to_be_bytes());
    body.extend(request.encode_to_vec());
    let request = Request::post(format!("/ml_metadata.MetadataStoreService/{method}"));
    let mut request = request.header("content-type", "application/grpc").body(Body::from(body)).unwrap();
    request.extensions_mut().insert(Caller::Known(Identity::forge(user, &[])));
    let app = server::routes(&world.context).unwrap().into_axum_router();
    let response = app.oneshot(request).await.unwrap();
    let headers = response.headers().clone();
    let collected = response.into_body().collect().await.unwrap();
    let trailers = collected.trailers().cloned().unwrap_or_default();
    let said = |name| headers.get(name).or_else(|| trailers.get(name)).map(|value| value.to_str().unwrap().to_owned());
    match said("grpc-status").as_deref() {
        Some("0") => Ok(A::decode(&collected.to_bytes()[5..]).unwrap()),
        Some(code) => {
            let message = said("grpc-message").unwrap_or_default();
            Err((code.parse().unwrap(), percent_encoding::percent_decode_str(&message).decode_utf8().unwrap().into()))
        }
        None => panic!("no status: {headers:?} {trailers:?}"),
    }
}

async fn ask<A: Message + Default>(world: &World, method: &str, request: &impl Message) -> A {
    ask_as(world, "jane", method, request).await.unwrap()
}

/// A run in a namespace with a task that has succeeded and put out a model. Gives its id.
async fn run(world: &World, namespace: &str, name: &str) -> String {
    let experiment = world.experiment(namespace, name).await;
    let id = text(&world.run(&experiment, name).await, "run_id");
    let mut task = Task::pending(RunId::from_text(&id), "say", Timestamp(5_000_000));
    task.state = RuntimeState::Succeeded;
    let model = Made {
        id: ArtifactId::fresh(),
        name: "model".into(),
        kind: "system.Model".into(),
        schema_version: String::new(),
        instance_schema: String::new(),
        uri: format!("s3://{namespace}/{name}"),
        metadata: serde_json::json!({"sizes": [1, 2], "good": true}).as_object().unwrap().clone(),
        materialized: true,
    };
    task.outputs.artifacts.insert("model".into(), vec![model]);
    let progress = Progress {
        run_id: RunId::from_text(&id),
        pipeline_name: "train".into(),
        engine: String::new(),
        state: RuntimeState::Succeeded,
        error: None,
        outputs: None,
        tasks: vec![task],
    };
    let home = Home::Namespace(Namespace::parse(namespace).unwrap());
    world.store.save_progress(&Grant::forge("system", home), progress).await.unwrap();
    id
}

fn context(name: &str) -> GetContextByTypeAndNameRequest {
    let type_name = Some("system.PipelineRun".to_owned());
    GetContextByTypeAndNameRequest { type_name, context_name: Some(name.to_owned()), ..Default::default() }
}

#[tokio::test]
async fn a_run_with_what_belongs_to_it() {
    let world = World::new().await;
    let id = run(&world, "team", "first").await;
    let found: GetContextByTypeAndNameResponse = ask(&world, "GetContextByTypeAndName", &context(&id)).await;
    let found = found.context.unwrap();
    let property = |of: &Context, name: &str| match of.custom_properties[name].value.clone().unwrap() {
        value::Value::StringValue(text) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (property(&found, "namespace"), property(&found, "resource_name")),
        ("team".into(), "run-resource".into())
    );
    let of_it = GetExecutionsByContextRequest { context_id: found.id, ..Default::default() };
    let executions: GetExecutionsByContextResponse = ask(&world, "GetExecutionsByContext", &of_it).await;
    let names: Vec<(&str, i32)> =
        executions.executions.iter().map(|one| (one.r#type(), one.last_known_state().into())).collect();
    assert_eq!(names, [("system.DAGExecution", 3), ("system.ContainerExecution", 3)]);
    let of_it = GetArtifactsByContextRequest { context_id: found.id, ..Default::default() };
    let artifacts: GetArtifactsByContextResponse = ask(&world, "GetArtifactsByContext", &of_it).await;
    let model = &artifacts.artifacts[0];
    assert_eq!((model.r#type(), model.uri(), i32::from(model.state())), ("system.Model", "s3://team/first", 2));
    let good = &model.custom_properties["good"].value;
    assert_eq!(*good, Some(value::Value::IntValue(1)));
    let Some(value::Value::StructValue(sizes)) = &model.custom_properties["sizes"].value else { panic!("{model:?}") };
    assert_eq!(sizes.fields.keys().collect::<Vec<_>>(), ["list"]);
}

#[tokio::test]
async fn several_namespaces_together() {
    let world = World::new().await;
    let runs = [run(&world, "team", "first").await, run(&world, "other", "second").await];
    let all: GetContextsResponse = ask(&world, "GetContexts", &GetContextsRequest::default()).await;
    let mut names: Vec<&str> = all.contexts.iter().map(|one| one.name()).filter(|name| *name != "train").collect();
    names.sort_unstable();
    let mut expect: Vec<&str> = runs.iter().map(String::as_str).collect();
    expect.sort_unstable();
    assert_eq!(names, expect);
    // Both have a context of this name. The first namespace is `other`.
    let wanted = GetContextByTypeAndNameRequest {
        type_name: Some("system.Pipeline".into()),
        context_name: Some("train".into()),
        ..Default::default()
    };
    let train: GetContextByTypeAndNameResponse = ask(&world, "GetContextByTypeAndName", &wanted).await;
    let wanted = GetChildrenContextsByContextRequest { context_id: train.context.unwrap().id, ..Default::default() };
    let children: GetChildrenContextsByContextResponse = ask(&world, "GetChildrenContextsByContext", &wanted).await;
    assert_eq!(children.contexts.iter().map(Context::name).collect::<Vec<_>>(), [&runs[1]]);

    // A page after another, the newest first.
    let order_by_field = OrderByField { is_asc: Some(false), ..Default::default() };
    let mut options =
        ListOperationOptions { max_result_size: Some(1), order_by_field: Some(order_by_field), ..Default::default() };
    let mut pages = Vec::new();
    loop {
        let wanted = GetArtifactsRequest { options: Some(options.clone()), ..Default::default() };
        let page: GetArtifactsResponse = ask(&world, "GetArtifacts", &wanted).await;
        assert_eq!(page.artifacts.len(), 1);
        pages.push(page.artifacts[0].id());
        options.next_page_token = match page.next_page_token {
            Some(token) => Some(token),
            None => break,
        };
    }
    assert!(pages.len() == 2 && pages[0] > pages[1], "{pages:?}");
    // It is a token of that list.
    options.next_page_token = Some("x".into());
    let wanted = GetArtifactsRequest { options: Some(options), ..Default::default() };
    let (code, text) = ask_as::<GetArtifactsResponse>(&world, "jane", "GetArtifacts", &wanted).await.unwrap_err();
    assert_eq!((code, text.contains("next_page_token is not valid")), (3, true), "{text}");
}

#[tokio::test]
async fn filters_and_lineage() {
    let world = World::new().await;
    let id = run(&world, "team", "first").await;
    run(&world, "other", "second").await;
    let filtered = async |query: &str| {
        let options = ListOperationOptions { filter_query: Some(query.to_owned()), ..Default::default() };
        let wanted = GetArtifactsRequest { options: Some(options), ..Default::default() };
        let found = ask_as::<GetArtifactsResponse>(&world, "jane", "GetArtifacts", &wanted).await?;
        Ok::<Vec<String>, Refusal>(found.artifacts.into_iter().map(|one| one.uri().to_owned()).collect())
    };
    assert_eq!(filtered("uri = 's3://other/second'").await.unwrap(), ["s3://other/second"]);
    assert_eq!(filtered("type = 'system.Model'").await.unwrap().len(), 2);
    assert_eq!(filtered("type = 'acme.Model'").await.unwrap(), [""; 0]);
    assert_eq!(filtered(&format!("contexts_r.name = '{id}'")).await.unwrap(), ["s3://team/first"]);
    assert_eq!(filtered("events_e.type = INPUT").await.unwrap(), [""; 0]);
    let (code, text) = filtered("uri =").await.unwrap_err();
    assert_eq!((code, &text[..]), (3, "filter_query: an attribute or a value is expected at 5"));

    let starting_artifacts = StartingNodes { filter_query: Some("uri = 's3://team/first'".into()) };
    let options = LineageSubgraphQueryOptions {
        starting_nodes: Some(StartingNodesOneOf::StartingArtifacts(starting_artifacts)),
        ..Default::default()
    };
    let wanted = GetLineageSubgraphRequest { lineage_subgraph_query_options: Some(options), ..Default::default() };
    let graph: GetLineageSubgraphResponse = ask(&world, "GetLineageSubgraph", &wanted).await;
    let graph = graph.lineage_subgraph.unwrap();
    assert_eq!((graph.artifacts.len(), graph.executions.len(), graph.events.len()), (1, 1, 1));
    assert_eq!((graph.contexts.len(), graph.attributions.len(), graph.associations.len()), (2, 2, 2));
    let options = LineageGraphQueryOptions {
        query_nodes: Some(lineage_graph_query_options::QueryNodes::ArtifactsOptions(ListOperationOptions::default())),
        stop_conditions: Some(lineage_graph_query_options::BoundaryConstraint {
            boundary_executions: Some("type = 'system.ContainerExecution'".into()),
            ..Default::default()
        }),
        ..Default::default()
    };
    let wanted = GetLineageGraphRequest { options: Some(options), ..Default::default() };
    let graph: GetLineageGraphResponse = ask(&world, "GetLineageGraph", &wanted).await;
    let graph = graph.subgraph.unwrap();
    assert_eq!((graph.artifacts.len(), graph.executions.len()), (2, 0), "the way ends at what was put up as its end");
}

#[tokio::test]
async fn who_holds_nothing_sees_nothing_and_writes_nothing() {
    let world = World::new().await;
    let id = run(&world, "team", "first").await;
    let found =
        ask_as::<GetContextByTypeAndNameResponse>(&world, "john", "GetContextByTypeAndName", &context(&id)).await;
    assert_eq!(found.unwrap().context, None);
    let all = ask_as::<GetExecutionsResponse>(&world, "john", "GetExecutions", &GetExecutionsRequest::default()).await;
    assert_eq!(all.unwrap().executions, []);
    let put = PutContextsRequest::default();
    let refusal = ask_as::<PutContextsResponse>(&world, "john", "PutContexts", &put).await.unwrap_err();
    assert_eq!(refusal, (7, "john may not reportMetrics runs in any namespace".into()));
    let refusal = ask_as::<PutContextsResponse>(&world, "jane", "PutContexts", &put).await.unwrap_err();
    assert_eq!((refusal.0, refusal.1.contains("written by the server")), (12, true), "{refusal:?}");
    let all = ask::<GetExecutionsResponse>(&world, "GetExecutions", &GetExecutionsRequest::default()).await;
    assert_eq!(all.executions.len(), 2);
    world.withdraw();
    let all = ask::<GetExecutionsResponse>(&world, "GetExecutions", &GetExecutionsRequest::default()).await;
    assert_eq!(all.executions, []);
}

#[tokio::test]
async fn single_user_has_one_namespace() {
    let world = World::single_user().await;
    let all = ask::<GetExecutionsResponse>(&world, "GetExecutions", &GetExecutionsRequest::default()).await;
    assert_eq!(all.executions, []);
    let types: GetArtifactTypesResponse = ask(&world, "GetArtifactTypes", &GetArtifactTypesRequest::default()).await;
    assert!(types.artifact_types.iter().any(|one| one.name() == "system.Model"));
}
