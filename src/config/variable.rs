//! The environment variables, in one table: what reads them and what the help says of them.

use super::document::suggest;
use mmd_elevate_engine::redact::quoted;

/// Names the file of settings.
pub const CONFIG: &str = "MMD_ELEVATE_CONFIG";
/// Where the service answers.
pub const BASE_URL: &str = "MMD_ELEVATE_BASE_URL";
/// A file of CA certificates.
pub const CA_FILE: &str = "MMD_ELEVATE_CA_FILE";
/// The tenant, by id.
pub const TENANT_ID: &str = "MMD_ELEVATE_TENANT_ID";
/// The token: the only way to hand one over.
pub const TOKEN: &str = "MMD_ELEVATE_TOKEN";
/// The folder for the record, logs and the practice tenant.
pub const STATE_DIR: &str = "MMD_ELEVATE_STATE_DIR";
/// How much is logged.
pub const LOG: &str = "MMD_ELEVATE_LOG";

/// Every variable and what it does, in the order of the help.
pub const ALL: [(&str, &str); 7] = [
    (CONFIG, "The file of settings (see --config)"),
    (BASE_URL, "The base URL of the service (see --base-url)"),
    (CA_FILE, "A file of CA certificates to trust as well (see --ca-file)"),
    (TENANT_ID, "The id of the tenant (see --tenant)"),
    (TOKEN, "The tenant's bearer token; no flag or setting holds one"),
    (STATE_DIR, "The folder for record, logs and practice (see --state-dir)"),
    (LOG, "How much is logged (see --log)"),
];

/// A variable of this process. Bytes that are not UTF-8 become U+FFFD, which [`resolve`](super::resolve()) refuses, so
/// that such a variable is not taken for one that is unset.
#[must_use]
pub fn of_process(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Variables of this process that look like the program's and are none, each with a hint: what they say is not done.
#[must_use]
pub fn doubts() -> Vec<String> {
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    unknown(names).collect()
}

/// Builds for tests read more, and say so nowhere.
const FOR_TESTS: [&str; 3] = ["MMD_ELEVATE_PANIC", "MMD_ELEVATE_DIE", "MMD_ELEVATE_TEST_CHILD"];

fn unknown(names: impl Iterator<Item = String>) -> impl Iterator<Item = String> {
    let known = || ALL.iter().map(|(name, _)| *name);
    let names = names.filter(move |name| name.starts_with("MMD_ELEVATE_"));
    names.filter(move |name| !known().chain(FOR_TESTS).any(|known| known == name)).map(move |name| {
        let hint = suggest(&name, known(), "mmd-elevate --help lists the variables that there are");
        format!("no variable of this program is called {}\nhint: {hint}", quoted(&name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_mistyped_is_told_with_the_one_that_was_meant() {
        let names = ["MMD_ELEVATE_TENANT", "MMD_ELEVATE_TOKEN", "MMD_ELEVATE_DIE", "MMD_ELEVATE_LOGS", "HOME"];
        let told: Vec<_> = unknown(names.map(str::to_owned).into_iter()).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("`MMD_ELEVATE_TENANT`\nhint: did you mean `MMD_ELEVATE_TENANT_ID`?"), "{told:?}");
        assert!(told[1].contains("did you mean `MMD_ELEVATE_LOG`?"), "{told:?}");
    }
}
