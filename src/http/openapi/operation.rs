//! What one route says about itself.

use super::schemas::SchemaOf;
use crate::{
    http::{body::BODY_TIME_MAX, problem::ProblemDetails, state::AppState},
    matrix::SourceScope,
};
use axum::{
    handler::Handler,
    http::StatusCode,
    routing::{MethodFilter, MethodRouter, on},
};
use schemars::JsonSchema;
use std::sync::Arc;

/// One method of one route: its handler, and what the document says of it.
pub struct Operation {
    pub(super) handler: MethodRouter<Arc<AppState>>,
    pub(super) description: OperationDescription,
}

/// What the document says of an operation.
pub struct OperationDescription {
    /// `get`, `post`: as in the document.
    pub(super) method: &'static str,
    /// Its name in programs that are made from the document; unique.
    pub(super) id: &'static str,
    /// A few words.
    pub(super) summary: &'static str,
    /// What these do not say, in Markdown.
    pub(super) details: String,
    /// Who may call it.
    pub(super) access: Access,
    /// The parameters in its path.
    pub(super) path: Vec<PathParameter>,
    /// An object with a property for each parameter of its query.
    pub(super) query: Option<SchemaOf>,
    /// What it reads.
    pub(super) body: Option<BodyDescription>,
    /// What it answers, by status.
    pub(super) answers: Vec<AnswerDescription>,
}

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// No credential is needed.
    Anybody,
    /// A source with this scope.
    Source(SourceScope),
    /// A source with this scope, or a person who is signed in to the desk.
    Reader(SourceScope),
}

/// A parameter in a path.
pub struct PathParameter {
    pub(super) name: &'static str,
    pub(super) schema: SchemaOf,
}

/// The body of a request, as JSON.
pub struct BodyDescription {
    pub(super) schema: SchemaOf,
    pub(super) details: String,
}

/// One answer.
pub struct AnswerDescription {
    pub(super) status: StatusCode,
    pub(super) media: &'static str,
    pub(super) details: String,
    pub(super) schema: SchemaOf,
    pub(super) headers: Vec<AnswerHeader>,
}

/// A header of an answer.
#[derive(Debug, Clone, Copy)]
pub struct AnswerHeader {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub details: &'static str,
    /// Whether it is a number instead of a text.
    pub is_number: bool,
    /// Whether every answer has it.
    pub is_required: bool,
}

/// The address of what follows in a list.
pub const NEXT: AnswerHeader = AnswerHeader {
    name: "Link",
    details: "`<..>; rel=\"next\"` (RFC 8288): where the next part is. Absent at the last part.",
    is_number: false,
    is_required: false,
};

const RETRY_AFTER: AnswerHeader = AnswerHeader {
    name: "Retry-After",
    details: "When to send the request again, in seconds.",
    is_number: true,
    is_required: true,
};

const CHALLENGE: AnswerHeader = AnswerHeader {
    name: "WWW-Authenticate",
    details: "The credential that is missing.",
    is_number: false,
    is_required: true,
};

/// The media type of JSON.
pub const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

impl Operation {
    /// A `GET`.
    pub fn get<H: Handler<T, Arc<AppState>>, T: 'static>(id: &'static str, handler: H) -> Self {
        Self::new("get", id, on(MethodFilter::GET, handler))
    }

    /// A `POST`.
    pub fn post<H: Handler<T, Arc<AppState>>, T: 'static>(id: &'static str, handler: H) -> Self {
        Self::new("post", id, on(MethodFilter::POST, handler))
    }

    /// A `PUT`.
    pub fn put<H: Handler<T, Arc<AppState>>, T: 'static>(id: &'static str, handler: H) -> Self {
        Self::new("put", id, on(MethodFilter::PUT, handler))
    }

    fn new(method: &'static str, id: &'static str, handler: MethodRouter<Arc<AppState>>) -> Self {
        let description = OperationDescription {
            method,
            id,
            summary: "",
            details: String::new(),
            access: Access::Anybody,
            path: Vec::new(),
            query: None,
            body: None,
            answers: Vec::new(),
        };
        Self { handler, description }
            .problem(StatusCode::INTERNAL_SERVER_ERROR, "A bug in Stentor, or a row that can not be read.")
    }

    /// What it does: in a few words, and in Markdown what these do not say.
    #[must_use]
    pub fn about(mut self, summary: &'static str, details: impl Into<String>) -> Self {
        (self.description.summary, self.description.details) = (summary, details.into());
        self
    }

    /// Who may call it, with the answers to others.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.description.access = access;
        let (Access::Source(scope) | Access::Reader(scope)) = access else { return self };
        let wanted = format!("The source of this token has no scope `{}`.", scope.as_str());
        self.problem(StatusCode::UNAUTHORIZED, "No valid credential.")
            .with_header(CHALLENGE)
            .problem(StatusCode::FORBIDDEN, wanted)
    }

    /// The same, where others are told so in an answer of this type and media.
    #[must_use]
    pub fn access_told_as<T: JsonSchema>(mut self, access: Access, media: &'static str) -> Self {
        self.description.access = access;
        self.answer_as::<T>(StatusCode::UNAUTHORIZED, media, "No valid credential.")
            .with_header(CHALLENGE)
            .answer_as::<T>(StatusCode::FORBIDDEN, media, "The source of this token has no scope for it.")
    }

    /// What the route answers to methods that it does not have.
    #[must_use]
    pub fn otherwise<H: Handler<T, Arc<AppState>>, T: 'static>(mut self, handler: H) -> Self {
        self.handler = self.handler.fallback(handler);
        self
    }

    /// It reads or writes the store, which may be unable to.
    #[must_use]
    pub fn stored(self) -> Self {
        self.problem(StatusCode::SERVICE_UNAVAILABLE, "The store can not be read or written now: nothing was kept.")
            .with_header(RETRY_AFTER)
    }

    /// A parameter in its path.
    #[must_use]
    pub fn path<T: JsonSchema>(mut self, name: &'static str) -> Self {
        self.description.path.push(PathParameter { name, schema: SchemaOf::of::<T>() });
        self
    }

    /// The parameters of its query: the fields of `T`.
    #[must_use]
    pub fn query<T: JsonSchema>(mut self) -> Self {
        self.description.query = Some(SchemaOf::of::<T>());
        self
    }

    /// The body that it reads, of at most `max` bytes.
    #[must_use]
    pub fn body<T: JsonSchema>(mut self, max: usize, details: &str) -> Self {
        let details = format!("{details} At most {max} bytes.");
        self.description.body = Some(BodyDescription { schema: SchemaOf::of::<T>(), details });
        self.problem(
            StatusCode::REQUEST_TIMEOUT,
            format!("The body took longer than {} s to arrive.", BODY_TIME_MAX.as_secs()),
        )
        .problem(StatusCode::PAYLOAD_TOO_LARGE, format!("The body is larger than {max} bytes."))
    }

    /// An answer of JSON.
    #[must_use]
    pub fn answer<T: JsonSchema>(self, status: StatusCode, details: impl Into<String>) -> Self {
        self.answer_as::<T>(status, JSON, details)
    }

    /// A problem (RFC 9457).
    #[must_use]
    pub fn problem(self, status: StatusCode, details: impl Into<String>) -> Self {
        self.problem_with::<ProblemDetails>(status, details)
    }

    /// A problem with members of its own.
    #[must_use]
    pub fn problem_with<T: JsonSchema>(self, status: StatusCode, details: impl Into<String>) -> Self {
        self.answer_as::<T>(status, PROBLEM, details)
    }

    /// The problem that there are too many requests.
    #[must_use]
    pub fn busy<T: JsonSchema>(self, details: impl Into<String>) -> Self {
        self.problem_with::<T>(StatusCode::TOO_MANY_REQUESTS, details).with_header(RETRY_AFTER)
    }

    /// A header of the answer that was described last.
    #[must_use]
    pub fn with_header(mut self, header: AnswerHeader) -> Self {
        if let Some(answer) = self.description.answers.last_mut() {
            answer.headers.push(header);
        }
        self
    }

    /// An answer of another media type.
    #[must_use]
    pub fn answer_as<T: JsonSchema>(
        mut self,
        status: StatusCode,
        media: &'static str,
        details: impl Into<String>,
    ) -> Self {
        let (details, schema) = (details.into(), SchemaOf::of::<T>());
        self.description.answers.push(AnswerDescription { status, media, details, schema, headers: Vec::new() });
        self
    }
}
