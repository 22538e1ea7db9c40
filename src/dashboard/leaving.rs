//! Leaving the program: what would be left behind, and the close dialogs on the way out. Only the agent's own requests
//! count.

use std::time::Duration;

use ratatui::{Frame, layout::Rect};

use super::{
    Effect, Model, Notice, Overlay, Pane, RecordState, RowState, Subject, close_round,
    draw::{Theme, draw_question, words::counted},
    model::Leaving,
};
use mmd_elevate_core::visible;

/// Within this time a second Ctrl-C leaves at once.
const AT_ONCE: Duration = Duration::from_secs(2);

/// What would be left behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remains {
    /// The agent's own requests that are open.
    pub open: usize,
    /// Closes that the service took and no list has shown: their requests may still be open.
    pub accepted: usize,
    /// Calls under way.
    pub in_flight: usize,
    /// Requests that wait for the list of their device, and are not sent yet.
    pub unsent: usize,
    /// Creates of unknown outcome.
    pub unknown: usize,
    /// Drafts that the record has not saved.
    pub drafts: usize,
}

impl Remains {
    /// Whether nothing would be left behind.
    #[must_use]
    pub fn nothing(self) -> bool {
        self == Self::default()
    }
}

impl Model {
    /// What would be left behind now.
    #[must_use]
    pub fn remains(&self) -> Remains {
        let count = |is: fn(RowState) -> bool| self.requests.mine().filter(|row| is(row.state)).count();
        Remains {
            open: count(|state| state.is_open() && state != RowState::Accepted),
            accepted: count(|state| state == RowState::Accepted),
            in_flight: self.awaited_calls().filter(|call| !matches!(call.subject, Subject::Device(_))).count(),
            unsent: self.requests.creates().filter(|row| matches!(row.state, RowState::Checking(_))).count(),
            unknown: self.requests.creates().filter(|row| row.state == RowState::Unknown).count(),
            drafts: if self.record == RecordState::Keeping { 0 } else { self.drafts().len() },
        }
    }
}

pub(super) fn quit(model: &mut Model) -> Vec<Effect> {
    if model.remains().nothing() && !model.has_remains_elsewhere() {
        return vec![Effect::Exit];
    }
    if !model.overlays.contains(&Overlay::Quit) {
        model.overlays.push(Overlay::Quit);
    }
    Vec::new()
}

pub(super) fn interrupt(model: &mut Model) -> Vec<Effect> {
    let again = model.leaving.interrupted.is_some_and(|at| model.elapsed.saturating_sub(at) <= AT_ONCE);
    if again {
        return vec![Effect::Exit];
    }
    model.leaving.interrupted = Some(model.elapsed);
    let effects = quit(model);
    if effects.is_empty() {
        model.notice = Some(Notice::info("Ctrl-C again leaves at once, whatever is left behind"));
    }
    effects
}

/// Closes the agent's own open requests, one dialog after the other, and leaves when nothing remains.
pub(super) fn close_all(model: &mut Model) -> Vec<Effect> {
    model.overlays.retain(|overlay| *overlay != Overlay::Quit);
    // What was accepted has been closed once: whether to close it again is a decision, and not the way out.
    let is_to_close = |state: RowState| state.is_open() && state != RowState::Accepted;
    let open: Vec<_> = model.requests.mine().filter(|row| is_to_close(row.state)).map(|row| row.id).collect();
    model.leaving.closes_all = true;
    if model.overlays.is_empty() {
        // The question may lie over a text: its draft, or the filter, stays, and the dialogs come now.
        model.filtering = false;
        model.pane = Pane::List;
    }
    close_round::begin(model, open);
    proceed(model)
}

/// The agent stays: no further dialogs come by themselves.
pub(super) fn stay(model: &mut Model) {
    model.leaving = Leaving::default();
}

/// Goes on with leaving, if that is what the agent chose: the next dialog, or the end.
pub(super) fn proceed(model: &mut Model) -> Vec<Effect> {
    // Nothing comes by itself between two keys of something being typed, and no key meant for a text leaves the program.
    if !model.leaving.closes_all || !model.overlays.is_empty() || model.takes_text() {
        return Vec::new();
    }
    let remains = model.remains();
    if remains.nothing() && !model.has_remains_elsewhere() {
        return vec![Effect::Exit];
    }
    if remains.in_flight + remains.unsent > 0 {
        model.notice = Some(Notice::info("Leaving as soon as the calls under way have ended"));
    } else {
        // Something could not be closed, or other things remain: the agent decides again.
        stay(model);
        model.overlays.push(Overlay::Quit);
    }
    Vec::new()
}

/// Draws the question on leaving.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme) {
    let some = |count, one, many| (counted(count, one, many), if count == 1 { "it" } else { "them" });
    let remains = model.remains();
    let mut texts = Vec::new();
    if remains.open > 0 {
        let (what, them) = some(remains.open, "request is open", "requests are open");
        texts.push(format!("{what}. Left open, the next start shows {them}, and the service keeps what it grants."));
    }
    if remains.accepted > 0 {
        let (one, many) = ("close was accepted and is not visible yet", "closes were accepted and are not visible yet");
        let (what, them) = some(remains.accepted, one, many);
        texts.push(format!("{what}: what is not seen closed counts as open. The next start looks at {them} again."));
    }
    if remains.in_flight > 0 {
        let (what, them) = some(remains.in_flight, "call is under way", "calls are under way");
        texts.push(format!("{what}. Leaving does not wait for {them}; the next start looks up what came of {them}."));
    }
    if remains.unsent > 0 {
        let what = counted(remains.unsent, "request is not sent yet", "requests are not sent yet");
        texts.push(format!("{what}: what was typed is kept as a draft."));
    }
    if remains.unknown > 0 {
        let what = counted(remains.unknown, "request may or may not be open", "requests may or may not be open");
        texts.push(format!("{what}. The next start looks again."));
    }
    if remains.drafts > 0 {
        let what = counted(remains.drafts, "draft", "drafts");
        texts.push(format!("{what} would be lost: the record does not take what is typed."));
    }
    let elsewhere = model.remains_elsewhere();
    if !elsewhere.is_empty() && !texts.is_empty() {
        let name = model.tenant.name.as_deref().unwrap_or(&model.tenant.id);
        texts[0] = format!("{}: {}", visible(name), texts[0]);
    }
    texts.extend(elsewhere);
    draw_question(frame, area, model, theme, "Leave?", &texts, &[]);
}
