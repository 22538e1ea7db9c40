//! Between a call and what is done about it: the rules of misbehaviour.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{FromRequest as _, FromRequestParts as _, Query, Request, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::{Html, IntoResponse, Json, Response},
};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822::DateTimePrinter};
use serde_json::json;

use super::{
    TENANT_ID,
    filter::Filter,
    http::{InTenant, ServerState},
    listener::{CUT, END, StreamFault},
    rules::{About, Endpoint, Fate, Misdeed, RetryAfter},
    shape::reshape,
    wire::{Fields, Refusal},
};

/// What stands in the way of one operation.
#[derive(Clone)]
pub(super) struct CallGuard {
    pub(super) shared: Arc<ServerState>,
    pub(super) operation: Endpoint,
}

/// Lets a call meet its fate. What rules want to know of it is read from the call, so it is read whole first.
pub(super) async fn misbehave(
    State(CallGuard { shared, operation }): State<CallGuard>,
    Extension(orders): Extension<StreamFault>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let named = match InTenant::from_request_parts(&mut parts, &shared).await {
        Ok(InTenant(named)) => named,
        // What is wrong with a sign-in has a form of its own.
        Err(_) if operation == Endpoint::Token => String::new(),
        Err(refusal) => return refusal.into_response(),
    };
    let whole = Bytes::from_request(Request::from_parts(parts.clone(), body), &());
    let body = match tokio::time::timeout(shared.settings.slowest_request, whole).await {
        Ok(Ok(body)) => body,
        Ok(Err(rejection)) => return Refusal::new(rejection.status(), rejection.body_text()).into_response(),
        Err(_) => return Refusal::new(StatusCode::REQUEST_TIMEOUT, "The request took too long.").into_response(),
    };
    shared.count(operation);
    let about = about(&shared, operation, named, &parts, &body).await;
    let fate = shared.rules().fate(operation, &about);
    parts.extensions.insert(fate.clone());
    let request = Request::from_parts(parts, Body::from(body));
    // In a task of its own: the server forgets a call whose caller has gone, and a real one does not.
    let met = tokio::spawn(async move { meet(&shared, &fate, &orders, request, next).await });
    met.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// What the call is about.
async fn about(shared: &Arc<ServerState>, operation: Endpoint, named: String, parts: &Parts, body: &[u8]) -> About {
    match operation {
        Endpoint::Create => {
            let text = |key| Fields::parse(body).ok()?.texts([key], false).ok().map(|[text]| text);
            About { device: text("DeviceName"), ticket: text("PartnerTicketId") }
        }
        Endpoint::Close => {
            let found = shared
                .with(move |store| {
                    store.find(&named).map(|found| (found.device_name.clone(), found.partner_ticket_id.clone()))
                })
                .await;
            let (device, ticket) = found.ok().flatten().unzip();
            About { device, ticket }
        }
        Endpoint::List => {
            let options = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
            let filter =
                options.ok().and_then(|Query(options)| options.into_iter().find(|(name, _)| name == "$filter"));
            let filter = filter.and_then(|(_, text)| Filter::parse(&text).ok());
            About { device: filter.and_then(|filter| filter.device().map(str::to_owned)), ticket: None }
        }
        Endpoint::Details | Endpoint::Device => About { device: Some(named), ticket: None },
        Endpoint::Devices | Endpoint::Token | Endpoint::Any => About::default(),
    }
}

async fn meet(shared: &Arc<ServerState>, fate: &Fate, orders: &StreamFault, request: Request, next: Next) -> Response {
    if !shared.lasts(fate.delay).await {
        return nothing(orders);
    }
    let mut response = match fate.end {
        None => next.run(request).await,
        Some(Misdeed::Closed(time)) => {
            shared.latch.shut(Some(time)).await;
            nothing(orders)
        }
        Some(Misdeed::Hang(limit)) => hang(shared, limit, orders).await,
        Some(Misdeed::DropBefore) => nothing(orders),
        Some(Misdeed::Throttle(again)) => throttled(again, fate),
        Some(Misdeed::Fail) => failed(),
        Some(Misdeed::Unavailable(again)) => {
            let page = "<html><head><title>503 Service Temporarily Unavailable</title></head>\
                        <body><h1>503 Service Temporarily Unavailable</h1></body></html>";
            let response = (StatusCode::SERVICE_UNAVAILABLE, Html(page)).into_response();
            match again {
                Some(again) => again_after(response, again, fate),
                None => response,
            }
        }
        Some(Misdeed::Html) => {
            Html("<html><head><title>Sign in</title></head><body>Sign in to go on.</body></html>").into_response()
        }
        Some(Misdeed::Error200) => Json(json!({ "error": "Forbidden" })).into_response(),
        Some(Misdeed::NoRoute) => {
            Refusal::new(StatusCode::NOT_FOUND, "Resource not found for the segment 'elevationRequests'.")
                .into_response()
        }
        Some(Misdeed::Ignore) => StatusCode::NO_CONTENT.into_response(),
        // The others end a call that was done.
        Some(end) => {
            let response = next.run(request).await;
            match end {
                Misdeed::HangAfter(limit) => hang(shared, limit, orders).await,
                Misdeed::DropAfter => nothing(orders),
                Misdeed::Cut => {
                    orders.end(CUT);
                    response
                }
                Misdeed::WrongJson => {
                    let json = [(header::CONTENT_TYPE, "application/json")];
                    let is_made = response.status() == StatusCode::CREATED;
                    let status = if is_made { StatusCode::CREATED } else { StatusCode::OK };
                    (status, json, r#"{"@odata.context": "https://practice.example/", "id": "#).into_response()
                }
                Misdeed::FailAfter => failed(),
                Misdeed::ThrottleAfter(again) => throttled(again, fate),
                Misdeed::RedirectAfter => {
                    let place = format!("{}/tenants/{TENANT_ID}/elevationRequests", shared.base_url());
                    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
                }
                _ => response,
            }
        }
    };
    if !fate.shapes.is_empty() {
        response = reshape(response, &fate.shapes).await;
    }
    if fate.is_misdated()
        && let Some(date) = date(fate.date())
    {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// An answer of which no byte is sent.
fn nothing(orders: &StreamFault) -> Response {
    orders.end(END);
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

async fn hang(shared: &ServerState, limit: Duration, orders: &StreamFault) -> Response {
    shared.lasts(limit).await;
    nothing(orders)
}

fn failed() -> Response {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "An internal error has occurred.").into_response()
}

fn throttled(again: RetryAfter, fate: &Fate) -> Response {
    let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests. Try again later.");
    again_after(refusal.into_response(), again, fate)
}

fn again_after(mut response: Response, again: RetryAfter, fate: &Fate) -> Response {
    let value = match again {
        RetryAfter::Seconds(seconds) => Some(HeaderValue::from(seconds)),
        RetryAfter::Date(seconds) => {
            fate.date().checked_add(SignedDuration::from_secs(seconds.into())).ok().and_then(date)
        }
    };
    if let Some(value) = value {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

/// A time as headers have it.
fn date(at: Timestamp) -> Option<HeaderValue> {
    HeaderValue::try_from(DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok()?).ok()
}
