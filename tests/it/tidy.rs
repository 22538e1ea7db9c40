//! The house rules, held by reading the sources: who may name whom, and what is absent. ARCHITECTURE.md shows the table.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// What a module at the top of `src` may name: modules of ours, and crates. Anything else is against the house.
pub(crate) struct Rule {
    pub(crate) module: &'static str,
    pub(crate) ours: &'static [&'static str],
    pub(crate) crates: &'static [&'static str],
    pub(crate) why: &'static str,
}

const fn rule(
    module: &'static str,
    ours: &'static [&'static str],
    crates: &'static [&'static str],
    why: &'static str,
) -> Rule {
    Rule { module, ours, crates, why }
}

#[rustfmt::skip] // One row, one line.
pub(crate) const RULES: &[Rule] = &[
    rule("domain", &[], &["jiff", "regex_lite", "thiserror", "unicode_normalization", "unicode_security", "unicode_width", "uuid"], "what a request is does not depend on how it is sent, shown or stored"),
    rule("key", &["domain"], &["crossterm", "thiserror"], "of the terminal only its event data; no state, no view"),
    rule("action", &[], &[], "a table, and nothing that could act on it"),
    rule("keymap", &["action", "domain", "key"], &["thiserror"], "a look-up: what an action does is not its business"),
    rule("port", &["domain"], &["jiff"], "plain data between the loop and the worker"),
    rule("state", &["action", "domain", "keymap", "port"], &["jiff", "tui_textarea", "unicode_segmentation"], "pure: no terminal, no network, no disk, no clock, no lock, and nothing that fails"),
    rule("view", &["action", "domain", "port", "state"], &["jiff", "ratatui", "textwrap", "unicode_segmentation", "unicode_width"], "pictures of the model: nothing is changed or asked for here"),
    rule("platform", &[], &["jiff", "process_wrap", "rustix", "signal_hook", "thiserror", "tokio", "tracing"], "what one platform alone has stands here, and knows nothing of the rest"),
    rule("rehearsal", &[], &["rustix"], "panics and dies on purpose, in debug builds alone, so that tests see what becomes of the terminal and the record"),
    rule("private", &[], &["rustix", "thiserror"], "how a file is opened so that it is nobody else's, and that opening it ends"),
    rule("redact", &["domain"], &["base64", "secrecy", "serde_json"], "takes the secrets of the process out of whatever leaves it, so every edge may name it"),
    rule("terminal", &["platform", "rehearsal"], &["crossterm", "ratatui", "shlex", "tempfile", "thiserror", "tokio", "tracing"], "takes the terminal and gives it back; what is drawn or typed is not its business"),
    rule("http", &["domain", "port", "private", "redact"], &["httpdate", "hyper_util", "jiff", "reqwest", "rustls", "thiserror"], "one place that makes the HTTP library's client and says where secrets may go"),
    rule("auth", &["domain", "http", "platform", "port", "private", "redact"], &["aws_lc_rs", "base64", "jiff", "jsonwebtoken", "pem", "reqwest", "secrecy", "serde", "serde_json", "shlex", "thiserror", "tokio", "tracing", "uuid"], "fetches tokens and keeps them fresh: what they are used for is not its business"),
    rule("api", &["auth", "domain", "http", "port", "redact"], &["jiff", "reqwest", "secrecy", "serde", "serde_json", "thiserror", "tracing", "uuid"], "the only code that names the HTTP library; it knows neither screen nor state"),
    rule("journal", &["domain", "port", "private"], &["aws_lc_rs", "jiff", "rusqlite", "serde_json", "thiserror", "tokio", "tracing", "uuid"], "the record on disk: it knows what may not be lost, and neither screen, state nor network"),
    rule("worker", &["api", "domain", "journal", "port", "rehearsal"], &["backon", "jiff", "tokio", "tokio_util", "tracing", "uuid"], "owes one reply for each call; what a reply means is for the state"),
    rule("practice", &["domain", "private"], &["aws_lc_rs", "axum", "base64", "hyper_util", "jiff", "jsonwebtoken", "pem", "serde", "serde_json", "thiserror", "tokio", "tokio_util", "toml", "tracing", "uuid"], "shares no wire type with the client: one that both used would make a wrong name wrong on both sides"),
    rule("config", &["action", "api", "auth", "cli", "domain", "key", "keymap", "private", "redact"], &["confy", "etcetera", "secrecy", "strsim", "thiserror", "toml", "tracing", "uuid"], "of the client only `BaseUrl`, of the sign-in only its method: what is checked is what is called"),
    rule("cli", &["config"], &["clap", "tracing"], "parses; what flags mean beside the other layers is for the settings"),
    rule("log", &["domain", "private", "redact"], &["thiserror", "tracing", "tracing_appender", "tracing_subscriber"], "a private file, away from the screen"),
    rule("doctor", &["api", "app", "auth", "cli", "config", "domain", "keymap", "platform", "port", "practice", "private", "redact", "view"], &["crossterm", "serde", "serde_json", "textwrap", "tokio", "uuid"], "finds out what is wrong and changes nothing; it returns data, and main prints it"),
    rule("app", &["action", "api", "auth", "config", "domain", "journal", "key", "keymap", "platform", "port", "practice", "redact", "rehearsal", "state", "terminal", "view"], &["color_eyre", "crossterm", "jiff", "ratatui", "thiserror", "tokio", "tracing"], "the shell that joins the edges"),
];

/// A word that is absent, where, and why.
struct Absent {
    words: &'static [&'static str],
    /// Paths under `src` that this is about; an empty text is all of it.
    from: &'static [&'static str],
    /// Where the word belongs.
    but: &'static [&'static str],
    why: &'static str,
}

const PURE: &[&str] = &["action", "domain", "key", "port", "state", "view"];

const ABSENT: &[Absent] = &[
    Absent {
        words: &["::now("],
        from: PURE,
        but: &[],
        why: "the pure middle reads no clock: time comes to it as Message::Tick, so that every moment can be tested",
    },
    Absent {
        words: &["Mutex", "RwLock", "Atomic", "thread::", "fs::", "env::"],
        from: PURE,
        but: &[],
        why: "the pure middle and its pictures hold no lock and touch no file, thread or environment",
    },
    Absent {
        words: &["&mut Model", "Call", "update("],
        from: &["view"],
        but: &[],
        why: "the view draws: a picture that changed the model or asked for a call would do so at every frame",
    },
    Absent {
        words: &["Client", "Timeouts"],
        from: &["config"],
        but: &[],
        why: "settings know where the service is, not how it is called",
    },
    Absent {
        words: &["tui_textarea"],
        from: &[""],
        but: &["state/text_field.rs"],
        why: "the text area has traps (paste, controls, graphemes): one file knows them, and it can be exchanged there",
    },
    Absent {
        words: &["std::os::unix", "cfg(unix)"],
        from: &[""],
        but: &["platform", "private.rs", "terminal/editor"],
        why: "what one platform alone has belongs to `platform` (and to the two places that open private files)",
    },
    Absent {
        words: &["print!", "println!", "eprint!", "eprintln!", "dbg!"],
        from: &[""],
        but: &["main.rs"],
        why: "a line printed into the dashboard spoils the screen: only main prints, before and after it",
    },
    Absent {
        words: &["event::read(", "event::poll(", "EventStream"],
        from: &[""],
        but: &[],
        why: "the terminal is read by our own reader and parser, which bound what has no end: a second reader would take its bytes",
    },
    Absent { words: &["unsafe"], from: &[""], but: &[], why: "no safety argument is as good as having none to make" },
    Absent {
        words: &[".unwrap()", ".expect(", "todo!", "unimplemented!"],
        from: &[""],
        but: &[],
        why: "a panic costs the agent the screen: what can fail says so in its type",
    },
];

struct Source {
    /// Under `src`, as in `state/form.rs`.
    path: String,
    /// The text without comments, strings and tests.
    code: String,
}

impl Source {
    /// The file or folder at the top of `src` that it belongs to.
    fn module(&self) -> &str {
        self.path.split(['/', '.']).next().unwrap()
    }

    fn is_under(&self, place: &str) -> bool {
        let rest = self.path.strip_prefix(place);
        place.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest == ".rs")
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let source = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let tested = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
        let code = code_of(&text[..tested]);
        Source { path: path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), code }
    };
    files.into_iter().map(source).collect()
}

/// The text without its comments and what stands in its strings.
fn code_of(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("r#\"") {
            rest.find("\"#").map_or(rest.len(), |end| end + 2)
        } else if c == '"' {
            end_of_quoted(rest, '"')
        } else if rest.starts_with("'\\") || rest.chars().nth(2) == Some('\'') && c == '\'' {
            end_of_quoted(rest, '\'')
        } else {
            code.push(c);
            c.len_utf8()
        };
        rest = &rest[skipped..];
    }
    code
}

fn end_of_quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Where a word stands by itself, not as a part of a longer name.
fn names<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let joined_before = word.starts_with(is_part) && code[..*at].ends_with(is_part);
        let joined_after = word.ends_with(is_part) && code[at + word.len()..].starts_with(is_part);
        !joined_before && !joined_after
    })
}

/// The modules of ours that paths beginning with `crate::` name, braces included.
fn ours(code: &str) -> BTreeSet<&str> {
    let name = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let mut found = BTreeSet::new();
    for at in names(code, "crate::") {
        let tree = &code[at + "crate::".len()..];
        let Some(branches) = tree.strip_prefix('{') else {
            found.insert(&tree[..name(tree)]);
            continue;
        };
        let (mut depth, mut begins) = (1, true);
        for (at, c) in branches.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => begins = true,
                c if begins && !c.is_whitespace() => {
                    found.insert(&branches[at..at + name(&branches[at..])]);
                    begins = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

/// Our dependencies, as code names them.
fn crates() -> Vec<String> {
    let manifest = include_str!("../../Cargo.toml");
    let (_, rest) = manifest.split_once("[dependencies]\n").unwrap();
    let (dependencies, _) = rest.split_once("\n[").unwrap();
    let name = |line: &str| line.split_once(" =").map(|(name, _)| name.replace('-', "_"));
    dependencies.lines().filter_map(name).collect()
}

#[track_caller]
fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "against the house rules (tests/it/tidy.rs):\n{}", broken.join("\n"));
}

#[test]
fn modules_name_only_whom_they_may() {
    let crates = crates();
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| !matches!(source.module(), "lib" | "main")) {
        let (path, module) = (&source.path, source.module());
        let Some(rule) = RULES.iter().find(|rule| rule.module == module) else {
            broken.push(format!("src/{path}: `{module}` has no row in the table: say whom it may name, and why"));
            continue;
        };
        let Rule { ours: may, crates: may_crates, why, .. } = rule;
        for other in ours(&source.code).into_iter().filter(|other| *other != module && !may.contains(other)) {
            broken.push(format!("src/{path} names `crate::{other}`; `{module}` may name of ours only {may:?}: {why}"));
        }
        for other in &crates {
            let named = names(&source.code, other).any(|at| {
                let (before, after) = (&source.code[..at], &source.code[at + other.len()..]);
                !before.ends_with("::") && (after.starts_with("::") || before.ends_with("use "))
            });
            if named && !may_crates.contains(&other.as_str()) {
                broken.push(format!("src/{path} names `{other}`; `{module}` may name only {may_crates:?}: {why}"));
            }
        }
    }
    assert_none(&broken);
}

#[test]
fn the_table_allows_nothing_that_nobody_needs() {
    let sources = sources();
    let mut broken = Vec::new();
    for Rule { module, ours: may, crates: may_crates, .. } in RULES {
        let code: String = sources.iter().filter(|s| s.module() == *module).map(|s| s.code.as_str()).collect();
        for other in may.iter().filter(|other| !ours(&code).contains(*other)) {
            broken.push(format!("`{module}` may name `{other}` and does not: take it out of the table"));
        }
        for other in may_crates.iter().filter(|other| names(&code, other).next().is_none()) {
            broken.push(format!("`{module}` may name `{other}` and does not: take it out of the table"));
        }
    }
    assert_none(&broken);
}

#[test]
fn what_is_absent_is_absent() {
    let mut broken = Vec::new();
    for source in sources() {
        for Absent { words, from, but, why } in ABSENT {
            let applies = from.iter().any(|place| source.is_under(place))
                && !but.iter().any(|place| source.is_under(place) || source.path == *place);
            for word in words.iter().filter(|word| applies && names(&source.code, word).next().is_some()) {
                broken.push(format!("src/{} names `{word}`: {why}", source.path));
            }
        }
    }
    assert_none(&broken);
}

#[test]
fn the_reader_of_sources_sees_what_is_code() {
    let code = code_of("a // crate::x\n\"crate::\\\"y\" '\"' 'z r#\"crate::w\"# crate::{b::{c, d}, e}; crate::f::g");
    assert_eq!(ours(&code).into_iter().collect::<Vec<_>>(), ["b", "e", "f"]);
    assert_eq!(names("Call CallId PendingCall &Call", "Call").count(), 2);
}
