//! VisualizationService of both versions, which is declared and refuses.
use access::{Gate, Scope};
use api::{v1, v2};
use domain::{Error, Result};

pub(crate) struct Visualizations;

impl v1::VisualizationServiceHandlers<Gate> for Visualizations {
    async fn create_visualization_v1(
        &self,
        _: Scope<v1::visualization_service_rpc::CreateVisualizationV1>,
        _: v1::CreateVisualizationRequest,
    ) -> Result<v1::Visualization> {
        Err(absent())
    }
}

impl v2::VisualizationServiceHandlers<Gate> for Visualizations {
    async fn create_visualization_v1(
        &self,
        _: Scope<v2::visualization_service_rpc::CreateVisualizationV1>,
        _: v2::CreateVisualizationRequest,
    ) -> Result<v2::Visualization> {
        Err(absent())
    }
}

fn absent() -> Error {
    Error::unimplemented(
        "visualizations are not made here: they run code of the caller's choice beside the server. Let a task of the \
         pipeline write an HTML or Markdown artifact instead",
    )
}
