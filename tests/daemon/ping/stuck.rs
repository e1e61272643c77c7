//! Law 2, looked at from outside: a role that waits for nobody is found.

use super::*;

fn engagement(deadline: Option<i64>, waits_on: Option<&str>, outcome: Option<EngagementOutcome>) -> Engagement {
    Engagement {
        required: true,
        entered_at: START,
        stands_for: Default::default(),
        step: 0,
        round: 0,
        step_entry: 1,
        on_call: Vec::new(),
        deadline: deadline.map(Timestamp::from_micros),
        waits_on: waits_on.map(RoleName::from),
        exhausted: false,
        stood_by: false,
        standby: None,
        unable: Default::default(),
        received: Default::default(),
        handed_back: Vec::new(),
        outcome,
    }
}

/// The core leaves no role like that behind: whether it would be found is tried on one that it did not make.
#[test]
fn a_role_that_waits_for_nobody_is_found() {
    let (mut incident, _) = core::open(IncidentId(1), fixture::opening("XYZ"), &fixture::roster(), START);
    assert_eq!(stuck_roles(&incident), Vec::<&RoleName>::new());
    let roles = [
        ("climbs", engagement(Some(1), None, None)),
        ("waits", engagement(None, Some("climbs"), None)),
        ("over", engagement(None, None, Some(EngagementOutcome::Closed { at: START }))),
        ("forgotten", engagement(None, None, None)),
        ("waits-on-the-end", engagement(None, Some("over"), None)),
        ("round", engagement(None, Some("and-round"), None)),
        ("and-round", engagement(None, Some("round"), None)),
    ];
    let roles = roles.into_iter().map(|(role, engagement)| (role.into(), engagement));
    incident.engagements = std::sync::Arc::new(roles.collect());
    let found: Vec<&str> = stuck_roles(&incident).into_iter().map(RoleName::as_str).collect();
    assert_eq!(found, ["and-round", "forgotten", "round", "waits-on-the-end"]);
}

// ---- what /readyz says -----------------------------------------------------------------------------------------------
