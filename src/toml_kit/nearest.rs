//! The nearest known name to a name that is not known.

/// The known name that is nearest to `name`, where one is near.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let near = |candidate: &&str| {
        let distance = strsim::damerau_levenshtein(&name, &candidate.to_lowercase());
        let allowed = (name.chars().count().max(candidate.chars().count()) / 3).max(1);
        (distance <= allowed).then_some(distance)
    };
    known.filter_map(|candidate| near(&candidate).map(|distance| (distance, candidate))).min().map(|(_, name)| name)
}

/// "did you mean", or the list of what is known.
pub(crate) fn instead<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = nearest(name, known.clone()) {
        return format!("did you mean `{near}`?");
    }
    let mut all: Vec<String> = known.map(|name| format!("`{name}`")).collect();
    all.sort();
    all.dedup();
    match all.len() {
        0 => String::from("there is none yet"),
        1..=16 => format!("known here: {}", all.join(", ")),
        more => format!("known here: {} and {} more", all[..12].join(", "), more - 12),
    }
}
