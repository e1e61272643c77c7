//! Reports: time to engagement, triggers, post-mortems, pictures.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(clippy::disallowed_methods)]

mod fixture;

#[path = "report/past.rs"]
mod past;

use past::{Dice, Past};

#[tokio::test]
async fn look() {
    let dir = std::env::var("LOOK").unwrap();
    let past = Past::at(std::path::Path::new(&dir)).await;
    let mut dice = Dice(7);
    let n: usize = std::env::var("LOOK_N").unwrap().parse().unwrap();
    for i in 0..n {
        past.crisis(&mut dice, i % 9 == 8).await;
    }
    // one bad
    let id = past.open(past::measured_plan(), false).await;
    past.accept(id, Some("sms")).await;
    past.pass(id, 130.0).await;
    past.answer(id, "compliance", stentor::core::Answer::Roger).await;
    past.pass(id, 200.0).await;
    past.store.close().await;
}
