//! The names of the settings in each table of the settings file. What a setting means is for the modules that read it.

pub(super) const ROOT: [&str; 16] = [
    "base_url",
    "ca_file",
    "tenant",
    "sign_in",
    "tenants",
    "categories",
    "appearance",
    "ages",
    "list",
    "record",
    "report",
    "practice",
    "patterns",
    "ticket_url",
    "read_only",
    "keys",
];
pub(super) const TENANT: [&str; 10] =
    ["name", "id", "color", "base_url", "ca_file", "categories", "patterns", "ticket_url", "read_only", "sign_in"];
pub(super) const CATEGORY: [&str; 2] = ["name", "subcategories"];
pub(super) const APPEARANCE: [&str; 5] = ["borders", "accent", "theme", "title", "bell"];
pub(super) const AGES: [&str; 2] = ["warn", "alarm"];
pub(super) const LIST: [&str; 1] = ["refresh_seconds"];
pub(super) const RECORD: [&str; 1] = ["keep_days"];
pub(super) const REPORT: [&str; 1] = ["folder"];
pub(super) const PRACTICE: [&str; 1] = ["colleagues"];
pub(super) const PATTERNS: [&str; 2] = ["ticket", "device"];
pub(super) const SIGN_IN: [&str; 10] = [
    "method",
    "client_id",
    "secret_env",
    "secret_file",
    "secret_command",
    "certificate_file",
    "key_file",
    "command",
    "authority",
    "scope",
];

/// The tables whose settings are often written in the wrong table.
const TABLES: [(&str, &[&str]); 8] = [
    ("[appearance]", &APPEARANCE),
    ("[ages]", &AGES),
    ("[list]", &LIST),
    ("[record]", &RECORD),
    ("[report]", &REPORT),
    ("[practice]", &PRACTICE),
    ("[patterns]", &PATTERNS),
    ("[tenants.sign_in] or [sign_in]", &SIGN_IN),
];

/// Returns the table other than `table` that a setting of this name belongs in.
pub(super) fn other_table(name: &str, table: &str) -> Option<&'static str> {
    TABLES.iter().find(|(other, names)| *other != table && names.contains(&name)).map(|(other, _)| *other)
}
