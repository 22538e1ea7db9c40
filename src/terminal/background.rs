//! The background of the terminal, as far as a theme needs it.

/// The least luma of a light background; white has 255.
const LIGHT: u32 = 128;

/// Whether the background of the terminal is dark or light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Background {
    /// The terminal was not asked, or did not answer in time.
    #[default]
    Unknown,
    /// Light text can be read on it.
    Dark,
    /// Dark text can be read on it.
    Light,
}

impl Background {
    /// Returns the background of this colour, by its luma (ITU-R BT.709).
    #[must_use]
    pub fn from_rgb(red: u8, green: u8, blue: u8) -> Self {
        let luma = (2_126 * u32::from(red) + 7_152 * u32::from(green) + 722 * u32::from(blue)) / 10_000;
        if luma < LIGHT { Self::Dark } else { Self::Light }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_dark_or_light_by_its_luma() {
        for (red, green, blue) in
            [(0, 0, 0), (0x1e, 0x1e, 0x2e), (0, 0x2b, 0x36), (0, 0, 255), (200, 0, 0), (127, 127, 127)]
        {
            assert_eq!(Background::from_rgb(red, green, blue), Background::Dark, "{red} {green} {blue}");
        }
        for (red, green, blue) in
            [(255, 255, 255), (0xfd, 0xf6, 0xe3), (0, 255, 0), (128, 128, 128), (0xff, 0xff, 0xaf)]
        {
            assert_eq!(Background::from_rgb(red, green, blue), Background::Light, "{red} {green} {blue}");
        }
    }
}
