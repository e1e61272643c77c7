//! What companies and mail servers write around mails that is no word of their writers, in lower case.

use super::list::Phrases;

/// The beginnings of disclaimers that companies add below mails.
pub(in crate::channel::smtp::incoming) const DISCLAIMER_OPENERS: Phrases = Phrases(
    "this e-mail|this email|this message|this communication|this transmission|the information|the contents|\
     the content of this|information in this|any views|important|disclaimer|notice|legal notice|confidential|\
     privileged|private and confidential|if you are not|if you have received|unless otherwise|please consider|\
     diese e-mail|diese mail|diese nachricht|dieses e-mail|der inhalt dieser|die information|vertraulich|\
     ce message|ce courriel|ce mail|cet e-mail|cet email|le présent|les informations|este mensaje|este correo|\
     la información|aviso|questo messaggio|questa e-mail|le informazioni|esta mensagem|dit bericht|\
     deze e-mail|denna e-post",
);

/// Word stems of disclaimers; each disclaimer has one.
pub(in crate::channel::smtp::incoming) const DISCLAIMER_STEMS: Phrases = Phrases(
    "intended|confidential|recipient|addressee|privileged|liability|before printing|virus|vertraulich|\
     empfänger|bestimmt|confidentiel|destinataire|confidencial|destinatario|destinatário|riservat|\
     vertrouwelijk|geadresseerde|konfidentiell|mottagare",
);

/// Words that alone show that a paragraph is a disclaimer.
pub(in crate::channel::smtp::incoming) const DISCLAIMERS: Phrases = Phrases(
    "intended recipient|intended solely|intended only for|confidentiality notice|and any attachment|\
     received this email in error|received this e-mail in error|received this message in error|\
     registered in england|registered office|registered number|registered company|company number|\
     authorised and regulated|authorized and regulated|member of finra|consider the environment|virus-free|\
     scanned for viruses|has been scanned|sitz der gesellschaft|registergericht|amtsgericht|handelsregister|\
     geschäftsführ|ust-id|siège social|domicilio social|capital social|sede legale|email disclaimer|\
     intended for the addressee",
);

/// Other stems of the words of disclaimers: of mails, of what may be done with them, and of companies.
pub(in crate::channel::smtp::incoming) const DISCLAIMER_TOPICS: Phrases = Phrases(
    "mail|message|communication|transmission|attachment|attached|sender|delet|destroy|notify|informati|disclos|copy|copie|\
     copying|distribut|disseminat|unauthori|prohibit|unlawful|legal|contract|advice|securit|secure|opinion|views|author|company|\
     companies|registered|office|regulat|limited|gmbh|printing|environment|monitor|privacy|policy|http|www.|website|\
     responsib|in error|damage|permission|consent|warrant|guarantee|contents|reliance|rely|reply|disclaim|act on it|offer|constitut|binding|solicit|agreement|\
     nachricht|anhang|anlage|anhänge|absender|lösch|irrtüml|unbefugt|weitergabe|weiterleit|gestattet|untersagt|haftung|\
     gesellschaft|vorstand|aufsichtsrat|umwelt|ausdruck|drucken|datenschutz|vervielfält|verbreit|kenntnis|informieren|\
     courriel|pièces jointes|pièce jointe|expéditeur|supprim|détrui|erreur|interdit|société|environnement|imprim|autorisation|\
     mensaje|correo|adjunto|remitente|elimin|borr|por error|prohibid|sociedad|medio ambiente|difusión|lo lea|\
     messaggio|allegat|mittente|cancell|errore|vietat|società|ambiente|stampa|mensagem|anexo|bericht|bijlage|afzender|\
     verwijder|meddelande|bilag|avsändar",
);

/// Short words in small letters with a full stop that ends no sentence.
pub(in crate::channel::smtp::incoming) const ABBREVIATIONS: Phrases =
    Phrases("no|nr|reg|tel|ca|bzw|usw|etc|inkl|incl|vs|ext|p|i|e|z");

/// Words of machines that deny or ask in passing, and that nobody answers with.
pub(in crate::channel::smtp::incoming) const MACHINE_DENIALS: Phrases = Phrases(
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
     absence of|klik niet|klikt u niet|open geen|open niet|klicken sie nicht|öffnen sie keine|non fare clic|non cliccare|não clique|\
     nie klikaj|nie otwieraj|klicka inte|klik ikke|ikke klik|不要点击|請勿|请勿|нe переходите|niet vaak|als u niet|indien u niet|\
     no suele recibir|wenn sie nicht",
);

/// The beginnings of what is said to whoever has a mail that was meant for somebody else, up to the end of the sentence.
pub(in crate::channel::smtp::incoming) const MISDIRECTED: Phrases = Phrases(
    "if you are not|if you're not|if you have received|if you received|if this e-mail|if this email|if this message|wenn sie nicht|\
     falls sie nicht|sollten sie nicht|si vous n'êtes pas|si usted no es|si no es usted|se non siete|se lei non|se você não|\
     indien u niet|als u niet",
);

/// What such a sentence calls the one it was meant for.
pub(in crate::channel::smtp::incoming) const MEANT_FOR: Phrases = Phrases(
    "recipient|addressee|in error|by mistake|empfänger|adressat|irrtüm|destinataire|destinatario|destinatário|erreur|error|\
     errore|engano|geadresseerde|ontvanger",
);
