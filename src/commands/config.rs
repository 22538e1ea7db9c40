//! `mmd-elevate config`: finds, checks and shows the settings. It writes a file of settings only for `init`, and never over one
//! that exists.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

use serde_json::{Value, json};

use super::table;
use crate::{
    app::practice,
    cli::{ConfigArgs, ConfigCommand, Flags},
    config::{self, EXAMPLE, SCHEMA, Target, variable},
    exit::Exit,
    json,
    keys::Keymap,
    output::{Output, OutputForm, fail, print_result},
};
use mmd_elevate_core::{Problem, visible};
use mmd_elevate_engine::{http::Trust, redact::redact_json};

/// Runs a subcommand of `config` and returns its exit code.
#[must_use]
pub fn run(args: &ConfigArgs, flags: &Flags, output: Output) -> ExitCode {
    match args.command {
        ConfigCommand::Path => path(flags, output.form),
        ConfigCommand::Check => check(flags, output.form),
        ConfigCommand::Show => show(flags, output.form),
        ConfigCommand::Init => init(flags, output.form),
        ConfigCommand::Schema => print_result(SCHEMA, ExitCode::SUCCESS),
    }
}

/// Prints an error of the settings and returns its exit code.
fn unusable(error: &impl std::error::Error) -> ExitCode {
    fail(Exit::Unusable, error)
}

/// Returns a document for programs, without secrets.
fn document(mut value: Value) -> String {
    redact_json(&mut value);
    json::document(&value)
}

fn path(flags: &Flags, form: OutputForm) -> ExitCode {
    let path = match config::settings_file(flags, variable::from_process) {
        Ok(path) => path,
        Err(problem) => return unusable(&problem),
    };
    let text = if form == OutputForm::Json {
        document(json!({ "schema": 1, "file": path.to_string_lossy(), "fileExists": path.exists() }))
    } else {
        display(&path) + "\n"
    };
    print_result(&text, ExitCode::SUCCESS)
}

fn display(path: &Path) -> String {
    visible(&path.to_string_lossy()).into_owned()
}

/// Checks the settings, and prints every mistake and every warning.
fn check(flags: &Flags, form: OutputForm) -> ExitCode {
    let path = match config::settings_file(flags, variable::from_process) {
        Ok(path) => path,
        Err(problem) => return unusable(&problem),
    };
    let (mistakes, warnings) = find_mistakes(flags);
    let code = if mistakes.is_empty() { Exit::Done } else { Exit::Failed };
    let file_exists = path.exists();
    let text = if form == OutputForm::Json {
        let list = |problems: &[Problem]| -> Vec<_> {
            problems.iter().map(|Problem { what, hint }| json!({ "what": what, "hint": hint })).collect()
        };
        document(json!({
            "schema": 1,
            "file": path.to_string_lossy(),
            "fileExists": file_exists,
            "ok": mistakes.is_empty(),
            "mistakes": list(&mistakes),
            "warnings": list(&warnings),
        }))
    } else {
        let file = display(&path);
        let place = if file_exists { file } else { format!("there is no file {file}; flags, variables and defaults") };
        let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let mut text = match (mistakes.len(), warnings.len()) {
            (0, 0) => format!("{place}: no mistakes\n"),
            (mistakes, warnings) => {
                format!("{place}: {}, {}\n", counted(mistakes, "mistake"), counted(warnings, "warning"))
            }
        };
        for (word, problems) in [("mistake", &mistakes), ("warning", &warnings)] {
            for Problem { what, hint } in problems {
                text.push_str(&format!("{word}: {}\nhint: {}\n", visible(what), visible(hint)));
            }
        }
        mmd_elevate_engine::redact::redact(&text).into_owned()
    };
    print_result(&text, code.into())
}

/// Returns every mistake in the settings, and what is accepted but may not be meant.
fn find_mistakes(flags: &Flags) -> (Vec<Problem>, Vec<Problem>) {
    let mut warnings = variable::warnings();
    let config = match config::load(flags, variable::from_process) {
        Ok(config) => config,
        Err(error) => return (error.problems().to_vec(), warnings),
    };
    let mut mistakes = Vec::new();
    mistakes.extend(Keymap::new(&config.keys).err());
    mistakes.extend(practice::settings(&config.state_dir, false, config.practice.rules.as_deref()).err());
    if let Target::Service(service) = &config.target {
        mistakes.extend(Trust::with_file(service.ca_file.as_deref()).err());
    }
    warnings.extend(config.warnings);
    for other in config.others {
        // What is wrong with another tenant keeps this one from nothing.
        if let Err(Problem { what, hint }) = other.settings {
            let name = other.tenant.name.unwrap_or(other.tenant.id);
            warnings.push(Problem::new(format!("the tenant {} cannot be opened: {what}", visible(&name)), hint));
        }
    }
    (mistakes, warnings)
}

/// Prints the settings that are in force.
fn show(flags: &Flags, form: OutputForm) -> ExitCode {
    let effective = match config::effective(flags, variable::from_process) {
        Ok(effective) => effective,
        Err(error) => return unusable(&error),
    };
    if form == OutputForm::Json {
        // Serializing text, lists and tables cannot fail.
        let mut value = serde_json::to_value(&effective).unwrap_or_default();
        if let Some(members) = value.as_object_mut() {
            members.insert("schema".to_owned(), json!(1));
        }
        return print_result(&document(value), ExitCode::SUCCESS);
    }
    let record = |setting: &config::EffectiveSetting| {
        vec![setting.setting.clone(), setting.value_text(), setting.source_text().to_owned()]
    };
    let records: Vec<_> = effective.settings.iter().map(record).collect();
    let text = table::lines(form, &["SETTING", "VALUE", "FROM"], &records);
    print_result(&mmd_elevate_engine::redact::redact(&text), ExitCode::SUCCESS)
}

/// Writes the commented example to the place of the settings file.
fn init(flags: &Flags, form: OutputForm) -> ExitCode {
    let path = match config::settings_file(flags, variable::from_process) {
        Ok(path) => path,
        Err(problem) => return unusable(&problem),
    };
    match write_new(&path) {
        Ok(()) => {
            let text = if form == OutputForm::Json {
                document(json!({ "schema": 1, "file": path.to_string_lossy(), "fileExists": true }))
            } else {
                format!("Wrote {}: every setting with its default.\n", display(&path))
            };
            print_result(&text, ExitCode::SUCCESS)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let what = format!("the settings file {} exists, and nothing was written", display(&path));
            unusable(&Problem::new(what, "move it away first, or name another place with --config"))
        }
        Err(error) => {
            let what = format!("failed to write the settings file {}: {error}", display(&path));
            unusable(&Problem::new(what, "check the folder and who owns it, or name another place with --config"))
        }
    }
}

fn write_new(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        mmd_elevate_files::create_folder(folder)?;
    }
    let mut file = mmd_elevate_files::create_new(path)?;
    let written = file.write_all(EXAMPLE.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half an example is no settings file.
        let _ = fs::remove_file(path);
    }
    written
}
