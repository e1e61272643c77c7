//! The names of an alert's fields.

/// The words of a name: `p99LatencyMs` and `p99_latency_ms` have the same.
pub fn name_words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for letter in name.chars() {
        // `FreeGiB` has the words of `free_gib`.
        let is_binary = letter == 'B' && words.last().is_some_and(|word| matches!(word.as_bytes(), [_, b'i']));
        if !letter.is_alphanumeric() || small && letter.is_uppercase() && !is_binary {
            words.push(String::new());
        }
        small = letter.is_lowercase() || letter.is_numeric();
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
    }
    words
}
