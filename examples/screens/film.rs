//! What a terminal showed, one frame after the other, as an SVG that plays by itself.
//!
//! Each word is drawn once for all frames in which it stands at the same place, and CSS shows it while it is there. What plays no
//! animation shows one of the frames.

use std::{collections::BTreeMap, time::Duration};

use vt100::Screen;

use crate::svg::{self, Element};

/// Frames, each with the time until the next.
pub(crate) struct Film {
    frames: Vec<(Vec<Element>, Duration)>,
    still: usize,
}

/// From when until when something is seen, in milliseconds.
type Times = Vec<(u128, u128)>;

impl Film {
    pub(crate) const fn new() -> Self {
        Self { frames: Vec::new(), still: 0 }
    }

    /// Adds what the screen shows for so long, with words below it.
    pub(crate) fn add(&mut self, screen: &Screen, caption: &str, time: Duration) {
        let mut elements = svg::elements(screen);
        elements.push(svg::caption(screen, caption));
        match self.frames.last_mut() {
            Some((last, shown)) if *last == elements => *shown += time,
            _ => self.frames.push((elements, time)),
        }
    }

    /// Makes the last frame the one that is seen where nothing plays.
    pub(crate) const fn keep_as_still(&mut self) {
        self.still = self.frames.len().saturating_sub(1);
    }

    pub(crate) fn length(&self) -> Duration {
        self.frames.iter().map(|(_, time)| *time).sum()
    }

    /// When each element is seen.
    fn times(&self) -> BTreeMap<&Element, Times> {
        let mut seen: BTreeMap<&Element, Times> = BTreeMap::new();
        let mut now = 0;
        for (elements, time) in &self.frames {
            let next = now + time.as_millis();
            for element in elements {
                let times = seen.entry(element).or_default();
                match times.last_mut() {
                    Some((_, end)) if *end == now => *end = next,
                    // The same word twice at one place is one.
                    Some((_, end)) if *end == next => {}
                    _ => times.push((now, next)),
                }
            }
            now = next;
        }
        seen
    }

    pub(crate) fn svg(&self, screen: &Screen, title: &str) -> String {
        let length = self.length().as_millis();
        // What is seen at the same times plays as one, and grounds lie below the rest.
        let mut groups: BTreeMap<(bool, Times), Vec<&Element>> = BTreeMap::new();
        for (element, times) in self.times() {
            groups.entry((!element.is_ground, times)).or_default().push(element);
        }
        let still = self.frames.get(self.still).map_or(&[][..], |(elements, _)| elements);
        let (mut plays, mut looks) = (BTreeMap::new(), BTreeMap::new());
        let (mut style, mut body) =
            (format!("[class^=k]{{visibility:hidden;animation:{length}ms step-end infinite}}"), Vec::new());
        for ((_, times), elements) in groups {
            let is_always = times == [(0, length)];
            let drawn: String = elements
                .iter()
                .map(|element| element.with_look(&class(&mut looks, &mut style, &element.look)))
                .collect();
            if is_always {
                body.push(drawn);
                continue;
            }
            let is_in_still = elements.first().is_some_and(|element| still.contains(element));
            let number = plays.len();
            let number = *plays.entry(times.clone()).or_insert_with(|| {
                style.push_str(&keyframes(number, &times, length));
                number
            });
            let visible = if is_in_still { r#" style="visibility:visible""# } else { "" };
            body.push(format!(r#"<g class="k{number}"{visible}>{drawn}</g>"#));
        }
        // Who wants no motion sees the still.
        style.push_str("@media(prefers-reduced-motion){[class^=k]{animation:none}}");
        svg::window(screen, title, svg::FOOT, &style, &body)
    }
}

/// The class for a look, which has its rule in the style.
fn class(looks: &mut BTreeMap<String, usize>, style: &mut String, look: &str) -> String {
    if look.is_empty() {
        return String::new();
    }
    let number = looks.len();
    let number = *looks.entry(look.to_owned()).or_insert_with(|| {
        // `a="b" c="d"` as `a:b;c:d`.
        let rule = look.trim().replace("=\"", ":").replace("\" ", ";").replace('"', "");
        style.push_str(&format!(".l{number}{{{rule}}}"));
        number
    });
    format!(r#" class="l{number}""#)
}

/// The rule that shows something at these times, in hundredths of the length.
fn keyframes(number: usize, times: &Times, length: u128) -> String {
    let at = |time: u128| {
        let thousandths = time * 100_000 / length.max(1);
        let text = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let mut rule = format!(".k{number}{{animation-name:k{number}}}@keyframes k{number}{{");
    if times.first().is_some_and(|(begin, _)| *begin > 0) {
        rule.push_str("0%{visibility:hidden}");
    }
    for (begin, end) in times {
        rule.push_str(&format!("{}%{{visibility:visible}}", at(*begin)));
        if *end < length {
            rule.push_str(&format!("{}%{{visibility:hidden}}", at(*end)));
        }
    }
    rule.push('}');
    rule
}
