//! Applies the rules of misbehaviour to a call.

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
    filter::Filter,
    identity::TENANT_ID,
    listener::{CUT, END, StreamFault},
    rules::{CallSubject, Endpoint, FaultPlan, Misdeed, RetryAfter},
    shape::reshape,
    state::{InTenant, ServerState},
    wire::{Fields, Refusal},
};

/// The state of the middleware of one endpoint.
#[derive(Clone)]
pub(super) struct CallGuard {
    pub(super) shared: Arc<ServerState>,
    pub(super) operation: Endpoint,
}

/// Reads a whole call, decides by the rules what happens to it, and answers it.
pub(super) async fn misbehave(
    State(CallGuard { shared, operation }): State<CallGuard>,
    Extension(fault): Extension<StreamFault>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let named = match InTenant::from_request_parts(&mut parts, &shared).await {
        Ok(InTenant(named)) => named,
        // The token endpoint answers errors in its own form.
        Err(_) if operation == Endpoint::Token => String::new(),
        Err(refusal) => return refusal.into_response(),
    };
    let body = Bytes::from_request(Request::from_parts(parts.clone(), body), &());
    let body = match tokio::time::timeout(shared.settings.request_timeout, body).await {
        Ok(Ok(body)) => body,
        Ok(Err(rejection)) => return Refusal::new(rejection.status(), rejection.body_text()).into_response(),
        Err(_) => return Refusal::new(StatusCode::REQUEST_TIMEOUT, "The request took too long.").into_response(),
    };
    shared.count(operation);
    let subject = subject(&shared, operation, named, &parts, &body).await;
    let plan = shared.rules().plan(operation, &subject);
    parts.extensions.insert(plan.clone());
    let request = Request::from_parts(parts, Body::from(body));
    // In a task, because the server drops the future of a call whose caller has gone, and the service does not.
    let answering = tokio::spawn(async move { answer(&shared, &plan, &fault, request, next).await });
    answering.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// Returns the device and the ticket of a call.
async fn subject(
    shared: &Arc<ServerState>,
    operation: Endpoint,
    named: String,
    parts: &Parts,
    body: &[u8],
) -> CallSubject {
    match operation {
        Endpoint::Create => {
            let text = |key| Fields::parse(body).ok()?.texts([key], false).ok().map(|[text]| text);
            CallSubject { device: text("DeviceName"), ticket: text("PartnerTicketId") }
        }
        Endpoint::Close => {
            let found = shared
                .with(move |store| {
                    store.find(&named).map(|found| (found.device_name.clone(), found.partner_ticket_id.clone()))
                })
                .await;
            let (device, ticket) = found.ok().flatten().unzip();
            CallSubject { device, ticket }
        }
        Endpoint::List => {
            let options = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
            let filter =
                options.ok().and_then(|Query(options)| options.into_iter().find(|(name, _)| name == "$filter"));
            let filter = filter.and_then(|(_, text)| Filter::parse(&text).ok());
            CallSubject { device: filter.and_then(|filter| filter.device().map(str::to_owned)), ticket: None }
        }
        Endpoint::Details | Endpoint::Device => CallSubject { device: Some(named), ticket: None },
        Endpoint::Devices | Endpoint::Token | Endpoint::Any => CallSubject::default(),
    }
}

async fn answer(
    shared: &Arc<ServerState>,
    plan: &FaultPlan,
    fault: &StreamFault,
    request: Request,
    next: Next,
) -> Response {
    if !shared.sleep(plan.delay).await {
        return drop_connection(fault);
    }
    let mut response = match plan.end {
        None => next.run(request).await,
        Some(Misdeed::Closed(time)) => {
            shared.gate.shut(Some(time)).await;
            drop_connection(fault)
        }
        Some(Misdeed::Hang(limit)) => hang(shared, limit, fault).await,
        Some(Misdeed::DropBefore) => drop_connection(fault),
        Some(Misdeed::Throttle(again)) => throttled(again, plan),
        Some(Misdeed::Fail) => failed(),
        Some(Misdeed::Unavailable(again)) => {
            let page = "<html><head><title>503 Service Temporarily Unavailable</title></head>\
                        <body><h1>503 Service Temporarily Unavailable</h1></body></html>";
            let response = (StatusCode::SERVICE_UNAVAILABLE, Html(page)).into_response();
            match again {
                Some(again) => with_retry_after(response, again, plan),
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
        // All other misdeeds affect the answer of a call that is done.
        Some(end) => {
            let response = next.run(request).await;
            match end {
                Misdeed::HangAfter(limit) => hang(shared, limit, fault).await,
                Misdeed::DropAfter => drop_connection(fault),
                Misdeed::Cut => {
                    fault.end(CUT);
                    response
                }
                Misdeed::WrongJson => {
                    let json = [(header::CONTENT_TYPE, "application/json")];
                    let is_made = response.status() == StatusCode::CREATED;
                    let status = if is_made { StatusCode::CREATED } else { StatusCode::OK };
                    (status, json, r#"{"@odata.context": "https://practice.example/", "id": "#).into_response()
                }
                Misdeed::FailAfter => failed(),
                Misdeed::ThrottleAfter(again) => throttled(again, plan),
                Misdeed::RedirectAfter => {
                    let place = format!("{}/tenants/{TENANT_ID}/elevationRequests", shared.base_url());
                    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
                }
                _ => response,
            }
        }
    };
    if !plan.shapes.is_empty() {
        response = reshape(response, &plan.shapes).await;
    }
    if plan.is_misdated()
        && let Some(date) = http_date(plan.date())
    {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// Ends the connection without sending a byte. The returned answer is dropped.
fn drop_connection(fault: &StreamFault) -> Response {
    fault.end(END);
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

async fn hang(shared: &ServerState, limit: Duration, fault: &StreamFault) -> Response {
    shared.sleep(limit).await;
    drop_connection(fault)
}

fn failed() -> Response {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "An internal error has occurred.").into_response()
}

fn throttled(again: RetryAfter, plan: &FaultPlan) -> Response {
    let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests. Try again later.");
    with_retry_after(refusal.into_response(), again, plan)
}

fn with_retry_after(mut response: Response, again: RetryAfter, plan: &FaultPlan) -> Response {
    let value = match again {
        RetryAfter::Seconds(seconds) => Some(HeaderValue::from(seconds)),
        RetryAfter::Date(seconds) => {
            plan.date().checked_add(SignedDuration::from_secs(seconds.into())).ok().and_then(http_date)
        }
    };
    if let Some(value) = value {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

/// Formats a time for a header.
fn http_date(at: Timestamp) -> Option<HeaderValue> {
    HeaderValue::try_from(DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok()?).ok()
}
