//! The mouse: what stands where on the screen, and what a click or the wheel does there. A click names what it hits and never a
//! place. It selects, focuses and shows; it never sends, closes or discards anything.

use ratatui::layout::{Position, Rect};

use super::{Effect, Model, Notice, Overlay, Pane, RowId, ScrollLimits, TextField, update};
use crate::keys::{Action, Motion, Scope, Tab, TextEdit};
use mmd_elevate_core::{Field, RequestId};

/// How many lines of a text one step of the wheel is.
const LINES: u16 = 3;

/// The mouse, as far as the dashboard uses it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mouse {
    /// Whether the terminal reports it. It does not at first.
    pub is_on: bool,
    /// The row that stood at the top of the list when a row of it was clicked: the list stays as it is under the pointer.
    pub(super) top: Option<RowId>,
}

/// Something on the screen that can be pointed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PointerTarget {
    /// The name of a tab.
    Tab(Tab),
    /// The list, where it has no row.
    List,
    /// A row of the list.
    Row {
        /// The row.
        row: RowId,
        /// The row at the top of what is seen of the list.
        top: RowId,
    },
    /// The line of the filter.
    Filter,
    /// The details of the selected request.
    Details,
    /// A field of the form, with its label.
    Field(Field),
    /// A text that is suggested for the field in focus.
    Suggestion(String),
    /// A request of the panel of those that are open on the form's device.
    DeviceRow(RowId),
    /// A request that may be the one that this row's create has opened.
    Match(RowId, RequestId),
    /// The text of the close dialog.
    ActionsTaken,
    /// The rest of what is before the panes and has the keys.
    Overlay,
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gesture {
    /// The left button was pressed.
    Click,
    /// It was pressed again at once, on the same target.
    DoubleClick,
    /// The wheel was turned up by a step.
    WheelUp,
    /// The wheel was turned down by a step.
    WheelDown,
}

/// What stands where in a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Regions(Vec<(Rect, PointerTarget)>);

impl Regions {
    /// Adds what was drawn in this area. It lies over what was added before.
    pub(super) fn add(&mut self, area: Rect, target: PointerTarget) {
        self.0.push((area, target));
    }

    /// Returns what stands at this place.
    #[must_use]
    pub fn at(&self, place: Position) -> Option<&PointerTarget> {
        self.0.iter().rev().find(|(area, _)| area.contains(place)).map(|(_, target)| target)
    }

    /// Returns all areas with their targets; a later one lies over those before it.
    pub fn iter(&self) -> impl Iterator<Item = &(Rect, PointerTarget)> {
        self.0.iter()
    }
}

/// Switches the mouse on or off.
pub(super) fn toggle(model: &mut Model) -> Effect {
    let is_on = !model.mouse.is_on;
    model.mouse = Mouse { is_on, top: None };
    model.notice = Some(if is_on {
        let key = model.keymap.name(Scope::Panes, Action::ToggleMouse);
        Notice::info("The mouse is on").hint(format!("hold Shift to select text as before; {key} switches it off"))
    } else {
        Notice::info("The mouse is off")
    });
    Effect::CaptureMouse(is_on)
}

/// Applies what the mouse did to a target, as far as that is still there.
pub(super) fn apply(model: &mut Model, target: &PointerTarget, gesture: Gesture, limits: ScrollLimits) -> Vec<Effect> {
    match gesture {
        _ if !model.mouse.is_on => Vec::new(),
        Gesture::Click => click(model, target, limits),
        Gesture::DoubleClick => {
            let mut effects = click(model, target, limits);
            // What is gone, or hidden by now, is not opened.
            let is_chosen = match (model.overlays.last(), target) {
                (None, PointerTarget::Row { row, .. }) => model.requests.list().selected() == Some(*row),
                (Some(Overlay::Device(chosen)), PointerTarget::DeviceRow(row)) => chosen == row,
                _ => false,
            };
            if is_chosen {
                effects.extend(update::act(model, Action::Open, limits));
            }
            effects
        }
        Gesture::WheelUp => {
            turn(model, target, Motion::Up, limits);
            Vec::new()
        }
        Gesture::WheelDown => {
            turn(model, target, Motion::Down, limits);
            Vec::new()
        }
    }
}

fn click(model: &mut Model, target: &PointerTarget, limits: ScrollLimits) -> Vec<Effect> {
    if !model.overlays.is_empty() {
        click_in_overlay(model, target);
        return Vec::new();
    }
    match target {
        PointerTarget::Tab(tab) => {
            focus(model, Pane::List);
            if *tab != model.requests.tab() {
                return update::act(model, Action::ShowTab(*tab), limits);
            }
        }
        PointerTarget::List => focus(model, Pane::List),
        PointerTarget::Row { row, top } => {
            focus(model, Pane::List);
            if model.requests.list().position_of(*row).is_some() {
                model.requests.select(*row);
                model.mouse.top = Some(*top);
            }
        }
        PointerTarget::Filter => {
            focus(model, Pane::List);
            return update::act(model, Action::Filter, limits);
        }
        PointerTarget::Details if model.requests.selected().is_some() => focus(model, Pane::Details),
        PointerTarget::Field(field) if can_edit_form(model) => model.form.focus(*field),
        PointerTarget::Suggestion(text) if can_edit_form(model) && model.form.choose(text) => {
            return update::act(model, Action::TakeSuggestion, limits);
        }
        PointerTarget::Details
        | PointerTarget::Field(_)
        | PointerTarget::Suggestion(_)
        | PointerTarget::DeviceRow(_)
        | PointerTarget::Match(..)
        | PointerTarget::ActionsTaken
        | PointerTarget::Overlay => {}
    }
    Vec::new()
}

/// While something is asked, only what it asks about can be chosen.
fn click_in_overlay(model: &mut Model, target: &PointerTarget) {
    let is_listed = match target {
        PointerTarget::DeviceRow(row) => model.open_on_device().iter().any(|other| other.id == *row),
        _ => false,
    };
    let place = match target {
        PointerTarget::Match(row, id) => {
            model.requests.get(*row).and_then(|row| row.possible().iter().position(|request| request.id == *id))
        }
        _ => None,
    };
    match (model.overlays.last_mut(), target) {
        (Some(Overlay::Device(chosen)), PointerTarget::DeviceRow(row)) if is_listed => *chosen = *row,
        (Some(Overlay::Unknown(asked, chosen)), PointerTarget::Match(row, _)) if asked == row => {
            *chosen = place.unwrap_or(*chosen);
        }
        _ => {}
    }
}

/// Focuses a pane. What was typed into the filter or the form stays.
fn focus(model: &mut Model, pane: Pane) {
    (model.filtering, model.pane) = (false, pane);
}

fn can_edit_form(model: &Model) -> bool {
    model.pane == Pane::Form && !model.filtering && model.form.sending().is_none()
}

/// Turns the wheel over a target: the list moves its selection, a text its lines.
fn turn(model: &mut Model, target: &PointerTarget, motion: Motion, limits: ScrollLimits) {
    let edit = if motion == Motion::Up { TextEdit::Up } else { TextEdit::Down };
    match (model.overlays.last(), target) {
        (Some(Overlay::Close(dialog)), PointerTarget::ActionsTaken) => {
            let row = dialog.row;
            if let Some(text) = model.requests.actions_taken(row) {
                move_cursor(text, edit);
            }
        }
        (
            Some(Overlay::Device(_) | Overlay::Unknown(..) | Overlay::Palette(_) | Overlay::Templates(_)),
            PointerTarget::DeviceRow(_) | PointerTarget::Match(..) | PointerTarget::Overlay,
        ) => {
            update::move_or_scroll(model, motion, limits);
        }
        (Some(_), PointerTarget::Overlay) => (0..LINES).for_each(|_| update::move_or_scroll(model, motion, limits)),
        (None, PointerTarget::Tab(_) | PointerTarget::List | PointerTarget::Row { .. } | PointerTarget::Filter) => {
            model.mouse.top = None;
            model.requests.move_selection(motion);
        }
        (None, PointerTarget::Details) => {
            let scroll = model.details_scroll;
            let moved = if motion == Motion::Up { scroll.saturating_sub(LINES) } else { scroll.saturating_add(LINES) };
            model.details_scroll = moved.min(limits.details);
        }
        (None, PointerTarget::Field(Field::PlanOfAction))
            if can_edit_form(model) && model.form.focused == Field::PlanOfAction =>
        {
            (0..LINES).for_each(|_| model.form.edit(edit));
        }
        // Above the first there is the field above, which is not under the pointer.
        (None, PointerTarget::Suggestion(_))
            if can_edit_form(model) && (motion == Motion::Down || model.form.chosen().is_some()) =>
        {
            model.form.choose_suggestion(motion == Motion::Down);
        }
        _ => {}
    }
}

fn move_cursor(text: &mut TextField, edit: TextEdit) {
    (0..LINES).for_each(|_| text.edit(edit));
}
