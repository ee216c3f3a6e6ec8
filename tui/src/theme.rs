//! How things look: roles instead of colours, glyphs instead of characters, so that
//! a terminal without colour or without Unicode shows the same facts.
//!
//! Without colour, what matters is told by bold and reverse; nothing on the screen is
//! told by colour alone. Without Unicode every cell is ASCII, text from outside too.

use acquisition::signal::Unit;
use ratatui::style::{Color, Modifier, Style};

/// Whether colours may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorMode {
    /// The sixteen colours of the user's own palette.
    Palette,
    /// None: bold, dim and reverse only.
    None,
}

/// Which characters may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GlyphMode {
    /// Blocks, Braille dots and Greek letters.
    Unicode,
    /// ASCII in every cell.
    Ascii,
}

/// What a piece of the screen is, from which its style follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Ordinary text.
    Text,
    /// Secondary: rules, units, axes, keys, and numbers that are no longer fresh.
    Dim,
    /// A panel's name.
    Title,
    /// What is read first.
    Strong,
    /// A badge of what is as it should be: reversed.
    Good,
    /// Look at this.
    Warn,
    /// Something is wrong, or is not what it seems (simulated data).
    Alarm,
    /// A trace.
    Trace,
    /// The trace of the chosen channel.
    Chosen,
    /// A class, by its index.
    Class(usize),
    /// A badge of a class, by its index: reversed.
    Badge(usize),
}

/// The look of one terminal, chosen at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Colours or none.
    pub color: ColorMode,
    /// Unicode or ASCII.
    pub glyphs: GlyphMode,
}

/// Task classes cycle through these; idle is dim. None of them warns or alarms.
const CLASS_COLORS: [Color; 4] = [Color::Cyan, Color::Magenta, Color::Blue, Color::Green];

impl Theme {
    /// What the environment asks for: no colour where `NO_COLOR` is set and not empty
    /// or `TERM` is `dumb`; ASCII where the locale is not UTF-8, or `TERM` is `dumb` or
    /// `linux` (the console, whose font has no Braille).
    pub fn detect(var: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| var(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        let plain = set("NO_COLOR").is_some() || term == "dumb";
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
        let utf8 = match locale {
            Some(locale) => {
                let locale = locale.to_ascii_lowercase();
                locale.contains("utf-8") || locale.contains("utf8")
            }
            None => cfg!(windows),
        };
        let ascii = !utf8 || term == "dumb" || term == "linux";
        Self {
            color: if plain { ColorMode::None } else { ColorMode::Palette },
            glyphs: if ascii { GlyphMode::Ascii } else { GlyphMode::Unicode },
        }
    }

    /// The same without colour.
    #[must_use]
    pub fn without_color(self) -> Self {
        Self { color: ColorMode::None, ..self }
    }

    /// The same in ASCII.
    #[must_use]
    pub fn ascii(self) -> Self {
        Self { glyphs: GlyphMode::Ascii, ..self }
    }

    /// The style of a role.
    pub fn style(self, role: Role) -> Style {
        match self.color {
            ColorMode::Palette => colored(role),
            ColorMode::None => plain(role),
        }
    }

    /// One of two spellings, by the characters that may be used.
    pub fn pick<'a>(self, unicode: &'a str, ascii: &'a str) -> &'a str {
        match self.glyphs {
            GlyphMode::Unicode => unicode,
            GlyphMode::Ascii => ascii,
        }
    }

    /// A unit as shown.
    pub fn unit(self, unit: Unit) -> &'static str {
        match (unit, self.glyphs) {
            (Unit::Microvolt, GlyphMode::Unicode) => "µV",
            _ => unit.symbol(),
        }
    }
}

fn colored(role: Role) -> Style {
    let style = Style::new();
    match role {
        Role::Text => style,
        Role::Dim => style.fg(Color::DarkGray),
        Role::Title | Role::Strong => style.add_modifier(Modifier::BOLD),
        Role::Good => style.fg(Color::Green).add_modifier(Modifier::BOLD | Modifier::REVERSED),
        Role::Warn => style.fg(Color::Yellow).add_modifier(Modifier::BOLD),
        Role::Alarm => style.fg(Color::Red).add_modifier(Modifier::BOLD | Modifier::REVERSED),
        Role::Chosen => style.fg(Color::Green),
        Role::Trace | Role::Class(0) => style.fg(Color::Gray),
        Role::Class(k) => style.fg(CLASS_COLORS[(k - 1) % CLASS_COLORS.len()]),
        Role::Badge(k) => colored(Role::Class(k)).add_modifier(Modifier::BOLD | Modifier::REVERSED),
    }
}

fn plain(role: Role) -> Style {
    let style = Style::new();
    match role {
        Role::Text | Role::Trace | Role::Class(_) => style,
        Role::Dim => style.add_modifier(Modifier::DIM),
        Role::Title | Role::Strong | Role::Warn | Role::Chosen => {
            style.add_modifier(Modifier::BOLD)
        }
        Role::Good | Role::Alarm | Role::Badge(_) => {
            style.add_modifier(Modifier::BOLD | Modifier::REVERSED)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(vars: &[(&str, &str)]) -> Theme {
        Theme::detect(|name| {
            vars.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_decides() {
        let full = detect(&[("LANG", "de_DE.UTF-8"), ("TERM", "xterm-256color")]);
        assert_eq!((full.color, full.glyphs), (ColorMode::Palette, GlyphMode::Unicode));
        let plain = detect(&[("LANG", "C.utf8"), ("NO_COLOR", "1")]);
        assert_eq!((plain.color, plain.glyphs), (ColorMode::None, GlyphMode::Unicode));
        assert_eq!(detect(&[("LANG", "C.utf8"), ("NO_COLOR", "")]).color, ColorMode::Palette);
        let dumb = detect(&[("LANG", "C.utf8"), ("TERM", "dumb")]);
        assert_eq!((dumb.color, dumb.glyphs), (ColorMode::None, GlyphMode::Ascii));
    }

    #[test]
    fn the_first_locale_that_is_set_counts() {
        assert_eq!(detect(&[("LC_ALL", "C"), ("LANG", "C.UTF-8")]).glyphs, GlyphMode::Ascii);
        assert_eq!(detect(&[("LC_ALL", ""), ("LANG", "C.UTF-8")]).glyphs, GlyphMode::Unicode);
        assert_eq!(detect(&[("TERM", "linux"), ("LANG", "C.UTF-8")]).glyphs, GlyphMode::Ascii);
    }

    #[test]
    fn no_colour_means_none() {
        let theme = Theme { color: ColorMode::None, glyphs: GlyphMode::Unicode };
        let roles = [Role::Text, Role::Dim, Role::Warn, Role::Alarm, Role::Good, Role::Class(1)];
        for role in roles {
            assert_eq!((theme.style(role).fg, theme.style(role).bg), (None, None), "{role:?}");
        }
    }
}
