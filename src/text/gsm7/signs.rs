//! Signs and emoji that say something, in a word that says the same.

/// The word of a sign. What only draws attention is `!`.
pub(super) fn word(letter: char) -> Option<&'static str> {
    Some(match letter {
        '↑' | '⇑' | '⇧' | '⇈' | '↟' | '⬆' | '⮝' | '⭡' | '▲' | '△' | '▴' | '▵' | '🔺' | '🔼' | '⏫' | '📈' | '↗'
        | '⤴' | '⇗' | '⬈' | '👆' | '☝' | '⇡' | '↥' | '🡅' | '🠕' => "up",
        '↓' | '⇓' | '⇩' | '⇊' | '↡' | '⬇' | '⮟' | '⭣' | '▼' | '▽' | '▾' | '▿' | '🔻' | '🔽' | '⏬' | '📉' | '↘'
        | '⤵' | '⇘' | '⬊' | '👇' | '⇣' | '↧' | '🡇' | '🠗' => "down",
        '→' | '➜' | '⇒' | '➡' | '⇨' | '▶' | '►' | '⟶' | '➔' | '➝' | '➞' | '⟹' | '↦' | '⇉' | '⏩' | '▸' | '▷' | '⭢'
        | '👉' | '⮕' => "->",
        '←' | '⇐' | '⬅' | '⇦' | '◀' | '◄' | '⟵' | '⟸' | '⇇' | '⏪' | '◂' | '◁' | '⭠' | '👈' => {
            "<-"
        }
        '↔' | '⇔' | '⟷' | '⟺' | '⬌' | '⇄' | '⇆' => "<->",
        '↕' | '⇕' | '⬍' | '⇅' => "up/down",
        '✓' | '✔' | '✅' | '☑' | '👍' | '🗸' => "ok",
        '✗' | '✘' | '✖' | '❌' | '❎' | '👎' | '🚫' | '🙅' | '⛔' | '☒' => "no",
        '🛑' | '⏹' => "stop",
        '⏸' => "paused",
        '⏳' | '⌛' => "waiting",
        '🔒' | '🔐' => "locked",
        '🔓' => "unlocked",
        '🔇' | '🔕' => "muted",
        '☠' | '💀' => "dead",
        '🔁' | '🔄' | '🔃' => "again",
        '🐂' => "bull",
        '🐻' => "bear",
        '☎' | '📞' | '📱' => "tel",
        '✉' | '📧' => "mail",
        '🆘' => "SOS",
        '🆗' => "OK",
        '🆕' => "NEW",
        '🆙' => "UP",
        '🆚' => "VS",
        '🆓' => "FREE",
        '🆒' => "COOL",
        '🆔' => "ID",
        '🆎' => "AB",
        '🆑' => "CL",
        '🅰' => "A",
        '🅱' => "B",
        '🅾' => "O",
        '🅿' => "P",
        '🔜' => "soon",
        '🔚' => "end",
        '🔙' => "back",
        '🔛' => "on",
        '🔝' => "top",
        '❓' | '❔' => "?",
        '❗' | '❕' | '⚠' | '🚨' | '🔥' | '💥' | '📢' | '📣' | '🔔' => "!",
        _ => return None,
    })
}

/// The colours of circles, squares and hearts, with which boards show a state.
pub(super) fn colour(letter: char) -> Option<&'static str> {
    Some(match letter {
        '🔴' | '🟥' => "red",
        '🟠' | '🟧' | '🔶' | '🔸' => "orange",
        '🟡' | '🟨' => "yellow",
        '🟢' | '🟩' => "green",
        '🔵' | '🟦' | '🔷' | '🔹' => "blue",
        '🟣' | '🟪' => "purple",
        '🟤' | '🟫' => "brown",
        '⚫' | '⬛' => "black",
        '⚪' | '⬜' => "white",
        _ => return None,
    })
}
