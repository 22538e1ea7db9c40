//! From a message to the next state. It only dispatches: what a message does stands with what it is about.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Age, EditTarget, Effect, Message, Model, Notice, Overlay, Pane, RowId, RowState, ScrollLimits, TextField, Tone,
    begin, clipboard, close, close_round, create, devices, drafts, guard, help, history, leaving, listing, mouse,
    notices::{self, About},
    palette, paste, queue, record_changes, recovery, recovery_panel, refresh, report, sign_in, suggest,
    template_picker, tenants, ticket, unknown, unsent, word, worker,
};
use crate::keys::{Action, Motion, Scope, TextEdit};
use mmd_elevate_core::{Event, Field, Problem, visible};

/// Applies a message. `limits` is what the last drawing returned. Returns what the world has to do about it.
pub fn update(model: &mut Model, message: Message, limits: ScrollLimits) -> Vec<Effect> {
    limit_scrolling(model, limits);
    if matches!(message, Message::Act(_) | Message::Text(_) | Message::Paste(_) | Message::Mouse(..)) {
        notices::pass(model);
    }
    let selected = model.requests.list().selected();
    let (field, notice) = (paste::field_in_focus(model), model.notice.clone());
    let cause = About::of(&message, model);
    let mut effects = match message {
        Message::Tick { now, elapsed } => tick(model, now, elapsed),
        Message::Ending => return drafts::save(model, true).into_iter().collect(),
        Message::Act(action) => {
            model.untouched_since = None;
            act(model, action, limits)
        }
        Message::Text(text) => {
            type_text(model, &text);
            Vec::new()
        }
        Message::Paste(text) => paste_text(model, &text),
        Message::Mouse(target, gesture) => {
            model.untouched_since = None;
            mouse::apply(model, &target, gesture, limits)
        }
        Message::Worker(event) => worker::apply(model, event),
        Message::WorkerGone => {
            worker::apply_end(model);
            Vec::new()
        }
        Message::Templates(templates) => {
            template_picker::apply_read(model, templates);
            Vec::new()
        }
        Message::TemplateSaved(result) => template_picker::apply_saved(model, result),
        Message::Edited { target, text } => take_edited(model, target, &text).into_iter().collect(),
        Message::Copied(to, text) => {
            model.notice = Some(clipboard::notice(to, &text));
            Vec::new()
        }
        Message::ReportWritten(result) => {
            report::apply_written(model, result);
            Vec::new()
        }
        Message::AddressHandedOver(how, address) => {
            model.notice = Some(ticket::notice(how, &address));
            Vec::new()
        }
        Message::Tenants(tenants) => {
            model.tenants = tenants;
            Vec::new()
        }
        Message::Warning(Problem { what, hint }) => {
            let problem = Problem::new(visible(&what), visible(&hint));
            model.notice = Some(Notice::from_problem(Tone::Failure, problem));
            Vec::new()
        }
    };
    if model.requests.list().selected() != selected {
        model.details_scroll = 0;
    }
    effects.extend(guard::ask_after_leaving(model, field));
    paste::trim_left_field(model, field, notice.as_ref());
    recovery::show(model);
    unsent::show(model);
    effects.extend(leaving::proceed(model));
    begin::note_form_draft(model);
    close_round::tell_result(model);
    devices::note_typing(model);
    suggest::update(model);
    history::note_rest(model);
    report::keep_true(model);
    palette::update(model);
    drafts::note_changes(model);
    notices::note(model, notice, cause);
    queue::hand_over(model, effects)
}

/// Time has gone by: what is due is done.
fn tick(model: &mut Model, now: Timestamp, elapsed: Duration) -> Vec<Effect> {
    let minute = |at: Timestamp| at.as_second().div_euclid(60);
    let is_new_minute = minute(now) != minute(model.now);
    model.now = now;
    model.elapsed = model.elapsed.max(elapsed);
    let mut effects: Vec<_> = drafts::save(model, false).into_iter().collect();
    if is_new_minute {
        let zone = model.time_zone.clone();
        let reached = model.requests.set_time(now, &zone);
        if reached == Age::TooOld && model.preferences.bell {
            effects.push(Effect::Bell);
        }
    }
    effects.extend(guard::tick(model));
    let listing = listing::tick(model);
    effects.extend(record_changes::tick(model, listing.is_some()));
    effects.extend(listing);
    effects.extend(devices::tick(model));
    effects.extend(history::tick(model));
    effects
}

/// Brings what was scrolled beyond its end back to it: the room may have grown, or the text become shorter.
fn limit_scrolling(model: &mut Model, limits: ScrollLimits) {
    match model.overlays.last_mut() {
        Some(Overlay::Help(help)) => help.scroll = help.scroll.min(limits.help),
        Some(Overlay::Recovery(panel)) => panel.scroll = panel.scroll.min(limits.recovery),
        Some(Overlay::Notices { scroll }) => *scroll = (*scroll).min(limits.notices),
        Some(Overlay::Report(panel)) => panel.scroll = panel.scroll.min(limits.report),
        _ => {}
    }
    model.details_scroll = model.details_scroll.min(limits.details);
}

#[expect(clippy::too_many_lines, reason = "one arm for each action")]
pub(super) fn act(model: &mut Model, action: Action, limits: ScrollLimits) -> Vec<Effect> {
    if let Some(reason) = model.unavailable(action) {
        // Keys that many press by habit say nothing; the rest say why nothing happened.
        if !matches!(action, Action::Back | Action::Help | Action::NextSuggestion | Action::PreviousSuggestion) {
            model.notice = Some(Notice::info(format!("Nothing to do: {reason}")));
        }
        return Vec::new();
    }
    match action {
        Action::Quit => return leaving::quit(model),
        Action::Interrupt => return leaving::interrupt(model),
        Action::CloseThem => return leaving::close_all(model),
        Action::LeaveThem => return vec![Effect::Exit],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Submit => return submit(model),
        Action::Refresh => {
            let mut effects = vec![record_changes::look(model)];
            effects.extend(refresh::refresh(model));
            effects.extend(listing::refresh(model));
            return effects;
        }
        Action::ShowTab(tab) => {
            model.pane = if model.pane == Pane::Form { Pane::List } else { model.pane };
            return listing::show_tab(model, tab).into_iter().collect();
        }
        Action::ToggleDetails => {
            model.hides_details = !model.hides_details;
            if model.pane == Pane::Details {
                model.pane = Pane::List;
            }
        }
        Action::ShowPalette => palette::open(model),
        Action::Perform => {
            return palette::take(model).map_or_else(Vec::new, |action| act(model, action, limits));
        }
        Action::ShowNotices => model.overlays.push(Overlay::Notices { scroll: 0 }),
        Action::ShowReport => report::show(model),
        Action::CopyReport => return report::copy(model),
        Action::WriteReport => return report::write(model),
        Action::NextReportFormat => report::next_format(model),
        Action::NextReportPeriod => report::next_period(model),
        Action::ToggleMouse => return vec![mouse::toggle(model)],
        Action::ShowDevice => guard::open_panel(model),
        Action::ShowTenants | Action::SwitchTenant | Action::SwitchToTenant(_) => return tenants::act(model, action),
        Action::TakeAsClosed => word::ask(model),
        Action::Redraw => return vec![Effect::Redraw],
        Action::Search => search(model),
        Action::ToggleEverywhere => help::change(model, |help| help.everywhere = !help.everywhere),
        Action::Abandon => return abandon(model),
        Action::SignIn => return vec![sign_in::request_token(model)],
        Action::LookAgain => return unknown::look_again(model),
        Action::Adopt => return unknown::adopt_match(model),
        Action::SetAside => return unknown::set_aside(model),
        Action::SendAgain => {
            if let Some(Overlay::Unknown(id, _)) = model.overlays.pop() {
                model.overlays.push(Overlay::SendAgain(id));
            }
        }
        Action::CloseMatch => unknown::close_match(model),
        Action::OpenEditor => return open_editor(model),
        Action::CopyId => return clipboard::copy_id(model),
        Action::CopyLine => return clipboard::copy_line(model),
        Action::CopyUnsent => return clipboard::copy_unsent(model),
        Action::OpenTicket => return ticket::open(model),
        Action::Help => {
            let scopes = model.scopes().to_vec();
            model.overlays.push(Overlay::Help(Box::new(help::Help::new(scopes))));
        }
        Action::Back => back(model),
        Action::NextPane | Action::PreviousPane => next_pane(model),
        Action::Move(motion) => move_or_scroll(model, motion, limits),
        Action::NewRequest => begin::new_request(model),
        Action::NewLike => begin::like_selected(model),
        Action::CloseRequest => close::open(model),
        Action::CloseMistake => close::open_mistake(model),
        Action::Mark(what) => model.requests.mark(what),
        Action::SkipClose => close_round::fill_in_or_skip(model),
        Action::ShowTemplates => {
            if matches!(focused_text(model), Some(FocusedText::Form)) {
                model.form.focus(Field::PlanOfAction);
            }
            if let Some(target) = focused_long_text(model) {
                return template_picker::open(model, target);
            }
        }
        Action::TakeTemplate => return template_picker::take(model),
        Action::PreviousClose => close_round::skip(model, false),
        Action::ToggleOneText => close_round::toggle_one_text(model),
        Action::Open => open_selected(model),
        Action::Filter => model.filtering = true,
        Action::KeepFilter => {
            model.filtering = false;
            help::change(model, |help| help.searching = false);
        }
        Action::NextSort => {
            model.requests.next_sort();
            model.notice = Some(Notice::info(format!("Sorted {}", model.requests.list().sort().label())));
        }
        Action::NextField => next_field(model),
        Action::PreviousField => model.form.focus(model.form.focused.previous()),
        Action::TakeSuggestion => model.form.take_suggestion(),
        Action::NextSuggestion => model.form.choose_suggestion(true),
        Action::PreviousSuggestion => model.form.choose_suggestion(false),
        Action::Discard => {
            model.form.discard();
            let key = model.keymap.name(Scope::Text, Action::Edit(TextEdit::Undo));
            model.notice = Some(Notice::info("Draft discarded").hint(format!("{key} brings it back")));
        }
        Action::Edit(edit) => match focused_text(model) {
            // The form's undo knows more than its fields do.
            Some(FocusedText::Form) => model.form.edit(edit),
            focused => _ = change_text(model, focused, |text| text.edit(edit)),
        },
    }
    Vec::new()
}

/// Begins to search in the panel that has the keys.
fn search(model: &mut Model) {
    help::change(model, |help| help.searching = true);
    tenants::change(model, |panel| panel.searching = true);
}

/// Which text has the focus.
#[derive(Clone, Copy)]
enum FocusedText {
    Form,
    Filter,
    /// The text of the close dialog of this row.
    Dialog(RowId),
    /// What is searched for, or named, in the overlay that has the keys.
    Overlay,
}

fn focused_text(model: &Model) -> Option<FocusedText> {
    match model.overlays.last() {
        Some(Overlay::Close(dialog)) => Some(FocusedText::Dialog(dialog.row)),
        Some(Overlay::Help(help)) => help.searching.then_some(FocusedText::Overlay),
        Some(Overlay::Tenants(panel)) => panel.searching.then_some(FocusedText::Overlay),
        Some(Overlay::Palette(_) | Overlay::Templates(_)) => Some(FocusedText::Overlay),
        Some(_) => None,
        None if model.filtering => Some(FocusedText::Filter),
        None => (model.pane == Pane::Form && model.form.sending().is_none()).then_some(FocusedText::Form),
    }
}

/// The long text that has the focus.
fn focused_long_text(model: &Model) -> Option<EditTarget> {
    match focused_text(model)? {
        FocusedText::Dialog(row) => Some(EditTarget::ActionsTaken(row)),
        FocusedText::Form => (!model.form.focused.is_one_line()).then_some(EditTarget::PlanOfAction),
        FocusedText::Filter | FocusedText::Overlay => None,
    }
}

fn change_filter(model: &mut Model, change: impl FnOnce(&mut TextField)) {
    let zone = model.time_zone.clone();
    model.requests.change_filter(&zone, change);
}

/// Leaves the field for the next one, or goes to the next blank of a template. A category of which the only beginning was typed is completed.
fn next_field(model: &mut Model) {
    if model.form.next_blank() {
        return;
    }
    let Some(name) = suggest::only_beginning(model).filter(|_| model.form.chosen().is_none()) else {
        return model.form.focus(model.form.focused.next());
    };
    let (field, key) = (model.form.focused, model.keymap.name(Scope::Text, Action::Edit(TextEdit::Undo)));
    model.form.complete(&name);
    let text = format!("{}: {}, the only one that begins so", field.label(), visible(&name));
    model.notice = Some(Notice::info(text).hint(format!("{key} takes it back")));
}

/// Changes the text of the close dialog: what was wrong with it may not hold any longer.
pub(super) fn change_dialog<T>(model: &mut Model, row: RowId, change: impl FnOnce(&mut TextField) -> T) -> Option<T> {
    let text = model.requests.actions_taken(row)?;
    let before = text.text();
    let result = change(text);
    let changed = text.text() != before;
    // The picker of texts may lie over the dialog.
    let dialog = model.overlays.iter_mut().rev().find_map(|overlay| match overlay {
        Overlay::Close(dialog) => Some(dialog),
        _ => None,
    });
    if let Some(dialog) = dialog {
        dialog.problem = None;
        dialog.touched |= changed;
    }
    Some(result)
}

/// Changes the text that has the focus, if one has.
fn change_text<T>(
    model: &mut Model,
    focused: Option<FocusedText>,
    change: impl FnOnce(&mut TextField) -> T,
) -> Option<T> {
    match focused? {
        FocusedText::Form => Some(model.form.change(change)),
        FocusedText::Filter => {
            let mut result = None;
            change_filter(model, |filter| result = Some(change(filter)));
            result
        }
        FocusedText::Dialog(row) => change_dialog(model, row, change),
        FocusedText::Overlay => match model.overlays.last_mut()? {
            Overlay::Help(help) => Some(help.change_search(change)),
            Overlay::Palette(palette) => Some(palette.change_search(change)),
            Overlay::Tenants(panel) => Some(panel.change_search(change)),
            Overlay::Templates(picker) => Some(picker.change_text(change)),
            _ => None,
        },
    }
}

fn type_text(model: &mut Model, text: &str) {
    model.untouched_since = None;
    let focused = focused_text(model);
    change_text(model, focused, |field| field.type_text(text));
}

/// A paste is text, or the beginning of a draft: it never acts.
fn paste_text(model: &mut Model, text: &str) -> Vec<Effect> {
    model.untouched_since = None;
    let focused = focused_text(model);
    if focused.is_none() && model.overlays.is_empty() {
        if let Some(reason) = model.unavailable(Action::NewRequest) {
            model.notice = Some(Notice::info(format!("There is no text field to paste into: {reason}")));
            return Vec::new();
        }
        return begin::from_paste(model, text);
    }
    let Some(dropped) = change_text(model, focused, |field| field.paste(text)) else {
        let key = model.keymap.name(model.scopes()[0], Action::Back);
        model.notice =
            Some(Notice::info("There is no text field to paste into here").hint(format!("{key} leaves this")));
        return Vec::new();
    };
    paste::report_dropped(model, text, dropped, "paste");
    Vec::new()
}

/// The long text that the agent's editor may change; `None` where a change would not be seen.
fn long_text(model: &Model, target: EditTarget) -> Option<String> {
    match target {
        EditTarget::PlanOfAction => {
            model.form.sending().is_none().then(|| model.form.field(Field::PlanOfAction).text())
        }
        EditTarget::ActionsTaken(id) => {
            let is_open = |overlay: &Overlay| matches!(overlay, Overlay::Close(dialog) if dialog.row == id);
            let row = model.requests.get(id).filter(|_| model.overlays.iter().any(is_open))?;
            Some(row.actions_taken.map_or_else(String::new, TextField::text))
        }
    }
}

/// Takes over what the editor saved. `None` where the text has no place any more, or where the record has brought another
/// text there while the editor was open.
fn take_edited(model: &mut Model, target: EditTarget, text: &str) -> Option<Effect> {
    let opened = model.in_editor.take();
    let there = long_text(model, target)?;
    if there == text {
        return Some(Effect::EditTaken);
    }
    if opened.is_some_and(|(edited, before)| edited == target && before != there) {
        return None;
    }
    let dropped = match target {
        EditTarget::PlanOfAction => model.form.set_plan(text),
        EditTarget::ActionsTaken(row) => change_dialog(model, row, |field| field.replace(text))?,
    };
    paste::report_dropped(model, text, dropped, "edited text");
    Some(Effect::EditTaken)
}

fn submit(model: &mut Model) -> Vec<Effect> {
    if let Some(Overlay::Close(dialog)) = model.overlays.last() {
        return close_round::submit(model, dialog.row);
    }
    if let Some(Overlay::SendAgain(row)) = model.overlays.last() {
        return unknown::send_again(model, *row);
    }
    if let Some(Overlay::TakeAsClosed(row)) = model.overlays.last() {
        return word::take_as_closed(model, *row);
    }
    if let Some(Overlay::Device(_)) = model.overlays.last() {
        model.overlays.pop();
    }
    create::submit(model)
}

fn open_editor(model: &mut Model) -> Vec<Effect> {
    let Some(target) = focused_long_text(model) else { return Vec::new() };
    let Some(text) = long_text(model, target) else { return Vec::new() };
    model.in_editor = Some((target, text.clone()));
    vec![Effect::OpenEditor(target, text)]
}

fn back(model: &mut Model) {
    if let Some(Overlay::Help(help)) = model.overlays.last_mut()
        && help.leave_search()
    {
        return;
    }
    if let Some(Overlay::Tenants(panel)) = model.overlays.last_mut()
        && panel.leave_search()
    {
        return;
    }
    if let Some(Overlay::Templates(picker)) = model.overlays.last_mut()
        && picker.leave_name()
    {
        return;
    }
    match model.overlays.pop() {
        // Leaving a dialog that came by itself on the way out means: stay.
        Some(Overlay::Close(_) | Overlay::Quit) => {
            leaving::stay(model);
            close_round::leave(model);
        }
        Some(
            Overlay::Help(_)
            | Overlay::Unsent(_)
            | Overlay::Unknown(..)
            | Overlay::SendAgain(_)
            | Overlay::TakeAsClosed(_)
            | Overlay::Device(_)
            | Overlay::Look(_)
            | Overlay::Tenants(_)
            | Overlay::Notices { .. }
            | Overlay::Report(_)
            | Overlay::Palette(_)
            | Overlay::Templates(_)
            | Overlay::Recovery(_),
        ) => {}
        None if model.filtering => {
            model.filtering = false;
            model.requests.clear_filter();
        }
        None if model.pane == Pane::List => {
            if !model.requests.clear_marks() {
                model.requests.clear_filter();
            }
        }
        None if model.pane == Pane::Form && model.form.hide_suggestions() => {}
        None => model.pane = Pane::List,
    }
}

/// To the details and back; from a form that is being sent, to the list.
fn next_pane(model: &mut Model) {
    model.pane = match model.pane {
        Pane::List => Pane::Details,
        Pane::Details | Pane::Form => Pane::List,
    };
}

/// Moves the selection, or scrolls what has the keys as far as its text goes.
pub(super) fn move_or_scroll(model: &mut Model, motion: Motion, limits: ScrollLimits) {
    if recovery_panel::choose(model, motion) {
        return;
    }
    let (scroll, limit) = match model.overlays.last_mut() {
        Some(Overlay::Help(help)) => (&mut help.scroll, limits.help),
        Some(Overlay::Recovery(panel)) => (&mut panel.scroll, limits.recovery),
        Some(Overlay::Notices { scroll }) => (scroll, limits.notices),
        Some(Overlay::Report(panel)) => (&mut panel.scroll, limits.report),
        Some(Overlay::Look(_)) => (&mut model.details_scroll, limits.details),
        Some(Overlay::Unknown(..)) => return unknown::choose_match(model, motion),
        Some(Overlay::Device(_)) => return guard::choose(model, motion),
        Some(Overlay::Palette(palette)) => return palette.choose(motion),
        Some(Overlay::Tenants(_)) => return tenants::choose(model, motion),
        Some(Overlay::Templates(_)) => return template_picker::choose(model, motion),
        Some(_) => return,
        None if model.pane == Pane::Details => (&mut model.details_scroll, limits.details),
        None => {
            model.mouse.top = None;
            return model.requests.move_selection(motion);
        }
    };
    *scroll = u16::try_from(motion.from(usize::from(*scroll), usize::from(limit))).unwrap_or(limit);
}

/// Opens what the selected row needs: its draft, its question, or its details.
fn open_selected(model: &mut Model) {
    if let Some(Overlay::Device(row)) = model.overlays.last() {
        return look_at(model, *row);
    }
    let Some(row) = model.row_in_focus().and_then(|id| model.requests.get(id)) else { return };
    let id = row.id;
    let is_in_panel = matches!(model.overlays.last(), Some(Overlay::Recovery(_)));
    match row.state {
        RowState::Refused | RowState::Draft if !model.read_only => {
            // Who takes up a draft goes on to the dashboard.
            model.overlays.retain(|overlay| !matches!(overlay, Overlay::Recovery(_)));
            begin::take_up(model, id);
        }
        RowState::Unknown => model.overlays.push(Overlay::Unknown(id, 0)),
        RowState::Checking(_)
        | RowState::Sending(_)
        | RowState::Looking(_)
        | RowState::Refused
        | RowState::Draft
        | RowState::SetAside
        | RowState::Open
        | RowState::Closing(_)
        | RowState::CloseUnknown
        | RowState::Accepted
        | RowState::Closed(_) => {
            if is_in_panel {
                return look_at(model, id);
            }
            model.pane = Pane::Details;
        }
    }
}

/// Shows the details of a row before the overlay that it was chosen in.
fn look_at(model: &mut Model, row: RowId) {
    model.details_scroll = 0;
    model.overlays.push(Overlay::Look(row));
}

/// Abandons the selected request's call. Its reply still comes: what may have been sent is looked for.
fn abandon(model: &mut Model) -> Vec<Effect> {
    let Some(row) = model.requests.selected() else { return Vec::new() };
    let Some(call) = row.state.call() else { return Vec::new() };
    if matches!(row.state, RowState::Checking(_)) {
        let id = row.id;
        model.notice = Some(Notice::info("Abandoned before it was sent").hint("the draft is kept"));
        guard::forget(model, id);
        create::hold(model, id);
        return vec![Effect::Abandon(call)];
    }
    if let Some(reply) = queue::take_back(model, call) {
        return worker::apply(model, Event::Reply(reply));
    }
    model.notice = Some(Notice::info("Abandoned").hint("what may have been sent is looked up"));
    vec![Effect::Abandon(call)]
}
