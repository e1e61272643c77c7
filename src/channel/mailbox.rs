//! Validates mailboxes with the library that composes our mails, so that a valid one can be used.

use crate::toml_kit::{document::TomlItem, faults::MatrixFaults};
use lettre::{Address, Message, address::AddressError, message::Mailbox};
use std::net::IpAddr;

/// Reads a mailbox without a name.
pub(crate) fn mailbox(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<String> {
    let text = item.text(faults)?;
    if let Err(why) = bare(text.value) {
        let message = format!("no mail can be sent to {:?}: {why}", text.value);
        return faults.refuse("bad-email", text.at, message, "write the bare address: \"ana@example.com\"");
    }
    Some(text.value.to_owned())
}

/// Reads a mailbox with or without a name.
pub(crate) fn sender(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<String> {
    let text = item.text(faults)?;
    let good = match text.value.parse::<Mailbox>() {
        Ok(mailbox) => bare(mailbox.email.as_ref()).and_then(|_| can_be_written(mailbox)),
        Err(_) if text.value.contains('<') => Err("it is not a name with an address in < >"),
        Err(_) => bare(text.value).and(Err("it can not be read as a sender")),
    };
    if let Err(why) = good {
        let message = format!("no mail can be sent from {:?}: {why}", text.value);
        let help = "write the bare address, or a name before it: \"Stentor <stentor@example.com>\"";
        return faults.refuse("bad-email", text.at, message, help);
    }
    Some(text.value.to_owned())
}

fn bare(text: &str) -> Result<(), &'static str> {
    if text.contains(|c: char| c.is_whitespace() || "<>,;".contains(c)) {
        return Err("it is more than one bare address");
    }
    let domain = text.rsplit_once('@').ok_or("it has no @")?.1;
    if domain.starts_with('[') || domain.parse::<IpAddr>().is_ok() {
        return Err("there is an IP address after the @: write the name of a domain");
    }
    let address: Address = text.parse().map_err(|error| match error {
        AddressError::InvalidUser => "the part before the @ is not a valid name of a mailbox",
        AddressError::InvalidDomain => "the part after the @ is not a domain",
        _ => "it is not an address",
    })?;
    can_be_written(Mailbox::new(None, address))
}

/// Whether the library can parse the mailbox from the header that it has written.
fn can_be_written(mailbox: Mailbox) -> Result<(), &'static str> {
    let mail = Message::builder().from(mailbox.clone()).to(mailbox).body(String::new());
    mail.map(drop).map_err(|_| "it can not be used in a mail header")
}
