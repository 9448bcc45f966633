//! All services on one set of gRPC routes.
use crate::{
    Context, access_service::AccessService, artifacts::Artifacts, authorize::Authorize, echo::Echo, health::Health,
    logs::Logs, metadata::Metadata, quotas::Quotas, reports::Reports, schedules::ScheduleService, streams::Streams,
    uploads::Uploads, v1, v2, visualizations::Visualizations, watch::Watching,
};
use api::{access::Guarded, bulkhead::v1::upload_service_server::UploadServiceServer};
use tonic::service::Routes;

/// The largest message of an upload, in bytes, and of any other where nothing else is configured: a pipeline package of
/// 32 MiB and what goes around it.
pub const MAX_MESSAGE: usize = 64 << 20;

/// The services of both API versions behind the gate, with reflection and `grpc.health.v1`.
///
/// # Errors
/// If the descriptors cannot be reflected, which is a bug of the build.
pub fn routes(context: &Context) -> Result<Routes, Box<dyn std::error::Error + Send + Sync>> {
    macro_rules! guarded {
        ($server:path, $handlers:expr) => {
            guarded!($server, $handlers, context.settings.max_message)
        };
        ($server:path, $handlers:expr, $largest:expr) => {{
            use $server as Server;
            Server::new(Guarded::new(context.gate.clone(), $handlers))
                .max_decoding_message_size($largest)
                .max_encoding_message_size($largest)
        }};
    }
    let health = || Health { multi_user: context.settings.multi_user };
    let streams = Streams::new(context.settings.max_streams);
    let (reporter, probes) = tonic_health::server::health_reporter();
    // The empty service name, which stands for the whole server, is SERVING from the start.
    drop(reporter);
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(api::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    Ok(Routes::default()
        .add_service(guarded!(
            v1::server::experiment_service_server::ExperimentServiceServer,
            v1::Experiments(context.clone())
        ))
        .add_service(guarded!(
            v1::server::pipeline_service_server::PipelineServiceServer,
            v1::Pipelines(context.clone())
        ))
        .add_service(guarded!(v1::server::run_service_server::RunServiceServer, v1::Runs(context.clone())))
        .add_service(guarded!(v1::server::task_service_server::TaskServiceServer, v1::Tasks(context.clone())))
        .add_service(guarded!(v1::server::report_service_server::ReportServiceServer, Reports(context.clone())))
        .add_service(guarded!(v1::server::auth_service_server::AuthServiceServer, Authorize))
        .add_service(guarded!(v1::server::dummy_filter_service_server::DummyFilterServiceServer, Echo))
        .add_service(guarded!(v1::server::visualization_service_server::VisualizationServiceServer, Visualizations))
        .add_service(guarded!(v1::server::job_service_server::JobServiceServer, v1::Jobs(context.clone())))
        .add_service(guarded!(v1::server::healthz_service_server::HealthzServiceServer, health()))
        .add_service(guarded!(
            v2::server::experiment_service_server::ExperimentServiceServer,
            v2::Experiments(context.clone())
        ))
        .add_service(guarded!(
            v2::server::pipeline_service_server::PipelineServiceServer,
            v2::Pipelines(context.clone())
        ))
        .add_service(guarded!(v2::server::run_service_server::RunServiceServer, v2::Runs(context.clone())))
        .add_service(guarded!(
            v2::server::artifact_service_server::ArtifactServiceServer,
            v2::Artifacts(context.clone())
        ))
        .add_service(guarded!(v2::server::report_service_server::ReportServiceServer, Reports(context.clone())))
        .add_service(guarded!(v2::server::auth_service_server::AuthServiceServer, Authorize))
        .add_service(guarded!(v2::server::dummy_filter_service_server::DummyFilterServiceServer, Echo))
        .add_service(guarded!(v2::server::visualization_service_server::VisualizationServiceServer, Visualizations))
        .add_service(guarded!(
            v2::server::recurring_run_service_server::RecurringRunServiceServer,
            v2::RecurringRuns(context.clone())
        ))
        .add_service(guarded!(v2::server::healthz_service_server::HealthzServiceServer, health()))
        .add_service(guarded!(
            api::bulkhead::v1::access_service_server::AccessServiceServer,
            AccessService(context.clone())
        ))
        .add_service(guarded!(api::bulkhead::v1::quota_service_server::QuotaServiceServer, Quotas(context.clone())))
        .add_service(guarded!(
            api::bulkhead::v1::schedule_service_server::ScheduleServiceServer,
            ScheduleService(context.clone())
        ))
        .add_service(guarded!(
            api::ml_metadata::metadata_store_service_server::MetadataStoreServiceServer,
            Metadata(context.clone())
        ))
        .add_service(guarded!(UploadServiceServer, Uploads(context.clone()), MAX_MESSAGE))
        .add_service(guarded!(
            api::bulkhead::v1::log_service_server::LogServiceServer,
            Logs(context.clone(), streams.clone())
        ))
        .add_service(guarded!(
            api::bulkhead::v1::artifact_service_server::ArtifactServiceServer,
            Artifacts(context.clone(), streams.clone())
        ))
        .add_service(guarded!(
            api::bulkhead::v1::run_service_server::RunServiceServer,
            Watching(context.clone(), streams)
        ))
        .add_service(probes)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?))
}
