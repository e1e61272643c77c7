//! Phrases around the text that people write in mails, in the languages that we know, in lower case. If a phrase is
//! missing here, a mail is unclear and engages nobody.

use crate::text::reply::folded;

/// Words and phrases, separated by `|`.
pub(super) struct Phrases(&'static str);

impl Phrases {
    pub fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.0.split('|')
    }

    /// Whether this is one of them.
    pub fn has(&self, words: &str) -> bool {
        self.iter().any(|known| known == words)
    }
}

/// The largest length of a line that may be a name, a title, thanks and the like, in bytes.
pub(super) const LINE_MAX: usize = 300;

/// Whether a line has no visible character.
pub(super) fn is_blank(line: &str) -> bool {
    // Letters that are drawn as nothing: the fillers of Hangul, and the Braille pattern without a dot.
    let is_filler = |c: char| matches!(c, '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}');
    let is_empty = |line: &str| line.chars().all(|c| c.is_whitespace() || is_filler(c));
    line.is_empty() || (line.len() <= LINE_MAX && is_empty(&folded(line)))
}

/// Greetings at the start of a mail.
pub(super) const GREETINGS: Phrases = Phrases(
    "hi|hello|hey|dear|good morning|good afternoon|good evening|morning|afternoon|evening|greetings|hallo|\
     guten tag|guten morgen|guten abend|servus|grüezi|moin|liebes|liebe|sehr geehrte|bonjour|bonsoir|salut|\
     cher|chère|hola|buenos días|buenas tardes|buenas|ciao|buongiorno|salve|olá|bom dia|boa tarde|hej|hei|\
     здравствуйте|привет|お疲れ様です|你好",
);

/// Words for people who are greeted, beside names.
pub(super) const ADDRESSED: Phrases = Phrases(
    "all|team|everyone|everybody|there|folks|both|stentor|guys|colleagues|desk|ops|again|zusammen|alle|\
     allerseits|damen|und|herren|à|tous|todos|a|tutti|equipo|équipe",
);

/// Thanks and regards at the end of a mail.
pub(super) const THANKS: Phrases = Phrases(
    "thanks|thank you|many thanks|thanks a lot|thank you very much|thanks so much|thx|ta|\
     thanks for letting me know|thanks for the heads up|thanks for the alert|thanks for the page|with thanks|\
     thanks in advance|cheers|regards|best|best regards|kind regards|warm regards|with best regards|\
     with kind regards|best wishes|all the best|br|rgds|rgd|kr|bw|sincerely|yours sincerely|yours|yours truly|\
     yours faithfully|respectfully|mit freundlichen grüßen|mit freundlichen gruessen|mit freundlichem gruß|\
     freundliche grüße|freundliche grüsse|mfg|viele grüße|viele grüsse|liebe grüße|liebe grüsse|beste grüße|\
     beste grüsse|schöne grüße|herzliche grüße|gruß|grüße|lg|vg|bg|danke|vielen dank|danke schön|besten dank|\
     merci|merci beaucoup|cordialement|bien cordialement|bien à vous|cdt|cdlt|bonne journée|salutations|\
     sincères salutations|gracias|muchas gracias|saludos|un saludo|saludos cordiales|un cordial saludo|\
     atentamente|grazie|cordiali saluti|distinti saluti|saluti|un saluto|obrigado|obrigada|atenciosamente|\
     cumprimentos|abraços|met vriendelijke groet|met vriendelijke groeten|vriendelijke groet|groeten|groet|\
     mvg|bedankt|med vänliga hälsningar|vänliga hälsningar|mvh|tack|med venlig hilsen|mange tak|takk|\
     pozdrawiam|с уважением|спасибо|よろしくお願いします|ありがとうございます",
);

/// Complete lines that phones and programs add below a mail.
pub(super) const FOOTERS: Phrases = Phrases(
    "iphoneから送信|ipadから送信|androidから送信|发自我的iphone|发自我的 iphone|发自我的手机|从我的 iphone 发送|傳送自我的 iphone|從我的iphone傳送|\
     나의 iphone에서 보냄|iphone'umdan gönderildi|تم الإرسال من الـ iphone|yahoo mail: search, organize, conquer",
);

/// The names of phones and programs.
pub(super) const PRODUCTS: Phrases = Phrases(
    "iphone|iphonesta|iphonu|ipad|ipadu|ios|android|samsung|galaxy|huawei|pixel|xiaomi|oneplus|motorola|nokia|\
     blackberry|outlook|gmail|yahoo|proton|protonmail|thunderbird|windows|gmx|web|fastmail|bluemail|spark|\
     superhuman|mobile|phone|smartphone|handy|mobiltelefon|téléphone|móvil|celular|cellulare|телефона",
);

/// Verbs of footers; each footer has one.
pub(super) const FOOTER_VERBS: Phrases = Phrases(
    "sent|get|gesendet|beziehen|holen|envoyé|télécharger|obtenez|enviado|obtener|inviato|scarica|ottieni|\
     verzonden|verstuurd|skickat|sendt|wysłane|wysłano|lähetetty|odesláno|отправлено|baixar",
);

/// Other words of footers.
pub(super) const FOOTER_WORDS: Phrases = Phrases(
    "sent|get|gesendet|beziehen|holen|envoyé|télécharger|obtenez|enviado|obtener|inviato|scarica|ottieni|\
     verzonden|verstuurd|skickat|sendt|wysłane|wysłano|lähetetty|odesláno|отправлено|baixar|from|my|via|with|\
     using|by|the|for|on|app|mail|email|secure|device|pro|max|plus|ultra|mini|please|excuse|any|typos|typo|\
     errors|brevity|von|meinem|mit|der|dem|aus|für|über|sie|sich|diese|nachricht|wurde|gerät|de|mon|depuis|\
     mobil|appareil|pour|desde|mi|do|meu|dal|da|mio|per|vanaf|mijn|voor|från|min|fra|z|mojego|a|с|из|моего|\
     почты|messagerie|correo|app's",
);

/// Warnings that mail servers add above a mail.
pub(super) const BANNERS: Phrases = Phrases(
    "originated from outside|originated outside|came from outside|sent from outside|external email|\
     external e-mail|external sender|external message|[external|[ext]|[extern|often get email from|\
     externe e-mail|externe nachricht|externer absender|von außerhalb|expéditeur externe|\
     extérieur de l'organisation|correo externo|remitente externo|external source|kommt von extern|kommt von außen|\
     von extern gesendet|von einem externen absender|provient de l'extérieur|envoyé de l'extérieur|\
     provient d'un expéditeur externe|se originó fuera|se originó desde fuera|este correo se originó|procede de fuera|\
     fuera de la organización|proviene dall'esterno|origem externa|fora da organização|van buiten de organisatie",
);

/// The lines around Proofpoint's banner.
pub(super) const FRAME_START: &str = "zjqcmqryfpfptbannerstart";

/// The end of that banner.
pub(super) const FRAME_END: &str = "zjqcmqryfpfptbannerend";

/// Words of a warning that a mail server adds between rules: `*** EXTERNAL ***`.
pub(super) const BANNER_STEMS: Phrases = Phrases(
    "extern|outside|caution|warning|attention|be careful|phishing|untrusted|unverified|unknown sender|suspicious|\
     security notice|achtung|vorsicht|warnung|außerhalb|extérieur|avertissement|prudence|cuidado|precaución|atención|\
     advertencia|estern|attenzione|atenção|waarschuwing|let op|varning|ekstern|advarsel|ulkoinen|zewnętrzn|uwaga|externí|\
     внешн|внимание|dış kaynak|外部|注意|외부",
);

/// The beginnings of disclaimers that companies add below mails.
pub(super) const DISCLAIMER_OPENERS: Phrases = Phrases(
    "this e-mail|this email|this message|this communication|this transmission|the information|the contents|\
     the content of this|information in this|any views|important|disclaimer|notice|legal notice|confidential|\
     privileged|private and confidential|if you are not|if you have received|unless otherwise|please consider|\
     diese e-mail|diese mail|diese nachricht|dieses e-mail|der inhalt dieser|die information|vertraulich|\
     ce message|ce courriel|ce mail|cet e-mail|cet email|le présent|les informations|este mensaje|este correo|\
     la información|aviso|questo messaggio|questa e-mail|le informazioni|esta mensagem|dit bericht|\
     deze e-mail|denna e-post",
);

/// Word stems of disclaimers; each disclaimer has one.
pub(super) const DISCLAIMER_STEMS: Phrases = Phrases(
    "intended|confidential|recipient|addressee|privileged|liability|before printing|virus|vertraulich|\
     empfänger|bestimmt|confidentiel|destinataire|confidencial|destinatario|destinatário|riservat|\
     vertrouwelijk|geadresseerde|konfidentiell|mottagare",
);

/// Words that alone show that a paragraph is a disclaimer.
pub(super) const DISCLAIMERS: Phrases = Phrases(
    "intended recipient|intended solely|intended only for|confidentiality notice|and any attachment|\
     received this email in error|received this e-mail in error|received this message in error|\
     registered in england|registered office|registered number|registered company|company number|\
     authorised and regulated|authorized and regulated|member of finra|consider the environment|virus-free|\
     scanned for viruses|has been scanned|sitz der gesellschaft|registergericht|amtsgericht|handelsregister|\
     geschäftsführ|ust-id|siège social|domicilio social|capital social|sede legale|email disclaimer|\
     intended for the addressee",
);

/// Words that show that writers speak of themselves.
pub(super) const ONESELF: Phrases =
    Phrases("i|i'm|i'll|i've|i'd|im|ive|me|my|mine|we|we're|we'll|us|ich|mich|yo|je|moi|я");

/// How the subject of an absence note begins: first in Exchange's own words, then in those of other programs and people.
pub(super) const ABSENCE_SUBJECTS: Phrases = Phrases(
    "automatic reply|automatische antwort|réponse automatique|respuesta automática|risposta automatica|\
     resposta automática|resposta automàtica|automatisch antwoord|automatiskt svar|automatisk svar|autosvar|\
     automaattinen vastaus|odpowiedź automatyczna|automatická odpověď|automatická odpoveď|automatikus válasz|\
     răspuns automat|automatski odgovor|samodejni odgovor|automatinis atsakymas|automātiskā atbilde|automaatvastus|\
     otomatik yanıt|otomatik cevap|αυτόματη απάντηση|автоматический ответ|автоматична відповідь|автоматичен отговор|\
     автоответ|自動応答|自動返信|自动答复|自动回复|自動回覆|自動答覆|자동 회신|자동 응답|자동응답|תשובה אוטומטית|מענה אוטומטי|\
     رد تلقائي|trả lời tự động|balasan otomatis|ตอบกลับอัตโนมัติ|auto reply|auto-reply|autoreply|auto response|auto-response|\
     autoresponse|autoresponder|automated reply|automated response|automatic response|out of office|out-of-office|\
     out of the office|currently out of office|currently out of the office|currently away|currently on leave|\
     not in the office|not in office|annual leave|urlaub|derzeit abwesend|zur zeit abwesend|zurzeit abwesend|ooo|oof|away from the office|away from my desk|on vacation|on leave|on annual leave|on holiday|\
     on holidays|on pto|vacation|absence|absent|abwesenheit|abwesenheitsnotiz|abwesenheitsnachricht|\
     abwesenheitsmeldung|abwesend|autoantwort|nicht im büro|nicht im haus|außer haus|ausser haus|im urlaub|\
     absence du bureau|absent du bureau|message d'absence|avis d'absence|en congé|en congés|en vacances|\
     fuera de la oficina|fuera de oficina|ausencia|ausente|de vacaciones|fuori sede|fuori ufficio|assenza|assente|\
     in ferie|fora do escritório|ausência|em férias|afwezig|afwezigheid|afwezigheidsbericht|niet aanwezig|buiten kantoor|\
     frånvaro|frånvarande|inte på kontoret|ikke til stede|fravær|fraværende|ikke på kontoret|poissa|poissaolo|\
     autoodpowiedź|automatyczna odpowiedź|nieobecność|poza biurem|nepřítomnost|mimo kancelář|házon kívül|în concediu|\
     ofis dışı|izinde|εκτός γραφείου|нет на месте|в отпуске|відсутн|不在|休暇|外出|不在办公室|休假|부재 중|부재중|휴가|\
     خارج المكتب",
);

/// What a subject says of its writer, behind their name or alone.
pub(super) const ABSENCE_SENTENCES: Phrases = Phrases(
    "is out of the office|is out of office|is away from the office|is not in the office|is on leave|is on annual leave|\
     is on vacation|is on holiday|is currently out of|is currently away|i am out of|i'm out of|i am away|i'm away|\
     i am on leave|i'm on leave|i am on vacation|i'm on vacation|i am on holiday|i'm on holiday|i am currently out|\
     i'm currently out|i am not in the office|i'm not in the office|ist abwesend|ist im urlaub|ist nicht im büro|\
     ich bin abwesend|ich bin im urlaub|ich bin nicht im büro|ich bin nicht im haus|ich bin außer haus|je suis absent|\
     je suis absente|je suis en congé|je suis en congés|je suis en vacances|est absent|est absente|est en congé|\
     estoy de vacaciones|estoy ausente|estoy fuera|está ausente|sono assente|sono in ferie|estou ausente|\
     estou de férias|ik ben afwezig|jag är borta|jestem nieobecn",
);

/// What a server says of a mail that is not given up yet.
pub(super) const DELAYS: Phrases = Phrases(
    "delayed|delay|warning:|still trying|will be retried|will keep trying|will continue|not yet been delivered|\
     has not been delivered yet|could not be delivered yet|you do not need to resend|verzögert|retardé|demorado|ritardo",
);

/// What a server says of a mail that it has given up.
pub(super) const GIVEN_UP: Phrases = Phrases(
    "i give up|we give up|giving up|given up|gave up|not going to try again|will not try again|will not be retried|\
     no further attempts|permanent error|permanent fatal error|permanent failure|failed permanently|retry timeout exceeded|\
     retry time exceeded|in the queue too long|deleted from queue|delivery has failed|delivery time expired|\
     message expired|could not be delivered for|endgültig|unzustellbar|dauerhafter fehler|erreur permanente|\
     échec définitif|error permanente|errore permanente",
);

/// How the subject of a server's mail begins if it has given up.
pub(super) const FINAL_SUBJECTS: Phrases = Phrases(
    "undeliver|returned mail|returned to sender|failure notice|delivery failure|delivery failed|mail delivery failed|\
     mail delivery failure|delivery status notification (failure)|unzustellbar|non remis|no se puede entregar",
);

/// What only a server says of a mail.
pub(super) const REFUSALS: Phrases = Phrases(
    "undeliverable|undelivered mail|could not be delivered|couldn't be delivered|can not be delivered|\
     cannot be delivered|wasn't delivered|was not delivered|user unknown|unknown user|no such user|no such mailbox|\
     mailbox unavailable|recipient address rejected|recipient rejected|address not found|unrouteable address|\
     konnte nicht zugestellt werden|n'a pas pu être remis|no se pudo entregar",
);

/// How a server announces the mail that it returns.
pub(super) const COPY_BELOW: Phrases = Phrases(
    "this is a copy of|copy of the message|copy of your message|below this line|original message|\
     message headers follow|returned message|unsent message|ursprüngliche nachricht|message d'origine",
);

/// The beginnings of the line that a program adds before a quote.
pub(super) const ATTRIBUTION_OPENERS: [&str; 15] =
    ["on ", "am ", "le ", "el ", "il ", "em ", "op ", "den ", "w dniu ", "dne ", "på ", "a ", "la ", "pe ", "в "];

/// The verb of that line.
pub(super) const WROTE: Phrases = Phrases(
    "wrote:|wrote :|schrieb|a écrit|escribió|ha scritto|escreveu|schreef|skrev|napisał|napsal|kirjoitti|\
     έγραψε|написал|пишет|пише|写道|寫道|님이 작성|のメール|yazdı|ha escrit|írta|a scris",
);

/// The sender field in the headers of a quoted mail.
pub(super) const FROM: Phrases =
    Phrases("from|von|de|da|van|från|fra|od|от|від|lähettäjä|差出人|发件人|寄件者|보낸 사람|kimden|feladó|מאת");

/// The other header fields of a quoted mail.
pub(super) const HEAD_FIELDS: Phrases = Phrases(
    "sent|date|to|cc|subject|gesendet|datum|an|betreff|envoyé|à|objet|enviado|enviado el|fecha|para|asunto|\
     inviato|data|a|oggetto|verzonden|aan|onderwerp|skickat|till|ämne|sendt|dato|til|emne|wysłano|do|temat|\
     отправлено|дата|кому|тема|送信日時|日付|宛先|件名|发送时间|收件人|主题|寄件日期|收件者|主旨|보낸 날짜|받는 사람",
);

/// Labels before a phone number or address.
pub(super) const CONTACT_LABELS: Phrases = Phrases(
    "tel|t|p|m|d|o|e|w|f|c|mob|mobile|phone|fax|direct|cell|office|ext|email|e-mail|mail|web|telefon|handy|\
     mobil|durchwahl|tél|teléfono|móvil|telefono|cellulare|tlf|desk",
);

/// Words that make a number a time.
pub(super) const TIMES: Phrases = Phrases("am|pm|a.m|p.m|h|hrs|uhr|min|mins|m|th|st|nd|rd|h30|h15|h45|h00");

/// Titles before a name.
pub(super) const HONORIFICS: Phrases =
    Phrases("dr|mr|mrs|ms|mx|prof|sr|sra|herr|frau|ing|dipl|mag|mme|dott|dra|don|doña");

/// Pronouns after a name.
pub(super) const PRONOUNS: Phrases = Phrases("she/her/hers|she/her|he/him/his|he/him|they/them/theirs|they/them");

/// Small words of titles, companies and addresses.
pub(super) const CONNECTORS: Phrases = Phrases(
    "of|the|and|for|to|at|in|on|a|an|de|del|la|las|los|le|les|el|y|e|et|du|des|d|l|da|do|dos|di|della|der|die|\
     das|dem|den|und|für|von|van|voor|en|och|av|i.v",
);

/// Words that answer, ask, postpone or refer to somebody else. A line with one of them is never a signature.
pub(super) const AGAINST: Phrases = Phrases(
    "actually|after|again|already|although|apart|asap|ask|away|awaiting|because|before|busy|call|calling|\
     cancel|come|disregard|driving|drunk|elsewhere|except|flight|flying|forget|fyi|get|give|going|gone|hang|\
     he|her|him|hold|holiday|hospital|how|however|if|ignore|ill|instead|it|joke|joking|just|kidding|landing|\
     later|leave|let|maybe|meant|minute|minutes|hour|hours|mistake|nah|need|negative|neither|nobody|none|nope|\
     nor|nothing|now|off|oh|once|only|oops|otherwise|out|page|perhaps|ping|please|ps|p.s|reassign|ring|\
     scratch|she|should|sick|sleeping|somebody|someone|soon|sorry|still|strike|take|takes|tell|that|then|they|\
     this|though|till|today|tomorrow|tonight|travelling|traveling|try|until|vacation|wait|what|when|while|who|\
     why|with|without|wrong|yet|you|your|monday|tuesday|wednesday|thursday|friday|saturday|sunday|nein|\
     nicht|kein|keine|aber|erst|später|morgen|heute|leider|bitte|doch|krank|urlaub|mais|pas|demain|non|sauf|\
     désolé|pero|mañana|luego|después|domani|dopo|però|mas|não|amanhã|depois|maar|niet|geen|но|не|нет|завтра",
);

/// The same in scripts without spaces between words.
pub(super) const AGAINST_WITHIN: Phrases = Phrases(
    "ない|ません|です|ます|ただし|後で|あとで|明日|今日|無理|今は|お願い|だめ|駄目|から|まで|不|没|沒|别|但|请|請|我|等|明天|现在|以后|稍后|못|지만|내일|나중|요|안 |다음",
);

/// Words of machines that deny or ask in passing, and that nobody answers with.
pub(super) const MACHINE_DENIALS: Phrases = Phrases(
    "if you are not|if you're not|who is not|who are not|are not the|is not the|do not click|do not open|do not reply|\
     do not forward|do not respond|do not provide|do not disclose|do not copy|do not follow|do not enter|do not read|\
     do not trust|do not share|do not use|do not necessarily|does not necessarily|not necessarily|may not be|must not be|\
     should not be|must not read|must not copy|must not use|must not disclose|must not disseminate|must not take|\
     should not disseminate|should not copy|you must not|you should not|you may not|unless you|unless otherwise|\
     unless expressly|unless explicitly|unless it|no liability|no responsibility|no warranty|no representation|\
     no guarantee|does not accept|do not accept|does not guarantee|do not guarantee|does not warrant|does not constitute|\
     do not constitute|does not represent|do not represent|do not reflect|not constitute|not be liable|not liable|\
     not responsible|not accept|cannot guarantee|can not guarantee|cannot be guaranteed|can not be guaranteed|\
     cannot accept|can not accept|not intended|not addressed|not guaranteed|not be secure|not waived|no waiver|\
     not an offer|not be copied|not be relied|do not print|not print this|don't often get email from|don't print|\
     don't click|don't open|but not limited to|please call|no haga clic|no lo lea|no lea|no abra|no responda|no es el destinatario|\
     no es usted|si no es|si usted no|no está permitid|really need to print this e-mail?|really need to print this email?|\
     really need to print this mail?|is available at|are available at|available on our|available from|turned off|\
     absence of",
);

/// Words for somebody who is away, or who is to do it instead.
pub(super) const ABSENCES: Phrases = Phrases(
    "absent|absence|available|away|busy|call|couldn't|didn't|doesn't|don't|duty|hadn't|haven't|holiday|holidays|ill|instead|\
     isn't|later|leave|negative|neither|nobody|none|noon|nope|nor|off|oncall|ooo|shift|sick|sleeping|sorry|tomorrow|\
     today|tonight|travelling|unavailable|vacation|wasn't|wouldn't|shouldn't|aren't|abwesend|aber|erst|krank|leider|\
     morgen|nein|niet|urlaub|absente|congé|demain|désolé|désolée|indisponible|mais|vacances|ausente|mañana|pero|\
     vacaciones|assente|domani|ferie|mas|férias",
);
