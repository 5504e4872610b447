//! Pages for people: the dashboard, an experiment's page, its report as one file, and the stream that refreshes them.
//!
//! Pages hold no inline script: they load one small script and one style sheet from here, and their policy allows nothing
//! else. Where the router has keys, a reader types an admin key into a form once; it is then sent by a cookie that scripts
//! cannot read and other sites cannot send, and that opens these pages only: whatever changes something asks for a header.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::Stream;
use serde::Deserialize;
use tierwise_reports::{
    Asset, DashboardPage, Language, LiveFrame, LoginPage, OnlinePage, ReportError, RouterState,
};

use super::problem::Problem;
use super::{auth, experiments};
use crate::router::page::{dashboard_row, online_page};
use crate::router::service::Service;
use crate::store::Role;

/// What a page inside the router may load; style attributes carry the colours of drawings.
const LIVE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    style-src-attr 'unsafe-inline'; img-src 'self'; connect-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";
/// What a report may load: nothing; its style is inside it.
const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// How long a burst of news is gathered before readers hear of it.
const GATHER: Duration = Duration::from_millis(200);

#[derive(Debug, Deserialize)]
pub(super) struct Wishes {
    lang: Option<String>,
}

impl Wishes {
    /// The language asked for, or the browser's.
    fn language(&self, headers: &HeaderMap) -> Language {
        let browser = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok());
        match self.lang.as_deref().or(browser) {
            Some(tag) if tag.trim_start().to_ascii_lowercase().starts_with("zh") => Language::Zh,
            _ => Language::En,
        }
    }
}

/// A page with the headers that keep it to itself.
fn page(html: Result<String, ReportError>, policy: &'static str) -> Result<Response, Problem> {
    let html = html.map_err(|error| {
        tracing::error!(%error, "a page cannot be drawn");
        Problem::internal()
    })?;
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ];
    Ok((headers, html).into_response())
}

fn frame(service: &Service, uri: &Uri) -> LiveFrame {
    LiveFrame {
        here: uri
            .path_and_query()
            .map_or("/", |here| here.as_str())
            .to_owned(),
        signed_in: !service.keys().is_empty(),
    }
}

/// The form that asks for a key, with the status that says why.
fn ask(uri: &Uri, language: Language, refused: bool) -> Result<Response, Problem> {
    let frame = LiveFrame {
        here: uri
            .path_and_query()
            .map_or("/", |here| here.as_str())
            .to_owned(),
        signed_in: false,
    };
    let form = page(LoginPage { refused }.render(language, &frame), LIVE_POLICY)?;
    Ok((StatusCode::UNAUTHORIZED, form).into_response())
}

pub(super) async fn list(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    uri: Uri,
    Query(wishes): Query<Wishes>,
) -> Result<Response, Problem> {
    let language = wishes.language(&headers);
    if auth::check_reader(&service, &headers, Role::Admin).is_err() {
        return ask(&uri, language, false);
    }
    let rows = service.store.experiments().await;
    let mut found = Vec::new();
    let ready = match rows {
        Ok(rows) => {
            for row in &rows {
                match experiments::standing(&service, row).await {
                    Ok(standing) => found.push(standing),
                    // One that cannot be read must not hide the others; the log says why.
                    Err(_) => tracing::warn!(key = row.key, "left out of the dashboard"),
                }
            }
            true
        }
        // What was last known is better than nothing while the store is away.
        Err(error) => {
            tracing::warn!(%error, "the dashboard shows what was last known");
            found = service.standings.all();
            false
        }
    };
    // What runs comes first, then what is prepared or was decided, the latest first.
    found.sort_by_key(|standing| {
        let experiment = &standing.experiment;
        (
            experiment.phase.is_over(),
            !experiment.phase.is_live(),
            -experiment.phase_since_us,
        )
    });
    let dashboard = DashboardPage {
        at_us: service.clock.now_us(),
        router: RouterState {
            ready,
            leading: service.standings.is_leading(),
            spool_bytes: service.spool.waiting_bytes(),
        },
        experiments: found
            .iter()
            .map(|standing| dashboard_row(standing))
            .collect(),
    };
    page(
        dashboard.render(language, &frame(&service, &uri)),
        LIVE_POLICY,
    )
}

/// The values of an experiment's page. Intervals take a moment, so they are worked out beside the requests.
async fn values(service: &Service, key: &str) -> Result<OnlinePage, Problem> {
    let row = experiments::row(service, key).await?;
    let standing = experiments::standing(service, &row).await?;
    let history = service.store.history(key).await?;
    let snapshot = service.snapshot();
    let live = snapshot.experiment(key);
    let versions: Vec<Option<String>> = (0..standing.experiment.definition.arms.len())
        .map(|arm| Some(live?.policy(arm as u8)?.version.to_string()))
        .collect();
    tokio::task::spawn_blocking(move || online_page(&standing, &history, &versions))
        .await
        .map_err(|error| {
            tracing::error!(%error, "a page cannot be worked out");
            Problem::internal()
        })
}

pub(super) async fn experiment(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    uri: Uri,
    Path(key): Path<String>,
    Query(wishes): Query<Wishes>,
) -> Result<Response, Problem> {
    let language = wishes.language(&headers);
    if auth::check_reader(&service, &headers, Role::Admin).is_err() {
        return ask(&uri, language, false);
    }
    let values = values(&service, &key).await?;
    let html = values.render_live(language, &frame(&service, &uri));
    page(html, LIVE_POLICY)
}

pub(super) async fn report(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    Path(key): Path<String>,
    Query(wishes): Query<Wishes>,
) -> Result<Response, Problem> {
    auth::check_reader(&service, &headers, Role::Admin)?;
    let values = values(&service, &key).await?;
    page(values.render(wishes.language(&headers)), REPORT_POLICY)
}

/// Says that something on the pages may have changed: a standing, an experiment, a policy.
pub(super) async fn stream(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    auth::check_reader(&service, &headers, Role::Admin)?;
    let (mut standings, mut changes) = (service.standings.watch(), service.changes());
    standings.mark_unchanged();
    changes.mark_unchanged();
    let watched = (standings, changes, service.closing.subscribe());
    let events = futures_util::stream::unfold(watched, |mut watched| async move {
        let (standings, changes, closing) = &mut watched;
        tokio::select! {
            changed = standings.changed() => changed.ok()?,
            changed = changes.changed() => changed.ok()?,
            // An open page must not keep the router from stopping.
            _ = closing.wait_for(|closing| *closing) => return None,
        }
        tokio::time::sleep(GATHER).await;
        let counter = *changes.borrow_and_update();
        let published = *standings.borrow_and_update();
        let data = format!("{{\"changes\":{counter},\"published\":{published}}}");
        let event = Event::default().event("message").data(data);
        Some((Ok(event), watched))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

#[derive(Debug, Deserialize)]
pub(super) struct Login {
    key: String,
    #[serde(default)]
    back: String,
}

pub(super) async fn login_form(
    headers: HeaderMap,
    Query(wishes): Query<Wishes>,
) -> Result<Response, Problem> {
    ask(&Uri::from_static("/"), wishes.language(&headers), false)
}

pub(super) async fn login(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    Query(wishes): Query<Wishes>,
    form: Result<Form<Login>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(login) = form.map_err(|error| Problem::bad_request(error.body_text()))?;
    // Only a path of this router: `//elsewhere` and `/\elsewhere` would lead away.
    let back = login.back.starts_with('/')
        && !login.back.starts_with("//")
        && !login.back.contains(['\\', '\r', '\n']);
    let back = if back { login.back.as_str() } else { "/" };
    let key = login.key.trim();
    let cookie = auth::cookie(key, is_https(&headers));
    match (auth::check_key(&service, key, Role::Admin), cookie) {
        (Ok(_), Some(cookie)) => {
            let mut response = Redirect::to(back).into_response();
            response.headers_mut().insert(header::SET_COOKIE, cookie);
            Ok(response)
        }
        _ => {
            let uri: Uri = back.parse().unwrap_or_else(|_| Uri::from_static("/"));
            ask(&uri, wishes.language(&headers), true)
        }
    }
}

pub(super) async fn logout() -> Response {
    let mut response = Redirect::to("/").into_response();
    let gone = HeaderValue::from_static(auth::NO_COOKIE);
    response.headers_mut().insert(header::SET_COOKIE, gone);
    response
}

/// Whether a proxy in front of the router speaks TLS.
fn is_https(headers: &HeaderMap) -> bool {
    headers
        .get("x-forwarded-proto")
        .is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"))
}

fn asset(asset: Asset, kind: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, asset.text).into_response()
}

pub(super) async fn style() -> Response {
    asset(Asset::STYLE, "text/css; charset=utf-8")
}

pub(super) async fn script() -> Response {
    asset(Asset::SCRIPT, "text/javascript; charset=utf-8")
}

pub(super) async fn icon() -> Response {
    asset(Asset::ICON, "image/svg+xml")
}
