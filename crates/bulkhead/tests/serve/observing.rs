//! What whoever watches over a server is told: metrics whose labels nobody from outside can make, and traces.
use crate::{
    eventually,
    grpc::{bearing, channel},
    http,
    runs::{ends, experiment, marker, pipeline, run},
    server::{JANE, NO_TASKS, Place, Server},
};
use api::v2::{ListExperimentsRequest, experiment_service_client::ExperimentServiceClient};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::any_value::Value,
    trace::v1::Span,
};
use std::{
    collections::BTreeSet,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
};
use tonic::{Request, Response, Status};

const LIST: &str = "/kubeflow.pipelines.backend.api.v2beta1.ExperimentService/ListExperiments";
/// The same over REST.
const EXPERIMENTS: &str = "/apis/v2beta1/experiments?namespace=jane-doe";

/// Keeps all spans that it gets.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let scopes = request.into_inner().resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        self.0.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Spans of a trace, once one of them has this name.
    #[track_caller]
    fn of_trace(&self, trace: &[u8], name: &str) -> Vec<Span> {
        eventually("the collector gets the spans", || {
            let spans = self.0.lock().unwrap();
            let of_it: Vec<Span> = spans.iter().filter(|span| span.trace_id == trace).cloned().collect();
            of_it.iter().any(|span| span.name == name).then_some(of_it)
        })
    }
}

fn attribute<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn metrics(server: &Server) -> String {
    http::call(server.admin(), "GET", "/metrics", &[], "").body
}

/// The value of a series, 0 if there is none.
fn value(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |number| number.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_there_and_nobody_makes_labels() {
    let server = Place::new().serve(NO_TASKS);
    let code = |code: &str| format!("bulkhead_rpcs_total{{code=\"{code}\",rpc=\"{LIST}\"}}");
    server.call(JANE, "GET", EXPERIMENTS, &serde_json::Value::Null).ok();
    assert_eq!(value(&metrics(&server), &code("OK")), 1.0, "REST counts as the RPC that it becomes");
    let mut client = ExperimentServiceClient::new(channel(server.api()).await);
    let list = |namespace: &str| ListExperimentsRequest { namespace: namespace.into(), ..Default::default() };
    client.list_experiments(bearing(&server.token(JANE), list("jane-doe"))).await.unwrap();
    client.list_experiments(bearing(&server.token(JANE), list("john-roe"))).await.unwrap_err();
    server.get(EXPERIMENTS, &[]);
    let series = |metrics: &str| -> BTreeSet<String> {
        let lines = metrics.lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned())).collect()
    };
    for nth in 0..3 {
        server.get("/nowhere", &[]);
        http::call(server.api(), "POST", "/no.Service/Method", &[("content-type", "application/grpc")], "");
        assert!(nth < 3);
    }
    let before = metrics(&server);
    for (code_, times) in [("OK", 2.0), ("PERMISSION_DENIED", 1.0), ("UNAUTHENTICATED", 1.0)] {
        assert_eq!(value(&before, &code(code_)), times, "{code_}:\n{before}");
    }
    for hostile in ["a", "%00", "\"}", "apis/v2beta1/experiments/../x", "kubeflow.pipelines.Nothing/Here"] {
        for method in ["GET", "POST", "DELETE", "BREW"] {
            http::call(server.api(), method, &format!("/{hostile}"), &[], "");
        }
        let grpc = [("content-type", "application/grpc")];
        http::call(server.api(), "POST", &format!("/no.{hostile}/Method"), &grpc, "");
    }
    let after = metrics(&server);
    let new: Vec<_> = series(&after).difference(&series(&before)).cloned().collect();
    let made: Vec<_> = new.iter().filter(|line| line.contains("rpc=") && !line.contains("rpc=\"unknown\"")).collect();
    assert!(made.is_empty() && new.len() < 12, "{new:#?}");
    for private in ["jane", "john", "example.com", "nowhere"] {
        assert!(!after.contains(private), "{private} is in the metrics");
    }
    for (name, kind) in [
        ("bulkhead_rpcs_total", "counter"),
        ("bulkhead_rpc_seconds", "histogram"),
        ("bulkhead_rpcs_in_flight", "gauge"),
        ("bulkhead_streams_open", "gauge"),
        ("bulkhead_database_transactions_total", "counter"),
        ("bulkhead_database_transaction_seconds", "histogram"),
        ("bulkhead_database_transactions_open", "gauge"),
        ("bulkhead_database_retries_total", "counter"),
        ("bulkhead_database_connections", "gauge"),
        ("bulkhead_database_connection_waits_total", "counter"),
        ("bulkhead_database_connection_timeouts_total", "counter"),
        ("bulkhead_tasks_running", "gauge"),
        ("bulkhead_tasks_waiting", "gauge"),
        ("bulkhead_trace_spans_total", "counter"),
        ("bulkhead_audit_failures_total", "counter"),
        ("bulkhead_build_info", "gauge"),
        ("process_open_fds", "gauge"),
        ("process_resident_memory_bytes", "gauge"),
        ("process_cpu_seconds_total", "counter"),
    ] {
        assert!(after.contains(&format!("# TYPE {name} {kind}\n")), "{name} is no {kind}:\n{after}");
    }
    assert_eq!(value(&after, "bulkhead_rpcs_in_flight"), 0.0);
    assert_eq!(value(&after, "bulkhead_database_transactions_open{kind=\"write\"}"), 0.0);
    assert!(value(&after, "bulkhead_database_transactions_total{kind=\"read\",outcome=\"done\"}") > 0.0);
}

/// The address of a collector, and what it gets.
async fn collector() -> (SocketAddr, Collector) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (to, collector) = (listener.local_addr().unwrap(), Collector::default());
    let service = TraceServiceServer::new(collector.clone());
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
    (to, collector)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_one_trace_of_the_clients() {
    let (to, collector) = collector().await;
    let server = Place::new().serve(&format!("{NO_TASKS}telemetry: {{otlp_endpoint: 'http://{to}'}}\n"));
    let token = server.token(JANE);
    let bearer = format!("Bearer {token}");
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [("authorization", bearer.as_str()), ("traceparent", parent), ("x-request-id", "seen-before")];
    server.get(EXPERIMENTS, &headers).ok();
    let trace = 0x0af7651916cd43dd8448eb211c80319c_u128.to_be_bytes();
    let spans = collector.of_trace(&trace, "request");
    let request = spans.iter().find(|span| span.name == "request").unwrap();
    assert_eq!(attribute(request, "rpc.method"), Some(LIST));
    assert_eq!(request.parent_span_id, 0xb7ad6b7169203331_u64.to_be_bytes(), "it is part of the client's trace");
    assert_eq!(attribute(request, "rpc.code"), Some("OK"));
    assert_eq!(attribute(request, "request.id"), Some("seen-before"));
    for name in ["decision", "transaction"] {
        let span = spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name}: {spans:#?}"));
        assert_eq!(span.parent_span_id, request.span_id, "{name}");
    }
    let all = format!("{:?}", collector.0.lock().unwrap());
    assert!(!all.contains(&token) && !all.contains("jane"), "{all}");
    let sent = || value(&metrics(&server), "bulkhead_trace_spans_total{outcome=\"sent\"}");
    eventually("what was sent is counted", || (sent() >= 3.0).then_some(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_one_trace_that_names_its_requests() {
    let (to, collector) = collector().await;
    let server = Place::new().serve(&format!("telemetry: {{otlp_endpoint: 'http://{to}'}}\nlog: {{format: json}}\n"));
    let token = format!("Bearer {}", server.token(JANE));
    let asked = |id: &str, trace: char, method: &str, path: &str, body: &str| {
        let parent = format!("00-{}-b7ad6b7169203331-01", trace.to_string().repeat(32));
        let headers = [("authorization", token.as_str()), ("traceparent", &parent), ("x-request-id", id)];
        http::call(server.api(), method, path, &headers, body).ok()
    };
    let experiment = experiment(&server, JANE, "jane-doe");
    let body = run(&experiment, &pipeline(&format!("sleep {}; true", marker()))).to_string();
    let created = asked("who-creates", 'a', "POST", "/apis/v2beta1/runs", &body);
    let id = created["run_id"].as_str().unwrap();
    let path = format!("/apis/v2beta1/runs/{id}");
    eventually("the task runs", || {
        let state =
            &server.call(JANE, "GET", &path, &serde_json::Value::Null).ok()["run_details"]["task_details"][0]["state"];
        (state == "RUNNING").then_some(())
    });
    asked("who-terminates", 'b', "POST", &format!("{path}:terminate"), "");
    ends(&server, id);

    let spans = eventually("the collector gets the run", || {
        let spans = collector.0.lock().unwrap();
        spans.iter().any(|span| span.name == "run").then(|| spans.clone())
    });
    let run = spans.iter().find(|span| span.name == "run").unwrap();
    assert_eq!(attribute(run, "run.id"), Some(id));
    assert_eq!(attribute(run, "request.id"), Some("who-creates"));
    let links: Vec<u8> = run.links.iter().map(|link| link.trace_id[0]).collect();
    assert_eq!(links, [0xaa, 0xbb], "{run:#?}");
    for link in &run.links {
        assert!(spans.iter().any(|span| span.name == "request" && span.span_id == link.span_id), "{link:?}");
    }
    for name in ["step of a run", "attempt of a task"] {
        let span = spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name}: {spans:#?}"));
        assert_eq!((&span.trace_id, &span.parent_span_id), (&run.trace_id, &run.span_id), "{name}");
    }
    let log = server.log();
    let end = log.lines().find(|line| line.contains("a run has ended")).unwrap();
    assert!(end.contains("who-creates") && end.contains("who-terminates"), "{end}");
}

#[test]
fn a_collector_that_is_away_costs_nothing_but_spans() {
    // A port that nobody listens on.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Place::new().serve(&format!("{NO_TASKS}telemetry: {{otlp_endpoint: 'http://{nobody}'}}\n"));
    let lost = |metrics: &str| {
        let of = |outcome| value(metrics, &format!("bulkhead_trace_spans_total{{outcome=\"{outcome}\"}}"));
        of("failed") + of("dropped")
    };
    for _ in 0..50 {
        server.call(JANE, "GET", EXPERIMENTS, &serde_json::Value::Null).ok();
    }
    eventually("lost spans are counted", || (lost(&metrics(&server)) >= 50.0).then_some(()));
    assert_eq!(value(&metrics(&server), "bulkhead_trace_spans_total{outcome=\"sent\"}"), 0.0);
}
