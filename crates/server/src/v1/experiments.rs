//! ExperimentService of v1beta1.
use super::messages::experiment_message;
use crate::{Context, filter, names};
use access::{Gate, Scope};
use api::v1::{experiment_service_rpc as rpc, *};
use domain::{NewExperiment, Result};

pub(crate) struct Experiments(pub(crate) Context);

impl ExperimentServiceHandlers<Gate> for Experiments {
    async fn create_experiment_v1(
        &self,
        scope: Scope<rpc::CreateExperimentV1>,
        req: CreateExperimentRequest,
    ) -> Result<Experiment> {
        let Experiment { name, description, .. } = req.experiment.unwrap_or_default();
        names::name("the experiment's name", &name, names::EXPERIMENT)?;
        names::description(&description)?;
        let made = self.0.store.create_experiment(&scope.grant(), NewExperiment { name, description }).await?;
        Ok(experiment_message(&made))
    }

    async fn get_experiment_v1(
        &self,
        scope: Scope<rpc::GetExperimentV1>,
        req: GetExperimentRequest,
    ) -> Result<Experiment> {
        Ok(experiment_message(&self.0.store.experiment(&scope.grant(), &req.id).await?))
    }

    async fn list_experiments_v1(
        &self,
        scope: Scope<rpc::ListExperimentsV1>,
        req: ListExperimentsRequest,
    ) -> Result<ListExperimentsResponse> {
        let query = filter::query(req.page_size, req.page_token, req.sort_by, &req.filter)?;
        let page = self.0.store.experiments(&scope.grant(), query).await?;
        Ok(ListExperimentsResponse {
            experiments: page.items.iter().map(experiment_message).collect(),
            total_size: page.total_size(),
            next_page_token: page.next,
        })
    }

    async fn delete_experiment_v1(
        &self,
        scope: Scope<rpc::DeleteExperimentV1>,
        req: DeleteExperimentRequest,
    ) -> Result<()> {
        self.0.store.delete_experiment(&scope.grant(), &req.id).await
    }

    async fn archive_experiment_v1(
        &self,
        scope: Scope<rpc::ArchiveExperimentV1>,
        req: ArchiveExperimentRequest,
    ) -> Result<()> {
        self.0.store.archive_experiment(&scope.grant(), &req.id).await
    }

    async fn unarchive_experiment_v1(
        &self,
        scope: Scope<rpc::UnarchiveExperimentV1>,
        req: UnarchiveExperimentRequest,
    ) -> Result<()> {
        self.0.store.unarchive_experiment(&scope.grant(), &req.id).await
    }
}
