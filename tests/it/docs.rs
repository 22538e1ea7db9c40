//! The documents say what is true: what can be computed is, and the rest is held against the code.
//!
//! `UPDATE_DOCS=1 cargo test --test it docs` writes anew what is computed.

use std::{
    collections::BTreeSet,
    env, fs,
    path::Path,
    sync::{Mutex, PoisonError},
};

use clap::CommandFactory;
use mmd_elevate::{
    cli::Cli,
    config::variable,
    dashboard::{
        Help, Model, Overlay, Setup, Tenant,
        view::{self, Theme},
    },
    exit::Exit,
    keys::{BINDINGS, Keymap, Scope},
};
use mmd_elevate_core::WriteState;
use mmd_elevate_practice as practice;
use ratatui::{Terminal, backend::TestBackend};
use serde_json::Value;

use crate::config_file::{settings, whole_example};

const DOCUMENTS: [&str; 19] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "BENCHMARKS.md",
    "CHANGELOG.md",
    "fuzz/README.md",
    "docs/README.md",
    "docs/first-steps.md",
    "docs/connecting.md",
    "docs/signing-in.md",
    "docs/writes.md",
    "docs/practice.md",
    "docs/recipes.md",
    "docs/questions.md",
    "docs/keys.md",
    "docs/settings.md",
    "docs/commands.md",
    "docs/platforms.md",
];

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Two tests may write one document.
static WRITING: Mutex<()> = Mutex::new(());

/// Holds that the part of a document between its two marks is this text, or writes it there.
#[track_caller]
fn holds(document: &str, mark: &str, text: &str) {
    let (begin, end) = (format!("<!-- {mark}: computed -->\n"), format!("<!-- end of {mark} -->"));
    let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let whole = read(document);
    let (before, rest) = whole.split_once(&begin).unwrap_or_else(|| panic!("{document} has no mark {begin}"));
    let (was, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{document} has no mark {end}"));
    if env::var_os("UPDATE_DOCS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
        let new = path.with_extension("new");
        fs::write(&new, format!("{before}{begin}{text}{end}{after}")).unwrap();
        // In one step: other tests read the document meanwhile.
        fs::rename(new, path).unwrap();
    } else {
        let hint = "UPDATE_DOCS=1 cargo test --test it docs";
        assert_eq!(was, text, "the {mark} of {document} are not those of the code\nhint: {hint}");
    }
}

#[test]
fn keys_page_has_the_keys_of_the_one_table() {
    let keymap = Keymap::default();
    let mut table = String::new();
    for scope in Scope::ALL {
        table.push_str(&format!("| **{}** | | |\n", scope.heading()));
        for (binding, keys) in keymap.rows().filter(|(binding, _)| binding.scope == scope) {
            let keys: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
            table.push_str(&format!("| {} | {} | `{}` |\n", keys.join(" "), binding.help, binding.id));
        }
    }
    holds("docs/keys.md", "keys", &format!("| key | does | id in `[keys]` |\n|---|---|---|\n{table}"));
}

#[test]
fn settings_page_has_the_variables_of_the_code() {
    let marked = |what: &str| what.replace("(see --", "(flag `--").replace(')', "`)");
    let mut table = "| variable | says |\n|---|---|\n".to_owned();
    for (name, what) in variable::ALL {
        table.push_str(&format!("| `{name}` | {} |\n", marked(what)));
    }
    holds("docs/settings.md", "variables", &table);
}

/// The settings of one table of the schema, each with its default and its description. Keys have a page of their own.
fn setting_rows(schema: &Value, table: &Value, prefix: &str, rows: &mut String) {
    let resolve = |value: &Value| {
        let name = value["$ref"].as_str().and_then(|name| name.strip_prefix('#'));
        name.and_then(|name| schema.pointer(name)).cloned().unwrap_or_else(|| value.clone())
    };
    for (name, given) in table["properties"].as_object().into_iter().flatten() {
        let setting = resolve(given);
        let is_table = setting["properties"].is_object() && name != "keys";
        // What a tenant can have of its own is told where it stands for all.
        let is_told = prefix == "tenants." && schema["properties"].get(name).is_some();
        let name = format!("{prefix}{name}");
        let default = [given, &setting].into_iter().find_map(|value| value.get("default"));
        let default = default.map_or_else(String::new, |default| format!("`{default}`"));
        let what = setting["description"].as_str().unwrap();
        let choices = [&setting, &setting["anyOf"][0]].into_iter().find_map(|value| value["enum"].as_array());
        let choices = choices.filter(|_| !is_told).map_or_else(String::new, |choices| {
            let choices: Vec<_> = choices.iter().map(|choice| format!("`{choice}`")).collect();
            format!(" One of {}.", choices.join(", "))
        });
        let shown = if is_table && !is_told { format!("**`[{name}]`**") } else { format!("`{name}`") };
        rows.push_str(&format!("| {shown} | {default} | {what}{choices} |\n"));
        let items = resolve(&setting["items"]);
        let inner = if setting["properties"].is_object() { &setting } else { &items };
        if inner["properties"].is_object() && !is_told && name != "keys" {
            setting_rows(schema, inner, &format!("{name}."), rows);
        }
    }
}

#[test]
fn settings_page_has_the_settings_of_the_schema() {
    let schema: Value = serde_json::from_str(mmd_elevate::config::SCHEMA).unwrap();
    let mut rows = "| setting | default | says |\n|---|---|---|\n".to_owned();
    setting_rows(&schema, &schema, "", &mut rows);
    holds("docs/settings.md", "settings", &rows);
}

/// The words of a text that begin so, each cut where it stops to look like a name.
fn words(text: &str, start: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices(start) {
        let rest = &text[at..];
        let word = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
        if rest[start.len()..].starts_with(|c: char| c.is_ascii_alphanumeric()) && !text[..at].ends_with(is_part) {
            found.insert(word.to_owned());
        }
    }
    found
}

#[test]
fn documents_name_the_flags_and_variables_that_there_are() {
    let command = Cli::command();
    let mut flags = BTreeSet::new();
    let mut commands = vec![&command];
    while let Some(command) = commands.pop() {
        flags.extend(command.get_arguments().filter_map(clap::Arg::get_long).map(|flag| format!("--{flag}")));
        commands.extend(command.get_subcommands());
    }
    let variables: BTreeSet<_> = variable::ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    for document in DOCUMENTS.into_iter().chain(["config.example.toml"]) {
        let text = read(document);
        // What a line says of cargo's own flags is cargo's business.
        let ours: Vec<_> = text.lines().filter(|line| !line.contains("cargo ")).collect();
        let named = words(&ours.join("\n"), "--");
        let known = |flag: &String| flags.contains(flag) || ["--help", "--version"].contains(&flag.as_str());
        assert!(named.iter().all(known), "{document} names a flag that does not exist: {named:?}");
        // The random test has variables of its own.
        let known = |name: &String| variables.contains(name) || include_str!("interleavings.rs").contains(name);
        let unknown: Vec<_> = words(&text, "MMD_ELEVATE_").into_iter().filter(|name| !known(name)).collect();
        assert!(unknown.is_empty(), "{document} names a variable that does not exist: {unknown:?}");
    }
    let pages = words(&(read("docs/settings.md") + &read("docs/commands.md")), "--");
    let missing: Vec<_> = flags.iter().filter(|flag| !pages.contains(*flag)).collect();
    assert!(missing.is_empty(), "docs/settings.md and docs/commands.md leave out {missing:?}");
}

#[test]
fn exit_codes_of_the_page_are_those_of_the_table() {
    let rows = Exit::ALL.map(|exit| format!("| {} | {} |\n", exit.code(), exit.meaning()));
    holds("docs/commands.md", "exit codes", &format!("| code | meaning |\n|---|---|\n{}", rows.concat()));
}

#[test]
fn the_keys_of_the_example_settings_can_be_set() {
    let keys = settings(&whole_example()).keys;
    Keymap::new(&keys).unwrap();
    assert!(keys.values().any(|keys| keys.len() > 1) && keys.values().any(Vec::is_empty), "both are worth showing");
}

#[test]
fn what_a_document_points_at_exists() {
    for document in DOCUMENTS {
        for target in read(document).split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let elsewhere = target.is_empty() || target.starts_with("https://");
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
            let path = folder.parent().unwrap().join(target);
            assert!(elsewhere || path.exists(), "{document} points at {target}, which is not there");
        }
        for test in read(document).split('`').filter(|word| word.starts_with("tests/") && !word.contains(' ')) {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(test);
            assert!(path.exists(), "{document} names {test}, which is not there");
        }
    }
    let readme = read("README.md");
    for picture in ["dashboard", "close", "recovery"] {
        assert!(readme.contains(&format!("](assets/{picture}.svg)")), "README.md does not show {picture}");
    }
}

#[test]
fn recording_at_the_top_of_the_readme_plays_without_a_script_and_names_no_place_of_a_machine() {
    let (top, _) = read("README.md").split_once("\n## ").map(|(top, rest)| (top.to_owned(), rest.to_owned())).unwrap();
    assert!(top.contains("](assets/story.svg)"), "README.md does not begin with the recording");
    let svg = read("assets/story.svg");
    assert!(svg.len() < 400_000, "{} bytes are too many for a page", svg.len());
    let document = roxmltree::Document::parse(&svg).unwrap();
    assert_eq!(document.root_element().tag_name().name(), "svg");
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        assert!(
            ["svg", "title", "style", "g", "rect", "circle", "path", "text"].contains(&name),
            "<{name}> in the recording"
        );
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(!name.starts_with("on") && name != "href" && !value.contains("url("), "{name}={value}");
        }
    }
    let style = document.descendants().find(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "style")));
    let style = style.and_then(|style| style.text()).unwrap();
    assert!(style.contains("@keyframes") && !style.contains("url(") && !style.contains("@import"), "{style}");
    let words = || document.descendants().filter(roxmltree::Node::is_text).filter_map(|node| node.text());
    for place in ["/home/", "/root/", "/tmp/", "/Users/", "127.0.0.1"] {
        assert!(words().all(|word| !word.contains(place)), "the recording shows {place}");
    }
    for word in ["sending", "Closed", "Leave?"] {
        assert!(words().any(|shown| shown.contains(word)), "the recording does not come to {word:?}");
    }
}

#[test]
fn the_readme_s_devices_are_those_of_the_practice_tenant() {
    let tenant = read("crates/practice/assets/tenant.json");
    let devices = words(&read("README.md"), "MMD-");
    let (unknown, known): (Vec<_>, Vec<_>) =
        devices.iter().partition(|name| !tenant.contains(&format!(r#""name": "{name}""#)));
    assert_eq!((known.len(), unknown.len()), (3, 1), "three that exist and a made-up one: {devices:?}");
}

/// The first drawing in a text that begins its lines so.
fn drawing(text: &str, start: &str) -> String {
    let (_, rest) = text.split_once(&format!("{start}```text\n")).unwrap();
    let (drawing, _) = rest.split_once(&format!("\n{start}```")).unwrap();
    let line = |line: &str| line.strip_prefix(start).unwrap_or_else(|| line.trim_start()).trim_end().to_owned() + "\n";
    drawing.lines().map(line).collect()
}

#[test]
fn the_architecture_draws_a_write_as_its_one_home_does() {
    let home = drawing(&read("crates/core/src/write.rs"), "//! ");
    assert_eq!(
        drawing(&read("ARCHITECTURE.md"), ""),
        home,
        "the states of a write are drawn in crates/core/src/write.rs: copy them from there"
    );
    for stage in WriteState::ALL {
        assert!(home.contains(&format!("{stage:?}")), "the drawing leaves out {stage:?}");
    }
}

#[test]
fn the_architecture_is_short_and_its_map_has_everything_at_the_top_of_src() {
    let text = read("ARCHITECTURE.md");
    let lines = text.lines().count();
    assert!(lines <= 150, "ARCHITECTURE.md has {lines} lines: over 150 it is not read");
    let words = read("README.md").split_whitespace().count();
    assert!(words <= 1_000, "README.md has {words} words: over 1,000 it is not read");
    let (_, map) = text.split_once("## Code map").unwrap();
    let (map, _) = map.split_once("\n## ").unwrap();
    let named = |name: &str| map.split_whitespace().any(|word| word == name);
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(&src).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let (file, folder) = match name.strip_suffix(".rs") {
            Some(module) => (name.clone(), format!("{module}/")),
            None => (format!("{name}.rs"), format!("{name}/")),
        };
        assert!(named(&file) || named(&folder), "the code map leaves out src/{name}");
    }
    for name in map.split_whitespace().filter(|word| word.contains(".rs") || word.ends_with('/')) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let exists =
            [root.to_owned(), src.clone(), root.join("crates")].iter().any(|folder| folder.join(name).exists());
        assert!(exists, "the code map names {name}, which is not there");
    }
}

/// The help screen for one scope, on a screen with room for all of it.
fn help(scope: Scope) -> String {
    let tenant = Tenant { name: None, id: practice::TENANT_ID.to_owned(), practice: true };
    let mut model = Model::new(Setup {
        tenant,
        categories: Vec::new(),
        keymap: Keymap::default(),
        time_zone: jiff::tz::TimeZone::UTC,
        now: jiff::Timestamp::UNIX_EPOCH,
    });
    model.overlays.push(Overlay::Help(Box::new(Help::new(vec![scope]))));
    let mut terminal = Terminal::new(TestBackend::new(140, 60)).unwrap();
    let theme = Theme::default();
    terminal.draw(|frame| _ = view::draw(frame, &model, &theme)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn the_help_screen_has_every_key_of_the_table() {
    let keymap = Keymap::default();
    for scope in Scope::ALL {
        let screen = help(scope);
        assert!(screen.contains(scope.heading()), "{screen}");
        for (binding, keys) in keymap.rows().filter(|(binding, _)| binding.scope == scope) {
            let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
            let shown = screen.lines().any(|line| line.contains(&keys.join(", ")) && line.contains(binding.help));
            assert!(shown, "{} is not in the help:\n{screen}", binding.id);
        }
    }
    assert!(BINDINGS.iter().all(|binding| Scope::ALL.contains(&binding.scope)));
}
