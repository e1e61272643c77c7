//! Mailboxes, judged by what writes the mails: what passes here can be composed.

use crate::toml_kit::{document::TomlItem, faults::MatrixFaults};
use lettre::{Address, Message, address::AddressError, message::Mailbox};
use std::net::IpAddr;

/// A bare mailbox.
pub(crate) fn mailbox(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<String> {
    let text = item.text(faults)?;
    if let Err(why) = bare(text.value) {
        let message = format!("no mail can be sent to {:?}: {why}", text.value);
        faults.error("bad-email", text.at, message, "write the bare address: \"ana@example.com\"");
        return None;
    }
    Some(text.value.to_owned())
}

/// A bare mailbox, or one with a name before it.
pub(crate) fn sender(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<String> {
    let text = item.text(faults)?;
    let good = match text.value.parse::<Mailbox>() {
        Ok(mailbox) => bare(mailbox.email.as_ref()).and_then(|_| can_be_written(mailbox)),
        Err(_) if text.value.contains('<') => Err("it is no name with an address in < >"),
        Err(_) => bare(text.value).and(Err("it can not be read as a sender")),
    };
    if let Err(why) = good {
        let message = format!("no mail can be sent from {:?}: {why}", text.value);
        let help = "write the bare address, or a name before it: \"Stentor <stentor@example.com>\"";
        faults.error("bad-email", text.at, message, help);
        return None;
    }
    Some(text.value.to_owned())
}

fn bare(text: &str) -> Result<(), &'static str> {
    if text.contains(|c: char| c.is_whitespace() || "<>,;".contains(c)) {
        return Err("it is more than one bare address");
    }
    let domain = text.rsplit_once('@').ok_or("it has no @")?.1;
    if domain.starts_with('[') || domain.parse::<IpAddr>().is_ok() {
        return Err("after the @ stands the address of a machine, and mails go to a domain by its name");
    }
    let address: Address = text.parse().map_err(|error| match error {
        AddressError::InvalidUser => "what stands before the @ is no name of a mailbox",
        AddressError::InvalidDomain => "what stands after the @ is no domain",
        _ => "it is no address",
    })?;
    can_be_written(Mailbox::new(None, address))
}

/// Whether the library that writes our mails reads it again out of the head that it has written.
fn can_be_written(mailbox: Mailbox) -> Result<(), &'static str> {
    let letter = Message::builder().from(mailbox.clone()).to(mailbox).body(String::new());
    letter.map(drop).map_err(|_| "it can not stand in the head of a mail")
}
