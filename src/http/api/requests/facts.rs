//! New facts of an open request: it is asked anew.

use super::{
    REQUEST_MAX, RequestView,
    ask_body::{question, said, unusable},
    service::{asker, theirs, unknown},
};
use crate::{
    core::{Incident, RequestId, canonical::read_exact},
    engine::{NewFacts, NewFactsResult},
    http::{
        api::{alerts, asker::refused},
        body, idempotency,
        openapi::{Access, Operation},
        problem::ProblemDetails,
        state::AppState,
    },
    matrix::SourceScope,
};
use axum::{
    Json,
    extract::{Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc};

/// `PUT /v1/requests/{id}/facts` in the API's document.
pub fn operation() -> Operation {
    let details = "The question is asked anew, as another request with an `id` of its own, and the first one ends as \
                   `superseded`. Whatever was chosen so far is void; an answer to the old question is refused, and told what \
                   changed. People have the whole time again.";
    Operation::put("putFacts", put)
        .about("New facts of a request", details)
        .access(Access::Source(SourceScope::Alerts))
        .stored()
        .path::<String>("id")
        .body::<FactsBody>(REQUEST_MAX, "What changed. What is left out stays as it was.")
        .answer::<RequestView>(StatusCode::OK, "These facts were known: the request that asks about them.")
        .answer::<RequestView>(StatusCode::ACCEPTED, "The new request is durable, and people are being asked.")
        .problem(StatusCode::BAD_REQUEST, "The body is not JSON that every reader reads alike.")
        .problem(StatusCode::NOT_FOUND, "This source has no request with this id.")
        .problem_with::<EndedProblem>(
            StatusCode::CONFLICT,
            "The request has its outcome, or a live incident is open and it is a drill.",
        )
        .problem(StatusCode::UNPROCESSABLE_ENTITY, "This can not be asked. Nothing was changed.")
        .busy::<ProblemDetails>("The source has opened as many incidents as it may in a minute.")
}

/// New facts. What is left out stays as it was; a map takes the place of the whole map.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FactsBody {
    /// The labels.
    labels: Option<BTreeMap<String, String>>,
    /// The measurements.
    values: Option<BTreeMap<String, f64>>,
    /// What will be done; `null` if nothing is.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<Value>")]
    action: Option<Value>,
    /// The question, in one line.
    question: Option<String>,
    /// One sentence for humans.
    summary: Option<String>,
    /// Anything that people should see.
    evidence: Option<Value>,
    /// How sure the system is, 0 to 1.
    confidence: Option<f64>,
}

/// A problem that has the outcome of the request.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is a schema alone")]
struct EndedProblem {
    #[schemars(flatten)]
    problem: ProblemDetails,
    /// The request with its outcome.
    request: Option<RequestView>,
}

/// A field that is there, `null` too.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// `PUT /v1/requests/{id}/facts`. The response is `202` only after the durable commit.
async fn put(
    State(app): State<Arc<AppState>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, ProblemDetails> {
    let (parts, body) = request.into_parts();
    let source = asker(&app, &parts.headers)?;
    let id: RequestId = id.parse().map_err(|_| unknown())?;
    let incident = theirs(&app, &source, id).await?;
    let bytes = body::of_source(body, REQUEST_MAX, &source).await?;
    let facts = read(&bytes)?;
    let done = app.engine.admission().new_facts(&incident, facts, app.engine.now()).await;
    match done.map_err(|fault| refused(&app, &source, fault))? {
        NewFactsResult::Ended => Err(ended(&*theirs(&app, &source, id).await?)),
        NewFactsResult::Known(same) => {
            let replayed = (same != id).then_some([(idempotency::REPLAYED, "true")]);
            Ok((replayed, Json(RequestView::of(&*theirs(&app, &source, same).await?)?)).into_response())
        }
        NewFactsResult::Asked(new) => {
            let location = [(header::LOCATION, format!("/v1/requests/{new}"))];
            let view = RequestView::of(&*theirs(&app, &source, new).await?)?;
            Ok((StatusCode::ACCEPTED, location, Json(view)).into_response())
        }
    }
}

fn read(bytes: &[u8]) -> Result<NewFacts, ProblemDetails> {
    let text = std::str::from_utf8(bytes).map_err(|_| ProblemDetails::bad("the body is not UTF-8"))?;
    let body = read_exact(text).map_err(|error| ProblemDetails::bad(error.to_string()))?;
    let alert = as_of_alert(&body);
    let body: FactsBody = serde_json::from_value(body).map_err(|error| unusable(said(&error)))?;
    let alert = alerts::read_exactly(alert.to_string().as_bytes()).map_err(unusable)?;
    Ok(NewFacts {
        labels: body.labels.map(|_| alert.labels),
        values: body.values.map(|_| alert.values),
        action: body.action,
        question: body.question.as_deref().map(question).transpose()?,
        summary: body.summary.map(|_| alert.summary),
        evidence: body.evidence.map(|_| alert.evidence),
        confidence: body.confidence.map(|_| alert.confidence),
    })
}

/// The facts as an alert: they are read as those of the first question.
fn as_of_alert(body: &Value) -> Value {
    let fields = body.as_object().into_iter().flatten();
    let of_alert = fields.filter(|(name, _)| !matches!(name.as_str(), "action" | "question"));
    let mut alert: Map<String, Value> = of_alert.map(|(name, value)| (name.clone(), value.clone())).collect();
    alert.insert("kind".to_owned(), "facts".into());
    Value::Object(alert)
}

/// The request has its outcome, which is told.
fn ended(incident: &Incident) -> ProblemDetails {
    let problem = ProblemDetails::new(StatusCode::CONFLICT, "the request has its outcome: ask another one");
    let view = RequestView::of(incident).ok().and_then(|view| serde_json::to_value(view).ok());
    view.map_or(problem.clone(), |view| problem.with_request(view))
}
