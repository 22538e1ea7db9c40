//! The question about a create of unknown outcome: look again, take a match for it, close a match, send it once more, or ask no
//! more.

use ratatui::{Frame, layout::Rect};

use super::{
    CreateState, Effect, Model, Notice, Overlay, PointerTarget, Regions, Row, RowId, RowState, close, create,
    draw::{Theme, draw_question, words::local},
};
use crate::keys::Motion;
use mmd_elevate_core::{Call, CallError, CallId, ElevationRequest, ErrorCode, Field, MatchResult, WriteId};

impl Model {
    /// The row that the question about an unknown outcome is about, and which of its possible matches is chosen.
    fn row_in_question(&self) -> Option<(Row<'_>, usize)> {
        match self.overlays.last() {
            Some(Overlay::Unknown(row, chosen)) => self.requests.get(*row).map(|row| (row, *chosen)),
            _ => None,
        }
    }

    /// The match that is chosen, where looking has seen any.
    #[must_use]
    pub fn chosen_match(&self) -> Option<&ElevationRequest> {
        let (row, chosen) = self.row_in_question()?;
        row.possible().get(chosen)
    }
}

/// Chooses among the possible matches.
pub(super) fn choose_match(model: &mut Model, motion: Motion) {
    let count = model.row_in_question().map_or(0, |(row, _)| row.possible().len());
    if let Some(Overlay::Unknown(_, chosen)) = model.overlays.last_mut() {
        *chosen = motion.from(*chosen, count.saturating_sub(1));
    }
}

/// Ends the question. Returns its row and its write.
fn take_question(model: &mut Model) -> Option<(RowId, WriteId)> {
    let (row, _) = model.row_in_question()?;
    let named = (row.id, row.write?);
    model.overlays.pop();
    Some(named)
}

/// Begins a call that settles what is unknown about a create.
fn begin_lookup(model: &mut Model, row: RowId, doing: &str) -> CallId {
    let label = format!("{doing} {}", model.requests.name(row));
    let call = model.begin_lookup(row, label);
    model.requests.change_create(row, |create| create.state = CreateState::Looking(call));
    call
}

pub(super) fn look_again(model: &mut Model) -> Vec<Effect> {
    let Some((row, write)) = take_question(model) else { return Vec::new() };
    let call = begin_lookup(model, row, "looking for");
    vec![Effect::Call(call, Call::Look(write))]
}

pub(super) fn adopt_match(model: &mut Model) -> Vec<Effect> {
    let Some(request) = model.chosen_match().cloned() else { return Vec::new() };
    let Some((row, write)) = take_question(model) else { return Vec::new() };
    let call = begin_lookup(model, row, "adopting the match for");
    vec![Effect::Call(call, Call::Adopt(write, Box::new(request)))]
}

/// Gives the chosen match a row of its own and opens its close dialog. The outcome of the create stays unknown.
pub(super) fn close_match(model: &mut Model) {
    let Some(request) = model.chosen_match().cloned() else { return };
    model.overlays.pop();
    let is_known = model.requests.find(&request.id).is_some();
    let row = model.requests.take_as_mine(request, model.now);
    if !is_known {
        model.requests.change_request(row, |request| request.unclaimed = true);
        model.requests.select(row);
    }
    close::open_dialog(model, row);
}

pub(super) fn set_aside(model: &mut Model) -> Vec<Effect> {
    let Some((row, write)) = take_question(model) else { return Vec::new() };
    let call = begin_lookup(model, row, "setting aside");
    vec![Effect::Call(call, Call::SetAside(write))]
}

/// Sends the same once more, as a write of its own that the agent has confirmed. The first is set aside.
pub(super) fn send_again(model: &mut Model, id: RowId) -> Vec<Effect> {
    model.overlays.pop();
    let Some(row) = model.requests.get(id).filter(|row| row.state == RowState::Unknown) else {
        model.notice = Some(Notice::info("The outcome is known now: nothing was sent"));
        return Vec::new();
    };
    let write = row.write;
    let Some(request) = row.draft.and_then(|draft| draft.validate().ok()) else { return Vec::new() };
    let mut effects = Vec::new();
    if let Some(write) = write {
        let call = begin_lookup(model, id, "setting aside");
        effects.push(Effect::Call(call, Call::SetAside(write)));
    } else {
        model.requests.change_create(id, |create| create.state = CreateState::SetAside);
    }
    let id = create::add(model, &request);
    effects.extend(create::send(model, id));
    effects
}

/// Draws the question about a row: what looking has seen, and what can be done. One of the possible matches is chosen.
pub(super) fn draw(
    frame: &mut Frame,
    area: Rect,
    model: &Model,
    theme: &Theme,
    (id, chosen): (RowId, usize),
    regions: &mut Regions,
) {
    let Some(row) = model.requests.get(id) else { return };
    // Of what another run has sent no more is known than that it ended first.
    let ended_first =
        |error: &&CallError| error.code == Some(ErrorCode::Crashed) && model.recovery.unresolved.contains(&id);
    let what = match row.error.filter(|error| !ended_first(error)) {
        Some(error) => error.what(),
        None => "The program ended before an answer came.".to_owned(),
    };
    let mut texts = vec![format!("{}: {what}", row.name())];
    texts.push(match row.seen {
        None => "It may have been opened all the same.".to_owned(),
        Some((seen, at)) => {
            let at = local(*at, &model.time_zone, "%H:%M:%S");
            match seen {
                MatchResult::Possible(_) => format!("Seen at {at}, and perhaps it; you decide:"),
                MatchResult::Found { .. } | MatchResult::NotSeen => {
                    format!("Not seen at {at}. That does not prove that it is not there.")
                }
                MatchResult::Unclear(gaps) => {
                    let hint = gaps.hint().map_or_else(String::new, |hint| format!(" (hint: {hint})"));
                    format!("Looked at {at}, and it may be there unseen: {}{hint}.", gaps.describe())
                }
            }
        }
    });
    let lines = row.possible().iter().enumerate().map(|(index, request)| {
        let created = request.created.as_ref().map_or_else(String::new, |created| match created.at {
            Some(at) => local(at, &model.time_zone, "%Y-%m-%d %H:%M"),
            None => created.text.visible().into_owned(),
        });
        let listed = if request.closed.is_some() { "closed" } else { "open" };
        let state = model.requests.find(&request.id).map_or(listed, |row| row.state.word());
        let mark = theme.selected_mark(index == chosen);
        format!("{mark}{created} {state}, {}, by {}", request.title.visible(), request.requested_by.visible())
    });
    let places = draw_question(frame, area, model, theme, "Outcome unknown", &texts, &lines.collect::<Vec<_>>());
    for (place, request) in places.into_iter().zip(row.possible()) {
        regions.add(place, PointerTarget::Match(id, request.id.clone()));
    }
}

/// Draws the question whether to send it once more.
pub(super) fn draw_send_again(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, id: RowId) {
    let Some(row) = model.requests.get(id) else { return };
    let texts = [
        format!("{}: {}", row.name(), row.text(Field::Title)),
        "The first may be open without having been seen. Then this opens a second one, which counts against the device's \
         limit and leaves a person an administrator until somebody closes it."
            .to_owned(),
    ];
    draw_question(frame, area, model, theme, "Send again?", &texts, &[]);
}
