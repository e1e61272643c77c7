//! `/mcp`: the Model Context Protocol, for agents with the token of a source. They ask by the same service as
//! `/v1/requests`.

use super::{
    api::{handoffs, requests::service},
    body,
    problem::ProblemDetails,
    state::AppState,
};
use crate::{
    core::{Incident, SourceName},
    mcp::{self, AvailabilityQuery, RequestService, ServiceFault},
};
use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    response::Response,
    routing::any,
};
use serde::Serialize;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// The route.
pub fn routes() -> Router<Arc<AppState>> {
    Router::new().route("/mcp", any(serve))
}

async fn serve(State(app): State<Arc<AppState>>, request: Request) -> Result<Response, ProblemDetails> {
    let source = service::asker(&app, request.headers())?;
    let (head, body) = request.into_parts();
    let body = body::of_source(body, mcp::MESSAGE_MAX, &source).await?;
    Ok(mcp::answer(OwnRequests { app, source }, head, body).await)
}

/// The requests of a source of this daemon.
struct OwnRequests {
    app: Arc<AppState>,
    source: SourceName,
}

impl RequestService for OwnRequests {
    async fn ask(&self, body: Value, key: Option<String>) -> Result<Value, ServiceFault> {
        let asked = service::ask(&self.app, &self.source, key, body.to_string().as_bytes()).await;
        self.told(asked.map(|asked| asked.incident)).await
    }

    async fn look(&self, id: &str, until: Instant) -> Result<Value, ServiceFault> {
        let id = service::read_id(id).map_err(fault)?;
        self.told(
            service::wait(&self.app, &self.source, id, until, |old, new| old.handoff_state() != new.handoff_state())
                .await,
        )
        .await
    }

    async fn availability(&self, query: AvailabilityQuery) -> Result<Value, ServiceFault> {
        let AvailabilityQuery { kind, labels, values, locale } = query;
        let query = handoffs::AvailabilityQuery { kind, labels: Some(labels), values: Some(values), locale };
        valued(handoffs::availability(&self.app, &self.source, query).await.map_err(fault)?)
    }

    async fn cancel(&self, id: &str, reason: Option<String>) -> Result<Value, ServiceFault> {
        let id = service::read_id(id).map_err(fault)?;
        self.told(service::cancel(&self.app, &self.source, id, reason).await).await
    }
}

impl OwnRequests {
    async fn told(&self, incident: Result<Arc<Incident>, ProblemDetails>) -> Result<Value, ServiceFault> {
        let view = service::view(&self.app, &*incident.map_err(fault)?).await.map_err(fault)?;
        valued(view)
    }
}

fn valued(view: impl Serialize) -> Result<Value, ServiceFault> {
    serde_json::to_value(view).map_err(|error| ServiceFault::new(error.to_string()))
}

fn fault(problem: ProblemDetails) -> ServiceFault {
    let retry_after = problem.retry_after().map(Duration::from_secs);
    let is_unknown = problem.status() == StatusCode::NOT_FOUND;
    ServiceFault { detail: problem.detail().to_owned(), retry_after, is_unknown }
}
