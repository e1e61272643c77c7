//! A request as a task: the extension `io.modelcontextprotocol/tasks` (SEP-2663). The id of the task is that of the request, so
//! it is as durable, as hard to guess, and its source's alone.

use super::{result::RequestResult, service::ServiceFault};
use rmcp::{
    ErrorData, RoleServer,
    model::{CallToolResult, ClientCapabilities, DetailedTask, ProtocolVersion, Task, TaskPayload, TaskStatus},
    service::RequestContext,
};

/// How often a client should look, in milliseconds: people take seconds at least.
const LOOK_EVERY: u64 = 2_000;

/// Whether this request itself declares that its client follows tasks, at a revision that has them. What a session declared
/// when it began does not count: clients of that era declare them, and can read none.
pub fn is_declared(context: &RequestContext<RoleServer>) -> bool {
    context.meta.protocol_version() == Some(ProtocolVersion::V_2026_07_28)
        && context.meta.client_capabilities().is_some_and(|capabilities| capabilities.supports_tasks())
}

/// As [`is_declared`].
///
/// # Errors
/// What the client would have to declare.
pub fn check_declared(context: &RequestContext<RoleServer>) -> Result<(), ErrorData> {
    if is_declared(context) {
        return Ok(());
    }
    let tasks = ClientCapabilities::builder().enable_tasks().build();
    Err(ErrorData::missing_required_client_capability(tasks))
}

/// The task of a request, without its result. It has no end of life: its request can be asked for as long as it is kept.
pub fn of(now: &RequestResult) -> Task {
    let status = match &*now.state {
        "open" => TaskStatus::Working,
        "cancelled" => TaskStatus::Cancelled,
        _ => TaskStatus::Completed,
    };
    let said = match (&now.handoff, status) {
        (_, TaskStatus::Cancelled) => now.reason.clone(),
        (Some(handoff), _) => handoff.message.clone(),
        (None, TaskStatus::Working) => Some(now.progress()),
        (None, _) => None,
    };
    let task = Task::new(&now.id, status, now.asked_at.to_string(), now.changed_at.to_string());
    let task = task.with_poll_interval_ms(LOOK_EVERY);
    match said {
        Some(said) => task.with_status_message(said),
        None => task,
    }
}

/// The task of a request, with the result that the call would have had. Every outcome is one, but that it was withdrawn.
///
/// # Errors
/// The result can not be written.
pub fn detailed(now: RequestResult) -> Result<DetailedTask, ErrorData> {
    let task = of(&now);
    let payload = match task.status {
        TaskStatus::Completed => TaskPayload::Completed { result: result(&now).map_err(|error| broken(&error))? },
        TaskStatus::Cancelled => TaskPayload::Cancelled,
        _ => TaskPayload::Working,
    };
    Ok(DetailedTask::new(task, payload))
}

fn result(now: &RequestResult) -> Result<rmcp::model::JsonObject, serde_json::Error> {
    serde_json::from_value(serde_json::to_value(CallToolResult::structured(serde_json::to_value(now)?))?)
}

fn broken(error: &serde_json::Error) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

/// Why there is no answer to a call about a task.
pub fn fault(fault: ServiceFault) -> ErrorData {
    if fault.is_unknown {
        ErrorData::invalid_params(fault.detail, None)
    } else {
        ErrorData::internal_error(String::from(fault), None)
    }
}
