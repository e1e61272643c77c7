//! `stentor demo bank`: a bank's chatbot hands conversations over to people. A chat page and an officer's desk, with the
//! real daemon between them, in the sandbox, with the matrix of `examples/bank`. The bot is a part of this program, but
//! speaks to the daemon by its HTTP API alone.

mod chat;
mod client;
mod findings;
mod officer;
mod pages;
mod rules;
mod scenes;
mod user;

use super::{
    cast::DemoCast,
    keyboard::{Keyboard, ViewerKey},
    screen::DemoScreen,
};
use crate::{
    cli::{error::CliError, load},
    core::PersonName,
    journal,
};
use client::BotClient;
use findings::Findings;
use officer::PlayedOfficer;
use pages::Bot;
use scenes::Scenes;
use std::{future::IntoFuture, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// The source that the bot is.
pub const SOURCE: &str = "chatbot";

/// The demo ends after this time, whatever happens: without a viewer, and with one.
const LONGEST: Duration = Duration::from_secs(85);
const ATTENDED_LONGEST: Duration = Duration::from_secs(30 * 60);

/// How the links of the example begin; the demo's own pages take its place.
const REPLIES: &str = "http://127.0.0.1:7474/";

/// The hours of the example. The demo is played at any hour, so most of its people are always there, ..
const HOURS: [&str; 2] = ["Mon-Fri 08:00-18:00", "Mon-Fri 09:00-17:30"];
const ALWAYS: &str = "Mon-Sun 00:00-24:00";

/// .. and some are not there today.
const RARE_HOURS: &str = "Tue,Thu 10:00-12:00";

/// How long the demo may take.
pub fn longest(attended: bool) -> Duration {
    if attended { ATTENDED_LONGEST } else { LONGEST }
}

/// The demo with its open listener for the bot's pages.
pub struct BankDemo {
    listener: TcpListener,
    address: SocketAddr,
}

impl BankDemo {
    /// Opens the listener, on a free port.
    pub async fn open() -> Result<Self, CliError> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// The matrix of the example, for the address of these pages and for today.
    pub fn matrix(&self) -> load::LoadedMatrix {
        let text = include_str!("../../../examples/bank/matrix.toml");
        let day = (load::now().to_utc() + chrono::Duration::days(3)).format("%a");
        let text = text.replace(REPLIES, &format!("{}/", self.pages()));
        let text = text.replace(RARE_HOURS, &format!("{day} 10:00-12:00"));
        let text = HOURS.iter().fold(text, |text, hours| text.replace(hours, ALWAYS));
        load::embedded("examples/bank", &[("matrix.toml", text.as_str())], load::now())
    }

    /// Plays it; returns whether everything that the user and the officers were shown was true.
    pub async fn play(self, cast: DemoCast) -> Result<bool, CliError> {
        let screen = DemoScreen::new();
        let pages = self.pages();
        let desk = cast.attended.then(|| cast.desk_link(&PersonName::from("dana")));
        let bot = Bot::new(BotClient::new(&cast), format!("{pages}/officer/"), desk);
        let served = axum::serve(self.listener, pages::router(Arc::new(bot))).into_future();
        let played = async {
            screen.say(&screen.bold("A bank's chatbot and the people behind it, on the real daemon, in the sandbox"));
            screen.say("No account is used, and nothing leaves this machine. Its hours are changed so that it plays at any time.");
            if cast.attended {
                watched(&cast, &screen, &pages).await
            } else {
                unattended(&cast, &screen, pages.clone()).await
            }
        };
        tokio::select! {
            served = served => served.map(|()| false).map_err(Into::into),
            played = played => played,
        }
    }

    fn pages(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// The viewer is the user and the officer, in two windows, until they press `q`.
async fn watched(cast: &DemoCast, screen: &DemoScreen, pages: &str) -> Result<bool, CliError> {
    screen.say(&format!("You are the user. Put this page on the left:   {}", screen.bold(pages)));
    screen.say(&format!(
        "You are Dana Ruiz, too. Put her desk on the right: {}",
        cast.desk_link(&PersonName::from("dana"))
    ));
    screen.say("Ask about a fee twice, ask about refinancing, or ask for a person.");
    screen.say(&screen.bold("Press q to end it."));
    let mut keyboard = Keyboard::open(true);
    while !matches!(keyboard.next().await, ViewerKey::Quit) {}
    drop(keyboard);
    verified(cast, screen).await
}

async fn unattended(cast: &DemoCast, screen: &DemoScreen, pages: String) -> Result<bool, CliError> {
    let scenes = Scenes {
        findings: Findings::new(screen),
        http: cast.app.client.clone(),
        pages,
        dana: PlayedOfficer::sign_in(cast, "dana").await?,
        ines: PlayedOfficer::sign_in(cast, "ines").await?,
        estimates: &cast.app.estimates,
    };
    scenes.play(&BotClient::new(cast)).await?;
    screen.say("");
    let is_sound = verified(cast, screen).await?;
    let are_good = scenes.findings.are_good();
    screen.say(if are_good {
        "The user was told true things only, and the officers had all they need."
    } else {
        "SOMETHING WAS NOT TRUE."
    });
    screen.say("What next: examples/bank, and docs/src/handoffs.md.");
    Ok(is_sound && are_good)
}

async fn verified(cast: &DemoCast, screen: &DemoScreen) -> Result<bool, CliError> {
    cast.app.engine.tick_anchor().await?;
    let lines = cast.app.engine.reads().lines(None, 0, 100_000).await?;
    let report = journal::verify(lines, journal::KeptAnchors::default());
    let word = if report.is_sound() { "consistent in itself" } else { "NOT SOUND" };
    screen.say(&format!("Journal: {} lines in {} chains, verified: {word}", report.lines, report.chains));
    Ok(report.is_sound())
}
