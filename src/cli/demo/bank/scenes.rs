//! The conversations that the demo plays without a viewer, with what must be true on both screens at each moment.

use super::{
    chat::USER,
    client::{BotClient, TurnFacts},
    findings::Findings,
    officer::PlayedOfficer,
    user::PlayedUser,
};
use crate::{cli::error::CliError, http::handoff_estimate::KeptEstimates};
use serde_json::{Value, json};

/// How many conversations of the loan officer are measured first: an estimate needs at least 20.
const MEASURED: usize = 32;

/// The words of both wordings that say how long it takes.
const ESTIMATES: [&str; 2] = ["usually takes", "Most people wait"];

/// Everybody in the scenes.
pub struct Scenes<'a> {
    pub findings: Findings<'a>,
    pub http: reqwest::Client,
    /// The bot's pages.
    pub pages: String,
    pub dana: PlayedOfficer,
    pub ines: PlayedOfficer,
    /// The daemon's estimates.
    pub estimates: &'a KeptEstimates,
}

impl Scenes<'_> {
    /// Plays all of them.
    pub async fn play(&self, client: &BotClient) -> Result<(), CliError> {
        self.measured(client).await?;
        self.unsure().await?;
        self.refinancing().await?;
        self.out_of_hours().await?;
        self.asked_and_left().await?;
        self.wordings().await
    }

    /// An estimate needs conversations that were measured: these are played, and taken at once.
    async fn measured(&self, client: &BotClient) -> Result<(), CliError> {
        self.title(&format!("Before: {MEASURED} conversations of the loan officer, played and measured"));
        let facts = TurnFacts { labels: json!({ "intent": "refinancing" }), values: json!({}) };
        for n in 0..MEASURED {
            let packet = json!({
                "conversation": { "id": format!("before-{n}") },
                "reason": { "code": "b-refinancing", "text": "refinancing: the bot does not decide this" },
            });
            let view = client.hand_over(&format!("before-{n}"), &facts, packet).await?;
            let incident = view["incident"].as_str().unwrap_or_default();
            self.dana.press(incident, "take", "").await?;
            self.dana.press(incident, "solved", "").await?;
        }
        self.estimates.forget().await;
        Ok(())
    }

    async fn unsure(&self) -> Result<(), CliError> {
        self.title("1. The bot is not sure, twice, one after the other");
        let mut user = self.user().await?;
        self.says(&mut user, "What is the fee on my statement?").await?;
        self.says(&mut user, "When is the branch open?").await?;
        self.says(&mut user, "And the fee in line 3?").await?;
        let waits = self.ines.waiting().await?;
        self.must("a sure turn starts the count anew: nobody is asked yet", waits.is_empty());
        self.says(&mut user, "I mean the fee of 14 October").await?;
        self.must("the bot looks for an adviser", user.last_of_bot().contains("adviser"));
        self.must("no estimate, for nothing was measured of advisers", !ESTIMATES.iter().any(|word| user.shows(word)));
        self.must("no name yet", !user.shows("Ines Weiss"));
        let (incident, page) = self.ines.next().await?;
        self.packet(&user, &page, "It may be the yearly fee of your card, 12.00 EUR.");
        self.taken(&mut user, &self.ines, &incident, "Ines Weiss, adviser").await?;
        self.together(&mut user, &page, "Ines Weiss").await?;
        self.done(&mut user, &self.ines, &incident).await
    }

    async fn refinancing(&self) -> Result<(), CliError> {
        self.title("2. An intent that the bot does not decide: refinancing");
        let mut user = self.user().await?;
        self.says(&mut user, "Can I refinance my house?").await?;
        let told = user.last_of_bot();
        let is_told = told.contains("less than a minute") && ESTIMATES.iter().any(|word| told.contains(word));
        self.must("the estimate is there, as it was measured", is_told);
        let (incident, page) = self.dana.next().await?;
        self.packet(&user, &page, "With 5 years left, refinancing usually pays only below 3.1 percent.");
        self.taken(&mut user, &self.dana, &incident, "Dana Ruiz, loan officer").await?;
        self.title("3. Nobody is free: the loan officer has one conversation, and takes no second");
        let mut other = self.user().await?;
        self.says(&mut other, "I want to refinance, too").await?;
        self.must("the user is told that nobody is free", other.shows("Nobody could take your conversation now"));
        self.must("nothing is promised", !other.shows("Dana") && !ESTIMATES.iter().any(|word| other.shows(word)));
        self.must("the officer is not asked again", self.dana.waiting().await? == [incident.clone()]);
        self.says(&mut other, "When is the branch open?").await?;
        self.must("the bot goes on", other.last_of_bot().contains("Monday to Friday"));
        self.done(&mut user, &self.dana, &incident).await
    }

    async fn out_of_hours(&self) -> Result<(), CliError> {
        self.title("4. Out of hours: pension advisers are there once a week");
        let mut user = self.user().await?;
        self.says(&mut user, "I want to change my pension plan").await?;
        self.must("the user is told from when somebody is there", user.shows("Nobody is free before 10:00 on"));
        self.must("no search is said to go on", !user.shows("looking for") && !user.shows("asking"));
        Ok(())
    }

    async fn asked_and_left(&self) -> Result<(), CliError> {
        self.title("5. The user asks for a person, and leaves before one is there");
        let mut user = self.user().await?;
        self.says(&mut user, "Let me talk to a person, please").await?;
        let (incident, _) = self.ines.next().await?;
        user.leave().await?;
        self.findings.screen.say("  user:    (closes the page)");
        self.must("nobody is asked any more", self.ines.waiting().await?.is_empty());
        let page = self.ines.page(&format!("/desk/conversations/{incident}")).await?;
        self.must("the desk says that the user left", page.contains("the user left"));
        self.must("no person was named", !user.shows("Ines Weiss") && !user.shows("Dana Ruiz"));
        Ok(())
    }

    /// Half of the users read the one wording, half the other.
    async fn wordings(&self) -> Result<(), CliError> {
        self.title("Two wordings, compared: stentor report handoffs --by variant");
        let report: Value = serde_json::from_str(&self.dana.page("/v1/report/handoffs?by=variant").await?)?;
        let groups = report["groups"].as_array().map(Vec::as_slice).unwrap_or_default();
        for group in groups {
            let (name, left) = (group["name"].as_str().unwrap_or_default(), &group["left"]);
            let (count, of) = (&left["count"], &left["of"]);
            let share = |end: &str| left["interval"][end].as_f64().unwrap_or_default() * 100.0;
            let interval = format!("{:.0} to {:.0} %", share("low"), share("high"));
            let told = format!("  wording {name}: {count} of {of} users left before somebody had them ({interval})");
            self.findings.screen.say(&told);
        }
        let has = |name: &str| groups.iter().any(|group| group["name"] == name && group["handoffs"] != 0);
        self.must("both wordings were read", has("a") && has("b"));
        Ok(())
    }

    /// The officer takes it, then speaks to the user; the user is told each of it, and not before.
    async fn taken(
        &self,
        user: &mut PlayedUser,
        officer: &PlayedOfficer,
        incident: &str,
        called: &str,
    ) -> Result<(), CliError> {
        let name = called.split(',').next().unwrap_or_default();
        self.must("no name before somebody has it", !user.shows(name));
        officer.press(incident, "take", "").await?;
        self.findings.screen.say(&format!("  {name} presses: I have it"));
        self.reads(user, &format!("{called}, has your conversation")).await?;
        self.must("nobody is said to be here before they are", !user.shows("is here"));
        officer.press(incident, "connect", "").await?;
        self.findings.screen.say(&format!("  {name} presses: I speak to the user now"));
        self.reads(user, &format!("{name} is here")).await
    }

    /// Both speak, and the bot is silent.
    async fn together(&self, user: &mut PlayedUser, page: &str, name: &str) -> Result<(), CliError> {
        self.says(user, "Hello, what is this fee?").await?;
        let (_, rest) =
            page.split_once("/officer/").or_else(|| page.split_once("&#x2f;officer&#x2f;")).unwrap_or_default();
        let key: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
        let reply = json!({ "text": "It was charged twice. You get it back today." });
        let url = format!("{}/officer/{key}/say", self.pages);
        self.http.post(url).json(&reply).send().await?.error_for_status()?;
        self.reads(user, "You get it back today").await?;
        let who = |(who, _): &(String, String)| who.clone();
        let last: Vec<String> = user.page.iter().rev().take(3).map(who).collect();
        self.must("one voice: the bot is silent while a person speaks", last == [name, "user", "bot"]);
        Ok(())
    }

    async fn done(&self, user: &mut PlayedUser, officer: &PlayedOfficer, incident: &str) -> Result<(), CliError> {
        officer.press(incident, "solved", "").await?;
        self.reads(user, "has finished this conversation").await?;
        self.says(user, "When is the branch open?").await?;
        self.must("the bot speaks again", user.last_of_bot().contains("Monday to Friday"));
        Ok(())
    }

    /// What the person needs is on their page: first what the machine would say, then who it is and every turn.
    fn packet(&self, user: &PlayedUser, page: &str, proposed: &str) {
        let first = page.find(proposed);
        let turns = page.find("class=\"transcript\"");
        self.must(
            "what the bot would say is first",
            first.is_some_and(|first| turns.is_some_and(|turns| first < turns)),
        );
        let named = page.contains(USER.0) && page.contains(USER.1);
        self.must("the officer has the name and the account", named);
        let transcript = turns.map_or("", |at| &page[at..]);
        // The last turn of the page is the daemon's word that somebody is looked for; the packet is from before.
        let before = user.page.iter().take(user.page.len().saturating_sub(1));
        let mut at = Some(0);
        for (_, text) in before {
            at = at.and_then(|at| transcript[at..].find(text).map(|found| at + found + text.len()));
        }
        self.must("the officer has every turn, in order", at.is_some_and(|at| 0 < at));
    }

    async fn user(&self) -> Result<PlayedUser, CliError> {
        PlayedUser::open(self.http.clone(), &self.pages).await
    }

    async fn says(&self, user: &mut PlayedUser, text: &str) -> Result<(), CliError> {
        let seen = user.page.len();
        user.say(text).await?;
        self.show(user, seen);
        Ok(())
    }

    async fn reads(&self, user: &mut PlayedUser, words: &str) -> Result<(), CliError> {
        let seen = user.page.len();
        user.read_until(words).await?;
        self.show(user, seen);
        Ok(())
    }

    fn show(&self, user: &PlayedUser, seen: usize) {
        for (who, text) in &user.page[seen..] {
            self.findings
                .screen
                .say(&format!("  {who}:{}{text}", " ".repeat(8_usize.saturating_sub(who.len()).max(1))));
        }
    }

    fn must(&self, what: &str, is_so: bool) {
        self.findings.must(what, is_so);
    }

    fn title(&self, title: &str) {
        self.findings.screen.say("");
        self.findings.screen.say(&self.findings.screen.bold(title));
    }
}
