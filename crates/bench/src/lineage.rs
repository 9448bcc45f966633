//! How fast the graph of one tenant's executions is read, where another tenant has many and where it has none: on two
//! servers, in turns.
use crate::{
    calls,
    databases::{Databases, Graph, Kind},
    measures::{calls as clients, in_turns},
    originals::{ended, experiment, id, stored},
    report::{Finding, HEAD, Report, Target as Wanted},
    served::{Served, Setup},
    wire::{Call, Client, Protocol, Target},
};
use anyhow::Context;
use api::ml_metadata::{
    GetContextsRequest, GetContextsResponse, GetEventsByExecutionIDsRequest, GetExecutionsByContextRequest,
    GetExecutionsRequest, GetExecutionsResponse, GetLineageSubgraphRequest, LineageSubgraphQueryOptions,
    ListOperationOptions,
    lineage_subgraph_query_options::{Direction, StartingNodes, StartingNodesOneOf},
    list_operation_options::{OrderByField, order_by_field::Field},
};
use prost::Message;
use std::{path::PathBuf, process::ExitCode, time::Duration};
use tempfile::TempDir;

/// Who reads, and whose the other executions are: a user and a namespace.
const TENANT: (&str, &str) = ("bench@example.com", "tenant");
const OTHER: (&str, &str) = ("other@example.com", "other");
/// Nodes on a page, and the page that is deep.
const PAGE_SIZE: i32 = 100;
const DEEP: usize = 100;
/// How far a subgraph goes: beyond both ends of the chain that it begins in.
const HOPS: i64 = 20;
/// How much slower something may be for the other tenant's executions.
const MOST: f64 = 1.5;

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Options {
    /// The program to measure: a release.
    #[arg(long, default_value = "target/release/bulkhead")]
    bulkhead: PathBuf,
    #[arg(long, value_enum, value_delimiter = ',', default_value = "sqlite,postgres,mysql")]
    databases: Vec<Kind>,
    /// How many executions the tenant has that reads.
    #[arg(long, default_value_t = 100_000)]
    executions: u64,
    /// How many another tenant has, on one of the two servers.
    #[arg(long, default_value_t = 1_000_000)]
    others: u64,
    /// Seconds for each measure, and as many for its reference.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Where the findings go, as JSON.
    #[arg(long)]
    output: Option<PathBuf>,
}

/// A server with its database.
struct House {
    served: Served,
    target: Target,
    _databases: Databases,
    _folder: TempDir,
}

/// Measures all of it. The exit code says whether the targets were met.
///
/// # Errors
/// Anything that is not as expected: a server that does not start, an answer that is no success.
pub(crate) async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let mut report = Report::default();
    println!("{HEAD}");
    for kind in &options.databases {
        let beside = House::build(*kind, options, options.others).await?;
        let alone = House::build(*kind, options, 0).await?;
        let pairs = beside.reads(options).await?.into_iter().zip(alone.reads(options).await?);
        for ((name, here), (_, there)) in pairs {
            let here = clients(&beside.target, Protocol::Grpc, 1, move |_| here.clone()).await?;
            let there = clients(&alone.target, Protocol::Grpc, 1, move |_| there.clone()).await?;
            let finding = Finding::of(*kind, name, Protocol::Grpc, 1, Some(Wanted::P99(MOST)));
            let turn = Duration::from_secs_f64(options.seconds / 2.0);
            report.findings.push(in_turns(finding, turn, here, there, async || Ok(())).await?);
        }
        beside.served.stop()?;
        alone.served.stop()?;
    }
    report.conclude(options.output.as_deref())
}

impl House {
    /// Makes a run of each tenant with a first server, the other executions without one, and starts the one that is read
    /// from.
    async fn build(kind: Kind, options: &Options, others: u64) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("bulkhead-bench-").tempdir()?;
        let databases = kind.start().await?;
        let database = kind.fresh(&databases, "lineage").await?;
        let setup = Setup { program: options.bulkhead.clone(), folder: folder.path().join("served"), database };
        setup.prepare(&[TENANT, OTHER].map(|(user, namespace)| (namespace.to_owned(), user)))?;
        let served = setup.start_without_limits()?;
        let mut graphs = Vec::new();
        for ((user, namespace), count) in [(TENANT, options.executions), (OTHER, others)] {
            let target = Target { address: served.address.clone(), token: setup.token(user)? };
            graphs.push(Graph { namespace, run: original(&target, namespace).await?, count });
        }
        served.stop()?;
        for graph in graphs {
            kind.graph(&setup, &graph).await?;
        }
        eprintln!("{kind}: {} executions are there, and {others} of another tenant", options.executions);
        let served = setup.start_without_limits()?;
        let target = Target { address: served.address.clone(), token: setup.token(TENANT.0)? };
        Ok(Self { served, target, _databases: databases, _folder: folder })
    }

    /// What is measured, by its name.
    async fn reads(&self, options: &Options) -> anyhow::Result<Vec<(&'static str, Call)>> {
        let mut client = Client::connect(&self.target, Protocol::Grpc).await?;
        let (mut page, mut deep) = (Vec::new(), None);
        for _ in 0..DEEP {
            let listing = GetExecutionsRequest { options: Some(latest(deep.clone())), ..Default::default() };
            let answer = client.ok(&calls::metadata(EXECUTIONS, &listing)).await?;
            let answer = GetExecutionsResponse::decode(answer)?;
            page = answer.executions.iter().filter_map(|execution| execution.id).collect();
            deep = Some(answer.next_page_token.context("there are too few executions for the deep page")?);
        }
        let contexts = client.ok(&calls::metadata(CONTEXTS, &GetContextsRequest::default())).await?;
        let contexts = GetContextsResponse::decode(contexts)?.contexts;
        let run = contexts.iter().find(|context| context.r#type() == "system.PipelineRun");
        let run = run.and_then(|context| context.id).context("there is no context of the run")?;
        // In the middle of a chain that is in the middle of all.
        let query = format!("uri = 's3://bench/{}/{}'", TENANT.1, options.executions / 20 * 10 + 5);
        let start = StartingNodes { filter_query: Some(query) };
        let graph = LineageSubgraphQueryOptions {
            starting_nodes: Some(StartingNodesOneOf::StartingArtifacts(start)),
            max_num_hops: Some(HOPS),
            direction: Some(Direction::Bidirectional.into()),
        };
        let list = |options| GetExecutionsRequest { options: Some(options), ..Default::default() };
        let of_run =
            GetExecutionsByContextRequest { context_id: Some(run), options: Some(latest(None)), ..Default::default() };
        let events = GetEventsByExecutionIDsRequest { execution_ids: page, ..Default::default() };
        let subgraph = GetLineageSubgraphRequest { lineage_subgraph_query_options: Some(graph), ..Default::default() };
        Ok(vec![
            ("executions: page 1", calls::metadata(EXECUTIONS, &list(latest(None)))),
            ("executions: page 100", calls::metadata(EXECUTIONS, &list(latest(deep)))),
            ("executions of a run: page 1", calls::metadata(OF_CONTEXT, &of_run)),
            ("events of a page", calls::metadata(EVENTS, &events)),
            ("lineage of an artifact", calls::metadata(SUBGRAPH, &subgraph)),
        ])
    }
}

const EXECUTIONS: &str = "/ml_metadata.MetadataStoreService/GetExecutions";
const OF_CONTEXT: &str = "/ml_metadata.MetadataStoreService/GetExecutionsByContext";
const CONTEXTS: &str = "/ml_metadata.MetadataStoreService/GetContexts";
const EVENTS: &str = "/ml_metadata.MetadataStoreService/GetEventsByExecutionIDs";
const SUBGRAPH: &str = "/ml_metadata.MetadataStoreService/GetLineageSubgraph";

/// A page, the newest first.
fn latest(token: Option<String>) -> ListOperationOptions {
    let order = OrderByField { field: Some(Field::CreateTime.into()), is_asc: Some(false) };
    ListOperationOptions {
        max_result_size: Some(PAGE_SIZE),
        order_by_field: Some(order),
        next_page_token: token,
        ..Default::default()
    }
}

/// Makes a run, whose tasks and executions others are copies of.
async fn original(target: &Target, namespace: &str) -> anyhow::Result<String> {
    let mut client = Client::connect(target, Protocol::Rest).await?;
    let experiment = experiment(&mut client, namespace, "experiment").await?;
    let made = calls::Made { experiment, ..stored(&mut client, namespace).await? };
    let answer = client.ok(&calls::create(&made, "original".to_owned())).await?;
    let run = id(&serde_json::from_slice(&answer)?, "run_id")?;
    ended(&mut client, &run).await?;
    Ok(run)
}
