//! `mmd-elevate template`: lists templates of texts and prints one. It changes none of them.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::table;
use crate::{
    cli::{Flags, TemplateArgs, TemplateCommand},
    config::{self, variable},
    exit::Exit,
    json,
    output::{Output, OutputForm, fail, print_result, warn},
    templates::{Purpose, Template, TemplateFolders, Templates},
};
use mmd_elevate_core::{Problem, visible};

/// Runs a subcommand of `template` and returns its exit code.
#[must_use]
pub fn run(args: &TemplateArgs, flags: &Flags, output: Output) -> ExitCode {
    let templates = match read(flags) {
        Ok(templates) => templates,
        Err(problem) => return fail(Exit::Unusable, &problem),
    };
    templates.problems.iter().for_each(warn);
    match &args.command {
        TemplateCommand::List => list(&templates, output.form),
        TemplateCommand::Show { name } => match templates.find(name) {
            Ok(template) => show(template, output.form),
            Err(problem) => fail(Exit::Usage, &problem),
        },
    }
}

fn read(flags: &Flags) -> Result<Templates, Problem> {
    let file = config::settings_file(flags, variable::from_process)?;
    let state = config::state_dir(flags.state_dir.as_deref(), variable::from_process)?;
    Ok(TemplateFolders { own: file.with_file_name("templates"), state }.read())
}

fn list(templates: &Templates, form: OutputForm) -> ExitCode {
    if form == OutputForm::Json {
        let list: Vec<_> = templates.all.iter().map(template_json).collect();
        let value = json!({ "schema": 1, "folder": templates.folder, "templates": list });
        return print_result(&json::document(&value), ExitCode::SUCCESS);
    }
    let record = |template: &Template| {
        let origin = if template.is_own { "yours" } else { "shipped" };
        let place = [template.category.as_str(), &template.subcategory];
        let place: Vec<_> = place.into_iter().filter(|part| !part.is_empty()).collect();
        vec![
            template.name.clone(),
            template.purpose.map_or("both", Purpose::name).to_owned(),
            place.join(" / "),
            origin.to_owned(),
        ]
    };
    let records: Vec<_> = templates.all.iter().map(record).collect();
    let text = table::lines(form, &["NAME", "FOR", "CATEGORY", "ORIGIN"], &records);
    print_result(&text, ExitCode::SUCCESS)
}

/// Prints the text, and nothing else, so that it can be handed to another command.
fn show(template: &Template, form: OutputForm) -> ExitCode {
    if form == OutputForm::Json {
        let value = json!({ "schema": 1, "template": template_json(template) });
        return print_result(&json::document(&value), ExitCode::SUCCESS);
    }
    let text: String = template.text.trim_end().lines().flat_map(|line| [visible(line), "\n".into()]).collect();
    print_result(&text, ExitCode::SUCCESS)
}

fn template_json(template: &Template) -> Value {
    let given = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    json!({
        "name": template.name,
        "for": template.purpose.map_or("both", Purpose::name),
        "category": given(&template.category),
        "subcategory": given(&template.subcategory),
        "own": template.is_own,
        "text": template.text,
    })
}
