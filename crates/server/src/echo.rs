//! DummyFilterService of both versions: it exists so that generated clients have the messages of filters.
use access::{Gate, Scope};
use api::{v1, v2};
use domain::Result;

pub(crate) struct Echo;

impl v1::DummyFilterServiceHandlers<Gate> for Echo {
    async fn get_filter(
        &self,
        _: Scope<v1::dummy_filter_service_rpc::GetFilter>,
        req: v1::Filter,
    ) -> Result<v1::Filter> {
        Ok(req)
    }
}

impl v2::DummyFilterServiceHandlers<Gate> for Echo {
    async fn get_filter(
        &self,
        _: Scope<v2::dummy_filter_service_rpc::GetFilter>,
        req: v2::Filter,
    ) -> Result<v2::Filter> {
        Ok(req)
    }
}
