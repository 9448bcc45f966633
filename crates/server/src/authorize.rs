//! AuthService of both versions: admission is the answer.
use access::{Gate, Scope};
use api::{v1, v2};
use domain::{Error, Result};

pub(crate) struct Authorize;

/// What is asked about must be said, as its verb must.
fn said(viewers: bool) -> Result<()> {
    if viewers { Ok(()) } else { Err(Error::invalid("the request does not name resources: VIEWERS is what there is")) }
}

impl v1::AuthServiceHandlers<Gate> for Authorize {
    async fn authorize_v1(&self, _: Scope<v1::auth_service_rpc::AuthorizeV1>, req: v1::AuthorizeRequest) -> Result<()> {
        said(req.resources() == v1::authorize_request::Resources::Viewers)
    }
}

impl v2::AuthServiceHandlers<Gate> for Authorize {
    async fn authorize(&self, _: Scope<v2::auth_service_rpc::Authorize>, req: v2::AuthorizeRequest) -> Result<()> {
        said(req.resources() == v2::authorize_request::Resources::Viewers)
    }
}
