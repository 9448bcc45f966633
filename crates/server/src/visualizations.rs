//! VisualizationService of both versions, which is declared and refuses.
use crate::absent;
use access::{Gate, Scope};
use api::{v1, v2};
use domain::Result;

pub(crate) struct Visualizations;

impl v1::VisualizationServiceHandlers<Gate> for Visualizations {
    async fn create_visualization_v1(
        &self,
        _: Scope<v1::visualization_service_rpc::CreateVisualizationV1>,
        _: v1::CreateVisualizationRequest,
    ) -> Result<v1::Visualization> {
        Err(absent::visualizations())
    }
}

impl v2::VisualizationServiceHandlers<Gate> for Visualizations {
    async fn create_visualization_v1(
        &self,
        _: Scope<v2::visualization_service_rpc::CreateVisualizationV1>,
        _: v2::CreateVisualizationRequest,
    ) -> Result<v2::Visualization> {
        Err(absent::visualizations())
    }
}
