//! HealthzService of both versions. Public: it tells nothing of tenants.
use access::{Gate, Scope};
use api::{v1, v2};
use domain::Result;

pub(crate) struct Health {
    pub(crate) multi_user: bool,
}

impl v1::HealthzServiceHandlers<Gate> for Health {
    async fn get_healthz(
        &self,
        _: Scope<v1::healthz_service_rpc::GetHealthz>,
        (): (),
    ) -> Result<v1::GetHealthzResponse> {
        Ok(v1::GetHealthzResponse { multi_user: self.multi_user })
    }
}

impl v2::HealthzServiceHandlers<Gate> for Health {
    async fn get_healthz(
        &self,
        _: Scope<v2::healthz_service_rpc::GetHealthz>,
        (): (),
    ) -> Result<v2::GetHealthzResponse> {
        Ok(v2::GetHealthzResponse { multi_user: self.multi_user, pipeline_store: "database".into() })
    }
}
