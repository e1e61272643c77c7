//! Incident keys: two alerts with the same key belong to one incident, and each key has at most one open incident. Keys
//! from the matrix's triggers and keys from Stentor itself have different forms. They can never be equal, whatever
//! names and expressions a matrix contains.

use crate::core::{
    identity::RunId,
    incident::IncidentId,
    names::{BY_HAND, ChannelName, PersonName, SourceName, TriggerName},
};
use serde::{Deserialize, Serialize};
use std::{borrow::Borrow, fmt, sync::Arc};

/// The key of an incident. It is stored as text: `{trigger}/{value}` for a trigger, `stentor:..` for Stentor itself,
/// and either with the prefix `drill:` for a drill.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentKey(Arc<str>);

/// The prefix of drill keys. Names cannot contain a colon.
const DRILL: &str = "drill:";

/// The prefix of Stentor's own keys, after [`DRILL`]. Names cannot contain a colon.
const OWN: &str = "stentor:";

/// The prefixes of Stentor's own keys in older versions, each followed by a slash.
const OWN_BEFORE: [&str; 5] = ["channel", "condition", "by-hand", "opt-out", "run"];

impl IncidentKey {
    /// The key of an incident that a trigger opens. `value` is the result of the trigger's `key` for the alert.
    pub fn of_trigger(trigger: &TriggerName, value: &str, drill: bool) -> Self {
        Self(format!("{}{}/{value}", prefix(drill), segment(trigger.as_str())).into())
    }

    /// About a condition that cannot be evaluated for alerts about one thing: a host, a symbol.
    pub fn of_condition_about(trigger: &TriggerName, source: &SourceName, entity: &str, drill: bool) -> Self {
        let about = [trigger.as_str(), source.as_str(), entity].map(segment).join("/");
        Self::own(drill, &format!("condition/{about}"))
    }

    /// The same for all other things of a trigger and source: a monitor that changed its fields must not cause a page
    /// for each of a thousand hosts.
    pub fn of_condition(trigger: &TriggerName, source: &SourceName, drill: bool) -> Self {
        let about = format!("condition/{}/{}", segment(trigger.as_str()), segment(source.as_str()));
        Self::own(drill, &about)
    }

    /// About alerts of a source that no trigger takes. There is one key for each source, whatever kinds it sends.
    pub fn of_unmatched(source: &SourceName, drill: bool) -> Self {
        Self::own(drill, &format!("unmatched/{}", segment(source.as_str())))
    }

    /// What a trigger would have opened beyond its limit a minute. There is one key for each trigger.
    pub fn of_overflow(trigger: &TriggerName, drill: bool) -> Self {
        Self::own(drill, &format!("overflow/{}", segment(trigger.as_str())))
    }

    /// A request: each is an incident of its own. `alert` makes it unique.
    pub fn of_request(trigger: &TriggerName, alert: &str, drill: bool) -> Self {
        Self::own(drill, &format!("request/{}/{}", segment(trigger.as_str()), segment(alert)))
    }

    /// A conversation that alerts of a source hand over, whichever trigger says so: one person speaks to its user.
    pub fn of_conversation(source: &SourceName, value: &str, drill: bool) -> Self {
        Self::own(drill, &format!("request/conversation/{}/{}", segment(source.as_str()), segment(value)))
    }

    /// What the keys of all requests begin with, of live ones or of drills.
    pub fn requests(drill: bool) -> String {
        Self::own(drill, "request/").as_str().to_owned()
    }

    /// A role that was called by hand; `call` makes the call unique.
    pub fn of_call(call: &str, drill: bool) -> Self {
        Self::own(drill, &format!("{BY_HAND}/{}", segment(call)))
    }

    /// About a channel that reaches nobody.
    pub fn of_channel(channel: &ChannelName) -> Self {
        Self::own(false, &format!("channel/{}", segment(channel.as_str())))
    }

    /// About a channel that nothing is received by.
    pub fn of_hearing(channel: &ChannelName) -> Self {
        Self::own(false, &format!("channel/{}/hearing", segment(channel.as_str())))
    }

    /// About a person who has opted out of a channel.
    pub fn of_opt_out(channel: &ChannelName, person: &PersonName) -> Self {
        Self::own(false, &format!("opt-out/{}/{}", segment(channel.as_str()), segment(person.as_str())))
    }

    /// The announcement of a run.
    pub fn of_run(run: RunId) -> Self {
        Self::own(true, &format!("run/{run}"))
    }

    /// About an incident that cannot be read any more.
    pub fn of_unreadable(incident: IncidentId) -> Self {
        Self::own(false, &format!("unreadable/{incident}"))
    }

    /// About all further unreadable incidents, if there are too many to page about each one.
    pub fn of_more_unreadable() -> Self {
        Self::own(false, "unreadable")
    }

    /// A key as it is stored in a row or a journal line.
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The current form of a stored key, for an incident whose plan names `trigger`. A trigger's key has always begun
    /// with its trigger's name; Stentor's own keys once had no prefix.
    pub fn of_plan(&self, trigger: &TriggerName) -> Self {
        let (drill, rest) = match self.0.strip_prefix(DRILL) {
            Some(rest) => (true, rest),
            None => (false, &*self.0),
        };
        let first = rest.split('/').next().unwrap_or_default();
        let is_triggers = first == segment(trigger.as_str()) && first != BY_HAND;
        if rest.starts_with(OWN) || is_triggers || !OWN_BEFORE.contains(&first) {
            return self.clone();
        }
        Self::own(drill, rest)
    }

    /// The channel that this key is about, if it is about one that reaches nobody.
    pub fn broken_channel(&self) -> Option<ChannelName> {
        let channel = self.0.strip_prefix(OWN)?.strip_prefix("channel/")?;
        (!channel.contains('/')).then(|| ChannelName::from(channel))
    }

    /// Whether Stentor itself uses this key to open incidents, and no trigger does.
    pub fn is_own(&self) -> bool {
        self.0.strip_prefix(DRILL).unwrap_or(&self.0).starts_with(OWN)
    }

    /// The prefix of keys about channels.
    pub const CHANNELS: &str = "stentor:channel/";

    /// Where drill keys begin in the order of keys, and where they end (exclusive).
    pub const DRILLS: (&str, &str) = (DRILL, "drill;");

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn own(drill: bool, about: &str) -> Self {
        Self(format!("{}{OWN}{about}", prefix(drill)).into())
    }
}

fn prefix(drill: bool) -> &'static str {
    if drill { DRILL } else { "" }
}

/// Escapes a name as one part of a key: characters that separate or mark parts of a key are replaced. Names in a matrix
/// never contain them.
fn segment(name: &str) -> String {
    name.replace('%', "%25").replace('/', "%2F").replace(':', "%3A")
}

impl Borrow<str> for IncidentKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IncidentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for IncidentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn own_keys(a: &str, b: &str, n: i64, drill: bool) -> Vec<IncidentKey> {
        vec![
            IncidentKey::of_condition(&a.into(), &b.into(), drill),
            IncidentKey::of_call(a, drill),
            IncidentKey::of_channel(&a.into()),
            IncidentKey::of_hearing(&a.into()),
            IncidentKey::of_opt_out(&a.into(), &b.into()),
            IncidentKey::of_run(RunId(n)),
            IncidentKey::of_unreadable(IncidentId(n)),
            IncidentKey::of_more_unreadable(),
            IncidentKey::of_condition_about(&a.into(), &b.into(), "", drill),
            IncidentKey::of_condition_about(&a.into(), &b.into(), a, drill),
            IncidentKey::of_request(&a.into(), b, drill),
            IncidentKey::of_conversation(&a.into(), b, drill),
        ]
    }

    /// Names that no matrix contains, and names that one might contain.
    fn name() -> impl Strategy<Value = String> {
        const ODD: [&str; 11] = [
            "channel",
            "condition",
            "stentor",
            "stentor:channel",
            "drill",
            "drill:x",
            "by-hand",
            "a/b",
            "",
            ":",
            "%3A",
        ];
        prop_oneof![proptest::sample::select(&ODD[..]).prop_map(str::to_owned), "[a-z0-9:/%_-]{0,12}", ".{0,6}"]
    }

    proptest! {
        #[test]
        fn no_key_of_a_trigger_is_one_of_stentors_own(
            trigger in name(), value in ".{0,20}|(stentor:)?(channel|condition)/[a-z]{0,4}", a in name(), b in name(),
            n in 1..99_i64, drills in any::<(bool, bool)>(),
        ) {
            let key = IncidentKey::of_trigger(&trigger.as_str().into(), &value, drills.0);
            prop_assert!(!key.is_own());
            for own in own_keys(&a, &b, n, drills.1) {
                prop_assert!(own.is_own());
                prop_assert_ne!(&key, &own);
                prop_assert_eq!(&IncidentKey::stored(own.as_str()).of_plan(&trigger.as_str().into()), &own, "stored");
            }
            prop_assert_eq!(IncidentKey::stored(key.as_str()), key);
        }

        #[test]
        fn two_keys_are_equal_only_for_the_same_names(
            one in (name(), name(), any::<bool>()), other in (name(), name(), any::<bool>()), n in 1..9_i64, m in 1..9_i64,
        ) {
            let keys = |(a, b, drill): &(String, String, bool), n: i64| {
                let mut keys = own_keys(a, b, n, *drill);
                keys.push(IncidentKey::of_trigger(&a.as_str().into(), b, *drill));
                keys
            };
            let (ours, theirs) = (keys(&one, n), keys(&other, m));
            for (i, key) in ours.iter().enumerate() {
                for (j, other) in theirs.iter().enumerate() {
                    prop_assert!(i == j || key != other, "{} {}", key, other);
                }
            }
            prop_assert_eq!(ours[10] == theirs[10], one == other);
            prop_assert_eq!(ours[11] == theirs[11], one == other);
            prop_assert_eq!(ours[12] == theirs[12], one == other);
            prop_assert_eq!(ours[0] == theirs[0], one == other);
            prop_assert_eq!(ours[4] == theirs[4], (&one.0, &one.1) == (&other.0, &other.1));
        }
    }

    #[test]
    fn keys_of_a_matrix_lie_on_disk_as_they_always_did() {
        let trigger = TriggerName::from("flash-crash");
        assert_eq!(IncidentKey::of_trigger(&trigger, "ES/Dec %3A", false).as_str(), "flash-crash/ES/Dec %3A");
        assert_eq!(IncidentKey::of_trigger(&trigger, "", true).as_str(), "drill:flash-crash/");
        assert_eq!(IncidentKey::of_channel(&"sms".into()).as_str(), "stentor:channel/sms");
        assert_eq!(IncidentKey::of_run(RunId(7)).as_str(), "drill:stentor:run/DR-7");
    }

    #[test]
    fn a_key_of_before_is_what_it_was_then() {
        let (sms, ana) = (ChannelName::from("sms"), PersonName::from("ana"));
        for (text, trigger, now) in [
            ("channel/sms", "stentor", IncidentKey::of_channel(&sms)),
            ("channel/sms/hearing", "stentor", IncidentKey::of_hearing(&sms)),
            ("opt-out/sms/ana", "stentor", IncidentKey::of_opt_out(&sms, &ana)),
            ("by-hand/1A-2b", "by-hand", IncidentKey::of_call("1A-2b", false)),
            ("drill:by-hand/1A", "by-hand", IncidentKey::of_call("1A", true)),
            ("drill:run/DR-3", "drill", IncidentKey::of_run(RunId(3))),
            ("condition/crash/prom", "crash", IncidentKey::of_condition(&"crash".into(), &"prom".into(), false)),
            ("drill:condition/crash/prom", "crash", IncidentKey::of_condition(&"crash".into(), &"prom".into(), true)),
            ("channel/sms", "channel", IncidentKey::of_trigger(&"channel".into(), "sms", false)),
            ("drill:channel/sms", "channel", IncidentKey::of_trigger(&"channel".into(), "sms", true)),
            ("crash/channel/sms", "crash", IncidentKey::of_trigger(&"crash".into(), "channel/sms", false)),
            ("XYZ", "crash", IncidentKey::stored("XYZ")),
        ] {
            assert_eq!(IncidentKey::stored(text).of_plan(&trigger.into()), now, "{text} of {trigger}");
        }
    }

    #[test]
    fn a_broken_channel_is_known_by_its_key() {
        let sms = ChannelName::from("sms");
        assert_eq!(IncidentKey::of_channel(&sms).broken_channel(), Some(sms.clone()));
        assert!(IncidentKey::of_channel(&sms).as_str().starts_with(IncidentKey::CHANNELS));
        assert_eq!(IncidentKey::of_hearing(&sms).broken_channel(), None);
        assert_eq!(IncidentKey::of_trigger(&"channel".into(), "sms", false).broken_channel(), None);
    }
}
