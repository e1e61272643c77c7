//! The tools, as agents are told of them.

use super::{
    arguments::{AskHuman, Cancel, CheckAvailability, GetOutcome, HandOver},
    result::{AvailabilityResult, RequestResult},
};
use rmcp::{
    handler::server::tool::schema_for_type,
    model::{Tool, ToolAnnotations},
};
use std::sync::LazyLock;

/// Asks people.
pub const ASK_HUMAN: &str = "ask_human";

/// Hands a conversation over.
pub const HAND_OVER: &str = "hand_over";

/// Who would take a conversation.
pub const CHECK_AVAILABILITY: &str = "check_availability";

/// How a request stands.
pub const GET_OUTCOME: &str = "get_outcome";

/// Withdraws a request.
pub const CANCEL: &str = "cancel";

/// What a client may tell its agent of this server.
pub const INSTRUCTIONS: &str = "\
Stentor asks people: it finds who is on call, on their phones and screens, and brings back exactly one outcome. Ask with \
ask_human before you do what needs a person's yes. If the result is `open`, call get_outcome with its id until it is not. \
Act only on the option in the result: `expired` is no approval. To give a conversation to a person, call check_availability \
before you offer it and hand_over once the user wants it, and tell the user only the `message` of the results.";

const ASK_ABOUT: &str = "\
Ask the people on call for an approval (approve or deny), a decision (between options) or the values of a form, and wait for \
the outcome. Who is \
asked, how many must agree and what happens by default is decided by the rules of the people who run Stentor, not by you. The \
call waits about 25 seconds, or 50 with progress notifications (`wait` sets another time: up to 10 minutes with them, up to 25 \
seconds without), and then returns the state `open` with the id: call get_outcome with it. Ending this call early does not \
withdraw the request, only cancel does. Denied, expired and defaulted are ordinary results.";

const HAND_OVER_ABOUT: &str = "\
Hand this conversation over to a person. It returns at once (or waits, with `wait`): tell the user the `message`, and follow it \
by get_outcome with the id and the state that you know. While `owner` is `person` you are silent. If the user leaves, call cancel.";

const AVAILABILITY_ABOUT: &str = "\
Whether a person would be there for a conversation of this kind now, and what the user may be told. Ask before you offer one: \
offer nobody unless `available` is true.";

const OUTCOME_ABOUT: &str = "\
The outcome of a request of ask_human. It waits like ask_human while the request is open; `wait` = `0s` looks at once.";

const CANCEL_ABOUT: &str = "\
Withdraw a request: everybody who was asked is told. What was decided stays decided, and is returned.";

/// All tools, in their order. It is the same for everybody.
pub static TOOLS: LazyLock<Vec<Tool>> =
    LazyLock::new(|| vec![ask_human(), hand_over(), check_availability(), get_outcome(), cancel()]);

fn ask_human() -> Tool {
    let hints = ToolAnnotations::new().read_only(false).destructive(false).idempotent(false).open_world(true);
    Tool::new(ASK_HUMAN, ASK_ABOUT, schema_for_type::<AskHuman>())
        .with_title("Ask people")
        .with_raw_output_schema(schema_for_type::<RequestResult>())
        .with_annotations(hints)
}

fn hand_over() -> Tool {
    let hints = ToolAnnotations::new().read_only(false).destructive(false).idempotent(false).open_world(true);
    Tool::new(HAND_OVER, HAND_OVER_ABOUT, schema_for_type::<HandOver>())
        .with_title("Hand a conversation over")
        .with_raw_output_schema(schema_for_type::<RequestResult>())
        .with_annotations(hints)
}

fn check_availability() -> Tool {
    let hints = ToolAnnotations::new().read_only(true).open_world(true);
    Tool::new(CHECK_AVAILABILITY, AVAILABILITY_ABOUT, schema_for_type::<CheckAvailability>())
        .with_title("Check who is there")
        .with_raw_output_schema(schema_for_type::<AvailabilityResult>())
        .with_annotations(hints)
}

fn get_outcome() -> Tool {
    let hints = ToolAnnotations::new().read_only(true).open_world(true);
    Tool::new(GET_OUTCOME, OUTCOME_ABOUT, schema_for_type::<GetOutcome>())
        .with_title("Get an outcome")
        .with_raw_output_schema(schema_for_type::<RequestResult>())
        .with_annotations(hints)
}

fn cancel() -> Tool {
    let hints = ToolAnnotations::new().read_only(false).destructive(true).idempotent(true).open_world(true);
    Tool::new(CANCEL, CANCEL_ABOUT, schema_for_type::<Cancel>())
        .with_title("Withdraw a request")
        .with_raw_output_schema(schema_for_type::<RequestResult>())
        .with_annotations(hints)
}
