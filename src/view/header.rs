//! The first line: which tenant, what is under way, whether the service can be called, the time.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Paragraph,
};

use super::{
    Theme,
    words::{cut, local},
};
use crate::{
    domain::visible,
    state::{Model, ServiceState},
};

pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme) {
    let right = right(model, theme);
    // What matters least goes first where the line is short: the program's name, then the tenant's id.
    let room = usize::from(area.width);
    let left = (0..=2)
        .map(|omitted| left(model, theme, omitted, room))
        .find(|left| left.width() + right.width() < room)
        .unwrap_or_else(|| left(model, theme, 2, room));
    frame.render_widget(Paragraph::new(left), area);
    frame.render_widget(Paragraph::new(right.right_aligned()), area);
}

fn left(model: &Model, theme: &Theme, omitted: usize, room: usize) -> Line<'static> {
    let tenant = &model.tenant;
    let mut spans = vec![Span::raw(" ")];
    if omitted < 1 {
        spans.push(Span::styled("mmd-elevate", Theme::dim()));
        spans.push(Span::raw("  "));
    }
    let id = visible(&tenant.id);
    let name = tenant.name.as_deref().map_or_else(|| short(&id), |name| visible(name).into_owned());
    spans.push(Span::styled(cut(&name, room / 3), theme.tenant()));
    if omitted < 2 && tenant.name.is_some() {
        spans.push(Span::styled(format!(" {}", short(&id)), Theme::dim()));
    }
    if tenant.practice {
        spans.push(Span::raw("  "));
        spans.push(Span::styled("PRACTICE TENANT", theme.practice()));
    }
    Line::from(spans)
}

/// The two ends of an id: enough to know it by.
fn short(id: &str) -> String {
    let chars: Vec<char> = id.chars().collect();
    match chars.len() {
        0..=12 => id.to_owned(),
        length => {
            format!("{}…{}", chars[..4].iter().collect::<String>(), chars[length - 4..].iter().collect::<String>())
        }
    }
}

fn right(model: &Model, theme: &Theme) -> Line<'static> {
    let mut spans = Vec::new();
    let calls = model.calls.len();
    if calls > 0 {
        let style = if model.slow_call().is_some() { theme.doubt() } else { Style::new() };
        spans.push(Span::styled(format!("{calls} in flight"), style));
        spans.push(Span::raw("  "));
    }
    let (state, style) = match &model.service {
        ServiceState::Starting => ("starting", Theme::dim()),
        ServiceState::Ready => ("signed in", Theme::dim()),
        ServiceState::NotReady(_) => ("no service", theme.failure()),
        ServiceState::SignedOut => ("signed out", theme.failure()),
    };
    spans.push(Span::styled(state, style));
    spans.push(Span::raw("  "));
    spans.push(Span::styled(local(model.now, &model.time_zone, "%H:%M"), Theme::dim()));
    spans.push(Span::raw(" "));
    Line::from(spans)
}
