//! The part of the API's document that accounts answer, and the rights on all of it, from the table of access.

use http::{Method, StatusCode};
use server::{openapi, ticket};
use utoipa::{
    OpenApi,
    openapi::{
        ObjectBuilder, RefOr, SecurityRequirement, Type,
        path::{Operation, ParameterBuilder, ParameterIn},
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
    },
};

use crate::{
    access::{ByToken, Endpoint, TABLE, Who},
    account, addresses, cookie, grants, idempotency, invitations, oidc, password_reset, people,
    second_factor, session, shares, tokens, webhooks,
};

#[derive(OpenApi)]
#[openapi(paths(
    session::show,
    session::sign_in,
    session::sign_out,
    session::list,
    session::end,
    account::show,
    account::edit,
    addresses::ask,
    addresses::set,
    account::set_password,
    account::delete,
    second_factor::show,
    second_factor::begin,
    second_factor::turn_on,
    second_factor::turn_off,
    oidc::sign_in,
    oidc::callback,
    oidc::show,
    oidc::begin_link,
    oidc::unlink,
    password_reset::ask,
    password_reset::set,
    webhooks::list,
    webhooks::add,
    webhooks::edit,
    webhooks::remove,
    webhooks::log,
    webhooks::send_again,
    tokens::list,
    tokens::add,
    tokens::remove,
    people::sign_up,
    people::list,
    people::change,
    people::remove,
    invitations::list,
    invitations::add,
    invitations::remove,
    shares::list,
    shares::add,
    shares::revoke,
    grants::list,
    grants::add,
    grants::revoke,
))]
struct Api;

/// Returns the operations of accounts, with their schemas.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut api = Api::openapi();
    openapi::refuse_documents(
        &mut api,
        &[
            (StatusCode::BAD_REQUEST, "`body_broken`"),
            (StatusCode::REQUEST_TIMEOUT, "`body_stalled`"),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "`unsupported_media_type`"),
        ],
    );
    api
}

/// Adds to every operation of `api` who may use it, and how they are refused.
pub fn add_rights(api: &mut utoipa::openapi::OpenApi) {
    let components = api.components.get_or_insert_default();
    for (name, scheme) in schemes() {
        components.add_security_scheme(name, scheme);
    }
    for (path, method, operation) in openapi::operations(api) {
        if let Some(endpoint) = endpoint(path, &method) {
            judge(operation, endpoint);
        }
    }
}

/// Finds the endpoint of an operation. HEAD goes as GET, and below `/v/` one endpoint is many operations.
fn endpoint(path: &str, method: &Method) -> Option<&'static Endpoint> {
    let path = if path.starts_with("/v/") { "/v/{*file}" } else { path };
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    TABLE.iter().find(|endpoint| endpoint.path == path && endpoint.method == *method)
}

fn schemes() -> [(&'static str, SecurityScheme); 4] {
    let key = |name: &str, description: &str| ApiKeyValue::with_description(name, description);
    let token = Http::builder()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token of the account's page; its scopes are those that an operation names."))
        .build();
    let session = key(
        cookie::SECURE,
        "A browser's session, from `POST /api/v1/session`. On loopback it has no `__Host-` prefix.",
    );
    let share = key("share", "The end of a link that shares the video.");
    let shown = key(
        ticket::SHOWN.as_str(),
        "A ticket for the video, as edges show their client's. Players carry it in the path: `/t/TICKET/v/…`.",
    );
    [
        ("session", SecurityScheme::ApiKey(ApiKey::Cookie(session))),
        ("token", SecurityScheme::Http(token)),
        ("share", SecurityScheme::ApiKey(ApiKey::Query(share))),
        ("ticket", SecurityScheme::ApiKey(ApiKey::Header(shown))),
    ]
}

fn judge(operation: &mut Operation, endpoint: &Endpoint) {
    let sentence = sentence(endpoint);
    operation.description = Some(match operation.description.take() {
        Some(text) if !text.is_empty() => format!("{text}\n\n{sentence}"),
        _ => sentence,
    });
    operation.security = Some(security(endpoint));
    for (status, codes) in refusals(endpoint) {
        openapi::refuse(operation, status, codes);
    }
    if idempotency::takes_key(endpoint) {
        repeat(operation);
    }
}

/// Describes the key by which a request may be sent again.
fn repeat(operation: &mut Operation) {
    let schema = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255));
    let key = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .description(Some(
            "A new UUID, in quotes: the same request with it gets the first one's answer for a day.",
        ))
        .schema(Some(schema));
    operation.parameters.get_or_insert_default().push(RefOr::T(key.build()));
    openapi::refuse(operation, StatusCode::BAD_REQUEST, "`invalid_idempotency_key`");
    openapi::refuse(operation, StatusCode::CONFLICT, "`request_running`");
    openapi::refuse(operation, StatusCode::UNPROCESSABLE_ENTITY, "`idempotency_key_reused`");
}

fn sentence(endpoint: &Endpoint) -> String {
    let who = match endpoint.who {
        Who::Anyone => "For anybody.",
        Who::Audience => "For the audience of the site: anybody, or whoever is signed in where it is closed.",
        Who::SignedIn => "For whoever is signed in.",
        Who::Administrator => "For administrators.",
        Who::Viewer => {
            "For whoever may see the video: the audience unless it is private; its owner, administrators and the people \
             whom it is shared with; and by a link that shares it."
        }
        Who::Owner => "For the video's owner, and administrators.",
        Who::Player => {
            "For anybody where the video is public and the site is not closed; else with a ticket."
        }
    };
    match (endpoint.by_token, endpoint.who) {
        (_, Who::Player) => who.to_owned(),
        (ByToken::With(scope), _) => format!("{who} A token needs the scope `{}`.", scope.as_str()),
        (ByToken::Never, _) => format!("{who} Not by token."),
    }
}

/// Returns the ways in; an empty one is a stranger's.
fn security(endpoint: &Endpoint) -> Vec<SecurityRequirement> {
    let by = |name: &str, scopes: &[&str]| SecurityRequirement::new(name, scopes.iter().copied());
    if endpoint.who == Who::Player {
        return vec![SecurityRequirement::default(), by("ticket", &[])];
    }
    let mut ways = Vec::new();
    if matches!(endpoint.who, Who::Anyone | Who::Audience | Who::Viewer) {
        ways.push(SecurityRequirement::default());
    }
    ways.push(by("session", &[]));
    if let ByToken::With(scope) = endpoint.by_token {
        ways.push(by("token", &[scope.as_str()]));
    }
    if endpoint.who == Who::Viewer {
        ways.push(by("share", &[]));
    }
    ways
}

/// Returns how the guard refuses.
fn refusals(endpoint: &Endpoint) -> Vec<(StatusCode, &'static str)> {
    let stranger = match endpoint.who {
        Who::Anyone | Who::Player => "`invalid_token`",
        _ => "`sign_in_required`, `invalid_token`",
    };
    let mut refusals = vec![(StatusCode::UNAUTHORIZED, stranger)];
    refusals.push(match endpoint.by_token {
        ByToken::With(_) => (StatusCode::FORBIDDEN, "`insufficient_scope`"),
        ByToken::Never => (StatusCode::FORBIDDEN, "`session_required`"),
    });
    match endpoint.who {
        Who::Administrator => refusals.push((StatusCode::FORBIDDEN, "`administrators_only`")),
        Who::Owner => {
            refusals
                .extend([(StatusCode::FORBIDDEN, "`not_yours`"), (StatusCode::NOT_FOUND, "`unknown_video`")]);
        }
        _ => {}
    }
    if endpoint.path != "/v/{*file}" {
        refusals.push((StatusCode::FORBIDDEN, "`foreign_origin`"));
    }
    refusals
}
