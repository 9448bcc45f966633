//! Metrics of calls, by RPC: the same for gRPC and for REST, which becomes a call.
use super::{SECONDS, counters, registered};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Registry};
use prost_reflect::DescriptorPool;
use std::collections::HashMap;

/// What stands for every path that is no RPC, so that nobody makes labels by asking.
pub(crate) const UNKNOWN: &str = "unknown";

pub(crate) struct RpcMetrics {
    /// All paths that there are, with whether they answer with a stream.
    known: HashMap<String, bool>,
    calls: IntCounterVec,
    seconds: HistogramVec,
    pub(crate) in_flight: IntGauge,
    pub(crate) streams: IntGauge,
}

impl RpcMetrics {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let unreadable = |error| prometheus::Error::Msg(format!("the descriptors: {error}"));
        let pool = DescriptorPool::decode(api::DESCRIPTORS).map_err(unreadable)?;
        let methods: Vec<_> = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
        let path = |method: &prost_reflect::MethodDescriptor| {
            format!("/{}/{}", method.parent_service().full_name(), method.name())
        };
        let seconds = HistogramOpts::new(
            "bulkhead_rpc_seconds",
            "Time of a call from its head to the end of its answer; streams are not in it.",
        );
        let seconds = HistogramVec::new(seconds.buckets(SECONDS.to_vec()), &["rpc"])?;
        let in_flight = IntGauge::new("bulkhead_rpcs_in_flight", "Calls under way, streams among them.")?;
        let streams = IntGauge::new("bulkhead_streams_open", "Streams that are open.")?;
        Ok(Self {
            known: methods.iter().map(|method| (path(method), method.is_server_streaming())).collect(),
            calls: counters(
                registry,
                "bulkhead_rpcs_total",
                "Calls that have ended, by RPC and code of gRPC.",
                &["rpc", "code"],
            )?,
            seconds: registered(registry, seconds)?,
            in_flight: registered(registry, in_flight)?,
            streams: registered(registry, streams)?,
        })
    }

    /// The RPC of a path as labels have it, and whether it answers with a stream.
    pub(crate) fn known(&self, path: &str) -> Option<(&str, bool)> {
        self.known.get_key_value(path).map(|(path, streams)| (path.as_str(), *streams))
    }

    /// A call has ended.
    pub(crate) fn ended(&self, path: &str, code: &str, seconds: f64) {
        let (rpc, streams) = self.known(path).unwrap_or((UNKNOWN, false));
        self.calls.with_label_values(&[rpc, code]).inc();
        if !streams {
            self.seconds.with_label_values(&[rpc]).observe(seconds);
        }
    }
}
