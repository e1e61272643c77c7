//! `stentor init`: a first matrix from three answers.

use crate::cli::{error::CliError, load, options::PathOptions, output, table};
use clap::Args;
use std::{
    io::{BufRead, Write},
    path::Path,
    process::ExitCode,
};

/// The file that is written.
const FILE: &str = "matrix.toml";

/// The longest name in a matrix that is made of a person's name, in characters.
const KEY_MAX: usize = 20;

#[derive(Debug, Args)]
pub struct InitArgs {
    /// Who is paged first: their name, e.g. "Ana Ruiz"
    #[arg(long, value_name = "NAME")]
    person: Option<String>,
    /// Who is paged if nobody has answered; the same name for the same person
    #[arg(long, value_name = "NAME")]
    then: Option<String>,
    /// Which kind of alert is a crisis, e.g. price_velocity
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
}

impl InitArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        refuse_where_there_is_one(&places.matrix)?;
        let person = answer(self.person, "Who is paged first? Their name", "--person", None)?;
        let question = format!("Who is paged if they do not answer? Another name, or Enter for {person} again");
        let then = answer(self.then, &question, "--then", Some(&person))?;
        let kind = answer(self.kind, "Which kind of alert is a crisis? For example price_velocity", "--kind", None)?;
        let path = places.matrix.join(FILE);
        std::fs::create_dir_all(&places.matrix)
            .map_err(|error| format!("{} can not be made: {error}", places.matrix.display()))?;
        output::write_new(&path, &matrix(&person, &then, &kind, login().as_deref()), false)?;
        let loaded = load::load(places, load::now())?;
        loaded.demand()?;
        table::say(&format!("{} is written, and `stentor check` finds no mistake in it. Next:", path.display()));
        println!("  stentor serve                   in one terminal");
        println!("  stentor desk-link {:<13} a page that rings: open it in a browser", key(&person));
        println!("  stentor fire {kind:<18} in another terminal: {person} is paged");
        Ok(ExitCode::SUCCESS)
    }
}

/// A matrix that is there is somebody's work.
fn refuse_where_there_is_one(folder: &Path) -> Result<(), CliError> {
    let files = match std::fs::read_dir(folder) {
        Ok(files) => files,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("{} can not be read: {error}", folder.display()).into()),
    };
    let is_matrix = |path: &Path| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml"));
    match files.flatten().map(|file| file.path()).find(|path| is_matrix(path)) {
        Some(path) => Err(format!("{} is there already: there is nothing to begin", path.display()).into()),
        None => Ok(()),
    }
}

/// The answer that was given as an option, or to the question; Enter alone means `usual`.
fn answer(given: Option<String>, question: &str, option: &str, usual: Option<&str>) -> Result<String, CliError> {
    let was_asked = given.is_none();
    let text = match given {
        Some(text) => text,
        None => {
            print!("{question}: ");
            std::io::stdout().flush()?;
            let mut line = String::new();
            if std::io::stdin().lock().read_line(&mut line)? == 0 {
                return Err(format!("there is nobody to ask: give {option}").into());
            }
            line
        }
    };
    let mut text = text.trim().to_owned();
    if was_asked && text.is_empty() {
        text.push_str(usual.unwrap_or_default());
    }
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(format!("{option} needs a name of one line, not {text:?}").into());
    }
    Ok(text)
}

fn login() -> Option<String> {
    uzers::get_current_username().and_then(|user| user.into_string().ok())
}

/// `Ana Ruiz` is `ana`: what a name is called in the matrix.
fn key(name: &str) -> String {
    let first = name.split_whitespace().next().unwrap_or_default();
    let plain: String = first.to_lowercase().chars().map(unaccented).collect();
    let key: String = plain.chars().filter(char::is_ascii_alphanumeric).take(KEY_MAX).collect();
    if key.starts_with(|c: char| c.is_ascii_lowercase()) { key } else { "first".to_owned() }
}

/// A small Latin letter without its accent, as it is typed on any keyboard; others stay. The accent of a letter that is
/// written as two characters is not a letter, and is left out later.
fn unaccented(letter: char) -> char {
    match letter {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => 'c',
        'ď' | 'đ' => 'd',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => 'g',
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => 'i',
        'ķ' => 'k',
        'ĺ' | 'ļ' | 'ľ' | 'ł' => 'l',
        'ñ' | 'ń' | 'ņ' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => 'o',
        'ŕ' | 'ŗ' | 'ř' => 'r',
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => 's',
        'ţ' | 'ť' | 'ț' => 't',
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        other => other,
    }
}

/// The key of the second person, which must differ from the first one's.
fn second_key(person: &str, then: &str) -> String {
    let (first, second) = (key(person), key(then));
    if first == second { format!("{second}-2") } else { second }
}

fn matrix(person: &str, then: &str, kind: &str, login: Option<&str>) -> String {
    let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let is_one = person == then;
    let (first, second) = (key(person), if is_one { key(person) } else { second_key(person, then) });
    let unix = login.map_or_else(String::new, |login| {
        format!("unix = {} # whose command line answers for them: {}\n", text(login), "make it their own login")
    });
    let other = if is_one { String::new() } else { format!("[person.{second}]\nname = {}\n\n", text(then)) };
    format!(
        "# A first matrix. After each change: stentor check, then stentor reload.\n\
         # The folder matrix/ of Stentor's repository is a complete one; docs/src/matrix.md describes every key.\n\n\
         # How people are reached: a page in their browser, which rings.\n[channel.desk]\nkind = \"screen\"\n\n\
         # Who can be paged.\n[person.{first}]\nname = {}\n{unix}\n{other}\
         # Who must act, and how long we wait for an answer.\n[role.on-call]\n\
         step = [{{ page = [\"{first}\"], by = [\"desk\"], wait = \"45s\" }}]\n\n\
         # Which alert is a crisis.\n[trigger.crisis]\non    = [{}]\nroles = [\"on-call\"]\n\n\
         # Who is paged when nobody else has answered, again and again.\n[catch-all]\n\
         page = [\"{second}\"]\nby   = [\"desk\"]\n",
        text(person),
        text(kind),
    )
}

#[cfg(test)]
mod tests {
    use super::{key, matrix, second_key};

    #[test]
    fn a_name_is_called_by_its_first_word_and_two_are_never_called_alike() {
        assert_eq!(key("Ana Ruiz"), "ana");
        assert_eq!(key("Éva Kiss"), "eva");
        assert_eq!(key("José"), "jose");
        assert_eq!(key("Jose\u{301}"), "jose");
        assert_eq!(key("Łukasz"), "lukasz");
        assert_eq!(key("日本"), "first");
        assert_eq!(key("007 Bond"), "first");
        assert_eq!(second_key("Ana Ruiz", "Ana Lind"), "ana-2");
    }

    #[test]
    fn whatever_the_answers_are_the_file_is_toml_with_them_in_it() {
        for name in ["Ana \"A\" Ruiz", "\\", "日本", "a # b", "[x]"] {
            let file: toml::Table = matrix(name, "Bo", name, Some("o'neil")).parse().expect("TOML");
            assert_eq!(file["trigger"]["crisis"]["on"][0].as_str(), Some(name));
        }
    }
}
