//! The API's description as an OpenAPI 3.1 document, made from the types that its routes speak in.
//!
//! Each route says what it does in an [`Operation`] beside its handler, and is served by [`ApiRoutes`], which describes
//! what it serves: no route is in one and not in the other.

mod document;
pub mod operation;
pub mod routes;
mod schemas;

pub use operation::{Access, Operation};
pub use routes::ApiRoutes;
