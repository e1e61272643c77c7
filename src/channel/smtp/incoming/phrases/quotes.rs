//! What mail programs write above a mail that they quote, in lower case.

use super::list::Phrases;

/// What stands between rules above a quoted mail: `-----Original Message-----`.
pub(in crate::channel::smtp::incoming) const QUOTE_RULES: Phrases = Phrases(
    "original message|original appointment|original email|forwarded message|forwarded email|reply message|replied message|\
     ursprüngliche nachricht|originalnachricht|original-nachricht|ursprünglicher termin|weitergeleitete nachricht|\
     message d'origine|message original|message transféré|message initial|mensaje original|mensaje reenviado|\
     messaggio originale|messaggio inoltrato|mensagem original|mensagem encaminhada|oorspronkelijk bericht|\
     doorgestuurd bericht|ursprungligt meddelande|originalmeddelande|vidarebefordrat meddelande|oprindelig meddelelse|\
     original meddelelse|videresendt meddelelse|opprinnelig melding|videresendt melding|alkuperäinen viesti|\
     välitetty viesti|wiadomość oryginalna|oryginalna wiadomość|wiadomość przekazana|původní zpráva|přeposlaná zpráva|\
     исходное сообщение|пересылаемое сообщение|пересланное сообщение|оригінальне повідомлення|orijinal ileti|\
     元のメッセージ|転送メッセージ|原始邮件|转发邮件|原始郵件|轉寄郵件|원본 메시지|전달된 메시지",
);

/// The line above a forwarded mail, without rules.
pub(in crate::channel::smtp::incoming) const FORWARDED: Phrases = Phrases(
    "begin forwarded message|anfang der weitergeleiteten nachricht|début du message réexpédié|début du message transféré|\
     inicio del mensaje reenviado|inizio messaggio inoltrato|início da mensagem encaminhada|begin doorgestuurd bericht",
);
