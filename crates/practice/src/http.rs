//! The router and the handlers: who may call, and how each call is parsed and answered.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    body::Bytes,
    extract::{
        DefaultBodyLimit, Query, Request, State,
        rejection::{BytesRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, patch, post},
};
use uuid::Uuid;

use super::{
    filter::Filter,
    host,
    identity::{AGENT_UPN, BASE_PATH, TENANT_ID},
    listener::{RESET, StreamFault},
    misbehave::{CallGuard, misbehave},
    rules::{Endpoint, FaultPlan, ListFault},
    state::{InTenant, ServerState},
    store::PageRange,
    tenant::NewRequest,
    token,
    wire::{Fields, Refusal, entity, page},
};

/// The longest body of a request, in bytes; a longer one is answered with 413 (assumption).
const LONGEST_BODY: usize = 1 << 20;

type SharedState = State<Arc<ServerState>>;
type RawBody = Result<Bytes, BytesRejection>;
type Options = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// Returns the six operations under the documented path, and the token endpoint.
pub(super) fn router(shared: Arc<ServerState>) -> Router {
    let with_rules = |operation, handler: MethodRouter<Arc<ServerState>>| {
        handler.layer(middleware::from_fn_with_state(CallGuard { shared: Arc::clone(&shared), operation }, misbehave))
    };
    let lists_and_creates = with_rules(Endpoint::List, get(list)).merge(with_rules(Endpoint::Create, post(create)));
    let operations = Router::new()
        .route("/elevationRequests", lists_and_creates)
        .route("/elevationRequests/{id}", with_rules(Endpoint::Close, patch(close)))
        .route("/devices", with_rules(Endpoint::Devices, get(devices)))
        .route("/devices/{name}", with_rules(Endpoint::Device, get(device)))
        .route("/devices/{name}/elevationDetails", with_rules(Endpoint::Details, get(details)));
    Router::new()
        .route(&format!("/{{tenant}}{}", token::PATH), with_rules(Endpoint::Token, post(token::token)))
        .nest(&format!("{BASE_PATH}/tenants/{{tenant}}"), operations)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), admit))
        .with_state(shared)
}

/// Admits calls with a valid token and calls of the token endpoint. Gives every answer an id.
async fn admit(
    State(shared): SharedState,
    Extension(fault): Extension<StreamFault>,
    request: Request,
    next: Next,
) -> Response {
    fault.called();
    let mut response = if shared.gate.is_shut() {
        fault.end(RESET);
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    } else if let Err(refusal) = host::check(&request) {
        refusal.into_response()
    } else if request.uri().path().ends_with(token::PATH) || is_authorized(request.headers(), &shared) {
        next.run(request).await
    } else {
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#)]).into_response()
    };
    if let Ok(id) = HeaderValue::try_from(Uuid::new_v4().to_string()) {
        response.headers_mut().insert("x-ms-request-id", id);
    }
    response
}

fn is_authorized(headers: &HeaderMap, shared: &ServerState) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    given.and_then(|value| value.strip_prefix("Bearer ")).is_some_and(|token| shared.tokens().is_accepted(token))
}

async fn create(
    State(shared): SharedState,
    Extension(plan): Extension<FaultPlan>,
    body: RawBody,
) -> Result<Response, Refusal> {
    let keys = ["PartnerTicketId", "DeviceName", "Title", "Category", "Subcategory", "PlanOfAction"];
    let texts = parse(body)?.texts(keys, shared.settings.blank_fields_refused)?;
    let [ticket, device, title, category, subcategory, plan_of_action] = texts;
    let new = NewRequest { ticket, device, title, category, subcategory, plan_of_action };
    let created = shared.with(move |store| store.create(new, AGENT_UPN, plan.now(), plan.change)).await??;
    Ok((StatusCode::CREATED, entity("ElevationRequests", &created)).into_response())
}

async fn close(
    State(shared): SharedState,
    InTenant(id): InTenant,
    Extension(plan): Extension<FaultPlan>,
    body: RawBody,
) -> Result<StatusCode, Refusal> {
    let [actions_taken] = parse(body)?.texts(["ActionsTaken"], shared.settings.blank_fields_refused)?;
    shared.with(move |store| store.close(&id, actions_taken, AGENT_UPN, plan.now(), plan.change)).await??;
    Ok(StatusCode::NO_CONTENT)
}

async fn list(
    State(shared): SharedState,
    Extension(plan): Extension<FaultPlan>,
    uri: Uri,
    headers: HeaderMap,
    options: Options,
) -> Result<Response, Refusal> {
    let (filter, range) = parse_options(options, "$filter", &plan)?;
    let filter = filter.filter(|_| !plan.list.contains(&ListFault::Unfiltered));
    let filter =
        filter.map_or_else(|| Ok(Filter::default()), |text| Filter::parse(&text)).map_err(Refusal::bad_request)?;
    let listed = shared.with(move |store| store.requests(&filter, &range, &plan)).await?;
    let next = listed.next.map(|next| {
        // The link has the host that was called, because this machine has several names.
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let options = uri.query().unwrap_or_default().split('&');
        let rest = options.filter(|option| !option.is_empty() && !option.replace("%24", "$").starts_with("$skip"));
        let options = rest.chain([format!("$skiptoken={next}").as_str()]).collect::<Vec<_>>().join("&");
        format!("http://{host}{BASE_PATH}/tenants/{TENANT_ID}/elevationRequests?{options}")
    });
    Ok(page("ElevationRequests", &listed.entries, next))
}

async fn devices(State(shared): SharedState, options: Options) -> Result<Response, Refusal> {
    let (text, range) = parse_options(options, "$searchText", &FaultPlan::default())?;
    let devices = shared.with(move |store| store.devices(&text.unwrap_or_default(), &range)).await?;
    Ok(page("Devices", &devices, None))
}

async fn device(State(shared): SharedState, InTenant(name): InTenant) -> Result<Response, Refusal> {
    let device = shared.with(move |store| store.device(&name)).await??;
    Ok(entity("Devices", &device))
}

async fn details(
    State(shared): SharedState,
    InTenant(name): InTenant,
    Extension(plan): Extension<FaultPlan>,
) -> Result<Response, Refusal> {
    let details = shared.with(move |store| store.details(&name, plan.now())).await??;
    // The body holds a password.
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(details)).into_response())
}

fn parse(body: RawBody) -> Result<Fields, Refusal> {
    Fields::parse(&body.map_err(|rejection| Refusal::new(rejection.status(), rejection.body_text()))?)
}

/// Returns the value of the operation's own option, and the requested page. An unknown option that starts with `$` is
/// refused, because the caller would expect an effect; other options are ignored.
fn parse_options(options: Options, own: &str, plan: &FaultPlan) -> Result<(Option<String>, PageRange), Refusal> {
    let has_links = plan.list.iter().any(|fault| matches!(fault, ListFault::NextLink(_)));
    let Query(options) = options.map_err(|rejection| Refusal::bad_request(rejection.body_text()))?;
    let (mut text, mut range) = (None, PageRange::default());
    for (name, value) in options {
        let number = || value.parse().map_err(|_| Refusal::bad_request(format!("{name} must be a whole number.")));
        match name.as_str() {
            "$skip" => range.skip = number()?,
            "$top" => range.top = Some(number()?),
            "$skiptoken" if has_links => range.token = Some(number()?),
            _ if name == own => text = Some(value),
            _ if name.starts_with('$') => return Err(Refusal::bad_request(format!("{name} is not supported."))),
            _ => {}
        }
    }
    let most =
        plan.list.iter().find_map(|fault| if let ListFault::RefuseTop(most) = fault { Some(*most) } else { None });
    if let (Some(most), Some(top)) = (most, range.top)
        && top > most
    {
        // The message of Microsoft's library for such services.
        let message = "Top query has been exceeded. The value from the incoming request is";
        return Err(Refusal::bad_request(format!("The limit of '{most}' for {message} '{top}'.")));
    }
    Ok((text, range))
}
