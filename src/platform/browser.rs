//! Which programs open an address in a browser here: the agent's own choice, or those of the platform if there is a display.

use std::{env, time::Duration};

use mmd_elevate_engine::process::start_detached;

/// How long a program may take to fail. One that runs longer is taken for the browser itself.
const TIME_TO_FAIL: Duration = Duration::from_secs(3);

/// A program and its arguments, without the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opener {
    program: String,
    arguments: Vec<String>,
}

impl Opener {
    fn new(program: &str) -> Self {
        Self { program: program.to_owned(), arguments: Vec::new() }
    }

    /// Splits a command like a shell. Nothing in it is expanded.
    fn parse(command: &str) -> Option<Self> {
        let mut words = shlex::split(command)?.into_iter();
        Some(Self { program: words.next()?, arguments: words.collect() })
    }

    /// Returns the name of the program.
    pub(crate) fn name(&self) -> &str {
        self.program.rsplit('/').next().unwrap_or(&self.program)
    }

    /// Returns the arguments with the address as one of them: in place of `%s`, or else as the last.
    fn arguments(&self, address: &str) -> Vec<String> {
        let has_place = self.arguments.iter().any(|argument| argument.contains("%s"));
        let mut arguments: Vec<_> = self.arguments.iter().map(|argument| argument.replace("%s", address)).collect();
        arguments.extend((!has_place).then(|| address.to_owned()));
        arguments
    }

    /// Starts the program without the terminal, and leaves it running. Returns whether it has not failed.
    async fn open(&self, address: &str) -> bool {
        let ended = start_detached(&self.program, &self.arguments(address), TIME_TO_FAIL).await;
        tracing::debug!(program = self.program, ?ended, "an address was handed over");
        ended.is_ok_and(|ended| ended.is_none_or(|status| status.success()))
    }
}

/// Returns the programs that can open an address here, in the order in which they are tried.
pub(crate) fn openers() -> Vec<Opener> {
    let variable = |name: &str| env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    find_openers(variable, cfg!(target_os = "macos"))
}

fn find_openers(variable: impl Fn(&str) -> Option<String>, is_mac: bool) -> Vec<Opener> {
    let variable = |name| variable(name).filter(|value| !value.trim().is_empty());
    let has = |name| variable(name).is_some();
    if let Some(browser) = variable("BROWSER") {
        return browser.split(':').filter_map(Opener::parse).collect();
    }
    if is_mac {
        // Over SSH it would open on a screen that the agent does not see.
        return if has("SSH_CONNECTION") { Vec::new() } else { vec![Opener::new("open")] };
    }
    let mut openers = Vec::new();
    if (has("WSL_DISTRO_NAME") || has("WSL_INTEROP")) && !has("SSH_CONNECTION") {
        openers.push(Opener::new("wslview"));
    }
    if has("DISPLAY") || has("WAYLAND_DISPLAY") {
        openers.push(Opener::new("xdg-open"));
    }
    openers
}

/// Starts the first of the programs that does not fail. Returns whether there is one.
pub(crate) async fn open_address(openers: &[Opener], address: &str) -> bool {
    for opener in openers {
        if opener.open(address).await {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(variables: &[(&str, &str)], is_mac: bool) -> Vec<String> {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned());
        find_openers(variable, is_mac).iter().map(|opener| opener.name().to_owned()).collect()
    }

    #[test]
    fn own_browser_comes_first_and_without_a_display_there_is_none() {
        let display = ("DISPLAY", ":0");
        let ssh = ("SSH_CONNECTION", "192.0.2.1 5 192.0.2.2 22");
        let wsl = ("WSL_DISTRO_NAME", "Debian");
        for (variables, is_mac, expected) in [
            (&[][..], false, &[][..]),
            (&[display], false, &["xdg-open"]),
            (&[("WAYLAND_DISPLAY", "wayland-0")], false, &["xdg-open"]),
            (&[("DISPLAY", "")], false, &[]),
            (&[ssh], false, &[]),
            (&[ssh, display], false, &["xdg-open"]),
            (&[], true, &["open"]),
            (&[ssh], true, &[]),
            (&[wsl], false, &["wslview"]),
            (&[wsl, display], false, &["wslview", "xdg-open"]),
            (&[wsl, ssh], false, &[]),
            (&[("BROWSER", "firefox"), display], false, &["firefox"]),
            (&[("BROWSER", "/usr/bin/code --open:w3m"), ssh], true, &["code", "w3m"]),
        ] {
            assert_eq!(names(variables, is_mac), expected, "{variables:?}");
        }
    }

    #[test]
    fn address_is_one_argument() {
        let arguments = |command: &str| Opener::parse(command).unwrap().arguments("https://t.example/a%20b?x=1&y=2");
        assert_eq!(arguments("firefox"), ["https://t.example/a%20b?x=1&y=2"]);
        assert_eq!(arguments("firefox --new-tab"), ["--new-tab", "https://t.example/a%20b?x=1&y=2"]);
        assert_eq!(arguments("b '--open=%s' -n"), ["--open=https://t.example/a%20b?x=1&y=2", "-n"]);
        assert_eq!(Opener::parse("'open quote"), None);
    }
}
