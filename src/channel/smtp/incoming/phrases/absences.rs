//! What subjects of absence notes say, in lower case.

use super::list::Phrases;

/// How the subject of an absence note begins: first in Exchange's own words, then in those of other programs and people.
pub(in crate::channel::smtp::incoming) const ABSENCE_SUBJECTS: Phrases = Phrases(
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
     ofis dışı|izinde|εκτός γραφείου|нет на месте|в отпуске|відсутність|відсутній|відсутня|відсутні|不在|休暇|外出|不在办公室|休假|부재 중|부재중|휴가|\
     خارج المكتب|away|ferien|vacaciones|vacances|congé|congés|ferie|férias|vakantie|verlof|urlop|отпуск|krank|krankmeldung|\
     krankheit|elternzeit|mutterschutz|krankenstand|permiso|malattia|maternité|arrêt maladie|semester|barsel|lomalla|in elternzeit|im mutterschutz|im krankenstand|auf dienstreise|in urlaub|auf urlaub|nicht da|long-term sick|off sick|je ne suis pas au bureau|no estoy en la oficina|non sono in ufficio|\
     ooto|limited access|limited availability|slow to respond|unavailable|currently unavailable|out sick|out until|travelling until|\
     traveling until|no longer with|absente|absents|indisponible|no disponible|nicht verfügbar|nicht erreichbar|non disponible|\
     non disponibile|indisponível|de vacances|fora de l'oficina|szabadság|szabadságon|dovolená|na dovolené|dovolenka|na dovolenke|\
     mimo kancelárie|godišnji odmor|na godišnjem odmoru|na dopustu|loma|vuosilomalla|atostogos|atostogauju|atvaļinājumā|puhkusel|\
     concediu|yıllık izin|yıllık izindeyim|άδεια|σε άδεια|у відпустці|відпустка|в отпуска|отпуска|בחופשה|לא במשרד|إجازة|في إجازة|\
     nghỉ phép|cuti|sedang cuti|bercuti|छुट्टी पर|अवकाश पर|ลาพักร้อน|ลาป่วย|请假|請假|出差|年假|出張|有給|출장|연차",
);

/// What a subject says of its writer, behind their name or alone.
pub(in crate::channel::smtp::incoming) const ABSENCE_SENTENCES: Phrases = Phrases(
    "is out of the office|is out of office|is away from the office|is not in the office|is on leave|is on annual leave|\
     is on vacation|is on holiday|is currently out of|is currently away|i am out of|i'm out of|i am away|i'm away|\
     i am on leave|i'm on leave|i am on vacation|i'm on vacation|i am on holiday|i'm on holiday|i am currently out|\
     i'm currently out|i am not in the office|i'm not in the office|ist abwesend|ist im urlaub|ist nicht im büro|\
     ich bin abwesend|ich bin im urlaub|ich bin nicht im büro|ich bin nicht im haus|ich bin außer haus|je suis absent|\
     je suis absente|je suis en congé|je suis en congés|je suis en vacances|est absent|est absente|est en congé|\
     estoy de vacaciones|estoy ausente|estoy fuera|está ausente|sono assente|sono in ferie|estou ausente|\
     estou de férias|ik ben afwezig|jag är borta|jestem nieobecny|jestem nieobecna",
);

/// The kinds of leave: before the word for it in a subject.
pub(in crate::channel::smtp::incoming) const LEAVE_KINDS: Phrases = Phrases(
    "sick|maternity|paternity|parental|annual|medical|bereavement|family|compassionate|study|unpaid|paid|adoption|\
     sabbatical|garden|gardening|emergency|holiday|vacation|on|in|currently|now|extended|my|the|shared|long|short|term|disability|jury",
);

/// The words for it.
pub(in crate::channel::smtp::incoming) const LEAVES: Phrases =
    Phrases("leave|sabbatical|pto|vacation|holiday|holidays|duty");

/// How people begin to say where they are.
pub(in crate::channel::smtp::incoming) const SPEAKERS: Phrases = Phrases(
    "i am|i'm|im|i will be|i'll be|we are|ich bin|ich befinde mich|ich habe|bin|wir sind|je suis|je serai|nous sommes|estoy|\
     estaré|me encuentro|sono|sarò|estou|estarei|ik ben|jag är|jeg er|olen|jestem|будучи|я|jsem|vagyok|sunt",
);

/// How they say it of somebody, behind the name.
pub(in crate::channel::smtp::incoming) const SAYS_OF: Phrases =
    Phrases(" is | will be | ist | hat | est | sera | está | è | sarà | är | er | on | jest ");

/// What they say then.
pub(in crate::channel::smtp::incoming) const AWAY_WORDS: Phrases = Phrases(
    "out of office|out of the office|out of the country|out until|out from|out on|out today|away|absent|absente|on leave|on sick leave|on maternity leave|on parental leave|on pto|\
     on vacation|on holiday|on holidays|on annual leave|ooto|out sick|unavailable|no longer with|no longer at|travelling|traveling|off sick|not in the office|abwesend|nicht im büro|\
     nicht im haus|nicht im dienst|nicht erreichbar|nicht da|fuera hasta|fuera del|außer haus|ausser haus|im urlaub|urlaub|krank|im krankenstand|in elternzeit|\
     im mutterschutz|auf dienstreise|en congé|en congés|en vacances|absent du bureau|en déplacement|de vacaciones|\
     fuera de la oficina|fuera de oficina|ausente|de baja|in ferie|assente|fuori ufficio|fuori sede|de férias|fora do escritório|\
     afwezig|op vakantie|niet aanwezig|niet op kantoor|met verlof|borta|på semester|bortrest|frånvarande|ikke på kontoret|på ferie|\
     poissa|lomalla|nieobecny|nieobecna|nieobecni|nieobecne|na urlopie|poza biurem|в отпуске|нет на месте|отсутствую|mimo kancelář|szabadságon|în concediu|\
     na dovolené|na dovolenke|mimo kancelárie|na godišnjem odmoru|na dopustu|indisponible|no disponible|indisponível|izindeyim|\
     у відпустці|в отпуска",
);

/// What turns that round, before it.
pub(in crate::channel::smtp::incoming) const NOT_AWAY: Phrases = Phrases(
    "not|no|never|back|longer|nicht|nie|nimmer|mehr|zurück|wieder|pas|plus|retour|ya|non|più|não|niet|terug|inte|ikke|не",
);
