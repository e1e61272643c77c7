//! What phones and programs put below what somebody wrote: signatures and footers.

use super::reply::{NO_SIGNS, folded};

/// The line above a signature (RFC 3676); without its blank it may be anything.
pub const SIGNATURE_MARK: &str = "-- ";

/// Complete footers, in lower case, separated by `|`.
const FOOTERS: &str = "iphoneから送信|ipadから送信|androidから送信|发自我的iphone|发自我的 iphone|发自我的手机|从我的 iphone 发送|傳送自我的 iphone|從我的iphone傳送|\
     나의 iphone에서 보냄|iphone'umdan gönderildi|تم الإرسال من الـ iphone|yahoo mail: search, organize, conquer";

/// The names of phones and programs.
const PRODUCTS: &str = "iphone|iphonesta|iphonu|ipad|ipadu|ios|android|samsung|galaxy|huawei|pixel|xiaomi|oneplus|motorola|nokia|\
     blackberry|outlook|gmail|yahoo|proton|protonmail|thunderbird|windows|gmx|web|fastmail|bluemail|spark|\
     superhuman|mac|macos|linux|airmail|canary|edison|icloud|zoho|mailspring|tutanota|posteo|aol|oppo|vivo|realme|sony|xperia|\
     fairphone|chromebook|mobile|phone|smartphone|handy|mobiltelefon|téléphone|móvil|celular|cellulare|телефона";

/// Verbs of footers; each footer has one.
const FOOTER_VERBS: &str = "sent|get|download|gesendet|herunterladen|beziehen|holen|envoyé|télécharger|obtenez|enviado|obtener|descargar|\
     inviato|scarica|ottieni|verzonden|verstuurd|skickat|hämta|sendt|hent|wysłane|wysłano|pobierz|lähetetty|odesláno|\
     отправлено|baixar";

/// Other words of footers.
const FOOTER_WORDS: &str = "from|my|via|with|using|by|the|for|on|app|mail|email|secure|device|pro|max|plus|ultra|mini|please|excuse|any|typos|typo|\
     errors|brevity|von|meinem|mit|der|dem|aus|für|über|sie|sich|diese|nachricht|wurde|gerät|de|mon|depuis|\
     mobil|appareil|pour|desde|mi|do|meu|dal|da|mio|per|vanaf|mijn|voor|från|min|fra|z|mojego|a|с|из|моего|\
     почты|messagerie|correo|app's";

/// Signs in the footers of phones.
const PLAIN: [char; 7] = ['.', ',', '\'', '-', '(', ')', ':'];

/// A text message without what stands below a line of [`SIGNATURE_MARK`], and without the lines that phones add below it.
/// Any other line is its writer's. A sign that says no is no part of a signature.
pub fn without_signature(text: &str) -> &str {
    let mut said = text;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let is_mark = line.trim_end_matches(['\r', '\n']) == SIGNATURE_MARK;
        if is_mark && !text[..at].trim().is_empty() && !text[at..].contains(NO_SIGNS) {
            said = &text[..at];
            break;
        }
        at += line.len();
    }
    while let Some((above, last)) = said.trim_end().rsplit_once('\n') {
        let is_plain = || last.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || PLAIN.contains(&c));
        if above.trim().is_empty() || !has_footer_words(last) || !is_plain() {
            break;
        }
        said = above;
    }
    said
}

/// Whether the words of a line are those of a footer (`Sent from my iPhone`): only known ones, one of them the name of a
/// program or phone.
pub fn has_footer_words(line: &str) -> bool {
    let lower = folded(line).to_lowercase();
    let lower = lower.trim();
    let is_one_of = |list: &str, word: &str| list.split('|').any(|known| known == word);
    if is_one_of(FOOTERS, lower.trim_end_matches('.')) {
        return true;
    }
    let words = || lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let is_known = |word: &str| {
        let is_listed = [PRODUCTS, FOOTER_VERBS, FOOTER_WORDS].iter().any(|list| is_one_of(list, word));
        is_listed || word.chars().any(|c| c.is_ascii_digit())
    };
    words().all(is_known)
        && words().any(|word| is_one_of(PRODUCTS, word))
        && words().any(|word| is_one_of(FOOTER_VERBS, word))
}
