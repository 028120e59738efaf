//! Liveness and readiness, for load balancers and Kubernetes: whether the process lives, and whether to send it
//! requests.

use http::{HeaderValue, StatusCode, header};
use tokio_util::sync::CancellationToken;

use crate::{Problem, Response, body};

/// Answers `/healthz`: a process that can answer lives, also while it drains.
pub fn live() -> Response {
    // Liveness looks at no database: a restart would not bring one back, and would empty the cache of an edge.
    let mut response = Response::new(body::full("ok\n"));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Answers `/readyz`: ready until the shutdown begins, as long as `check`, the role's dependencies, is well.
/// Readiness fails before the server stops accepting, so that a load balancer sends no client to a closed port.
pub async fn ready<E>(shutdown: &CancellationToken, check: impl Future<Output = Result<(), E>>) -> Response
where
    E: std::fmt::Display,
{
    if shutdown.is_cancelled() {
        let detail = "The server is shutting down.";
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "draining", detail).into();
    }
    match check.await {
        Ok(()) => live(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            let detail = "Something that the server depends on does not answer.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn readiness_fails_when_a_dependency_does_and_when_the_drain_begins() {
        let shutdown = CancellationToken::new();
        let well = async || Ok::<(), String>(());
        assert_eq!(ready(&shutdown, well()).await.status(), StatusCode::OK);
        let ill = async { Err("no database".to_owned()) };
        assert_eq!(ready(&shutdown, ill).await.status(), StatusCode::SERVICE_UNAVAILABLE);
        shutdown.cancel();
        assert_eq!(ready(&shutdown, well()).await.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(live().status(), StatusCode::OK);
    }
}
