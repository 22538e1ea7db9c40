//! Decides what the mouse points at: at what stood there in the frame that was on the screen.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use crate::dashboard::{Gesture, Message, PointerTarget, Regions};

/// A second click within this time belongs to the first.
const DOUBLE_CLICK_WINDOW: Duration = Duration::from_millis(500);

/// How many frames may be drawn between a click and its reading. A click that is older hits nothing.
const FRAMES: usize = 8;

/// What stands where on the screen, and the last click.
#[derive(Clone, Debug, Default)]
pub struct Pointer {
    /// The last frames in which something stood elsewhere than in the one before; the newest is the last.
    frames: VecDeque<FrameRegions>,
    last_click: Option<(PointerTarget, Instant)>,
}

/// What stands where in a frame.
#[derive(Clone, Debug)]
struct FrameRegions {
    regions: Regions,
    /// Since when it is on the screen. `None`: the terminal had not taken all of it.
    since: Option<Instant>,
}

impl Pointer {
    /// Records what stands where in a frame. `at` is a moment before the frame reached the terminal.
    pub fn record_draw(&mut self, regions: Regions, at: Instant) {
        self.record_frame(regions, Some(at));
    }

    /// Records what stands where in a frame that is not, or not whole, on the screen.
    pub(super) fn record_behind(&mut self, regions: Regions) {
        self.record_frame(regions, None);
    }

    fn record_frame(&mut self, regions: Regions, since: Option<Instant>) {
        match self.frames.back_mut() {
            Some(last) if last.regions == regions => last.since = last.since.or(since),
            _ => {
                if self.frames.len() == FRAMES {
                    self.frames.pop_front();
                }
                self.frames.push_back(FrameRegions { regions, since });
            }
        }
    }

    /// Returns what stands at this place, if it stands there in each frame that was on the screen at this moment or has been drawn
    /// since.
    fn target(&self, place: Position, at: Instant) -> Option<&PointerTarget> {
        let target = self.frames.back()?.regions.at(place)?;
        for frame in self.frames.iter().rev() {
            if frame.regions.at(place) != Some(target) {
                return None;
            }
            if frame.since.is_some_and(|since| since < at) {
                return Some(target);
            }
        }
        None
    }

    /// Returns what a mouse event that was read at this moment means. What it hit may have been drawn over since, and nothing
    /// that came into its place is taken for it; what has stayed where it was is hit.
    pub(super) fn message(&self, event: MouseEvent, at: Instant) -> Option<Message> {
        let target = self.target(Position::new(event.column, event.row), at)?;
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
