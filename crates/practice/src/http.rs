//! HTTP: who may call, which call it is, and the answer's form.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Extension, Json, Router,
    body::Bytes,
    extract::{
        DefaultBodyLimit, FromRequestParts, Path, Query, Request, State,
        rejection::{BytesRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, patch, post},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    BASE_PATH, TENANT_ID,
    filter::Filter,
    host,
    keep::Storage,
    listener::{ListenGate, RESET, StreamFault},
    misbehave::{CallGuard, misbehave},
    rules::{Active, Endpoint, Fate, ListFault},
    settings::Settings,
    store::{PageRange, TenantStore},
    tenant::NewRequest,
    token::{self, Tokens},
    wire::{Fields, Refusal, entity, page},
};

/// The longest body of a request, in bytes; a longer one is answered with 413. An assumption.
const LONGEST_BODY: usize = 1 << 20;

/// What all calls share.
pub(super) struct ServerState {
    address: SocketAddr,
    tokens: Mutex<Tokens>,
    pub(super) settings: Settings,
    pub(super) book: Storage,
    pub(super) latch: Arc<ListenGate>,
    rules: Mutex<Active>,
    received: Mutex<HashMap<Endpoint, u64>>,
    /// Cancelled when the tenant is served no more.
    pub(super) ended: CancellationToken,
}

impl ServerState {
    pub(super) fn new(address: SocketAddr, settings: Settings, book: Storage) -> Self {
        let (tokens, rules) = (Mutex::new(Tokens::new()), Mutex::new(Active::new(settings.rules.clone())));
        let (latch, received, ended) = (Arc::new(ListenGate::new()), Mutex::default(), CancellationToken::new());
        Self { address, tokens, settings, book, latch, rules, received, ended }
    }

    pub(super) fn base_url(&self) -> String {
        format!("http://{}{BASE_PATH}", self.address)
    }

    pub(super) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn authority(&self) -> String {
        format!("http://{}/{TENANT_ID}", self.address)
    }

    /// Does something with the tenant. It is durable before anybody is answered.
    pub(super) async fn with<T: Send + 'static>(
        self: &Arc<Self>,
        act: impl FnOnce(&mut TenantStore) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let done = if self.book.is_on_disk() {
            // The disk, and another process that has the lock, are waited for where they hold up no other call.
            let shared = Arc::clone(self);
            let done = tokio::task::spawn_blocking(move || shared.book.with(act)).await;
            done.unwrap_or_else(|_| Err(io::Error::other("the program failed meanwhile")))
        } else {
            self.book.with(act)
        };
        done.map_err(|error| {
            let words = format!("The practice tenant cannot be kept: {error}.");
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, words)
        })
    }

    pub(super) fn rules(&self) -> MutexGuard<'_, Active> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self, operation: Endpoint) {
        *self.received.lock().unwrap_or_else(PoisonError::into_inner).entry(operation).or_default() += 1;
    }

    pub(super) fn received(&self, wanted: Endpoint) -> u64 {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = received.iter().filter(|(one, _)| wanted.covers(**one));
        counted.map(|(_, count)| count).sum()
    }

    /// Lets time pass, and says whether the tenant is still served then.
    pub(super) async fn lasts(&self, time: Duration) -> bool {
        // In this order, so that no time at all never ends anything that is under way.
        tokio::select! {
            biased;
            () = tokio::time::sleep(time) => true,
            () = self.ended.cancelled() => false,
        }
    }
}

type Shared = State<Arc<ServerState>>;
type Raw = Result<Bytes, BytesRejection>;
type Options = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// The six operations under the documented path, and the token endpoint beside them.
pub(super) fn router(shared: Arc<ServerState>) -> Router {
    let ruled = |operation, handler: MethodRouter<Arc<ServerState>>| {
        handler.layer(middleware::from_fn_with_state(CallGuard { shared: Arc::clone(&shared), operation }, misbehave))
    };
    let lists_and_creates = ruled(Endpoint::List, get(list)).merge(ruled(Endpoint::Create, post(create)));
    let operations = Router::new()
        .route("/elevationRequests", lists_and_creates)
        .route("/elevationRequests/{id}", ruled(Endpoint::Close, patch(close)))
        .route("/devices", ruled(Endpoint::Devices, get(devices)))
        .route("/devices/{name}", ruled(Endpoint::Device, get(device)))
        .route("/devices/{name}/elevationDetails", ruled(Endpoint::Details, get(details)));
    Router::new()
        .route(&format!("/{{tenant}}{}", token::PATH), ruled(Endpoint::Token, post(token::token)))
        .nest(&format!("{BASE_PATH}/tenants/{{tenant}}"), operations)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), admit))
        .with_state(shared)
}

/// Lets in who has a token or wants one, and gives every answer an id of its own.
async fn admit(
    State(shared): Shared,
    Extension(orders): Extension<StreamFault>,
    request: Request,
    next: Next,
) -> Response {
    orders.called();
    let mut response = if shared.latch.is_shut() {
        orders.end(RESET);
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    } else if let Err(refusal) = host::check(&request) {
        refusal.into_response()
    } else if request.uri().path().ends_with(token::PATH) || is_known(request.headers(), &shared) {
        next.run(request).await
    } else {
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#)]).into_response()
    };
    if let Ok(id) = HeaderValue::try_from(Uuid::new_v4().to_string()) {
        response.headers_mut().insert("x-ms-request-id", id);
    }
    response
}

fn is_known(headers: &HeaderMap, shared: &ServerState) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    given.and_then(|value| value.strip_prefix("Bearer ")).is_some_and(|token| shared.tokens().is_accepted(token))
}

async fn create(State(shared): Shared, Extension(fate): Extension<Fate>, body: Raw) -> Result<Response, Refusal> {
    let keys = ["PartnerTicketId", "DeviceName", "Title", "Category", "Subcategory", "PlanOfAction"];
    let texts = parse(body)?.texts(keys, shared.settings.blank_fields_refused)?;
    let [ticket, device, title, category, subcategory, plan_of_action] = texts;
    let new = NewRequest { ticket, device, title, category, subcategory, plan_of_action };
    let created = shared.with(move |store| store.create(new, fate.now(), fate.twist)).await??;
    Ok((StatusCode::CREATED, entity("ElevationRequests", &created)).into_response())
}

async fn close(
    State(shared): Shared,
    InTenant(id): InTenant,
    Extension(fate): Extension<Fate>,
    body: Raw,
) -> Result<StatusCode, Refusal> {
    let [actions_taken] = parse(body)?.texts(["ActionsTaken"], shared.settings.blank_fields_refused)?;
    shared.with(move |store| store.close(&id, actions_taken, fate.now(), fate.twist)).await??;
    Ok(StatusCode::NO_CONTENT)
}

async fn list(
    State(shared): Shared,
    Extension(fate): Extension<Fate>,
    uri: Uri,
    headers: HeaderMap,
    options: Options,
) -> Result<Response, Refusal> {
    let (filter, range) = options_of(options, "$filter", &fate)?;
    let filter = filter.filter(|_| !fate.list.contains(&ListFault::Unfiltered));
    let filter = filter.map_or_else(|| Ok(Filter::default()), |text| Filter::parse(&text)).map_err(Refusal::bad)?;
    let listed = shared.with(move |store| store.requests(&filter, &range, &fate)).await?;
    let next = listed.next.map(|next| {
        // Of the origin that was called, whichever of this machine's names that has.
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let options = uri.query().unwrap_or_default().split('&');
        let rest = options.filter(|option| !option.is_empty() && !option.replace("%24", "$").starts_with("$skip"));
        let options = rest.chain([format!("$skiptoken={next}").as_str()]).collect::<Vec<_>>().join("&");
        format!("http://{host}{BASE_PATH}/tenants/{TENANT_ID}/elevationRequests?{options}")
    });
    Ok(page("ElevationRequests", &listed.entries, next))
}

async fn devices(State(shared): Shared, options: Options) -> Result<Response, Refusal> {
    let (text, range) = options_of(options, "$searchText", &Fate::default())?;
    let devices = shared.with(move |store| store.devices(&text.unwrap_or_default(), &range)).await?;
    Ok(page("Devices", &devices, None))
}

async fn device(State(shared): Shared, InTenant(name): InTenant) -> Result<Response, Refusal> {
    let device = shared.with(move |store| store.device(&name)).await??;
    Ok(entity("Devices", &device))
}

async fn details(
    State(shared): Shared,
    InTenant(name): InTenant,
    Extension(fate): Extension<Fate>,
) -> Result<Response, Refusal> {
    let details = shared.with(move |store| store.details(&name, fate.now())).await??;
    // It holds a password.
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(details)).into_response())
}

fn parse(body: Raw) -> Result<Fields, Refusal> {
    Fields::parse(&body.map_err(|rejection| Refusal::new(rejection.status(), rejection.body_text()))?)
}

/// The option that is the operation's own, and the part of the list. An option that starts with `$` and is unknown is
/// refused, for it would be believed to have worked; others mean nothing to the service.
fn options_of(options: Options, own: &str, fate: &Fate) -> Result<(Option<String>, PageRange), Refusal> {
    let has_links = fate.list.iter().any(|fault| matches!(fault, ListFault::NextLink(_)));
    let Query(options) = options.map_err(|rejection| Refusal::bad(rejection.body_text()))?;
    let (mut text, mut range) = (None, PageRange::default());
    for (name, value) in options {
        let number = || value.parse().map_err(|_| Refusal::bad(format!("{name} must be a whole number.")));
        match name.as_str() {
            "$skip" => range.skip = number()?,
            "$top" => range.top = Some(number()?),
            "$skiptoken" if has_links => range.token = Some(number()?),
            _ if name == own => text = Some(value),
            _ if name.starts_with('$') => return Err(Refusal::bad(format!("{name} is not supported."))),
            _ => {}
        }
    }
    let most =
        fate.list.iter().find_map(|fault| if let ListFault::RefuseTop(most) = fault { Some(*most) } else { None });
    if let (Some(most), Some(top)) = (most, range.top)
        && top > most
    {
        // In the words of Microsoft's library for such services.
        let words = "Top query has been exceeded. The value from the incoming request is";
        return Err(Refusal::bad(format!("The limit of '{most}' for {words} '{top}'.")));
    }
    Ok((text, range))
}

/// What the path names inside the tenant; empty where it ends with a collection. Another tenant is refused.
pub(super) struct InTenant(pub(super) String);

impl FromRequestParts<Arc<ServerState>> for InTenant {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<ServerState>) -> Result<Self, Refusal> {
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
