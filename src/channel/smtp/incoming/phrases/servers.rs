//! What mail servers write about a mail that they could not deliver, in lower case.

use super::list::Phrases;

/// What a server says of a mail that is not given up yet.
pub(in crate::channel::smtp::incoming) const DELAYS: Phrases = Phrases(
    "delayed|delay|deferred|greylist|graylist|try again later|retrying|warning:|still trying|will be retried|will keep trying|will continue|not yet been delivered|\
     has not been delivered yet|could not be delivered yet|you do not need to resend|verzögert|verzögerung|\
     noch nicht zugestellt|bisher nicht zugestellt|bislang nicht zugestellt|weiterhin versucht|weiter versucht|weitere zustellversuche|\
     erneut versucht|erneut zuzustellen|zustellversuche|versucht es|vorübergehend|retardé|pas encore été|nouvelle tentative|\
     réessa|demorado|retrasad|aún no se ha|todavía no se ha|seguirá intentando|reintent|ritardo|ritardat|ritenter|non ancora|\
     atrasad|ainda não|nog niet|vertraagd|opnieuw geprobeerd|opóźni|försenad|forsinket|задерж|еще не доставлен|ещё не доставлен",
);

/// What a server says of a mail only while it goes on trying, whatever else it says.
pub(in crate::channel::smtp::incoming) const STILL_TRIED: Phrases = Phrases(
    "still being retried|will be retried|still trying|will keep trying|will continue to try|will continue trying|\
     do not need to resend|try again later, retrying|wird weiterhin versucht",
);

/// What a server says of a mail that it has given up.
pub(in crate::channel::smtp::incoming) const GIVEN_UP: Phrases = Phrases(
    "i give up|we give up|giving up|given up|gave up|not going to try again|will not try again|will not be retried|\
     no further attempts|permanent error|permanent fatal error|permanent failure|failed permanently|retry timeout exceeded|\
     retry time exceeded|in the queue too long|deleted from queue|delivery has failed|delivery time expired|\
     message expired|could not be delivered for|endgültig|unzustellbar|dauerhafter fehler|erreur permanente|\
     échec définitif|error permanente|errore permanente|nicht weiter versucht|keine weiteren zustellversuche|nicht mehr versucht",
);

/// How the subject of a server's mail begins if it has given up.
pub(in crate::channel::smtp::incoming) const FINAL_SUBJECTS: Phrases = Phrases(
    "undeliver|returned mail|returned to sender|failure notice|delivery failure|delivery failed|mail delivery failed|\
     mail delivery failure|delivery status notification (failure)|unzustellbar|nicht zustellbar|zustellung fehlgeschlagen|zustellungsfehler|\
     non remis|échec de la remise|no se puede entregar|impossibile recapitare|não entregue|onbestelbaar",
);

/// What only a server says of a mail.
pub(in crate::channel::smtp::incoming) const REFUSALS: Phrases = Phrases(
    "undeliverable|undelivered mail|could not be delivered|couldn't be delivered|can not be delivered|\
     cannot be delivered|wasn't delivered|was not delivered|user unknown|unknown user|no such user|no such mailbox|\
     mailbox unavailable|recipient address rejected|recipient rejected|address not found|unrouteable address|\
     konnte nicht zugestellt werden|konnte nicht übermittelt werden|nicht zustellbar|unzustellbar|n'a pas pu être remis|\
     no se pudo entregar|non è stato possibile recapitare|não foi possível entregar|kon niet worden bezorgd",
);

/// How a server announces the mail that it returns.
pub(in crate::channel::smtp::incoming) const COPY_BELOW: Phrases = Phrases(
    "this is a copy of|copy of the message|copy of your message|below this line|original message|\
     message headers follow|returned message|unsent message|ursprüngliche nachricht|message d'origine",
);

/// How the subject of a person's reply begins.
pub(in crate::channel::smtp::incoming) const REPLIES: Phrases =
    Phrases("re:|re :|aw:|antw:|antwort:|sv:|vs:|odp:|rif:|res:|ynt:|回复:|答复:|回覆:|返信:|отв:");
