//! What was told in this run, and how long each notice stands: a success until the next key or for five seconds, a failure
//! until its cause is gone. `!` shows all of them whole.

use std::{collections::VecDeque, time::Duration};

use jiff::Timestamp;
use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::{
    Message, Model, Notice, Overlay, RecordState, RowId, RowState, ServiceState, Subject, Tone,
    draw::{
        Theme, scroll,
        words::{local, wrap},
    },
};
use crate::keys::Tab;
use mmd_elevate_core::{Event, Reply, SignIn};

/// How long a success stands, and how long anything stands at least before a key takes it away that has no cause.
const STANDS: Duration = Duration::from_secs(5);

/// Within this time a second notice is told beside the first.
const TOGETHER: Duration = Duration::from_secs(1);

/// How many notices are kept.
const KEPT: usize = 200;

/// What a failure is about: it stands until that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// Nothing that could be seen to end.
    Once,
    /// A row in this state.
    Row(RowId, RowState),
    /// The sign-in.
    SignIn,
    /// The record.
    Record,
    /// The service as a whole.
    Service,
    /// A list of the tenant.
    Listing(Tab),
}

impl About {
    /// What a notice is about that came with this message.
    pub(super) fn of(message: &Message, model: &Model) -> Self {
        match message {
            Message::Worker(Event::SignIn(_)) => Self::SignIn,
            Message::Worker(Event::NotSaved(_)) => Self::Record,
            Message::Worker(Event::NotReady(_)) | Message::WorkerGone => Self::Service,
            Message::Worker(Event::Progress(call, _) | Event::Reply(Reply { call_id: call, .. })) => {
                match model.calls.get(call).map(|call| &call.subject) {
                    Some(Subject::Row(row) | Subject::Device(Some(row)) | Subject::Word(row)) => {
                        model.requests.get(*row).map_or(Self::Once, |row| Self::Row(row.id, row.state))
                    }
                    Some(Subject::Listing(tab)) => Self::Listing(*tab),
                    _ => Self::Once,
                }
            }
            _ => Self::Once,
        }
    }

    /// The same with the state in which the row is now.
    fn now(self, model: &Model) -> Self {
        match self {
            Self::Row(row, _) => model.requests.get(row).map_or(Self::Once, |row| Self::Row(row.id, row.state)),
            cause => cause,
        }
    }

    fn is_gone(self, model: &Model) -> bool {
        match self {
            Self::Once => false,
            Self::Row(row, state) => model.requests.get(row).is_none_or(|row| row.state != state),
            Self::SignIn => matches!(model.sign_in, None | Some(SignIn::SignedIn { .. })),
            Self::Record => model.record == RecordState::Keeping,
            Self::Service => matches!(model.service, ServiceState::Ready),
            Self::Listing(tab) => model.listings.get(tab).is_none_or(|listing| listing.error.is_none()),
        }
    }
}

/// A notice that was told.
#[derive(Clone, Debug)]
struct Told {
    at: Timestamp,
    notice: Notice,
}

/// The notices of this run.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    told: VecDeque<Told>,
    /// The one that was told within the same second as the one that stands.
    pub(super) beside: Option<Notice>,
    /// When the notice that stands was told, as [`Model::elapsed`] stood then.
    since: Duration,
    /// What it is about.
    cause: Option<About>,
    /// Failures whose causes are not gone, under the notice that stands.
    under: Vec<(Notice, About)>,
}

impl Notices {
    /// How long until the notice that stands goes by itself.
    pub(super) fn due_in(&self, model: &Model) -> Option<Duration> {
        let goes = model.notice.as_ref().is_some_and(|notice| notice.tone.is_passing());
        goes.then(|| (self.since + STANDS).saturating_sub(model.elapsed))
    }
}

impl Model {
    /// Whether the panel that has the keys says what the notice says of its row.
    #[must_use]
    pub fn is_said_by_overlay(&self) -> bool {
        let row = match self.overlays.last() {
            Some(
                Overlay::Unknown(row, _)
                | Overlay::SendAgain(row)
                | Overlay::TakeAsClosed(row)
                | Overlay::Unsent(row)
                | Overlay::Look(row),
            ) => *row,
            Some(Overlay::Device(_) | Overlay::Notices { .. }) => return true,
            _ => return false,
        };
        matches!(self.notices.cause, Some(About::Row(of, _)) if of == row)
    }
}

/// A key or a paste: what was told and needs nothing goes.
pub(super) fn pass(model: &mut Model) {
    let stood = model.elapsed.saturating_sub(model.notices.since);
    let goes = model.notice.as_ref().is_some_and(|notice| {
        let has_no_cause = notice.tone == Tone::Doubt || model.notices.cause == Some(About::Once);
        notice.tone.is_passing() || (has_no_cause && stood >= STANDS)
    });
    if goes {
        drop_notice(model);
    }
}

fn drop_notice(model: &mut Model) {
    model.notices.under.retain(|(_, cause)| *cause != About::Once);
    let next = model.notices.under.pop();
    (model.notice, model.notices.cause) = next.map_or((None, None), |(notice, cause)| (Some(notice), Some(cause)));
    model.notices.beside = None;
    model.notices.since = model.elapsed;
}

/// Notes what a message has told about `cause`, and takes away what is no longer so. `before` is the notice that stood before
/// the message.
pub(super) fn note(model: &mut Model, before: Option<Notice>, cause: About) {
    if let Some(notice) = model.notice.clone().filter(|notice| before.as_ref() != Some(notice)) {
        let stood = model.elapsed.saturating_sub(model.notices.since);
        let former = model.notices.cause.take().unwrap_or(About::Once);
        model.notices.beside = before.clone().filter(|_| stood < TOGETHER);
        if let Some(before) = before.filter(|before| before.tone == Tone::Failure && former != About::Once) {
            model.notices.under.retain(|(_, cause)| *cause != former);
            model.notices.under.push((before, former));
        }
        model.notices.told.push_front(Told { at: model.now, notice });
        model.notices.told.truncate(KEPT);
        model.notices.since = model.elapsed;
        model.notices.cause = Some(cause.now(model));
    } else if let (None, Some(before)) = (&model.notice, before) {
        // A failure whose cause lasts is not taken away by what comes after it.
        let lasts = model.notices.cause.is_some_and(|cause| cause != About::Once && !cause.is_gone(model));
        if before.tone == Tone::Failure && lasts {
            model.notice = Some(before);
        } else {
            drop_notice(model);
        }
    }
    let under = std::mem::take(&mut model.notices.under);
    model.notices.under = under.into_iter().filter(|(_, cause)| !cause.is_gone(model)).collect();
    let has_passed = |notice: &Notice| {
        let is_over = model.notices.cause.is_some_and(|cause| cause.is_gone(model));
        let stood = model.elapsed.saturating_sub(model.notices.since);
        (notice.tone.is_passing() && stood >= STANDS) || (!notice.tone.is_passing() && is_over)
    };
    if model.notice.as_ref().is_some_and(has_passed) {
        drop_notice(model);
    }
}

/// Draws the notices of this run, the newest first. Returns how far they can be scrolled.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, from: u16) -> u16 {
    let block = theme.panel("Notices", "", true);
    let width = usize::from(block.inner(area).width);
    let mut lines = Vec::new();
    for told in &model.notices.told {
        let (time, sign) = (local(told.at, &model.time_zone, "%H:%M:%S"), theme.tone_sign(told.notice.tone));
        for (index, text) in wrap(&told.notice.text, width.saturating_sub(11).max(1)).into_iter().enumerate() {
            let head = if index == 0 { format!("{time} {sign} ") } else { " ".repeat(11) };
            lines
                .push(Line::from(vec![Span::styled(head, theme.tone(told.notice.tone)), Span::raw(text.into_owned())]));
        }
        if let Some(hint) = &told.notice.hint {
            let wrapped = wrap(hint, width.saturating_sub(17).max(1));
            lines.extend(wrapped.into_iter().enumerate().map(|(index, text)| {
                let head = if index == 0 { "           hint: " } else { "                 " };
                Line::from(vec![Span::styled(head, Theme::dim()), Span::raw(text.into_owned())])
            }));
        }
    }
    if lines.is_empty() {
        lines.push(Line::styled("Nothing has been told yet.", Theme::dim()));
    }
    scroll::draw(frame, area, block, lines, from)
}
