//! The themes: what each style is drawn with, as letters.

use mmd_elevate::dashboard::view::{Borders, Palette, Theme};
use mmd_elevate_core::CallError;

use crate::support::dashboard::{DRAFT, Dashboard};

/// A screen with a selection, ages of both kinds, each kind of state, a notice and a form with a problem.
fn scenes() -> Vec<Dashboard> {
    let mut list = Dashboard::at(100, 24);
    list.open("INC-1 MMD-1 One");
    list.after(6 * 3_600).open("INC-2 MMD-2 Two");
    list.after(3 * 3_600).open("INC-3 MMD-3 Three");
    list.press("c Done ctrl-s").closed().press(DRAFT).press("ctrl-s j").fails(CallError::timed_out(), "");
    list.press("g j");
    let mut form = list.clone();
    form.press("n INC-7 tab MMD-7 tab ctrl-s");
    vec![list, form]
}

#[test]
fn each_theme_draws_each_style_in_its_way() {
    for (name, palette) in [
        ("unknown", Palette::Unknown),
        ("dark", Palette::Dark),
        ("light", Palette::Light),
        ("high-contrast", Palette::HighContrast),
        ("mono", Palette::Mono),
    ] {
        let theme = Theme { palette, ..Theme::default() };
        for (scene, dashboard) in ["list", "form"].into_iter().zip(scenes()) {
            dashboard.styled_like(&format!("theme-{name}-{scene}"), &theme);
        }
    }
}

#[test]
fn without_colour_nothing_has_one_and_the_selection_is_seen_all_the_same() {
    for palette in [Palette::Unknown, Palette::Dark, Palette::Light, Palette::HighContrast, Palette::Mono] {
        let theme = Theme { palette, colour: false, ..Theme::default() };
        for dashboard in scenes() {
            let styles = dashboard.styles(&theme);
            let legend = styles.lines().filter(|line| line.contains(" on "));
            assert!(legend.clone().all(|line| line.contains("Reset on Reset")), "{palette:?}\n{styles}");
            assert!(legend.clone().any(|line| line.contains("REVERSED")), "{palette:?}\n{styles}");
        }
    }
}

#[test]
fn ascii_has_no_sign_beyond_ascii_of_its_own() {
    let theme = Theme { borders: Borders::Ascii, ..Theme::default() };
    let mut wide = Dashboard::new();
    wide.open("INC-1 MMD-1 東京 é");
    assert!(wide.drawn_with(&theme).contains("東京"), "a title is the title");
    assert!(wide.drawn_with(&Theme { unicode: false, ..theme }).is_ascii());
    for dashboard in scenes() {
        let screen = dashboard.drawn_with(&theme);
        let beyond: String = screen.chars().filter(|c| !c.is_ascii()).collect();
        assert!(beyond.is_empty(), "{beyond}\n{screen}");
    }
}
