//! Colours, signs and borders: one table of named styles, each with one meaning. Colour is never the only sign.

use ratatui::{
    style::{Color, Modifier, Style},
    symbols::border,
    text::{Line, Span},
    widgets::{Block, Padding},
};

use crate::dashboard::{Age, RowState, Tone};

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

/// The grounds and colours that a terminal's background asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Palette {
    /// The background is not known, or there are few colours: fields are underlined, and the selection is reversed.
    #[default]
    Unknown,
    /// On a dark background.
    Dark,
    /// On a light background.
    Light,
    /// The terminal's own colours, bold where others are coloured, and the selection reversed.
    HighContrast,
    /// No colours at all.
    Mono,
}

/// What the settings and the terminal leave to the view.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Which grounds and colours are drawn.
    pub palette: Palette,
    /// The focus, the selection, the names of keys.
    pub accent: Color,
    /// The tenant's name.
    pub tenant: Option<Color>,
    /// How panes are framed.
    pub borders: Borders,
    /// Whether there is colour at all.
    pub colour: bool,
    /// Whether the terminal shows more than ASCII.
    pub unicode: bool,
}

impl Default for Theme {
    fn default() -> Self {
        Self {
            palette: Palette::Dark,
            accent: Color::Cyan,
            tenant: None,
            borders: Borders::default(),
            colour: true,
            unicode: true,
        }
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
    /// Whether colours are drawn. One that is not drawn is left out: what `NO_COLOR` asks for.
    fn has_colour(self) -> bool {
        self.colour && self.palette != Palette::Mono
    }

    fn coloured(self, colour: Color) -> Style {
        if !self.has_colour() {
            return Style::new();
        }
        if self.palette == Palette::HighContrast {
            // No colour can be read on every background; the terminal's own can.
            return Self::bold();
        }
        // Yellow and cyan cannot be read on white.
        let colour = match (self.palette, colour) {
            (Palette::Light, Color::Yellow) => Color::Indexed(130),
            (Palette::Light, Color::Cyan) => Color::Indexed(25),
            (Palette::Light, Color::Green) => Color::Indexed(28),
            (Palette::Light, Color::Magenta) => Color::Indexed(90),
            (Palette::Light, Color::Red) => Color::Indexed(124),
            (_, colour) => colour,
        };
        Style::new().fg(colour)
    }

    /// A ground: by how many steps of grey it is off the background.
    fn ground(self, dark: u8, light: u8) -> Option<Style> {
        let index = match self.palette {
            Palette::Dark => dark,
            Palette::Light => light,
            Palette::Unknown | Palette::HighContrast | Palette::Mono => return None,
        };
        self.has_colour().then(|| Style::new().bg(Color::Indexed(index)))
    }

    /// What has the focus, and the names of keys.
    pub(in crate::dashboard) fn accent(self) -> Style {
        self.coloured(self.accent)
    }

    /// Labels, times and borders at rest.
    pub(in crate::dashboard) fn dim() -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// Headings.
    pub(in crate::dashboard) fn bold() -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What needs the agent.
    pub(in crate::dashboard) fn failure(self) -> Style {
        self.coloured(Color::Red)
    }

    /// What is in doubt, or old.
    pub(in crate::dashboard) fn doubt(self) -> Style {
        self.coloured(Color::Yellow)
    }

    /// What was just done.
    pub(in crate::dashboard) fn success(self) -> Style {
        self.coloured(Color::Green)
    }

    /// That the tenant is not a real one.
    pub(in crate::dashboard) fn practice(self) -> Style {
        self.coloured(Color::Magenta).add_modifier(Modifier::BOLD)
    }

    /// That nothing is opened or closed here.
    pub(in crate::dashboard) fn read_only(self) -> Style {
        self.doubt().add_modifier(Modifier::BOLD | Modifier::REVERSED)
    }

    /// The tenant's name.
    pub(in crate::dashboard) fn tenant(self) -> Style {
        self.tenant_in(self.tenant)
    }

    /// The name of a tenant with this colour.
    pub(in crate::dashboard) fn tenant_in(self, colour: Option<Color>) -> Style {
        colour.map_or_else(Style::new, |colour| self.coloured(colour)).add_modifier(Modifier::BOLD)
    }

    /// A field that can be typed in; stronger where it has the focus.
    pub(in crate::dashboard) fn field(self, focused: bool) -> Style {
        let ground = if focused { self.ground(237, 253) } else { self.ground(235, 255) };
        ground.unwrap_or_else(|| Style::new().add_modifier(Modifier::UNDERLINED))
    }

    /// The selected row; weaker while the focus is elsewhere.
    pub(in crate::dashboard) fn selection(self, focused: bool) -> Style {
        let ground = if focused { self.ground(239, 252) } else { self.ground(236, 254) };
        ground.unwrap_or_else(|| {
            let style = Style::new().add_modifier(Modifier::REVERSED);
            if focused { style } else { style.add_modifier(Modifier::DIM) }
        })
    }

    /// How a notice is drawn.
    pub(in crate::dashboard) fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Info => Style::new(),
            Tone::Success => self.success(),
            Tone::Doubt => self.doubt(),
            Tone::Failure => self.failure(),
        }
    }

    /// What a terminal shows for a symbol: without frames and signs beyond ASCII neither has the program's own words any.
    pub(in crate::dashboard) fn symbol(self, symbol: &str) -> Option<&'static str> {
        match symbol {
            _ if symbol.is_ascii() || !self.is_ascii() => None,
            "…" => Some("~"),
            "–" => Some("-"),
            "·" => Some("."),
            // What it does not show could be taken for bytes that act.
            _ if !self.unicode => Some("?"),
            _ => None,
        }
    }

    fn is_ascii(self) -> bool {
        self.borders == Borders::Ascii
    }

    /// The sign of a notice: colour is never the only one.
    pub(in crate::dashboard) fn tone_sign(self, tone: Tone) -> &'static str {
        match tone {
            Tone::Info => " ",
            Tone::Success if self.is_ascii() => "+",
            Tone::Success => "✓",
            Tone::Doubt => "?",
            Tone::Failure if self.is_ascii() => "x",
            Tone::Failure => "✗",
        }
    }

    /// What is wrong, behind its sign: without colour an empty field's problem would pass for its text.
    pub(in crate::dashboard) fn problem(self, text: &str) -> String {
        format!("{} {text}", self.tone_sign(Tone::Failure))
    }

    /// What may be wrong, behind its sign.
    pub(in crate::dashboard) fn uncertain(self, text: &str) -> String {
        format!("{} {text}", self.tone_sign(Tone::Doubt))
    }

    /// An age by its mark.
    pub(in crate::dashboard) fn age(self, age: Age) -> Style {
        match age {
            Age::Fresh => Self::dim(),
            Age::Old => self.doubt(),
            Age::TooOld => self.failure(),
        }
    }

    /// How a state is drawn.
    pub(in crate::dashboard) fn state(self, state: RowState) -> Style {
        match state {
            RowState::Checking(_)
            | RowState::Sending(_)
            | RowState::Closing(_)
            | RowState::Closed(_)
            | RowState::SetAside
            | RowState::Draft => Self::dim(),
            RowState::Open => Style::new(),
            RowState::Looking(_) | RowState::Unknown | RowState::CloseUnknown | RowState::Accepted => self.doubt(),
            RowState::Refused => self.failure(),
        }
    }

    /// The sign of a state.
    pub(in crate::dashboard) fn state_sign(self, state: RowState) -> &'static str {
        let ascii = self.is_ascii();
        match state {
            RowState::Checking(_) | RowState::Sending(_) if ascii => "~",
            RowState::Checking(_) | RowState::Sending(_) => "…",
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

    /// What stands before the selected row, the chosen one or the focused label: two columns.
    pub(in crate::dashboard) fn selected_mark(self, selected: bool) -> &'static str {
        match (selected, self.is_ascii()) {
            (false, _) => "  ",
            (true, false) => "▌ ",
            (true, true) => "> ",
        }
    }

    /// What stands before a row that may be marked: two columns.
    pub(in crate::dashboard) fn row_mark(self, selected: bool, marked: bool) -> &'static str {
        match (selected, marked, self.is_ascii()) {
            (_, false, _) => self.selected_mark(selected),
            (false, true, _) => " *",
            (true, true, false) => "▌*",
            (true, true, true) => ">*",
        }
    }

    /// The rule between two columns.
    pub(in crate::dashboard) fn vertical_rule(self) -> &'static str {
        if self.is_ascii() { "|" } else { "│" }
    }

    /// The ends and the middle of a rule through a frame.
    pub(in crate::dashboard) fn horizontal_rule(self) -> [&'static str; 3] {
        if self.is_ascii() { ["+", "-", "+"] } else { ["├", "─", "┤"] }
    }

    /// The mark of the direction in which a list is sorted.
    pub(in crate::dashboard) fn sorted_sign(self) -> &'static str {
        if self.is_ascii() { "v" } else { "▾" }
    }

    /// An empty frame, one column of air inside.
    pub(in crate::dashboard) fn frame(self, focused: bool) -> Block<'static> {
        let style = if focused { self.accent() } else { Self::dim() };
        let block = Block::bordered().border_style(style).padding(Padding::horizontal(1));
        match self.borders {
            Borders::Rounded => block.border_set(border::ROUNDED),
            Borders::Plain => block.border_set(border::PLAIN),
            Borders::Ascii => block.border_set(ASCII),
        }
    }

    /// The frame of a panel: its title left, a word right.
    pub(in crate::dashboard) fn panel(self, title: &str, right: &str, focused: bool) -> Block<'static> {
        let name = if focused { self.accent().patch(Self::bold()) } else { Style::new() };
        let title = Span::styled(title.to_owned(), name);
        let block = self.frame(focused).title_top(Line::from(vec![Span::raw(" "), title, Span::raw(" ")]));
        if right.is_empty() {
            block
        } else {
            block.title_top(Line::styled(format!(" {right} "), Self::dim()).right_aligned())
        }
    }
}
