//! Templates of texts: what one is, those that the program brings along, and the folder in which the agent keeps their own.

use std::{
    collections::BTreeMap,
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use mmd_elevate_core::{Problem, visible};
use mmd_elevate_engine::redact::quoted;
use serde::{Deserialize, Serialize};

use crate::config::suggest;

/// The longest file that is read, in bytes.
const LONGEST: usize = 64 * 1024;

/// The most files that are read.
const MOST: usize = 500;

/// How a template's file ends.
const EXTENSION: &str = "toml";

/// The longest name of a file, without its ending.
const LONGEST_NAME: usize = 40;

/// The file of the state folder that says how often each template was used.
const USES: &str = "template-uses.json";

/// The templates that the program brings along, each as its file.
const SHIPPED: [&str; 7] = [
    include_str!("../assets/templates/office-add-in-crashes.toml"),
    include_str!("../assets/templates/office-repair.toml"),
    include_str!("../assets/templates/driver-update.toml"),
    include_str!("../assets/templates/software-installation.toml"),
    include_str!("../assets/templates/service-does-not-start.toml"),
    include_str!("../assets/templates/solved-and-tested.toml"),
    include_str!("../assets/templates/not-solved.toml"),
];

/// Which text a template is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// The plan of action of a new request.
    Plan,
    /// The actions taken of a close.
    Actions,
}

impl Purpose {
    /// Returns its name, as a template's file has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Actions => "actions",
        }
    }
}

/// A text with blanks such as `<user>`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// What it is called.
    pub name: String,
    /// Which text it is for; `None` for both.
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// The category that it belongs to; empty if to none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub category: String,
    /// The subcategory that it belongs to; empty if to none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subcategory: String,
    /// The text.
    pub text: String,
    /// Whether it is one of the agent's own.
    #[serde(skip)]
    pub is_own: bool,
}

impl Template {
    /// Whether it is offered for such a text.
    #[must_use]
    pub fn is_for(&self, purpose: Purpose) -> bool {
        self.purpose.is_none_or(|own| own == purpose)
    }
}

/// What a folder of templates holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Templates {
    /// The folder, as it is shown.
    pub folder: String,
    /// The agent's own templates, and those that the program brings along: the agent's hide others of the same name.
    pub all: Vec<Template>,
    /// How often each was used, by its name.
    pub uses: BTreeMap<String, u64>,
    /// Files that could not be read.
    pub problems: Vec<Problem>,
}

impl Templates {
    /// Returns the template of this name, in any letter case.
    ///
    /// # Errors
    /// There is none.
    pub fn find(&self, name: &str) -> Result<&Template, Problem> {
        self.all.iter().find(|template| is_same_name(&template.name, name)).ok_or_else(|| {
            let names = self.all.iter().map(|template| template.name.as_str());
            let hint = suggest(name, names, "mmd-elevate template list shows all of them");
            Problem::new(format!("there is no template called {}", quoted(name)), hint)
        })
    }
}

/// The places in which templates and their use are kept.
#[derive(Clone, Debug, Default)]
pub struct TemplateFolders {
    /// The folder of the agent's own templates: `templates` beside the settings.
    pub own: PathBuf,
    /// The state folder.
    pub state: PathBuf,
}

/// The templates that the program brings along.
#[must_use]
pub fn shipped() -> Vec<Template> {
    SHIPPED.iter().filter_map(|text| toml::from_str(text).ok()).collect()
}

impl TemplateFolders {
    /// Reads the templates. A folder that is not there has none; what cannot be read is a problem beside the rest.
    #[must_use]
    pub fn read(&self) -> Templates {
        let mut found = Templates { folder: shown(&self.own), uses: self.read_uses(), ..Templates::default() };
        match self.files() {
            Ok(files) => {
                for file in files {
                    match read_file(&file) {
                        Ok(template) => found.all.push(template),
                        Err(problem) => found.problems.push(problem),
                    }
                }
            }
            Err(error) => {
                let what = format!("The folder of templates {} cannot be read: {error}", shown(&self.own));
                found.problems.push(Problem::new(what, "check who owns the folder"));
            }
        }
        let is_hidden = |template: &Template| found.all.iter().any(|own| is_same_name(&own.name, &template.name));
        let shipped: Vec<_> = shipped().into_iter().filter(|template| !is_hidden(template)).collect();
        found.all.extend(shipped);
        found
    }

    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(&self.own) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                files.push(path);
            }
        }
        files.sort();
        files.truncate(MOST);
        Ok(files)
    }

    /// Writes a template to a file of its own. Nothing is overwritten. Returns the path.
    ///
    /// # Errors
    /// There is a template of this name, or the file cannot be written.
    pub fn save(&self, template: &Template) -> Result<String, Problem> {
        let failed =
            |what: String| Problem::new(what, "the text is still in its field; try another name, or check the folder");
        let has_name = self.read().all.iter().any(|own| own.is_own && is_same_name(&own.name, &template.name));
        if has_name {
            return Err(failed(format!("There is a template called \"{}\"", visible(&template.name))));
        }
        let text = toml::to_string(template).map_err(|error| failed(format!("The template was not saved: {error}")))?;
        let written = mmd_elevate_files::create_folder(&self.own).and_then(|()| {
            let (path, mut file) =
                mmd_elevate_files::create_numbered(&self.own, &file_name(&template.name), EXTENSION)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            Ok(path)
        });
        match written {
            Ok(path) => Ok(shown(&path)),
            Err(error) => Err(failed(format!("The template was not saved in {}: {error}", shown(&self.own)))),
        }
    }

    fn read_uses(&self) -> BTreeMap<String, u64> {
        let bytes = mmd_elevate_files::read_bounded(&self.state.join(USES), LONGEST);
        match bytes.map(|bytes| serde_json::from_slice(&bytes)) {
            Ok(Ok(uses)) => uses,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the use of templates is not known: its file cannot be read");
                BTreeMap::new()
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(%error, "the use of templates is not known: its file cannot be read");
                }
                BTreeMap::new()
            }
        }
    }

    /// Counts a use of a template. Two dashboards that count at the same moment may count one.
    ///
    /// # Errors
    /// The error of the system, where the state folder takes no file.
    pub fn count_use(&self, name: &str) -> io::Result<()> {
        let mut uses = self.read_uses();
        *uses.entry(name.to_owned()).or_default() += 1;
        let mut file = tempfile::NamedTempFile::new_in(&self.state)?;
        file.write_all(serde_json::to_string(&uses)?.as_bytes())?;
        file.persist(self.state.join(USES))?;
        Ok(())
    }
}

fn read_file(path: &Path) -> Result<Template, Problem> {
    let failed = |why: &str| {
        let what = format!("The template {} was not read: {}", shown(path), visible(why));
        Problem::new(what, "a template has name = \"…\" and text = \"…\", and may have for, category and subcategory")
    };
    let bytes = mmd_elevate_files::read_bounded(path, LONGEST).map_err(|error| failed(&error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| failed("it is not text (UTF-8)"))?;
    let template: Template = toml::from_str(&text).map_err(|error| failed(error.message()))?;
    if template.name.trim().is_empty() || template.text.trim().is_empty() {
        return Err(failed("its name or its text is empty"));
    }
    Ok(Template { is_own: true, ..template })
}

fn is_same_name(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// The name of a template as that of its file: letters, digits and hyphens.
fn file_name(name: &str) -> String {
    let mut file = String::new();
    for c in name.to_lowercase().chars() {
        match c {
            c if c.is_alphanumeric() => file.push(c),
            _ if file.is_empty() || file.ends_with('-') => {}
            _ => file.push('-'),
        }
    }
    let mut end = file.len().min(LONGEST_NAME);
    while !file.is_char_boundary(end) {
        end -= 1;
    }
    let file = file[..end].trim_matches('-');
    if file.is_empty() { "template".to_owned() } else { file.to_owned() }
}

/// The path as it is shown: the home folder as `~`.
fn shown(path: &Path) -> String {
    let below_home =
        etcetera::home_dir().ok().and_then(|home| Some(Path::new("~").join(path.strip_prefix(home).ok()?)));
    visible(&below_home.as_deref().unwrap_or(path).to_string_lossy()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_shipped_can_be_read_and_has_a_name_of_its_own() {
        let all = shipped();
        assert_eq!(all.len(), SHIPPED.len());
        for template in &all {
            assert_eq!(all.iter().filter(|other| is_same_name(&other.name, &template.name)).count(), 1);
            assert!(!template.text.trim().is_empty() && template.purpose.is_some());
        }
    }

    #[test]
    fn name_of_a_file_holds_nothing_that_leads_elsewhere() {
        for (name, file) in [
            ("Office repair", "office-repair"),
            ("../../etc/passwd", "etc-passwd"),
            ("", "template"),
            ("…\u{202e}\u{7}", "template"),
            ("Ärger mit Word", "ärger-mit-word"),
        ] {
            assert_eq!(file_name(name), file, "{name:?}");
        }
        assert!(file_name(&"é".repeat(500)).len() <= LONGEST_NAME);
    }

    fn folders() -> (tempfile::TempDir, TemplateFolders) {
        let folder = tempfile::tempdir().unwrap();
        let (own, state) = (folder.path().join("config/templates"), folder.path().to_owned());
        (folder, TemplateFolders { own, state })
    }

    fn template(name: &str, text: &str) -> Template {
        Template {
            name: name.to_owned(),
            purpose: Some(Purpose::Plan),
            category: "Office".to_owned(),
            subcategory: String::new(),
            text: text.to_owned(),
            is_own: true,
        }
    }

    #[test]
    fn what_is_saved_is_read_again_to_the_letter_and_never_overwritten() {
        let (_folder, folders) = folders();
        for text in ["one\ntwo <user>", "\"\"\"quotes\"\"\" \\ ' ", "\u{202e}\u{7f}\t", "\r\n"] {
            let template = template(&format!("T {text}"), text);
            if text.trim().is_empty() {
                continue;
            }
            folders.save(&template).unwrap();
            let read = folders.read();
            assert!(read.problems.is_empty(), "{:?}", read.problems);
            assert!(read.all.contains(&template), "{text:?}");
        }
        let problem = folders.save(&template("t ONE\ntwo <user>", "x")).unwrap_err();
        assert!(problem.what.contains("There is a template called"), "{problem:?}");
        folders.save(&template("a b", "x")).unwrap();
        let second = folders.save(&template("a-b", "y")).unwrap();
        assert!(second.ends_with("a-b-2.toml"), "{second}");
    }

    #[test]
    fn file_that_is_none_is_a_problem_beside_the_rest() {
        let (_folder, folders) = folders();
        folders.save(&template("good", "x")).unwrap();
        for (name, text) in [
            ("unknown.toml", "name = \"a\"\ntext = \"b\"\ntitle = \"c\""),
            ("no-text.toml", "name = \"a\""),
            ("empty.toml", "name = \" \"\ntext = \"b\""),
            ("no.toml", "\u{1b}]0;x"),
        ] {
            fs::write(folders.own.join(name), text).unwrap();
        }
        fs::write(folders.own.join("latin.toml"), b"name = \"caf\xe9\"").unwrap();
        fs::write(folders.own.join("readme.txt"), "not one").unwrap();
        let read = folders.read();
        assert_eq!(read.all.iter().filter(|template| template.is_own).count(), 1);
        assert_eq!(read.problems.len(), 5, "{:?}", read.problems);
        assert!(read.problems.iter().all(|problem| !problem.what.contains('\u{1b}')));
    }

    #[test]
    fn own_template_hides_the_shipped_one_of_its_name() {
        let (_folder, folders) = folders();
        folders.save(&template("office REPAIR online", "mine")).unwrap();
        let read = folders.read();
        let named: Vec<_> = read.all.iter().filter(|one| is_same_name(&one.name, "Office repair online")).collect();
        assert_eq!((named.len(), named[0].text.as_str()), (1, "mine"));
    }

    #[test]
    fn uses_are_counted_and_a_file_that_is_none_counts_anew() {
        let (_folder, folders) = folders();
        folders.count_use("a").unwrap();
        folders.count_use("a").unwrap();
        assert_eq!(folders.read().uses.get("a"), Some(&2));
        fs::write(folders.state.join(USES), "no json").unwrap();
        assert!(folders.read().uses.is_empty());
        folders.count_use("b").unwrap();
        assert_eq!(folders.read().uses.get("b"), Some(&1));
    }
}
