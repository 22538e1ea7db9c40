//! Changes the shape of entities, so that they differ from the documents' samples.

use axum::{
    body::{Body, to_bytes},
    http::header,
    response::Response,
};
use serde_json::{Map, Value};

use super::rules::Shape;

/// The texts that a create sends and an entity repeats.
const TEXTS: [&str; 6] = ["partnerTicketId", "deviceName", "title", "category", "subcategory", "planOfAction"];
/// A noncharacter that represents half a surrogate pair until the JSON is written.
const HALF: char = '\u{fffe}';

/// Changes the first entities of an answer to each shape. An answer without entities is unchanged.
pub(super) async fn reshape(response: Response, shapes: &[(Shape, usize)]) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else { return Response::from_parts(parts, Body::empty()) };
    let Some(Value::Object(mut answer)) = serde_json::from_slice(&bytes).ok().filter(|_| parts.status.is_success())
    else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    for (shape, entries) in shapes {
        match answer.get_mut("value") {
            Some(Value::Array(listed)) => {
                listed.iter_mut().filter_map(Value::as_object_mut).take(*entries).for_each(|one| change(one, *shape));
            }
            _ if *entries > 0 => change(&mut answer, *shape),
            _ => {}
        }
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    let written = Value::Object(answer).to_string().replace(HALF, r"\ud83d");
    Response::from_parts(parts, Body::from(written))
}

fn change(entity: &mut Map<String, Value>, shape: Shape) {
    let set_null = |entity: &mut Map<String, Value>, keys: &[&str]| {
        for (_, value) in entity.iter_mut().filter(|(name, _)| keys.iter().any(|key| name.eq_ignore_ascii_case(key))) {
            *value = Value::Null;
        }
    };
    let map_text = |entity: &mut Map<String, Value>, key: &str, map: fn(&str) -> String| {
        for (_, value) in entity.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case(key)) {
            *value = map(value.as_str().unwrap_or_default()).into();
        }
    };
    match shape {
        Shape::Bare => entity.retain(|name, _| name.eq_ignore_ascii_case("id")),
        Shape::NullTexts => set_null(entity, &TEXTS),
        Shape::NullTicket => set_null(entity, &TEXTS[..1]),
        Shape::PascalCase => {
            let capital = |name: &str| name.chars().next().into_iter().flat_map(char::to_uppercase).collect::<String>();
            let rest = |name: &str| name.chars().skip(1).collect::<String>();
            let named = std::mem::take(entity).into_iter().map(|(name, value)| (capital(&name) + &rest(&name), value));
            *entity = named.collect();
        }
        Shape::CapitalId => map_text(entity, "id", str::to_uppercase),
        Shape::NoId => entity.retain(|name, _| !name.eq_ignore_ascii_case("id")),
        Shape::TornText => map_text(entity, "title", |title| format!("{title}{HALF}")),
    }
}
