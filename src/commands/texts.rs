//! The texts of a create or a close on the command line: given as they are, from standard input, a file, a template or an editor.

use std::{
    io::{Read as _, stdin},
    path::Path,
};

use mmd_elevate_core::{Draft, Field, Problem, visible};

use crate::{
    config::suggest,
    dashboard::blanks,
    output::warn,
    templates::{Purpose, TemplateFolders},
    terminal::editor::{EditResult, EditorCommand, edit},
};

/// The longest text that is read from standard input or a file, in bytes.
const LONGEST: usize = 1 << 20;

/// Reads a text that is given as it is, or from standard input where it is `-`.
///
/// # Errors
/// Standard input cannot be read.
pub fn read_argument(flag: &str, given: &str) -> Result<String, Problem> {
    if given != "-" {
        return Ok(given.to_owned());
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(LONGEST).unwrap_or(u64::MAX).saturating_add(1);
    match stdin().lock().take(most).read_to_end(&mut bytes) {
        Ok(_) => to_text(&format!("{flag} -"), bytes),
        Err(error) => Err(Problem::new(format!("{flag} -: standard input cannot be read: {error}"), "give the text")),
    }
}

/// Reads a text from a file.
///
/// # Errors
/// The file cannot be read.
pub fn read_file(flag: &str, path: &Path) -> Result<String, Problem> {
    let source = format!("{flag} {}", visible(&path.to_string_lossy()));
    match mmd_elevate_files::read_bounded(path, LONGEST) {
        Ok(bytes) => to_text(&source, bytes),
        Err(error) => Err(Problem::new(format!("{source}: it cannot be read: {error}"), "check the path")),
    }
}

/// Returns the text without the line end that ends a file.
fn to_text(source: &str, bytes: Vec<u8>) -> Result<String, Problem> {
    if bytes.len() > LONGEST {
        return Err(Problem::new(format!("{source}: it is longer than 1 MiB"), "give a shorter text"));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Problem::new(format!("{source}: it is not text (UTF-8)"), "save it as UTF-8"))?;
    Ok(without_last_line_end(&text).to_owned())
}

fn without_last_line_end(text: &str) -> &str {
    text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text))
}

/// Puts a template's text into the plan of a draft, and its category where the draft has none.
///
/// # Errors
/// There is no such template for plans.
pub fn use_template(draft: &mut Draft, name: &str, folders: &TemplateFolders) -> Result<(), Problem> {
    let templates = folders.read();
    templates.problems.iter().for_each(warn);
    let mut plans = templates.all.iter().filter(|template| template.is_for(Purpose::Plan));
    let is_it = |own: &str| own.trim().to_lowercase() == name.trim().to_lowercase();
    let Some(template) = plans.clone().find(|template| is_it(&template.name)) else {
        let hint = "mmd-elevate template list shows all";
        let hint = suggest(name, plans.by_ref().map(|template| template.name.as_str()), hint);
        return Err(Problem::new(format!("--template: there is no template `{}` for plans", visible(name)), hint));
    };
    draft.set(Field::PlanOfAction, &template.text);
    for (field, text) in [(Field::Category, &template.category), (Field::Subcategory, &template.subcategory)] {
        if draft.get(field).trim().is_empty() {
            draft.set(field, text);
        }
    }
    Ok(())
}

/// Refuses the blanks of a template that are not filled in.
///
/// # Errors
/// The text has blanks.
pub fn refuse_blanks(template: &str, text: &str) -> Result<(), Problem> {
    let left = blanks(text);
    if left.is_empty() {
        return Ok(());
    }
    let left: Vec<_> = left.iter().map(|blank| visible(blank)).collect();
    let what = format!("the template `{}` has blanks to fill in: {}", visible(template), left.join(", "));
    Err(Problem::new(what, "add --editor to fill them in, or give the whole text with --plan"))
}

/// Opens an editor on a text and returns what it saved.
///
/// # Errors
/// The editor failed, or changed nothing.
fn edit_text(text: &str) -> Result<String, Problem> {
    let EditResult { text: saved, problem, keep_file, file } = edit(text, &EditorCommand::from_environment()?)?;
    let saved = match (problem, saved) {
        (Some(problem), _) => Err(problem),
        (None, Some(saved)) => Ok(saved),
        (None, None) => Err(Problem::new(
            "nothing was sent: the form was left as it was",
            "change it and save it to send it; leave --editor out to send the texts of the command line",
        )),
    };
    if !keep_file {
        file.discard();
    }
    saved
}

/// The line of a form after which a long text begins.
fn text_mark(label: &str) -> String {
    format!("{label}:")
}

/// Lets a draft be edited in a form.
///
/// # Errors
/// The editor failed, or what it saved is no form.
pub fn edit_draft(draft: &Draft) -> Result<Draft, Problem> {
    let lines = Field::ALL.into_iter().filter(|field| field.is_one_line());
    let mut form = "# A new elevation request. Fill it in, save it and leave the editor: it is sent then.\n\
                    # To send nothing, leave without saving. Lines that begin with # are left out up to the last field.\n"
        .to_owned();
    for field in lines.clone() {
        form.push_str(&format!("{}: {}\n", field.label(), draft.get(field).replace(['\r', '\n'], " ")));
    }
    let mark = text_mark(Field::PlanOfAction.label());
    form.push_str(&format!("# Everything below this line is sent as it stands.\n{mark}\n"));
    form.push_str(draft.get(Field::PlanOfAction));
    let saved = edit_text(&form)?;
    let (head, plan) = split(&saved, &mark)?;
    let mut edited = Draft::default();
    edited.set(Field::PlanOfAction, without_last_line_end(plan));
    for line in head.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        let named = lines.clone().find_map(|field| Some((field, line.strip_prefix(field.label())?.strip_prefix(':')?)));
        let Some((field, text)) = named else {
            let what = format!("the form has a line that is no field: {}", visible(line));
            return Err(Problem::new(what, "nothing was sent; write `Field: text` on one line each"));
        };
        edited.set(field, text.trim());
    }
    Ok(edited)
}

/// Lets a text be edited in a form. `about` are lines that say what it is for.
///
/// # Errors
/// The editor failed, or what it saved is no form.
pub fn edit_actions(text: &str, about: &[String]) -> Result<String, Problem> {
    let mark = text_mark("Actions taken");
    let mut form = String::new();
    for line in about {
        form.push_str(&format!("# {line}\n"));
    }
    form.push_str(&format!(
        "# Save it and leave the editor: it is sent then. To send nothing, leave without saving.\n\
         # Everything below this line is sent as it stands.\n{mark}\n{text}"
    ));
    let saved = edit_text(&form)?;
    let text = split(&saved, &mark)?.1;
    Ok(without_last_line_end(text).to_owned())
}

/// Splits a form at the line that is the mark.
fn split<'f>(form: &'f str, mark: &str) -> Result<(&'f str, &'f str), Problem> {
    let mut start = 0;
    for line in form.split_inclusive('\n') {
        let end = start + line.len();
        if line.trim_end() == mark {
            return Ok((&form[..start], &form[end..]));
        }
        start = end;
    }
    let what = if form.trim().is_empty() {
        "nothing was sent: the form is empty".to_owned()
    } else {
        format!("nothing was sent: the form has no line `{mark}`")
    };
    Err(Problem::new(what, "fill the form in without removing its lines"))
}
