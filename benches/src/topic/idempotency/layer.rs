use std::convert::Infallible;
use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use idempotency::{Idempotency, IdempotencyLayer};
use tower::{Layer, Service, service_fn};

use crate::measure::{Contest, Spread};
use crate::report::{Findings, Line, Reach};
use crate::topic::Effort;

const WORK: &str = "the tower layer on a request without a key";
const CALLS: u32 = 100_000;

type Body = Full<Bytes>;

pub(super) async fn measure(effort: &Effort) -> Findings {
    let bare = service_fn(async |request: Request<Body>| {
        black_box(&request);
        Ok::<_, Infallible>(Response::new(Body::default()))
    });
    let layered = IdempotencyLayer::new(Idempotency::in_memory()).layer(bare);
    let mut contest = Contest::default();
    contest.enter("bare", || micros(bare));
    contest.enter("layered", || micros(layered.clone()));
    let standings = contest.run(effort.rounds).await;
    let (layered, bare) = (standings.of("layered"), standings.of("bare"));
    let added = Spread::of([layered.median - bare.median]);
    Findings { lines: vec![Line::new(WORK, Reach::at_most(2.0), added, "µs")], comparisons: Vec::new() }
}

/// How long one call takes.
async fn micros<S, B>(mut service: S) -> f64
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
{
    let begun = Instant::now();
    for _ in 0..CALLS {
        let mut request = Request::new(Body::default());
        *request.method_mut() = Method::POST;
        let Ok(response) = service.call(request).await;
        black_box(response);
    }
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS)
}
