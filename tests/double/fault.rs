//! Faults of an HTTP response, for all doubles.

use axum::{
    body::{Body, Bytes},
    http::{Response, header},
};
use futures_util::stream;
use std::{io, sync::Arc, time::Duration};
use tokio::sync::Notify;

/// One faulty response.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This status, with these headers and this body.
    Status(u16, Vec<(&'static str, &'static str)>, &'static str),
    /// 200 and an HTML page: a captive portal, a proxy.
    Html,
    /// No response at all. The notification says that the request was received.
    Hang(Arc<Notify>),
    /// The connection breaks within the body.
    Cut,
    /// A body that never ends, with a byte now and then. The notification says that the request was received.
    Trickle(Arc<Notify>),
}

impl Fault {
    /// The response for this fault; for `Hang` it never returns.
    pub async fn answer(self) -> Response<Body> {
        match self {
            Self::Status(status, headers, body) => {
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                response.body(Body::from(body)).unwrap()
            }
            Self::Html => Response::builder()
                .header(header::CONTENT_TYPE, "text/html")
                .body(Body::from("<html><body>Please sign in to the guest network.</body></html>"))
                .unwrap(),
            Self::Hang(arrived) => {
                arrived.notify_one();
                std::future::pending().await
            }
            Self::Trickle(arrived) => {
                arrived.notify_one();
                let drops = stream::unfold((), |()| async {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Some((Ok::<_, io::Error>(Bytes::from_static(b" ")), ()))
                });
                Response::builder()
                    .header(header::CONTENT_TYPE, "application/json")
                    .header(header::CONTENT_LENGTH, "500000")
                    .body(Body::from_stream(drops))
                    .unwrap()
            }
            Self::Cut => {
                let broken = io::Error::new(io::ErrorKind::ConnectionReset, "cut");
                let parts = stream::iter([Ok(Bytes::from_static(b"{\"ok\":true,")), Err(broken)]);
                Response::builder()
                    .header(header::CONTENT_TYPE, "application/json")
                    .header(header::CONTENT_LENGTH, "500")
                    .body(Body::from_stream(parts))
                    .unwrap()
            }
        }
    }
}
