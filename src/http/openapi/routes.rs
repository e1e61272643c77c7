//! Routes that are described: what is served is in the document, and nothing else.

use super::{
    document,
    operation::{Operation, OperationDescription},
};
use crate::http::state::AppState;
use axum::Router;
use serde_json::Value;
use std::sync::Arc;

/// Routes with their descriptions.
#[derive(Default)]
pub struct ApiRoutes {
    router: Router<Arc<AppState>>,
    described: Vec<(&'static str, OperationDescription)>,
}

impl ApiRoutes {
    /// Without any.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more; a path may have several, with different methods.
    #[must_use]
    pub fn route(mut self, path: &'static str, operation: Operation) -> Self {
        self.router = self.router.route(path, operation.handler);
        self.described.push((path, operation.description));
        self
    }

    /// With these, too.
    #[must_use]
    pub fn merge(mut self, others: Self) -> Self {
        self.router = self.router.merge(others.router);
        self.described.extend(others.described);
        self
    }

    /// The document of all of them.
    pub fn document(&self) -> Value {
        document::of(&self.described)
    }

    /// The routes themselves.
    pub fn router(self) -> Router<Arc<AppState>> {
        self.router
    }
}
