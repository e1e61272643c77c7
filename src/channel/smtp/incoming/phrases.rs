//! Phrases around the text that people write in mails, in the languages that we know, in lower case. If a phrase is
//! missing here, a mail is unclear and engages nobody.

mod absences;
mod disclaimers;
mod list;
mod quotes;
mod registers;
mod servers;

pub(super) use absences::*;
pub(super) use disclaimers::*;
pub(super) use list::Phrases;
pub(super) use quotes::*;
pub(super) use registers::*;
pub(super) use servers::*;

use crate::{core::invisible::is_invisible, text::reply::folded};

/// The largest length of a line that may be a name, a title, thanks and the like, in bytes.
pub(super) const LINE_MAX: usize = 300;

/// Whether a line has no visible character.
pub(super) fn is_blank(line: &str) -> bool {
    let is_empty = |line: &str| line.chars().all(|c| c.is_whitespace() || is_invisible(c));
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

/// Warnings that mail servers add above a mail.
pub(super) const BANNERS: Phrases = Phrases(
    "originated from outside|originated outside|came from outside|sent from outside|external email|\
     external e-mail|external sender|external message|[external|[ext]|[extern|often get email from|\
     externe e-mail|externe nachricht|externer absender|von außerhalb|expéditeur externe|\
     extérieur de l'organisation|correo externo|remitente externo|external source|kommt von extern|kommt von außen|\
     von extern gesendet|von einem externen absender|provient de l'extérieur|envoyé de l'extérieur|\
     provient d'un expéditeur externe|se originó fuera|se originó desde fuera|este correo se originó|procede de fuera|\
     fuera de la organización|proviene dall'esterno|origem externa|fora da organização|van buiten de organisatie|\
     buiten uw organisatie|esterno all'organizzazione|esterna all'organizzazione|fora da sua organização|externo à organização|\
     spoza organizacji|utanför organisationen|utanför din organisation|udenfor organisationen|utenfor organisasjonen|\
     organisaation ulkopuolelta|извне организации|за пределами организации|組織外|社外|外部から|来自外部|组织外部|組織外部|외부에서|\
     nicht häufig e-mails von|nicht oft e-mails von|nicht oft eine e-mail von|selten e-mails von|pas souvent d'e-mail|\
     pas souvent de courrier|pas souvent de message|no suele recibir|non si ricevono spesso|non si riceve spesso|non ricevi spesso|\
     non riceve spesso|não costuma receber|não recebe com frequência|niet vaak e-mail|niet vaak e-mails|niet vaak een e-mail|\
     nieczęsto otrzymujesz|nie otrzymujesz często|rzadko otrzymujesz|inte ofta e-post|ikke ofte e-post|ikke ofte mail|\
     нечасто получаете|редко получаете|受け取ることはあまり|メールを受け取る頻度|通常不会收到|不经常收到|不常收到|자주 받지",
);

/// What programs that look for viruses say of a mail: only beside a word for a mail or a virus.
pub(super) const SCANS: Phrases = Phrases(
    "has been scanned|was scanned|scanned by|checked for|checked by|virus-free|virenfrei|auf viren geprüft|analysé par|\
     sans virus|libre de virus|analizado|esente da virus",
);

/// Words for somebody who does something, which no warning has.
pub(super) const TAKERS: Phrases = Phrases(
    " he | she | he's | she's | has it| have it| got it| took it| takes it| takes over| took over| has this| has taken| all good|\
     handles| handled| deals with| er hat| sie hat| hat es| übernimmt| macht das| lo tiene| ce l'ha| l'a pris",
);

/// What banners call a mail and who sent it.
pub(super) const MAILS: Phrases = Phrases(
    "mail|message|sender|nachricht|absender|expéditeur|courriel|mensaje|correo|remitente|messaggio|mittente|mensagem|\
     remetente|bericht|afzender|wiadomość|nadawc|meddeland|avsändar|besked|melding|afsender|avsender|viesti|lähettäj|\
     zpráva|odesílatel|письм|сообщени|отправител|лист|μήνυμα|e-posta|gönderen|メール|送信者|差出人|邮件|郵件|发件人|寄件者|메일|발신자",
);

/// What banners call where it comes from.
pub(super) const OUTSIDES: Phrases = Phrases(
    "extern|outside|außerhalb|extérieur|estern|buiten|utanför|udenfor|utenfor|ekstern|ulkoinen|ulkopuol|zewnętrzn|spoza|внешн|\
     извне|за пределами|dış kaynak|εξωτερικ|外部|社外|組織外|외부|unknown sender|untrusted|unverified|phishing|suspicious",
);

/// The words of a label of secrecy, beside its level.
pub(super) const LABEL_WORDS: Phrases = Phrases(
    "classification|classified|sensitivity|label|data|information|document|klassifizierung|klassifikation|einstufung|\
     vertraulichkeit|clasificación|classificazione|classificação|classificatie|use|only|company|and|strictly|highly|all|\
     employees|employee|business|proprietary|sec|access|caveat|protective|marking|handling|level|dlm|limited|distribution|\
     eyes|for|non|nur|für|den|dienstgebrauch|internen|gebrauch|usage|uso|à|usage",
);

/// The levels of secrecy.
pub(super) const SECRECY: Phrases = Phrases(
    "internal|public|confidential|restricted|secret|general|private|unclassified|official|sensitive|protected|privileged|unrestricted|cui|fouo|intern|interne|interno|\
     interna|vertraulich|öffentlich|geheim|confidentiel|confidentielle|publique|confidencial|público|riservato|confidenziale|\
     vertrouwelijk|openbaar",
);

/// What the pictures of companies are called.
pub(super) const LOGOS: Phrases =
    Phrases("logo|logos|signature|letterhead|linkedin|facebook|twitter|instagram|youtube|xing|website");

/// Stems of pictures that say no.
pub(super) const PICTURES_OF_NO: Phrases = Phrases(
    "thumb|down|cross|wrong|stop|forbidden|prohibit|reject|declin|refus|denied|cancel|sad|frown|angry|cry|sick|daumen|pouce|pulgar",
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
     внешн|внимание|извне|dış kaynak|外部|社外|注意|警告|외부|주의|uwaga|ostrzeżenie|upozornění|pas på|huomio|προσοχή",
);

/// Words that show that writers speak of themselves.
pub(super) const ONESELF: Phrases =
    Phrases("i|i'm|i'll|i've|i'd|im|ive|me|my|mine|we|we're|we'll|us|ich|mich|yo|je|moi|я");

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

/// Words for somebody who is away, or who is to do it instead.
pub(super) const ABSENCES: Phrases = Phrases(
    "absent|absence|available|away|busy|call|couldn't|didn't|doesn't|don't|duty|hadn't|haven't|holiday|holidays|ill|instead|\
     isn't|later|leave|negative|neither|nobody|none|noon|nope|nor|off|oncall|ooo|shift|sick|sleeping|sorry|tomorrow|\
     today|tonight|travelling|unavailable|vacation|wasn't|wouldn't|shouldn't|aren't|abwesend|aber|erst|krank|leider|\
     morgen|nein|niet|urlaub|absente|congé|demain|désolé|désolée|indisponible|mais|vacances|ausente|mañana|pero|\
     vacaciones|assente|domani|ferie|mas|férias|übernimmt|übernehmen|vertritt|vertretung|stattdessen|remplace|remplaçant|\
     sustituye|sostituisce|substitui|vervangt",
);
