//! Which file of the program imports which: read from its `use` lines and its paths, re-exports followed to the file that
//! has the item. It knows as much of Rust as our own files use.

use std::collections::{BTreeMap, BTreeSet};

/// The path of a module in the crate; the crate itself has none.
pub type Module = Vec<String>;

/// A name that a `use` line brings in.
struct Import {
    path: Vec<String>,
    alias: Option<String>,
    is_glob: bool,
    is_public: bool,
}

/// What one file says.
struct ParsedFile {
    imports: Vec<Import>,
    paths: BTreeSet<Vec<String>>,
    /// The items that it defines, whatever they are.
    items: BTreeSet<String>,
}

/// Who imports whom.
pub struct ImportGraph {
    files: BTreeMap<Module, ParsedFile>,
    pub edges: BTreeMap<Module, BTreeSet<Module>>,
}

/// `src/core/page.rs` is `core::page`, `src/store/mod.rs` is `store`.
pub fn module(file: &str) -> Module {
    let inside = file.strip_prefix("src/").unwrap().strip_suffix(".rs").unwrap();
    let mut parts: Module = inside.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod") || inside == "lib" {
        parts.pop();
    }
    parts
}

impl ImportGraph {
    /// Of all files of the library, by name.
    pub fn of(sources: &BTreeMap<String, String>) -> Self {
        let ours = sources.iter().filter(|(file, _)| *file != "src/main.rs");
        let files: BTreeMap<Module, ParsedFile> = ours.map(|(file, text)| (module(file), parsed(text))).collect();
        let mut graph = Self { files, edges: BTreeMap::new() };
        let edges = graph.files.keys().map(|from| (from.clone(), graph.imported_by(from))).collect();
        graph.edges = edges;
        graph
    }

    fn imported_by(&self, from: &Module) -> BTreeSet<Module> {
        let file = &self.files[from];
        let mut bound: BTreeMap<&str, Module> = BTreeMap::new();
        let mut found = BTreeSet::new();
        for import in file.imports.iter().filter(|import| !import.is_public) {
            let Some(target) = self.absolute(from, &import.path) else { continue };
            if self.files.contains_key(&target) && !import.is_glob {
                let last = import.path.iter().rev().find(|part| *part != "self");
                if let Some(name) = import.alias.as_ref().or(last) {
                    bound.insert(name, target);
                }
            } else {
                found.extend(self.owner(target, 0));
            }
        }
        for path in &file.paths {
            let through = bound.get(path[0].as_str()).map(|module| [module.as_slice(), &path[1..]].concat());
            let Some(target) = self.absolute(from, path).or(through) else { continue };
            if !self.files.contains_key(&target) {
                found.extend(self.owner(target, 0));
            }
        }
        found.remove(from);
        found
    }

    /// A path from the crate on; none where it leads out of it.
    fn absolute(&self, from: &Module, path: &[String]) -> Option<Module> {
        let path: Vec<String> = path
            .iter()
            .enumerate()
            .filter(|(n, part)| *n == 0 || *part != "self")
            .map(|(_, part)| part.clone())
            .collect();
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([from.as_slice(), rest].concat()),
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                let kept = from.len().checked_sub(ups)?;
                Some([&from[..kept], &path[ups..]].concat())
            }
            _ => {
                let child = [from.as_slice(), &path[..1]].concat();
                self.files.contains_key(&child).then(|| [from.as_slice(), &path].concat())
            }
        }
    }

    /// The file that has the item at this path, through re-exports.
    fn owner(&self, path: Module, depth: u32) -> Option<Module> {
        const DEPTH_MAX: u32 = 8;
        if DEPTH_MAX < depth {
            return None;
        }
        let known = (0..=path.len()).rev().find(|n| self.files.contains_key(&path[..*n]))?;
        let module = path[..known].to_vec();
        let Some(item) = path.get(known) else { return Some(module) };
        let file = &self.files[&module];
        for import in file.imports.iter().filter(|import| import.is_public) {
            let Some(target) = self.absolute(&module, &import.path) else { continue };
            let name = import.alias.as_ref().or(import.path.last());
            if !import.is_glob && name == Some(item) {
                return self.owner([target.as_slice(), &path[known + 1..]].concat(), depth + 1);
            }
            if import.is_glob && self.files.get(&target).is_some_and(|file| file.items.contains(item)) {
                return Some(target);
            }
        }
        Some(module)
    }

    /// Files that import each other, in a loop of any length.
    pub fn loops(&self) -> Vec<Vec<Module>> {
        loops(&self.edges)
    }

    /// The same between what lies in one folder: files, and folders with all that is in them.
    pub fn loops_of_siblings(&self) -> Vec<Vec<Module>> {
        let mut all = Vec::new();
        let folders: BTreeSet<&[String]> =
            self.files.keys().flat_map(|module| (0..module.len()).map(|n| &module[..n])).collect();
        for folder in folders {
            let inside = |module: &&Module| module.starts_with(folder) && folder.len() < module.len();
            let child = |module: &Module| module[..=folder.len()].to_vec();
            let mut edges: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
            for (from, to) in self.edges.iter().filter(|(from, _)| inside(from)) {
                let to = to.iter().filter(inside).map(child).filter(|to| *to != child(from));
                edges.entry(child(from)).or_default().extend(to);
            }
            all.extend(loops(&edges));
        }
        all
    }
}

fn loops(edges: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<Vec<Module>> {
    let reach: BTreeMap<&Module, BTreeSet<&Module>> =
        edges.keys().map(|module| (module, reached(edges, module))).collect();
    let mut found: BTreeSet<Vec<Module>> = BTreeSet::new();
    for (module, reached) in &reach {
        let both = |other: &&&Module| reach.get(**other).is_some_and(|back| back.contains(*module));
        let members: Vec<Module> = reached.iter().filter(both).map(|other| (*other).clone()).collect();
        if 1 < members.len() {
            found.insert(members);
        }
    }
    found.into_iter().collect()
}

/// Everything that can be reached from here: this too, where it is in a loop.
fn reached<'a>(edges: &'a BTreeMap<Module, BTreeSet<Module>>, from: &Module) -> BTreeSet<&'a Module> {
    let mut seen = BTreeSet::new();
    let mut next: Vec<&Module> = edges.get(from).into_iter().flatten().collect();
    while let Some(module) = next.pop() {
        if seen.insert(module) {
            next.extend(edges.get(module).into_iter().flatten());
        }
    }
    seen
}

fn parsed(text: &str) -> ParsedFile {
    let tokens = tokens(super::shipped(text));
    let mut file = ParsedFile { imports: Vec::new(), paths: BTreeSet::new(), items: BTreeSet::new() };
    let mut at = 0;
    while at < tokens.len() {
        let token = tokens[at].as_str();
        if token == "use" {
            let end = at + tokens[at..].iter().position(|token| token == ";").unwrap_or(tokens.len() - at);
            let is_public = at != 0 && (tokens[at - 1] == "pub" || tokens[at - 1] == ")");
            tree(&tokens[at + 1..end], &[], is_public, &mut file.imports);
            at = end;
        } else if ["fn", "struct", "enum", "trait", "type", "const", "static", "mod"].contains(&token) {
            file.items.extend(tokens.get(at + 1).cloned());
        } else if is_name(token) && tokens.get(at + 1).is_some_and(|next| next == "::") {
            let mut path = vec![token.to_owned()];
            while tokens.get(at + 1).is_some_and(|next| next == "::")
                && tokens.get(at + 2).is_some_and(|next| is_name(next))
            {
                path.push(tokens[at + 2].clone());
                at += 2;
            }
            if 1 < path.len() {
                file.paths.insert(path);
            }
        }
        at += 1;
    }
    file
}

/// The leaves of a `use` tree.
fn tree(tokens: &[String], before: &[String], is_public: bool, found: &mut Vec<Import>) {
    let mut path = before.to_vec();
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].as_str() {
            "::" => {}
            "*" => {
                found.push(Import { path, alias: None, is_glob: true, is_public });
                return;
            }
            "as" => {
                let alias = tokens.get(at + 1).cloned();
                found.push(Import { path, alias, is_glob: false, is_public });
                return;
            }
            "{" => {
                let (mut depth, mut start) = (0, at + 1);
                for (n, token) in tokens.iter().enumerate().skip(at) {
                    match token.as_str() {
                        "{" => depth += 1,
                        "}" => depth -= 1,
                        _ => {}
                    }
                    if (depth == 1 && token == ",") || depth == 0 {
                        if start < n {
                            tree(&tokens[start..n], &path, is_public, found);
                        }
                        start = n + 1;
                    }
                }
                return;
            }
            name => path.push(name.to_owned()),
        }
        at += 1;
    }
    found.push(Import { path, alias: None, is_glob: false, is_public });
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::` and single signs; without comments, and without what stands in quotes.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(quoted) = quoted(rest) {
            quoted
        } else if c.is_alphanumeric() || c == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(rest[..length].to_owned());
            length
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else {
            if !c.is_whitespace() {
                tokens.push(c.to_string());
            }
            c.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of the literal that begins here; `None` if none does. A lifetime is not a literal.
fn quoted(text: &str) -> Option<usize> {
    let raw = text.strip_prefix('r').or_else(|| text.strip_prefix("br"));
    if let Some(after) = raw {
        let hashes = after.chars().take_while(|c| *c == '#').count();
        if after[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let inside = &after[hashes + 1..];
            let length = inside.find(&end).unwrap_or(inside.len());
            return Some(text.len() - inside.len() + (length + end.len()).min(inside.len()));
        }
    }
    let quote = text.chars().next().filter(|c| ['"', '\''].contains(c))?;
    let mut chars = text.char_indices().skip(1).peekable();
    if quote == '\'' {
        let mut ahead = text.chars().skip(1);
        let is_char = matches!((ahead.next(), ahead.next()), (Some('\\'), _) | (_, Some('\'')));
        if !is_char {
            return None;
        }
    }
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c == quote {
            return Some(at + 1);
        }
    }
    Some(text.len())
}
