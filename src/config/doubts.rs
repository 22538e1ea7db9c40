//! What the settings file says that is accepted and may not be meant. The program runs with it; the doctor, the log and a
//! notice at the start tell it.

use super::{
    FileSettings, SignInSettings,
    document::{DocumentReader, SettingsTable, Value},
    value,
};
use mmd_elevate_engine::redact::quoted;

/// Notes the doubts about the settings that were read of this file.
pub(super) fn in_file(reading: &mut DocumentReader<'_>, root: &SettingsTable<'_, '_>, settings: &FileSettings) {
    if let Some(value) = root.get("base_url") {
        base_url(reading, value);
    }
    if settings.record.keep_days == 0
        && let Some(value) = member(root, "record").and_then(|table| table.get("keep_days"))
    {
        let what = "`keep_days = 0` has everything deleted as soon as it is settled";
        reading.doubt(value.span().start, what, "give the number of days for which you may want to look something up");
    }
    if let (Some(value), Some(sign_in)) = (root.get("sign_in"), &settings.sign_in) {
        of_sign_in(reading, value, sign_in, "");
    }
    tenants(reading, root, settings);
    categories(reading, root, settings);
    patterns(reading, root.get("patterns"), settings);
}

fn member<'a, 'i>(root: &SettingsTable<'a, 'i>, name: &str) -> Option<&'a toml::de::DeTable<'i>> {
    root.get(name)?.get_ref().as_table()
}

/// The entries of a list of tables, and what was read of them. None where not all of them could be read.
fn entries<'a, 'i, 's, T>(root: &SettingsTable<'a, 'i>, name: &str, read: &'s [T]) -> Vec<(&'a Value<'i>, &'s T)> {
    let list = root.get(name).and_then(|value| value.get_ref().as_array());
    let entries: Vec<_> = list.into_iter().flat_map(|list| list.iter()).collect();
    if entries.len() == read.len() { entries.into_iter().zip(read).collect() } else { Vec::new() }
}

fn tenants(reading: &mut DocumentReader<'_>, root: &SettingsTable<'_, '_>, settings: &FileSettings) {
    let entries = entries(root, "tenants", &settings.tenants);
    for (n, (value, tenant)) in entries.iter().enumerate() {
        let Some(table) = value.get_ref().as_table() else { continue };
        let at = |name: &str| table.get(name).map_or(value.span().start, |value| value.span().start);
        if let Some(doubt) = value::id_doubt(&tenant.id).filter(|_| !tenant.id.is_empty()) {
            let what = format!("the id of the tenant {} {doubt}", quoted(&tenant.name));
            reading.doubt(at("id"), what, "copy it from the portal once more, whole");
        }
        if tenant.color.is_some() && entries[..n].iter().any(|(_, other)| other.color == tenant.color) {
            let what = format!("the tenant {} has the colour of another", quoted(&tenant.name));
            reading.doubt(at("color"), what, "give each a colour of its own, so that you see for whom you work");
        }
        if let Some(value) = table.get("base_url") {
            base_url(reading, value);
        }
        if let (Some(value), Some(sign_in)) = (table.get("sign_in"), &tenant.sign_in) {
            of_sign_in(reading, value, sign_in, &tenant.id);
        }
    }
}

/// What the program adds to the base URL by itself.
fn base_url(reading: &mut DocumentReader<'_>, value: &Value<'_>) {
    let Some(text) = value.get_ref().as_str() else { return };
    let path = text.to_lowercase();
    if path.contains("/tenants") || path.contains("/elevationrequests") {
        let what = "the base URL holds a part of what the program adds to it: /tenants/…/elevationRequests";
        reading.doubt(value.span().start, what, "end it before /tenants, as in https://host/support/odata/v1");
    }
}

fn of_sign_in(reading: &mut DocumentReader<'_>, value: &Value<'_>, sign_in: &SignInSettings, tenant_id: &str) {
    let Some(table) = value.get_ref().as_table() else { return };
    let at = table.get("client_id").map_or(value.span().start, |value| value.span().start);
    for (what, hint) in sign_in.doubts(tenant_id) {
        reading.doubt(at, what, hint);
    }
}

fn categories(reading: &mut DocumentReader<'_>, root: &SettingsTable<'_, '_>, settings: &FileSettings) {
    let entries = entries(root, "categories", &settings.categories);
    for (n, (value, category)) in entries.iter().enumerate() {
        let same = |other: &str| other.trim().eq_ignore_ascii_case(category.name.trim());
        if entries[..n].iter().any(|(_, other)| same(&other.name)) {
            let what = format!("the category {} differs from another by letter case alone", quoted(&category.name));
            reading.doubt(value.span().start, what, "list its subcategories in one place");
        }
    }
}

/// A pattern that fits any text tells nothing apart.
fn patterns(reading: &mut DocumentReader<'_>, value: Option<&Value<'_>>, settings: &FileSettings) {
    let Some(table) = value.and_then(|value| value.get_ref().as_table()) else { return };
    for (name, read) in [("ticket", &settings.patterns.ticket), ("device", &settings.patterns.device)] {
        let fits_all = read.iter().flatten().any(|pattern| ["", "x", "0 -"].iter().all(|text| pattern.fits(text)));
        if let Some(value) = table.get(name).filter(|_| fits_all) {
            let what = format!("`{name}` holds a pattern that fits every text, and so tells nothing");
            reading.doubt(value.span().start, what, "write what only those names have, such as 'INC-\\d+'");
        }
    }
}
