//! Decides what the mouse points at: at what stood there in the frame that was on the screen.

use std::time::{Duration, Instant};

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use crate::dashboard::{Gesture, Message, PointerTarget, Regions};

/// A second click within this time belongs to the first.
const DOUBLE_CLICK_WINDOW: Duration = Duration::from_millis(500);

/// What stands where on the screen, and the last click.
#[derive(Clone, Debug, Default)]
pub struct Pointer {
    regions: Regions,
    /// Since when they are on the screen. `None`: it is not known what is on the screen.
    since: Option<Instant>,
    /// What stood there before, and since when.
    before: Option<(Regions, Instant)>,
    last_click: Option<(PointerTarget, Instant)>,
}

impl Pointer {
    /// Records what stands where in a frame. `at` is a moment before the frame reached the terminal.
    pub fn record_draw(&mut self, regions: Regions, at: Instant) {
        if self.since.is_none() || self.regions != regions {
            let before = std::mem::replace(&mut self.regions, regions);
            self.before = self.since.replace(at).map(|since| (before, since));
        }
    }

    /// Records that the last frame is not, or not whole, on the screen.
    pub(super) fn forget(&mut self) {
        (self.since, self.before) = (None, None);
    }

    /// Returns what a mouse event that was read at this moment means. What it hit may have been drawn over since, and nothing
    /// that came into its place is taken for it; what has stayed where it was is hit.
    pub(super) fn message(&self, event: MouseEvent, at: Instant) -> Option<Message> {
        let place = Position::new(event.column, event.row);
        let target = self.regions.at(place)?;
        let stayed = |(before, since): &(Regions, Instant)| *since < at && before.at(place) == Some(target);
        if !self.since.is_some_and(|since| since < at || self.before.as_ref().is_some_and(stayed)) {
            return None;
        }
        let gesture = match event.kind {
            // With a modifier it is the terminal's, or nothing.
            MouseEventKind::Down(MouseButton::Left) if event.modifiers.is_empty() => {
                let belongs = |(last, when): &(PointerTarget, Instant)| {
                    last == target && at.saturating_duration_since(*when) < DOUBLE_CLICK_WINDOW
                };
                if self.last_click.as_ref().is_some_and(belongs) { Gesture::DoubleClick } else { Gesture::Click }
            }
            MouseEventKind::ScrollUp => Gesture::WheelUp,
            MouseEventKind::ScrollDown => Gesture::WheelDown,
            MouseEventKind::Down(_)
            | MouseEventKind::Up(_)
            | MouseEventKind::Drag(_)
            | MouseEventKind::Moved
            | MouseEventKind::ScrollLeft
            | MouseEventKind::ScrollRight => return None,
        };
        Some(Message::Mouse(target.clone(), gesture))
    }

    /// Records a message that was made of a mouse event at this moment. A third click begins anew.
    pub(super) fn record(&mut self, message: &Message, at: Instant) {
        match message {
            Message::Mouse(target, Gesture::Click) => self.last_click = Some((target.clone(), at)),
            Message::Mouse(_, Gesture::DoubleClick) => self.last_click = None,
            _ => {}
        }
    }
}
