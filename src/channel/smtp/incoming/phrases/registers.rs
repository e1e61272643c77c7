//! The registers in which companies stand, and the words of their entries there, in lower case.

use super::list::Phrases;

/// Commercial registers of courts.
pub(in crate::channel::smtp::incoming) const COURT_REGISTERS: Phrases =
    Phrases("hrb|hra|registergericht|registernummer|handelsregister|handelsregisternummer");

/// Other registers, taxes and supervisors.
pub(in crate::channel::smtp::incoming) const REGISTERS: Phrases = Phrases(
    "rcs|r.c.s|siret|siren|cif|nif|p.iva|piva|kvk|btw|vat|ust-id|ust-idnr|ust-id-nr|ustid|uid|tva|iva|org.nr|orgnr|\
     cvr|reg.no|reg.nr|regon|krs|nip|ičo|uen|acn|abn|lei|fca|frn|finra|crd",
);

/// Words between a register and a number of it.
pub(in crate::channel::smtp::incoming) const REGISTER_LINKS: Phrases =
    Phrases("no|nr|num|number|nummer|numéro|número|numero|id|idnr|code|reg|registration|ref|reference|firm|n");

/// The forms of companies.
pub(in crate::channel::smtp::incoming) const COMPANY_FORMS: Phrases = Phrases(
    "gmbh|ag|kg|ohg|ug|se|mbh|ltd|limited|llp|lp|plc|llc|inc|corp|sa|s.a|sas|s.a.s|sarl|s.à.r.l|s.a.r.l|sàrl|srl|s.r.l|s.p.a|\
     spa|sl|s.l|bv|b.v|nv|n.v|ab|a/s|aps|as|oy|oyj|sp|z.o.o|kft|s.r.o|pty|pte",
);

/// Other words of such entries.
pub(in crate::channel::smtp::incoming) const REGISTER_WORDS: Phrases = Phrases(
    "sitz|der|gesellschaft|amtsgericht|am|an|au|capital|social|de|registered|register|company|in|england|wales|scotland|and|\
     tax|steuernummer|siège|sede|legale|eur|euro|euros|chf|gbp|usd|o.o",
);
