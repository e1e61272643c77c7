//! Assessments: what real sentences mean, and laws over sentences that nobody wrote.

mod classifier;
mod combined;
mod phrases;
mod sentences;
