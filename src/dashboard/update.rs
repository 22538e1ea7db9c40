//! From a message to the next state. It only dispatches: what a message means stands with what it is about.

use super::{
    CopiedTo, EditTarget, Effect, Message, Model, Notice, Overlay, Pane, Row, RowState, TextField, cleaning, closing,
    drafts, leaving, opening, recovery, replies, sign_in, text_field::Dropped, unknown,
};
use crate::keys::{Action, Motion, Scope};
use mmd_elevate_core::{Field, Problem, visible};

/// Applies a message and says what the world has to do about it.
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    let selected = model.requests.selected().map(|row| row.id);
    let (field, told) = (cleaning::field_in_focus(model), model.notice.clone());
    let mut effects = match message {
        Message::Tick { now, elapsed } => {
            model.now = now;
            model.elapsed = model.elapsed.max(elapsed);
            return drafts::save(model, false).into_iter().collect();
        }
        Message::Ending => return drafts::save(model, true).into_iter().collect(),
        Message::Drawn(extents) => {
            model.extents = extents;
            match model.overlays.last_mut() {
                Some(Overlay::Help { scroll, .. }) => *scroll = (*scroll).min(extents.help),
                Some(Overlay::Recovery { scroll }) => *scroll = (*scroll).min(extents.recovery),
                _ => {}
            }
            model.details_scroll = model.details_scroll.min(extents.details);
            return Vec::new();
        }
        Message::Act(action) => {
            model.untouched_since = None;
            act(model, action)
        }
        Message::Text(text) => {
            type_text(model, &text);
            Vec::new()
        }
        Message::Paste(text) => {
            paste(model, &text);
            Vec::new()
        }
        Message::Worker(word) => replies::from_worker(model, word),
        Message::WorkerGone => {
            replies::worker_gone(model);
            Vec::new()
        }
        Message::Edited { target, text } => edited(model, target, &text).into_iter().collect(),
        Message::Copied(to, text) => {
            model.notice = Some(copied(to, &text));
            Vec::new()
        }
        Message::Warning(problem) => {
            let problem = Problem::new(visible(&problem.what), visible(&problem.hint));
            model.notice = Some(Notice::of_problem(super::Tone::Failure, problem));
            Vec::new()
        }
    };
    if model.requests.selected().map(|row| row.id) != selected {
        model.details_scroll = 0;
    }
    cleaning::leave(model, field, told.as_ref());
    recovery::tell(model);
    show_unsent(model);
    effects.extend(leaving::proceed(model));
    drafts::touched(model);
    effects
}

fn act(model: &mut Model, action: Action) -> Vec<Effect> {
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
        Action::CloseThem => return leaving::close_them(model),
        Action::LeaveThem => return vec![Effect::Exit],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Submit => return submit(model),
        Action::Refresh => return recovery::refresh(model).into_iter().collect(),
        Action::Abandon => return abandon(model),
        Action::SignIn => return vec![sign_in::again(model)],
        Action::LookAgain => return unknown::look_again(model),
        Action::Adopt => return unknown::adopt(model),
        Action::SetAside => return unknown::set_aside(model),
        Action::SendAgain => {
            if let Some(Overlay::Unknown(id, _)) = model.overlays.pop() {
                model.overlays.push(Overlay::SendAgain(id));
            }
        }
        Action::CloseMatch => unknown::close_match(model),
        Action::OpenEditor => return open_editor(model),
        Action::CopyId => return copy_id(model),
        Action::CopyLine => return copy(model, |row| Some(closing::ticket_line(row))),
        Action::CopyUnsent => return copy_unsent(model),
        Action::Help => {
            let scopes = model.scopes().to_vec();
            model.overlays.push(Overlay::Help { scopes, scroll: 0 });
        }
        Action::Back => back(model),
        Action::NextPane => next_pane(model, true),
        Action::PreviousPane => next_pane(model, false),
        Action::Move(step) => step_through(model, step),
        Action::NewRequest => new_request(model),
        Action::CloseRequest => {
            if let Some(id) = model.requests.selected().map(|row| row.id) {
                closing::open(model, id);
            }
        }
        Action::Open => open(model),
        Action::Filter => model.filtering = true,
        Action::KeepFilter => model.filtering = false,
        Action::NextSort => {
            model.requests.next_sort();
            model.notice = Some(Notice::info(format!("Sorted {}", model.requests.sort().label())));
        }
        Action::NextField => model.form.focus(model.form.focused.next()),
        Action::PreviousField => model.form.focus(model.form.focused.previous()),
        Action::TakeSuggestion => model.form.take_suggestion(&model.categories),
        Action::NextSuggestion => model.form.choose(&model.categories, true),
        Action::PreviousSuggestion => model.form.choose(&model.categories, false),
        Action::Discard => {
            model.form.discard();
            let key = model.keymap.name(Scope::Text, Action::Edit(crate::keys::TextEdit::Undo));
            model.notice = Some(Notice::info("Draft discarded").hint(format!("{key} brings it back")));
        }
        Action::Edit(edit) => match focused_text(model) {
            Some(FocusedText::Form) => model.form.edit(edit),
            Some(FocusedText::Filter) => model.requests.change_filter(|filter| filter.edit(edit)),
            Some(FocusedText::Dialog(row)) => change_dialog(model, row, |text| text.edit(edit)).unwrap_or_default(),
            None => {}
        },
    }
    Vec::new()
}

/// Which text has the focus.
#[derive(Clone, Copy)]
enum FocusedText {
    Form,
    Filter,
    Dialog(super::RowId),
}

fn focused_text(model: &Model) -> Option<FocusedText> {
    match model.overlays.last() {
        Some(Overlay::Close { row, .. }) => Some(FocusedText::Dialog(*row)),
        Some(_) => None,
        None if model.filtering => Some(FocusedText::Filter),
        None => (model.pane == Pane::Form && model.form.sending().is_none()).then_some(FocusedText::Form),
    }
}

/// Changes the text of the close dialog: what was wrong with it may be so no longer.
fn change_dialog<T>(model: &mut Model, row: super::RowId, change: impl FnOnce(&mut TextField) -> T) -> Option<T> {
    let text = model.requests.actions_taken(row)?;
    let before = text.text();
    let result = change(text);
    let changed = text.text() != before;
    if let Some(Overlay::Close { problem, touched, .. }) = model.overlays.last_mut() {
        *problem = None;
        *touched |= changed;
    }
    Some(result)
}

fn type_text(model: &mut Model, text: &str) {
    model.untouched_since = None;
    match focused_text(model) {
        Some(FocusedText::Form) => model.form.type_text(text),
        Some(FocusedText::Filter) => model.requests.change_filter(|filter| filter.type_text(text)),
        Some(FocusedText::Dialog(row)) => change_dialog(model, row, |field| field.type_text(text)).unwrap_or_default(),
        None => {}
    }
}

/// A paste is text, or nothing: it never acts.
fn paste(model: &mut Model, text: &str) {
    model.untouched_since = None;
    let dropped = match focused_text(model) {
        Some(FocusedText::Form) => model.form.paste(text),
        Some(FocusedText::Filter) => {
            let mut dropped = Dropped::default();
            model.requests.change_filter(|filter| dropped = filter.paste(text));
            dropped
        }
        Some(FocusedText::Dialog(row)) => change_dialog(model, row, |field| field.paste(text)).unwrap_or_default(),
        None => {
            let key = model.keymap.name(Scope::Panes, Action::NewRequest);
            model.notice = Some(Notice::info("A paste needs a text to go to").hint(format!("{key} goes to the form")));
            return;
        }
    };
    cleaning::tell(model, text, dropped, "paste");
}

/// Takes over what the editor saved. `None` where the text has no place any more.
fn edited(model: &mut Model, target: EditTarget, text: &str) -> Option<Effect> {
    let dropped = match target {
        EditTarget::PlanOfAction if model.form.sending().is_some() => return None,
        EditTarget::PlanOfAction if model.form.field(Field::PlanOfAction).text() == text => {
            return Some(Effect::EditTaken);
        }
        EditTarget::PlanOfAction => model.form.set_plan(text),
        // In a row whose dialog is gone nobody would see it.
        EditTarget::ActionsTaken(id)
            if !model.overlays.iter().any(|open| matches!(open, Overlay::Close { row, .. } if *row == id)) =>
        {
            return None;
        }
        EditTarget::ActionsTaken(row) => {
            let replace = |field: &mut TextField| (field.text() != text).then(|| field.replace(text));
            match change_dialog(model, row, replace)? {
                Some(dropped) => dropped,
                None => return Some(Effect::EditTaken),
            }
        }
    };
    cleaning::tell(model, text, dropped, "edited text");
    Some(Effect::EditTaken)
}

fn submit(model: &mut Model) -> Vec<Effect> {
    if let Some(Overlay::Close { row, .. }) = model.overlays.last() {
        return closing::submit(model, *row);
    }
    if let Some(Overlay::SendAgain(row)) = model.overlays.last() {
        return unknown::send_again(model, *row);
    }
    opening::submit(model)
}

fn open_editor(model: &Model) -> Vec<Effect> {
    match focused_text(model) {
        Some(FocusedText::Dialog(row)) => {
            let field = model.requests.get(row).and_then(|row| row.actions_taken.as_deref());
            let text = field.map_or_else(String::new, super::TextField::text);
            vec![Effect::OpenEditor(EditTarget::ActionsTaken(row), text)]
        }
        Some(FocusedText::Form) => {
            vec![Effect::OpenEditor(EditTarget::PlanOfAction, model.form.field(Field::PlanOfAction).text())]
        }
        Some(FocusedText::Filter) | None => Vec::new(),
    }
}

/// Asks for a copy. What became of it is told when it is known.
fn copy(model: &Model, text: impl FnOnce(&Row) -> Option<String>) -> Vec<Effect> {
    model.requests.selected().and_then(text).map(Effect::Copy).into_iter().collect()
}

fn copy_id(model: &Model) -> Vec<Effect> {
    copy(model, |row| row.request_id().map(|id| id.text().visible().into_owned()))
}

/// What was handed over, its beginning only, and how.
fn copied(to: CopiedTo, text: &str) -> Notice {
    const LONGEST: usize = 24;
    let mut shown: String = text.chars().take_while(|c| *c != '\n').take(LONGEST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    let shown = visible(&shown);
    match to {
        CopiedTo::Terminal => Notice::info(format!("Sent to the terminal: {shown}")),
        CopiedTo::TmuxAndTerminal => Notice::info(format!("Sent to tmux and the terminal: {shown}")),
        CopiedTo::Tmux => Notice::info(format!("Sent to tmux: {shown}"))
            .hint("tmux pastes it; it does not hand copies on while its set-clipboard is off"),
    }
}

/// The text that was not stored goes to the clipboard as it was typed, a visible mark for what a terminal would act on.
fn copy_unsent(model: &Model) -> Vec<Effect> {
    let row = match model.overlays.last() {
        Some(Overlay::Unsent(id)) => model.requests.get(*id),
        _ => model.requests.selected(),
    };
    let Some(text) = row.and_then(Row::unsent_text) else { return Vec::new() };
    let lines: Vec<_> = text.lines().iter().map(|line| visible(line)).collect();
    vec![Effect::Copy(lines.join("\n"))]
}

fn back(model: &mut Model) {
    match model.overlays.pop() {
        // Leaving a dialog that came by itself on the way out means: stay.
        Some(Overlay::Close { .. } | Overlay::Quit) => leaving::stay(model),
        Some(
            Overlay::Help { .. }
            | Overlay::Unsent(_)
            | Overlay::Unknown(..)
            | Overlay::SendAgain(_)
            | Overlay::Recovery { .. },
        ) => {}
        None if model.filtering => {
            model.filtering = false;
            model.requests.clear_filter();
        }
        None if model.pane == Pane::List => model.requests.clear_filter(),
        None => model.pane = Pane::List,
    }
}

fn next_pane(model: &mut Model, forward: bool) {
    model.pane = match (model.pane, forward) {
        (Pane::List, true) | (Pane::Form, false) => Pane::Details,
        (Pane::Details, true) | (Pane::List, false) => Pane::Form,
        (Pane::Form, true) | (Pane::Details, false) => Pane::List,
    };
}

fn step_through(model: &mut Model, step: Motion) {
    let (scroll, extent) = match model.overlays.last_mut() {
        Some(Overlay::Help { scroll, .. }) => (scroll, model.extents.help),
        Some(Overlay::Recovery { scroll }) => (scroll, model.extents.recovery),
        Some(Overlay::Unknown(..)) => return unknown::choose(model, step),
        Some(_) => return,
        None if model.pane == Pane::Details => (&mut model.details_scroll, model.extents.details),
        None => return model.requests.step(step),
    };
    *scroll = match step {
        Motion::Down => scroll.saturating_add(1),
        Motion::Up => scroll.saturating_sub(1),
        Motion::PageDown => scroll.saturating_add(10),
        Motion::PageUp => scroll.saturating_sub(10),
        Motion::First => 0,
        Motion::Last => extent,
    }
    .min(extent);
}

fn new_request(model: &mut Model) {
    // Who begins another request on the way out stays.
    leaving::stay(model);
    if model.form.sending().is_some() {
        // The draft that is being sent lives in its row: another can begin.
        model.form.followed_by(super::Form::default());
    } else if model.form.problem(model.form.focused).is_none() {
        model.form.focus(Field::Ticket);
    }
    model.pane = Pane::Form;
}

fn open(model: &mut Model) {
    let Some(row) = model.requests.selected() else { return };
    let id = row.id;
    match row.state {
        RowState::Refused | RowState::Draft => replies::take_up(model, id),
        RowState::Unknown => model.overlays.push(Overlay::Unknown(id, 0)),
        RowState::Sending(_)
        | RowState::Looking(_)
        | RowState::SetAside
        | RowState::Open
        | RowState::Closing(_)
        | RowState::CloseUnknown
        | RowState::Accepted
        | RowState::Closed(_) => {
            model.pane = Pane::Details;
        }
    }
}

/// Abandons the selected request's call. Its reply still comes: what may have been sent is looked for.
fn abandon(model: &mut Model) -> Vec<Effect> {
    let Some(call) = model.requests.selected().and_then(|row| row.state.call()) else { return Vec::new() };
    model.notice = Some(Notice::info("Abandoned").hint("what may have been sent is looked for, and never forgotten"));
    vec![Effect::Abandon(call)]
}

/// A text that was not stored is put before the agent, but never between two keys of something being typed.
fn show_unsent(model: &mut Model) {
    if !model.overlays.is_empty() || model.takes_text() {
        return;
    }
    while let Some(id) = model.unsent.pop_front() {
        if model.requests.get(id).and_then(Row::unsent_text).is_some() {
            model.overlays.push(Overlay::Unsent(id));
            return;
        }
    }
}
