//! Bodies of requests from nobody in particular.
use axum::{
    body::{Body, HttpBody},
    extract::Request,
};
use futures::{StreamExt as _, TryStreamExt as _, future, stream};
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt as _;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The largest body that is taken from somebody who has not logged in, in bytes.
pub(super) const MAX_ANONYMOUS: usize = 64 << 10;
/// How long somebody who has not logged in may take to send a body.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most that is read and dropped of a larger one, in bytes, so that the client gets to read the refusal.
const MAX_DRAIN: usize = 64 << 20;

/// Whether a body turned out to be larger than is allowed.
#[derive(Clone, Debug, Default)]
pub(super) struct Exceeded(Arc<AtomicBool>);

/// What is left of a request from nobody in particular: public RPCs have small bodies, and nothing else is to take
/// memory before it is refused. `None` if it announces more, which is then read and dropped. Of one that announces
/// nothing the flag tells, once an answer is there.
pub(super) async fn restrain(request: Request) -> Option<(Request, Exceeded)> {
    // A body that comes in pieces announces nothing.
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let announced = length.unwrap_or(0).max(request.body().size_hint().lower());
    let exceeded = Exceeded::default();
    let request = request.map(|body| limited(body, exceeded.clone()));
    if announced <= MAX_ANONYMOUS as u64 {
        return Some((request, exceeded));
    }
    let mut body = request.into_body();
    let drain = async { while let Some(Ok(_)) = body.frame().await {} };
    // Whoever is slower than that does not get to read why.
    let _ = tokio::time::timeout(PATIENCE, drain).await;
    None
}

/// A body that gives what is allowed, drops what comes beyond that, and then fails.
fn limited(body: Body, exceeded: Exceeded) -> Body {
    let too_large = || axum::Error::new("the body is larger than is taken without a login");
    let at_end = exceeded.clone();
    let mut read = 0;
    let allowed = body.into_data_stream().try_filter_map(move |chunk| {
        read += chunk.len();
        if read <= MAX_ANONYMOUS {
            return future::ready(Ok(Some(chunk)));
        }
        exceeded.set();
        future::ready(if read <= MAX_DRAIN { Ok(None) } else { Err(too_large()) })
    });
    let late = at_end.clone();
    let allowed = allowed.take_until(async move {
        tokio::time::sleep(PATIENCE).await;
        late.set();
    });
    let end = stream::once(async move { at_end.get().then(|| Err(too_large())) }).filter_map(future::ready);
    Body::from_stream(allowed.chain(end))
}

impl Exceeded {
    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}
