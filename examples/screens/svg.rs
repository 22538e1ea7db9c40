//! A terminal's screen as an SVG: each word stands at the place of its cell, and borders are lines, so that it looks the
//! same in whatever monospaced font there is.

use std::ops::Range;

use vt100::{Cell, Color, Screen};

/// A cell, in pixels.
const WIDTH: u32 = 9;
const HEIGHT: u32 = 20;
const FONT_SIZE: u32 = 15;
/// From the top of a cell to the line that letters stand on.
const BASELINE: u32 = 15;
/// Monospaced fonts, whichever there is.
const FONTS: &str =
    "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', 'Courier New', monospace";
/// Around the screen.
const MARGIN: u32 = 16;
const TITLE_BAR: u32 = 38;
/// How much room a caption needs below the screen.
pub(crate) const FOOT: u32 = 36;

const BACKGROUND: Rgb = Rgb(0x10, 0x14, 0x1b);
const FOREGROUND: Rgb = Rgb(0xd8, 0xde, 0xe6);
const ANSI: [Rgb; 16] = [
    Rgb(0x2a, 0x31, 0x3c),
    Rgb(0xf0, 0x71, 0x78),
    Rgb(0x8f, 0xd0, 0x7b),
    Rgb(0xe9, 0xc4, 0x6a),
    Rgb(0x6c, 0xb0, 0xf5),
    Rgb(0xc7, 0x92, 0xea),
    Rgb(0x5f, 0xd0, 0xd8),
    Rgb(0xb8, 0xc0, 0xcb),
    Rgb(0x5c, 0x67, 0x73),
    Rgb(0xff, 0x8b, 0x92),
    Rgb(0xa9, 0xe3, 0x96),
    Rgb(0xff, 0xda, 0x85),
    Rgb(0x8c, 0xc4, 0xff),
    Rgb(0xd9, 0xae, 0xf7),
    Rgb(0x86, 0xe4, 0xea),
    Rgb(0xff, 0xff, 0xff),
];

#[derive(Clone, Copy, PartialEq, Eq)]
struct Rgb(u8, u8, u8);

impl Rgb {
    fn of(colour: Color, default: Self) -> Self {
        let cube = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
        match colour {
            Color::Default => default,
            Color::Rgb(red, green, blue) => Self(red, green, blue),
            Color::Idx(n @ 0..16) => ANSI[usize::from(n)],
            Color::Idx(n @ 16..232) => Self(cube((n - 16) / 36), cube((n - 16) / 6 % 6), cube((n - 16) % 6)),
            Color::Idx(n) => {
                let grey = 8 + 10 * (n - 232);
                Self(grey, grey, grey)
            }
        }
    }

    /// As a terminal dims a text: part of the way to the background.
    fn dimmed(self, background: Self) -> Self {
        let mix = |a: u8, b: u8| u8::try_from((u16::from(a) * 58 + u16::from(b) * 42) / 100).unwrap_or(u8::MAX);
        Self(mix(self.0, background.0), mix(self.1, background.1), mix(self.2, background.2))
    }

    fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// How a cell looks.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    ink: Rgb,
    paper: Rgb,
    bold: bool,
    italic: bool,
    underline: bool,
}

impl Look {
    fn of(cell: &Cell) -> Self {
        let (mut ink, mut paper) = (Rgb::of(cell.fgcolor(), FOREGROUND), Rgb::of(cell.bgcolor(), BACKGROUND));
        if cell.inverse() {
            (ink, paper) = (paper, ink);
        }
        if cell.dim() {
            ink = ink.dimmed(paper);
        }
        Self { ink, paper, bold: cell.bold(), italic: cell.italic(), underline: cell.underline() }
    }
}

/// One thing that is drawn.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Element {
    /// Whether it is a ground, over which the rest is drawn.
    pub(crate) is_ground: bool,
    tag: &'static str,
    /// Where it is.
    place: String,
    /// How it looks, as attributes.
    pub(crate) look: String,
    text: String,
}

impl Element {
    /// Returns the element with these attributes for its look.
    pub(crate) fn with_look(&self, look: &str) -> String {
        let Self { tag, place, text, .. } = self;
        let attributes = format!("{tag} {place}{look}");
        if text.is_empty() { format!("<{attributes}/>") } else { format!("<{attributes}>{}</{tag}>", escaped(text)) }
    }
}

/// A line of text at the foot of a picture, below the screen.
pub(crate) fn caption(screen: &Screen, text: &str) -> Element {
    let y = TITLE_BAR + u32::from(screen.size().0.get()) * HEIGHT + FOOT - 12;
    let place = format!(r#"x="{}" y="{y}""#, MARGIN + WIDTH);
    Element {
        is_ground: false,
        tag: "text",
        place,
        look: format!(r#" fill="{}" font-style="italic""#, ANSI[12].hex()),
        text: text.to_owned(),
    }
}

/// The screen in a window with round corners.
pub(crate) fn picture(screen: &Screen, title: &str) -> String {
    let body: Vec<_> = elements(screen).iter().map(|element| element.with_look(&element.look)).collect();
    window(screen, title, 0, "", &body)
}

/// The same of what was drawn already, with so much room below the screen.
pub(crate) fn window(screen: &Screen, title: &str, foot: u32, style: &str, body: &[String]) -> String {
    let (rows, columns) = screen.size();
    let width = u32::from(columns.get()) * WIDTH + 2 * MARGIN;
    let height = u32::from(rows.get()) * HEIGHT + TITLE_BAR + MARGIN + foot;
    let title = escaped(title);
    let (inner_width, inner_height, middle) = (width - 1, height - 1, width / 2);
    let (paper, ink, frame, quiet) = (BACKGROUND.hex(), FOREGROUND.hex(), "#2b3340", "#6b7685");
    let mut svg = vec![
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">"#
        ),
        format!("<title>{title}</title>"),
    ];
    svg.extend((!style.is_empty()).then(|| format!("<style>{style}</style>")));
    svg.push(format!(
        r#"<rect x=".5" y=".5" width="{inner_width}" height="{inner_height}" rx="10" fill="{paper}" stroke="{frame}"/>"#
    ));
    svg.push(format!(r#"<g font-family="{FONTS}" font-size="{FONT_SIZE}" fill="{ink}">"#));
    svg.push(format!(
        r#"<text x="{middle}" y="24" font-size="13" fill="{quiet}" text-anchor="middle">mmd-elevate</text>"#
    ));
    svg.extend([20, 39, 58].map(|x| format!(r##"<circle cx="{x}" cy="19" r="5.5" fill="#3a4351"/>"##)));
    svg.extend_from_slice(body);
    svg.push("</g>\n</svg>\n".to_owned());
    svg.join("\n")
}

/// What the screen shows.
pub(crate) fn elements(screen: &Screen) -> Vec<Element> {
    let (rows, columns) = screen.size();
    let mut elements = Vec::new();
    for row in 0..rows.get() {
        draw_row(&mut elements, screen, row, columns.get());
    }
    if !screen.hide_cursor() {
        let (row, column) = screen.cursor_position();
        let (x, y) = place(row, column);
        let place = format!(r#"x="{x}" y="{}" width="2" height="17""#, y + 2);
        elements.push(Element { is_ground: false, tag: "rect", place, look: String::new(), text: String::new() });
    }
    elements
}

fn place(row: u16, column: u16) -> (u32, u32) {
    (MARGIN + u32::from(column) * WIDTH, TITLE_BAR + u32::from(row) * HEIGHT)
}

fn draw_row(elements: &mut Vec<Element>, screen: &Screen, row: u16, columns: u16) {
    let cell = |column| screen.cell(row, column).filter(|cell| !cell.is_wide_continuation());
    let mut column = 0;
    while column < columns {
        let Some(first) = cell(column) else {
            column += 1;
            continue;
        };
        let look = Look::of(first);
        let lines = is_border(first);
        // A run is what looks alike and holds no blank: a word, or a piece of a border.
        let belongs =
            |next: &Cell| Look::of(next) == look && is_border(next) == lines && (is_blank(next) == is_blank(first));
        let mut end = column + 1;
        while end < columns && screen.cell(row, end).is_some_and(|c| c.is_wide_continuation() || belongs(c)) {
            end += 1;
        }
        draw_run(elements, screen, row, column..end, look, lines);
        column = end;
    }
}

fn is_blank(cell: &Cell) -> bool {
    cell.contents().trim().is_empty()
}

fn draw_run(elements: &mut Vec<Element>, screen: &Screen, row: u16, run: Range<u16>, look: Look, lines: bool) {
    let (x, y) = place(row, run.start);
    let width = u32::from(run.end - run.start) * WIDTH;
    let colour = |attribute: &str, colour: Rgb| format!(r#" {attribute}="{}""#, colour.hex());
    if look.paper != BACKGROUND {
        let place = format!(r#"x="{x}" y="{y}" width="{width}" height="{HEIGHT}""#);
        let look = colour("fill", look.paper);
        elements.push(Element { is_ground: true, tag: "rect", place, look, text: String::new() });
    }
    let text: String = run.clone().filter_map(|column| screen.cell(row, column)).map(Cell::contents).collect();
    if lines {
        let mut path = String::new();
        let mut straight = 0;
        for (n, character) in text.chars().enumerate() {
            if character == '─' {
                straight += WIDTH;
                continue;
            }
            let x = x + WIDTH * u32::try_from(n).unwrap_or(0);
            draw_straight(&mut path, x, y, &mut straight);
            path.push_str(&format!("M{x} {y}{}", border(character).unwrap_or_default()));
        }
        draw_straight(&mut path, x + width, y, &mut straight);
        let look = format!(r#" fill="none"{} stroke-width="1.3""#, colour("stroke", look.ink));
        let place = format!(r#"d="{path}""#);
        elements.push(Element { is_ground: false, tag: "path", place, look, text: String::new() });
    } else if !text.trim().is_empty() {
        let mut style = if look.ink == FOREGROUND { String::new() } else { colour("fill", look.ink) };
        for (is, attribute) in [
            (look.bold, r#" font-weight="bold""#),
            (look.italic, r#" font-style="italic""#),
            (look.underline, r#" text-decoration="underline""#),
        ] {
            style.push_str(if is { attribute } else { "" });
        }
        // A font that is a little wider or narrower is fitted into the cells.
        let place = format!(r#"x="{x}" y="{}" textLength="{width}""#, y + BASELINE);
        elements.push(Element { is_ground: false, tag: "text", place, look: style, text });
    }
}

/// The horizontal line that ends at `x`, if there is one.
fn draw_straight(path: &mut String, x: u32, y: u32, length: &mut u32) {
    if *length > 0 {
        path.push_str(&format!("M{} {}h{length}", x - *length, y + HEIGHT / 2));
        *length = 0;
    }
}

/// A border's character as a line, from the upper left corner of its cell of 9 x 20.
const fn border(character: char) -> Option<&'static str> {
    Some(match character {
        '─' => "m0 10h9",
        '│' => "m4.5 0v20",
        '╭' => "m4.5 20v-5.5q0-4.5 4.5-4.5",
        '╮' => "m4.5 20v-5.5q0-4.5-4.5-4.5",
        '╰' => "m4.5 0v5.5q0 4.5 4.5 4.5",
        '╯' => "m4.5 0v5.5q0 4.5-4.5 4.5",
        _ => return None,
    })
}

fn is_border(cell: &Cell) -> bool {
    cell.contents().chars().next().and_then(border).is_some()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
