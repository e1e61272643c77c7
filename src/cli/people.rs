//! `stentor people`: who can be reached by which channel, who is on call now, and how old the proof of each contact is.

use crate::{
    cli::{client::DaemonClient, error::CliError, options::PathOptions, table},
    core::{ChannelName, PersonName},
    engine::contact_coverage::{ContactChannel, ContactCoverage},
    http::control::links::{LinkAnswer, LinkRequest, UnlinkAnswer},
};
use clap::{Args, Subcommand};
use std::{process::ExitCode, time::Duration};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct PeopleArgs {
    #[command(subcommand)]
    command: Option<PeopleCommand>,
    /// A line for each role and each channel of a person
    #[arg(long)]
    all: bool,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum PeopleCommand {
    /// Print a link by which a person links their own account: it works once, for an hour
    Link(LinkArgs),
    /// Forget the account that a person linked, and a link that was handed out
    Unlink(LinkArgs),
}

#[derive(Debug, Args)]
struct LinkArgs {
    /// The person's name in the matrix
    person: String,
    /// The channel's name in the matrix; needed where they link accounts at several
    #[arg(long)]
    channel: Option<String>,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

impl PeopleArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        match self.command {
            Some(PeopleCommand::Link(args)) => return args.link(places),
            Some(PeopleCommand::Unlink(args)) => return args.unlink(places),
            None => {}
        }
        let people: Vec<ContactCoverage> = DaemonClient::of(places)?.get("/v1/people")?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&people)?);
        } else {
            println!("{}", board(&people, self.all));
            table::say(&verdict(&people));
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl LinkArgs {
    fn link(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let answer: LinkAnswer = DaemonClient::of(places)?.post("/v1/people/link", &self.request())?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&answer)?);
            return Ok(ExitCode::SUCCESS);
        }
        match &answer.link {
            Some(link) => println!("{link}"),
            None => table::say(&format!(
                "the provider does not say what the bot is called now: write /start {} to it",
                answer.code
            )),
        }
        let until = answer.until.to_utc().format("%H:%M UTC");
        table::say(&format!("for {} alone, at channel {}, once, until {until}", answer.person, answer.channel));
        Ok(ExitCode::SUCCESS)
    }

    fn unlink(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let answer: UnlinkAnswer = DaemonClient::of(places)?.post("/v1/people/unlink", &self.request())?;
        let UnlinkAnswer { person, channel, unlinked } = &answer;
        match (self.json, unlinked) {
            (true, _) => println!("{}", serde_json::to_string_pretty(&answer)?),
            (false, true) => table::say(&format!("{person} is not linked at {channel} any more")),
            (false, false) => table::say(&format!("{person} was not linked at {channel}, and nothing was handed out")),
        }
        Ok(ExitCode::SUCCESS)
    }

    fn request(&self) -> LinkRequest {
        LinkRequest {
            person: PersonName::from(self.person.as_str()),
            channel: self.channel.as_deref().map(ChannelName::from),
        }
    }
}

fn board(people: &[ContactCoverage], all: bool) -> String {
    let mut rows = table::table(&["person", "on call for", "by", "last proven"]);
    for person in people.iter().filter(|_| !all) {
        rows.add_row(row(person));
    }
    for person in people.iter().filter(|_| all) {
        each_role_and_channel(person).for_each(|cells| {
            rows.add_row(cells);
        });
    }
    rows.to_string()
}

/// One person in several rows: beside each channel stands its own proof.
fn each_role_and_channel(person: &ContactCoverage) -> impl Iterator<Item = [String; 4]> + '_ {
    let rows = person.on_call.len().max(person.channels.len()).max(1);
    (0..rows).map(move |n| {
        let role = person.on_call.get(n).map(|call| format!("{} (step {})", call.role, call.step));
        let contact = person.channels.get(n);
        let by = contact.map(|contact| contact.channel.to_string());
        let name = if n == 0 { person.person.to_string() } else { String::new() };
        [name, role.unwrap_or_default(), by.unwrap_or_default(), contact.map(proof).unwrap_or_default()]
    })
}

/// One person in one row: all roles, all channels, and the newest proof with how many channels have none.
fn row(person: &ContactCoverage) -> [String; 4] {
    let roles: Vec<&str> = person.on_call.iter().map(|call| call.role.as_str()).collect();
    let by: Vec<&str> = person.channels.iter().map(|contact| contact.channel.as_str()).collect();
    let is_proven = |contact: &&ContactChannel| contact.proven_at.is_some() && contact.opted_out.is_none();
    let newest = person.channels.iter().filter(is_proven).min_by_key(|contact| contact.age_seconds);
    let mut told: Vec<String> =
        newest.map(|contact| format!("{} {}", contact.channel, proof(contact))).into_iter().collect();
    let special = |contact: &&ContactChannel| contact.sandbox || contact.opted_out.is_some();
    told.extend(
        person.channels.iter().filter(special).map(|contact| format!("{}: {}", contact.channel, proof(contact))),
    );
    let never = person.channels.iter().filter(|contact| contact.proven_at.is_none() && !special(contact));
    let never: Vec<&str> = never.map(|contact| contact.channel.as_str()).collect();
    told.extend((!never.is_empty()).then(|| format!("never by {}", never.join(", "))));
    [person.person.to_string(), roles.join(", "), by.join(", "), told.join("; ")]
}

fn proof(contact: &ContactChannel) -> String {
    if let Some(since) = contact.opted_out {
        return format!("opted out on {}", since.to_utc().format("%Y-%m-%d"));
    }
    if contact.unlinked {
        return "not linked yet".into();
    }
    if contact.sandbox {
        return "SANDBOX: reaches nobody".into();
    }
    let (Some(age), Some(how)) = (contact.age_seconds, contact.how) else { return "never".into() };
    let drill = if contact.drill { ", drill" } else { "" };
    let old = if contact.stale { ": too long" } else { "" };
    format!("{} ago ({}{drill}){old}", roughly(age), how.as_str())
}

/// At most the two largest units: nobody needs the seconds of a contact last month.
fn roughly(seconds: u64) -> String {
    let whole = match seconds {
        ..3600 => seconds,
        3600..86_400 => seconds - seconds % 60,
        _ => seconds - seconds % 3600,
    };
    let text = humantime::format_duration(Duration::from_secs(whole)).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

fn verdict(people: &[ContactCoverage]) -> String {
    if people.is_empty() {
        return "the matrix names nobody: nobody can be reached".into();
    }
    let unlinked = people.iter().flat_map(|person| &person.channels).filter(|way| way.unlinked).count();
    let unlinked = (0 < unlinked).then(|| format!("{unlinked} account(s) not linked yet: stentor people link PERSON"));
    let sandboxed = people.iter().flat_map(|person| &person.channels).filter(|contact| contact.sandbox).count();
    let sandboxed =
        (0 < sandboxed).then(|| format!("{sandboxed} contact(s) in the SANDBOX: nobody is reached by them"));
    let stale = people.iter().flat_map(|person| &person.channels).filter(|contact| contact.stale).count();
    let alone = people.iter().filter(|person| person.ways < 2).count();
    let stale = (0 < stale).then(|| format!("{stale} contact(s) not proven recently: a drill proves them"));
    let alone =
        (0 < alone).then(|| format!("{alone} person(s) with fewer than two ways to reach them away from the desk"));
    let troubles: Vec<String> = sandboxed.into_iter().chain(unlinked).chain(stale).chain(alone).collect();
    match troubles.is_empty() {
        true => "everybody can be reached in two ways, and every contact is proven".into(),
        false => troubles.join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::roughly;

    #[test]
    fn ages_are_told_as_people_tell_them() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (61, "1m 1s"), (7322, "2h 2m"), (266_461, "3days 2h")] {
            assert_eq!(roughly(seconds), text);
        }
    }
}
