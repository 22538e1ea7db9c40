//! Templates and recent texts: what is offered, how it is inserted, and the blanks.

use std::collections::BTreeMap;

use mmd_elevate::{
    dashboard::{Effect, Message, Overlay},
    templates::{Purpose, Template, Templates, shipped},
};
use mmd_elevate_core::{Field, Problem};
use rstest::rstest;

use crate::support::dashboard::Dashboard;

/// A form with all but its plan, the plan in focus.
const UP_TO_PLAN: &str = "n INC-10442 tab MMD-1 tab Title tab Office tab Excel tab";

fn template(name: &str, purpose: Purpose, category: &str, text: &str) -> Template {
    Template {
        name: name.to_owned(),
        purpose: Some(purpose),
        category: category.to_owned(),
        subcategory: String::new(),
        text: text.to_owned(),
        is_own: true,
    }
}

/// What the folder holds, beside what is shipped.
fn folder(own: Vec<Template>) -> Templates {
    Templates {
        folder: "~/.config/mmd-elevate/templates".to_owned(),
        all: own.into_iter().chain(shipped()).collect(),
        uses: BTreeMap::from([("Driver update".to_owned(), 12)]),
        problems: Vec::new(),
    }
}

fn own() -> Vec<Template> {
    vec![
        template("Printer", Purpose::Plan, "Hardware", "Restart the spooler of <printer>, print for <user>."),
        template("Done", Purpose::Actions, "", "Done as planned with <user>."),
    ]
}

/// The names that are offered, the chosen one with a `>`.
fn offered(dashboard: &Dashboard) -> Vec<String> {
    let lines = dashboard.screen();
    let lines = lines.lines().skip_while(|line| !line.contains("Texts for"));
    let names = lines.skip(2).take_while(|line| !line.starts_with('╰'));
    let name = |line: &str| {
        let cell = line.split('│').nth(1)?.trim_end();
        let (mark, rest) = cell.split_at(cell.char_indices().nth(3).map_or(cell.len(), |(at, _)| at));
        let name = rest.split("  ").next()?.trim();
        (!name.is_empty()).then(|| if mark.contains('▌') { format!("> {name}") } else { name.to_owned() })
    };
    names.filter_map(name).collect()
}

#[test]
fn template_is_inserted_at_the_cursor_and_its_blanks_are_gone_through() {
    let mut dashboard = Dashboard::new();
    dashboard.press(UP_TO_PLAN).press("ctrl-t");
    assert_eq!(dashboard.take_effects(), [Effect::ReadTemplates]);
    dashboard.happens(Message::Templates(folder(own()))).press("printer");
    assert_eq!(offered(&dashboard), ["> Printer"]);
    assert!(dashboard.prose().contains("Restart the spooler of <printer>, print for <user>."));
    dashboard.press("enter");
    assert_eq!(dashboard.form()[5], "Restart the spooler of <printer>, print for <user>.");
    assert_eq!(dashboard.take_effects(), [Effect::CountTemplate("Printer".to_owned())]);
    assert_eq!(
        dashboard.notice(),
        "Inserted: Printer · hint: 2 blanks to fill in: Tab goes to the next; Ctrl-Z takes it back"
    );
    dashboard.press("P7 tab Ann");
    assert_eq!(dashboard.form()[5], "Restart the spooler of P7, print for Ann.");
    dashboard.press("tab");
    assert_eq!(dashboard.model.form.focused, Field::Ticket, "no blank is left: the next field");
}

#[test]
fn templates_are_for_the_plan_from_any_field_of_the_form() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n INC-1 ctrl-t driver enter");
    assert!(dashboard.form()[5].starts_with("Install the driver"), "{:?}", dashboard.form());
    assert_eq!(dashboard.model.form.focused, Field::PlanOfAction);
}

#[test]
fn nothing_that_was_typed_is_replaced_and_inserting_is_one_step() {
    let mut dashboard = Dashboard::new();
    dashboard.press(UP_TO_PLAN).press("'First: ' ctrl-t driver enter");
    let plan = dashboard.form()[5].clone();
    assert!(plan.starts_with("First: Install the driver"), "{plan}");
    assert_eq!(dashboard.form()[3..5], ["Office", "Excel"], "categories that are typed stay");
    dashboard.press("ctrl-z");
    assert_eq!(dashboard.form()[5], "First: ");
    dashboard.press("ctrl-y");
    assert_eq!(dashboard.form()[5], plan);
}

#[test]
fn category_of_the_template_is_filled_in_where_there_is_none() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n INC-10442 shift-tab ctrl-t driver enter");
    assert_eq!(dashboard.form()[3..5], ["Hardware", "Device"]);
    assert!(dashboard.notice().contains("the category is filled in too"), "{}", dashboard.notice());
}

#[test]
fn sending_asks_once_for_blanks_that_came_with_a_template_and_for_no_others() {
    let mut dashboard = Dashboard::new();
    dashboard
        .press(UP_TO_PLAN)
        .press("ctrl-t printer")
        .happens(Message::Templates(folder(own())))
        .press("enter ctrl-s");
    assert!(dashboard.calls().is_empty());
    assert_eq!(
        dashboard.notice(),
        "Not sent yet: the plan has blanks of its template: <printer>, <user> · \
         hint: Tab goes through them; Ctrl-S sends it as it is"
    );
    dashboard.press("ctrl-s");
    assert!(dashboard.create(0).get(Field::PlanOfAction).contains("<user>"));
    let mut dashboard = Dashboard::new();
    dashboard.press(UP_TO_PLAN).press("'Set <path> anew' ctrl-s");
    assert_eq!(dashboard.calls().len(), 1, "what was typed is meant");
    // What is asked counts only once it was drawn.
    let mut dashboard = Dashboard::new();
    dashboard.press(UP_TO_PLAN).press("ctrl-t printer").happens(Message::Templates(folder(own()))).press("enter");
    dashboard.burst("ctrl-s f2");
    assert!(dashboard.calls().is_empty());
}

#[test]
fn close_dialog_offers_what_was_planned_first_and_asks_for_blanks() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.press("c ctrl-t").happens(Message::Templates(folder(own())));
    assert_eq!(offered(&dashboard)[..2], ["> As planned", "Done"]);
    dashboard.press("enter");
    assert!(matches!(dashboard.model.overlays[..], [Overlay::Close(_)]));
    dashboard.press("ctrl-s");
    assert_eq!(dashboard.close(0), ("id-1", "Start it."));

    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.press("c ctrl-t").happens(Message::Templates(folder(own()))).press("down enter ctrl-s");
    assert!(dashboard.calls().is_empty() && dashboard.shows("a blank is not filled in"), "{}", dashboard.screen());
    dashboard.press("Ann ctrl-s");
    assert_eq!(dashboard.close(0).1, "Done as planned with Ann.");

    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.press("c ctrl-t").happens(Message::Templates(folder(own()))).press("down enter").burst("ctrl-s f2");
    assert!(dashboard.calls().is_empty());
    dashboard.press("ctrl-s");
    assert_eq!(dashboard.close(0).1, "Done as planned with <user>.", "it is asked once");
}

#[test]
fn recent_texts_are_offered_those_of_the_category_first() {
    let mut dashboard = Dashboard::new();
    for (ticket, category, plan) in [("INC-1", "Office", "Repair it."), ("INC-2", "Windows", "Start it.")] {
        dashboard
            .press(&format!("n {ticket} tab MMD-1 tab T tab {category} tab x tab '{plan}' ctrl-s ctrl-s"))
            .opened();
    }
    dashboard.press(&UP_TO_PLAN.replace("Title", "More")).press("ctrl-t it");
    let texts: Vec<_> = offered(&dashboard).into_iter().filter(|name| name.ends_with("it.")).collect();
    assert_eq!(texts.len(), 2, "{}", dashboard.screen());
    dashboard.press("backspace backspace end").press("Repair enter");
    assert_eq!(dashboard.form()[5], "Repair it.");
    // What was done is offered to the close dialog.
    dashboard.press("esc j c 'Cleaned the cache.' ctrl-s").closed().press("c ctrl-t Cleaned enter ctrl-s");
    assert_eq!(dashboard.close(0).1, "Cleaned the cache.");
}

#[test]
fn text_is_saved_as_a_template_under_a_name() {
    let mut dashboard = Dashboard::new();
    dashboard.press(UP_TO_PLAN).press("'Look at it.' ctrl-t");
    dashboard.take_effects();
    dashboard.press("pgdn pgdn pgdn pgdn enter").press("enter");
    assert!(dashboard.shows("The template has no name"), "{}", dashboard.screen());
    dashboard.press("'Just look' enter");
    let template =
        Template { subcategory: "Excel".to_owned(), ..template("Just look", Purpose::Plan, "Office", "Look at it.") };
    assert_eq!(dashboard.take_effects(), [Effect::SaveTemplate(template)]);
    let problem = Problem::new("There is a template called \"Just look\"", "try another name");
    dashboard.happens(Message::TemplateSaved(Err(problem)));
    assert!(dashboard.shows("There is a template called"), "{}", dashboard.screen());
    dashboard.press("2 enter").happens(Message::TemplateSaved(Ok("/x/just-look2.toml".to_owned())));
    assert!(dashboard.model.overlays.is_empty());
    assert_eq!(dashboard.notice(), "The text is saved as a template: /x/just-look2.toml");
    assert_eq!(dashboard.form()[5], "Look at it.", "the text stays where it is");
    let mut dashboard = Dashboard::new();
    dashboard.press(UP_TO_PLAN).press("ctrl-t");
    assert!(!dashboard.shows("Save this text"), "there is none");
}

#[test]
fn own_templates_come_before_others_and_the_most_used_before_the_rest() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n INC-1 shift-tab ctrl-t").happens(Message::Templates(folder(own())));
    assert_eq!(offered(&dashboard)[..2], ["> Printer", "Driver update"]);
    let mut dashboard = Dashboard::new();
    dashboard.press(UP_TO_PLAN).press("ctrl-t").happens(Message::Templates(folder(own())));
    assert_eq!(offered(&dashboard)[0], "> Office add-in crashes", "what fits the category comes first");
}

#[test]
fn choice_stays_with_its_template_when_the_folder_was_read() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n INC-1 shift-tab ctrl-t down");
    let chosen = offered(&dashboard).into_iter().find(|name| name.starts_with('>'));
    dashboard.happens(Message::Templates(folder(own())));
    assert_eq!(offered(&dashboard).into_iter().find(|name| name.starts_with('>')), chosen);
}

#[test]
fn file_that_cannot_be_read_is_told_beside_the_rest() {
    let mut dashboard = Dashboard::new();
    let problems = vec![Problem::new("The template x.toml was not read: it is no TOML", "correct it")];
    dashboard.press("n INC-1 shift-tab ctrl-t").happens(Message::Templates(Templates { problems, ..folder(own()) }));
    assert!(dashboard.shows("The template x.toml was not read"), "{}", dashboard.screen());
    dashboard.press("esc");
    assert_eq!(dashboard.form()[5], "");
}

#[rstest]
fn the_pictures_of_templates(
    #[values((200, 60), (120, 36), (80, 24), (60, 20), (40, 10))] (columns, rows): (u16, u16),
) {
    let mut dashboard = Dashboard::at(columns, rows);
    dashboard.press(UP_TO_PLAN).press("ctrl-t").happens(Message::Templates(folder(own())));
    dashboard.looks_like(&format!("{columns}x{rows}-templates"));
    dashboard.press("enter");
    dashboard.looks_like(&format!("{columns}x{rows}-template-taken"));
}
