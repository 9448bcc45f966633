//! QuotaService: how much a namespace may hold.
use crate::Context;
use access::{Gate, Scope};
use api::bulkhead::v1::{GetQuotaRequest, GetQuotaResponse, Quota, QuotaServiceHandlers, quota_service_rpc as rpc};
use domain::Result;
use store::Standing;

pub(crate) struct Quotas(pub(crate) Context);

impl QuotaServiceHandlers<Gate> for Quotas {
    async fn get_quota(&self, scope: Scope<rpc::GetQuota>, _: GetQuotaRequest) -> Result<GetQuotaResponse> {
        let standing = self.0.store.standing(&scope.grant()).await?;
        Ok(GetQuotaResponse { quotas: standing.map(message).into() })
    }
}

fn message(standing: Standing) -> Quota {
    Quota {
        name: standing.quota.to_string(),
        limit: standing.limit.unwrap_or_default(),
        used: u32::try_from(standing.used.max(0)).unwrap_or(u32::MAX),
    }
}
