//! Colours, signs and borders: few, and each with one meaning.

use ratatui::{
    style::{Color, Modifier, Style},
    symbols::border,
    text::{Line, Span},
    widgets::{Block, Padding},
};

use crate::dashboard::{RowState, Tone};

/// How panes are framed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Borders {
    /// Rounded corners.
    #[default]
    Rounded,
    /// Straight corners.
    Plain,
    /// `+`, `-` and `|`, and ASCII signs for the states.
    Ascii,
}

/// What the settings and the terminal leave to the view.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// The focused pane, the selection, the names of keys.
    pub accent: Color,
    /// The tenant's name.
    pub tenant: Option<Color>,
    /// How panes are framed.
    pub borders: Borders,
    /// Whether there is colour at all.
    pub colour: bool,
}

impl Default for Theme {
    fn default() -> Self {
        Self { accent: Color::Cyan, tenant: None, borders: Borders::default(), colour: true }
    }
}

const ASCII: border::Set = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

impl Theme {
    fn coloured(self, colour: Color) -> Style {
        // A colour that is reset draws nothing at all, which is what NO_COLOR asks for.
        if self.colour { Style::new().fg(colour) } else { Style::new() }
    }

    pub(super) fn accent(self) -> Style {
        self.coloured(self.accent)
    }

    pub(super) fn dim() -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn bold() -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn failure(self) -> Style {
        self.coloured(Color::Red)
    }

    pub(super) fn doubt(self) -> Style {
        self.coloured(Color::Yellow)
    }

    pub(super) fn success(self) -> Style {
        self.coloured(Color::Green)
    }

    pub(super) fn practice(self) -> Style {
        self.coloured(Color::Magenta).add_modifier(Modifier::BOLD)
    }

    pub(super) fn tenant(self) -> Style {
        self.tenant.map_or_else(Style::new, |colour| self.coloured(colour)).add_modifier(Modifier::BOLD)
    }

    pub(super) fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Info => Style::new(),
            Tone::Success => self.success(),
            Tone::Doubt => self.doubt(),
            Tone::Failure => self.failure(),
        }
    }

    /// The sign before a notice: colour is never the only one.
    pub(super) fn tone_sign(self, tone: Tone) -> &'static str {
        let ascii = self.borders == Borders::Ascii;
        match tone {
            Tone::Info => " ",
            Tone::Success if ascii => "+",
            Tone::Success => "✓",
            Tone::Doubt => "?",
            Tone::Failure if ascii => "x",
            Tone::Failure => "✗",
        }
    }

    /// What is wrong, behind its sign: without colour an empty field's problem would pass for its text.
    pub(super) fn problem(self, text: &str) -> String {
        format!("{} {text}", self.tone_sign(Tone::Failure))
    }

    /// What may be wrong, behind its sign.
    pub(super) fn uncertain(self, text: &str) -> String {
        format!("{} {text}", self.tone_sign(Tone::Doubt))
    }

    pub(super) fn state(self, state: RowState) -> Style {
        match state {
            RowState::Sending(_)
            | RowState::Closing(_)
            | RowState::Closed(_)
            | RowState::SetAside
            | RowState::Draft => Self::dim(),
            RowState::Open => Style::new(),
            RowState::Looking(_) | RowState::Unknown | RowState::CloseUnknown | RowState::Accepted => self.doubt(),
            RowState::Refused => self.failure(),
        }
    }

    pub(super) fn state_sign(self, state: RowState) -> &'static str {
        let ascii = self.borders == Borders::Ascii;
        match state {
            RowState::Sending(_) if ascii => "~",
            RowState::Sending(_) => "…",
            RowState::Open if ascii => "*",
            RowState::Open => "●",
            RowState::Closing(_) | RowState::Accepted if ascii => "-",
            RowState::Closing(_) | RowState::Accepted => "◌",
            RowState::Looking(_) | RowState::Unknown | RowState::CloseUnknown => "?",
            RowState::SetAside => "-",
            RowState::Draft if ascii => "=",
            RowState::Draft => "✎",
            RowState::Refused if ascii => "x",
            RowState::Refused => "✗",
            RowState::Closed(_) if ascii => "+",
            RowState::Closed(_) => "✓",
        }
    }

    /// The frame of a pane: its title left, a count or a word right, one column of air inside.
    pub(super) fn pane<'a>(self, title: &'a str, right: &str, focused: bool) -> Block<'a> {
        let (frame, name) =
            if focused { (self.accent(), self.accent().patch(Self::bold())) } else { (Self::dim(), Style::new()) };
        let block = Block::bordered().border_style(frame).padding(Padding::horizontal(1));
        let block = match self.borders {
            Borders::Rounded => block.border_set(border::ROUNDED),
            Borders::Plain => block.border_set(border::PLAIN),
            Borders::Ascii => block.border_set(ASCII),
        };
        let block = block.title_top(Line::from(vec![Span::raw(" "), Span::styled(title, name), Span::raw(" ")]));
        if right.is_empty() {
            block
        } else {
            block.title_top(Line::styled(format!(" {right} "), Self::dim()).right_aligned())
        }
    }
}
