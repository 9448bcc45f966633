//! Single-user mode has no login, so a web page that its user visits must not be able to speak for them: neither from
//! its own origin, nor under a name that it has pointed at this host. Origins that the configuration lists are trusted.
use super::refusal::Form;
use crate::config::Cors;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use domain::{Code, Error};
use http::{
    Uri,
    header::{HOST, ORIGIN},
    uri::Authority,
};
use std::{net::IpAddr, sync::Arc};

/// Which names of this server are believed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Names {
    /// Loopback, by name or address.
    Loopback,
    /// All: the server was told to listen for others, who know it by whatever name it has.
    All,
}

/// Whose requests are taken.
#[derive(Clone)]
pub(super) struct Site {
    names: Names,
    /// Other origins whose pages may speak for the user.
    origins: Arc<[String]>,
}

impl Site {
    pub(super) fn new(names: Names, cors: &Cors) -> Self {
        Self { names, origins: cors.allowed_origins.clone().into() }
    }
}

pub(super) async fn same_site(State(site): State<Site>, request: Request, next: Next) -> Response {
    match check(&site, &request) {
        Ok(()) => next.run(request).await,
        Err(why) => Form::of(&request).refuse(Error::new(Code::PermissionDenied, why)),
    }
}

fn check(site: &Site, request: &Request) -> Result<(), String> {
    let text = |name| request.headers().get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    let host = request.uri().authority().cloned().or_else(|| text(HOST)?.parse().ok());
    if matches!(site.names, Names::Loopback) && !host.as_ref().is_some_and(is_loopback) {
        return Err("single-user mode answers on loopback only: call it localhost or 127.0.0.1".into());
    }
    let Some(origin) = text(ORIGIN) else { return Ok(()) };
    let of_page = origin.parse::<Uri>().ok().and_then(|uri| uri.into_parts().authority);
    if (of_page.is_some() && of_page == host) || site.origins.iter().any(|listed| listed == origin) {
        return Ok(());
    }
    Err(format!("single-user mode does not serve other web sites, such as {origin}"))
}

fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_let_in() {
        for (names, host, origin, expect) in [
            (Names::Loopback, "localhost:8888", None, true),
            (Names::Loopback, "127.0.0.1:8888", Some("http://127.0.0.1:8888"), true),
            (Names::Loopback, "[::1]:8888", None, true),
            (Names::Loopback, "evil.example:8888", None, false),
            (Names::Loopback, "127.0.0.1.evil.example", None, false),
            (Names::Loopback, "localhost:8888", Some("http://evil.example"), false),
            (Names::Loopback, "localhost:8888", Some("http://localhost:9999"), false),
            (Names::Loopback, "localhost:8888", Some("null"), false),
            (Names::Loopback, "", None, false),
            (Names::Loopback, "localhost:8888", Some("https://ui.example"), true),
            (Names::Loopback, "evil.example:8888", Some("https://ui.example"), false),
            (Names::All, "bulkhead.example", None, true),
            (Names::All, "bulkhead.example", Some("http://bulkhead.example"), true),
            (Names::All, "bulkhead.example", Some("http://evil.example"), false),
        ] {
            let mut request = Request::builder().uri("/x").header(HOST, host);
            if let Some(origin) = origin {
                request = request.header(ORIGIN, origin);
            }
            let request = request.body(axum::body::Body::empty()).unwrap();
            let site = Site::new(names, &Cors { allowed_origins: vec!["https://ui.example".into()] });
            assert_eq!(check(&site, &request).is_ok(), expect, "{host} {origin:?}");
        }
    }
}
