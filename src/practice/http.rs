//! HTTP: who may call, which call it is, and the answer's form.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{
        DefaultBodyLimit, FromRequestParts, Path, Query, Request, State,
        rejection::{BytesRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, patch},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    BASE_PATH, TENANT_ID,
    filter::Filter,
    settings::Settings,
    store::{NewRequest, Page, Store},
    wire::{Body, Refusal, entity, page},
};

/// What all calls share.
pub(super) struct Shared {
    token: String,
    settings: Settings,
    store: Mutex<Store>,
}

impl Shared {
    pub(super) const fn new(token: String, settings: Settings, store: Store) -> Self {
        Self { token, settings, store: Mutex::new(store) }
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// No rule stops half way through a change, so what a lock was poisoned over is still whole.
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Practice = State<Arc<Shared>>;
type Raw = Result<Bytes, BytesRejection>;
type Options = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// The six operations under the documented path.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let operations = Router::new()
        .route("/elevationRequests", get(list).post(create))
        .route("/elevationRequests/{id}", patch(close))
        .route("/devices", get(devices))
        .route("/devices/{name}", get(device))
        .route("/devices/{name}/elevationDetails", get(details));
    Router::new()
        .nest(&format!("{BASE_PATH}/tenants/{{tenant}}"), operations)
        .layer(DefaultBodyLimit::max(shared.settings.longest_body))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), admit))
        .with_state(shared)
}

/// Lets in who has the token, and gives every answer an id of its own.
async fn admit(State(shared): Practice, request: Request, next: Next) -> Response {
    let mut response = if is_known(request.headers(), &shared.token) {
        next.run(request).await
    } else {
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#)]).into_response()
    };
    if let Ok(id) = HeaderValue::try_from(Uuid::new_v4().to_string()) {
        response.headers_mut().insert("x-ms-request-id", id);
    }
    response
}

fn is_known(headers: &HeaderMap, token: &str) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    given.and_then(|value| value.strip_prefix("Bearer ")) == Some(token)
}

async fn create(State(shared): Practice, _: InTenant, body: Raw) -> Result<Response, Refusal> {
    let keys = ["PartnerTicketId", "DeviceName", "Title", "Category", "Subcategory", "PlanOfAction"];
    let texts = parse(body)?.texts(keys, shared.settings.blank_fields_refused)?;
    let [ticket, device, title, category, subcategory, plan_of_action] = texts;
    let new = NewRequest { ticket, device, title, category, subcategory, plan_of_action };
    let created = shared.store().create(new, Timestamp::now())?;
    Ok((StatusCode::CREATED, entity("ElevationRequests", &created)).into_response())
}

async fn close(State(shared): Practice, InTenant(id): InTenant, body: Raw) -> Result<StatusCode, Refusal> {
    let [actions_taken] = parse(body)?.texts(["ActionsTaken"], shared.settings.blank_fields_refused)?;
    shared.store().close(&id, actions_taken, Timestamp::now())?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list(State(shared): Practice, _: InTenant, options: Options) -> Result<Response, Refusal> {
    let (filter, part) = parts(options, "$filter")?;
    let filter = filter.map_or_else(|| Ok(Filter::default()), |text| Filter::parse(&text)).map_err(Refusal::bad)?;
    let requests = shared.store().requests(&filter, &part);
    Ok(page("ElevationRequests", &requests))
}

async fn devices(State(shared): Practice, _: InTenant, options: Options) -> Result<Response, Refusal> {
    let (text, part) = parts(options, "$searchText")?;
    let devices = shared.store().devices(&text.unwrap_or_default(), &part);
    Ok(page("Devices", &devices))
}

async fn device(State(shared): Practice, InTenant(name): InTenant) -> Result<Response, Refusal> {
    let device = shared.store().device(&name)?;
    Ok(entity("Devices", &device))
}

async fn details(State(shared): Practice, InTenant(name): InTenant) -> Result<Response, Refusal> {
    let details = shared.store().details(&name, Timestamp::now())?;
    // It holds a password.
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(details)).into_response())
}

fn parse(body: Raw) -> Result<Body, Refusal> {
    Body::parse(&body.map_err(|rejection| Refusal::new(rejection.status(), rejection.body_text()))?)
}

/// The option that is the operation's own, and the part of the list. An option that starts with `$` and is unknown is
/// refused, for it would be believed to have worked; others mean nothing to the service.
fn parts(options: Options, own: &str) -> Result<(Option<String>, Page), Refusal> {
    let Query(options) = options.map_err(|rejection| Refusal::bad(rejection.body_text()))?;
    let (mut text, mut page) = (None, Page::default());
    for (name, value) in options {
        let number = || value.parse().map_err(|_| Refusal::bad(format!("{name} must be a whole number.")));
        match name.as_str() {
            "$skip" => page.skip = number()?,
            "$top" => page.top = Some(number()?),
            _ if name == own => text = Some(value),
            _ if name.starts_with('$') => return Err(Refusal::bad(format!("{name} is not supported."))),
            _ => {}
        }
    }
    Ok((text, page))
}

/// What the path names inside the tenant; empty where it ends with a collection. Another tenant is refused.
struct InTenant(String);

impl FromRequestParts<Arc<Shared>> for InTenant {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Refusal> {
        let path = Path::<Vec<(String, String)>>::from_request_parts(parts, shared).await;
        let Path(names) = path.map_err(|rejection| Refusal::bad(rejection.body_text()))?;
        let mut values = names.into_iter().map(|(_, value)| value);
        if values.next().is_some_and(|tenant| tenant.eq_ignore_ascii_case(TENANT_ID)) {
            Ok(Self(values.next().unwrap_or_default()))
        } else {
            Err(Refusal::new(StatusCode::NOT_FOUND, "This tenant does not exist."))
        }
    }
}
