//! The table of environment variables, from which the code and the help take their names. It never writes one.

use super::suggest::suggest;
use mmd_elevate_core::Problem;
use mmd_elevate_engine::redact::quoted;

/// The settings file.
pub const CONFIG: &str = "MMD_ELEVATE_CONFIG";
/// The base URL of the service.
pub const BASE_URL: &str = "MMD_ELEVATE_BASE_URL";
/// A file of CA certificates.
pub const CA_FILE: &str = "MMD_ELEVATE_CA_FILE";
/// The tenant, by id.
pub const TENANT_ID: &str = "MMD_ELEVATE_TENANT_ID";
/// The token. There is no flag and no setting for it.
pub const TOKEN: &str = "MMD_ELEVATE_TOKEN";
/// The folder for the record, logs and the practice tenant.
pub const STATE_DIR: &str = "MMD_ELEVATE_STATE_DIR";
/// Whether colleagues act in the practice tenant.
pub const PRACTICE_COLLEAGUES: &str = "MMD_ELEVATE_PRACTICE_COLLEAGUES";
/// The log level.
pub const LOG: &str = "MMD_ELEVATE_LOG";

/// Every variable and what it does, in the order of the help.
pub const ALL: [(&str, &str); 8] = [
    (CONFIG, "The file of settings (see --config)"),
    (BASE_URL, "The base URL of the service (see --base-url)"),
    (CA_FILE, "A file of CA certificates to trust as well (see --ca-file)"),
    (TENANT_ID, "The id of the tenant (see --tenant)"),
    (TOKEN, "The tenant's bearer token; no flag or setting holds one"),
    (STATE_DIR, "The folder for record, logs and practice (see --state-dir)"),
    (PRACTICE_COLLEAGUES, "Whether colleagues act in the practice tenant: true or false"),
    (LOG, "How much is logged (see --log)"),
];

/// Returns a variable of this process. Bytes that are not UTF-8 become U+FFFD, which [`resolve`](super::resolve()) refuses,
/// so that such a variable does not count as unset.
#[must_use]
pub fn from_process(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Returns a warning for each variable of this process that looks like one of the program's but is not.
#[must_use]
pub fn warnings() -> Vec<Problem> {
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    unknown(names).collect()
}

/// Variables that only builds for tests read.
const FOR_TESTS: [&str; 3] = ["MMD_ELEVATE_PANIC", "MMD_ELEVATE_DIE", "MMD_ELEVATE_TEST_CHILD"];

fn unknown(names: impl Iterator<Item = String>) -> impl Iterator<Item = Problem> {
    let known = || ALL.iter().map(|(name, _)| *name);
    let names = names.filter(move |name| name.starts_with("MMD_ELEVATE_"));
    names.filter(move |name| !known().chain(FOR_TESTS).any(|known| known == name)).map(move |name| {
        let hint = suggest(&name, known(), "mmd-elevate --help lists all variables");
        Problem::new(format!("{} is not a variable of this program", quoted(&name)), hint)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistyped_variable_is_reported_with_the_one_that_was_meant() {
        let names = ["MMD_ELEVATE_TENANT", "MMD_ELEVATE_TOKEN", "MMD_ELEVATE_DIE", "MMD_ELEVATE_LOGS", "HOME"];
        let warnings: Vec<_> = unknown(names.map(str::to_owned).into_iter()).collect();
        let [tenant, log] = &warnings[..] else { panic!("{warnings:?}") };
        assert!(tenant.what.contains("`MMD_ELEVATE_TENANT`"), "{tenant}");
        assert!(tenant.hint.contains("did you mean `MMD_ELEVATE_TENANT_ID`?"), "{tenant}");
        assert!(log.hint.contains("did you mean `MMD_ELEVATE_LOG`?"), "{log}");
    }
}
