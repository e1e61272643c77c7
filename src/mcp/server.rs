//! The server: it lists the tools and runs them.

use super::{
    arguments::{self, AskHuman, Cancel, CheckAvailability, GetOutcome, HandOver},
    result::{AvailabilityResult, RequestResult},
    service::RequestService,
    task,
    tools::{ASK_HUMAN, CANCEL, CHECK_AVAILABILITY, GET_OUTCOME, HAND_OVER, INSTRUCTIONS, TOOLS},
    wait::Waiting,
};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, CancelTaskParams, ContentBlock, CreateTaskResult,
        GetTaskParams, GetTaskResult, Implementation, InitializeRequestParams, InitializeResult, ListToolsResult,
        PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool, UpdateTaskParams,
    },
    service::RequestContext,
};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// The most characters of the name of a tool that an error repeats.
const NAME_MAX: usize = 80;

/// A server of the protocol for one source.
pub struct McpServer<S>(Arc<S>);

impl<S> Clone for McpServer<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: RequestService> McpServer<S> {
    /// A server for these requests.
    pub fn new(service: S) -> Self {
        Self(Arc::new(service))
    }

    async fn ask(&self, asked: AskHuman, context: &RequestContext<RoleServer>) -> Result<RequestResult, String> {
        let key = arguments::key(asked.request_key.as_deref())?;
        // A client that follows tasks needs no call that waits.
        let usual = task::is_declared(context).then_some("0s");
        let waiting = Waiting::begin(context, asked.wait.as_deref().or(usual))?;
        let accepted = self.accepted(asked.body(), key).await?;
        Ok(waiting.outcome(&*self.0, accepted).await?)
    }

    async fn hand_over(&self, asked: HandOver, context: &RequestContext<RoleServer>) -> Result<RequestResult, String> {
        let key = arguments::key(asked.request_key.as_deref())?;
        // The user waits for a word: at once, unless it is told otherwise.
        let waiting = Waiting::begin(context, Some(asked.wait.as_deref().unwrap_or("0s")))?;
        let accepted = self.accepted(asked.body(), key).await?;
        Ok(waiting.outcome(&*self.0, accepted).await?)
    }

    async fn accepted(&self, body: Value, key: Option<String>) -> Result<RequestResult, String> {
        let accepted = self.0.ask(body, key).await.map_err(String::from);
        // The same header has another name here.
        Ok(RequestResult::of(accepted.map_err(|why| why.replace("Idempotency-Key", "request_key"))?)?)
    }

    async fn look(&self, asked: GetOutcome, context: &RequestContext<RoleServer>) -> Result<RequestResult, String> {
        let waiting = Waiting::begin(context, asked.wait.as_deref())?;
        let now = self.0.look(&asked.id, tokio::time::Instant::now()).await?;
        let now = RequestResult::of(now)?;
        let is_news =
            asked.known.is_some() && now.handoff.as_ref().map(|handoff| &handoff.state) != asked.known.as_ref();
        if is_news { Ok(now) } else { Ok(waiting.outcome(&*self.0, now).await?) }
    }

    /// The request of a task, for a client that may ask for it.
    async fn task(&self, id: &str, context: &RequestContext<RoleServer>) -> Result<RequestResult, ErrorData> {
        task::check_declared(context)?;
        let now = self.0.look(id, tokio::time::Instant::now()).await;
        now.and_then(RequestResult::of).map_err(task::fault)
    }

    async fn cancel(&self, asked: Cancel) -> Result<RequestResult, String> {
        Ok(RequestResult::of(self.0.cancel(&asked.id, asked.reason).await?)?)
    }
}

impl<S: RequestService> ServerHandler for McpServer<S> {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().enable_tasks().build())
            .with_server_info(Implementation::new("stentor", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn initialize(
        &self,
        asked: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let mut agreed = self.negotiate_initialize(&asked)?;
        // Whoever begins with a handshake is of an era that has no tasks of this form.
        agreed.capabilities.extensions = None;
        context.peer.set_peer_info(asked);
        Ok(agreed)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        TOOLS.iter().find(|tool| tool.name == name).cloned()
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(TOOLS.clone()))
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let (name, arguments) = (&*call.name, call.arguments);
        let done = match name {
            ASK_HUMAN => match arguments::read(arguments) {
                Ok(asked) => self.ask(asked, &context).await.and_then(|asked| accepted(asked, &context)),
                Err(wrong) => Err(wrong),
            },
            HAND_OVER => match arguments::read(arguments) {
                // Never a task: an agent reads no result of one before its end, and its user waits for a word now.
                Ok(asked) => self.hand_over(asked, &context).await.and_then(complete),
                Err(wrong) => Err(wrong),
            },
            CHECK_AVAILABILITY => match arguments::read::<CheckAvailability>(arguments) {
                Ok(asked) => match self.0.availability(asked.query()).await.and_then(AvailabilityResult::of) {
                    Ok(found) => complete(found),
                    Err(fault) => Err(fault.into()),
                },
                Err(wrong) => Err(wrong),
            },
            GET_OUTCOME => match arguments::read(arguments) {
                Ok(asked) => self.look(asked, &context).await.and_then(complete),
                Err(wrong) => Err(wrong),
            },
            CANCEL => match arguments::read(arguments) {
                Ok(asked) => self.cancel(asked).await.and_then(complete),
                Err(wrong) => Err(wrong),
            },
            other => {
                let name: String = other.chars().take(NAME_MAX).collect();
                return Err(ErrorData::invalid_params(format!("there is no tool {name:?}"), None));
            }
        };
        // What is wrong with a call is a result, too, so that the agent can mend it.
        Ok(done.unwrap_or_else(|why| CallToolResult::error(vec![ContentBlock::text(why)]).into()))
    }

    async fn get_task(
        &self,
        asked: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        let now = self.task(&asked.task_id, &context).await?;
        Ok(GetTaskResult::new(task::detailed(now)?))
    }

    async fn update_task(
        &self,
        answered: UpdateTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        // No task asks its client for anything: what it answers is of nothing that is asked.
        self.task(&answered.task_id, &context).await.map(drop)
    }

    async fn cancel_task(
        &self,
        cancelled: CancelTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        task::check_declared(&context)?;
        self.0.cancel(&cancelled.task_id, None).await.map(drop).map_err(task::fault)
    }
}

/// What the asker gets of a request that was accepted: a task while it is open, if it declares that it follows tasks.
fn accepted(asked: RequestResult, context: &RequestContext<RoleServer>) -> Result<CallToolResponse, String> {
    if asked.is_open() && task::is_declared(context) {
        return Ok(CallToolResponse::Task(CreateTaskResult::new(task::of(&asked))));
    }
    complete(asked)
}

fn complete(result: impl Serialize) -> Result<CallToolResponse, String> {
    serde_json::to_value(result)
        .map(|value| CallToolResult::structured(value).into())
        .map_err(|error| error.to_string())
}
