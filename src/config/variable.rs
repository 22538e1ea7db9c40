//! The environment variables, in one table: what reads them and what the help says of them.

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
