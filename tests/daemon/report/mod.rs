//! Reports: time to engagement, triggers, post-mortems, reviews of drills, pictures; and the dashboard.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(clippy::disallowed_methods)]

use crate::common;

mod command;
mod dashboard;
mod documents;
mod evidence;
mod figures;
use crate::past;
