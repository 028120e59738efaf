//! The guard: judges every request by the table of access before a handler sees it. Answers of playback carry the mark by which
//! edges ask for tickets.

use std::time::SystemTime;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use server::{
    Problem, cors,
    site::Sender,
    ticket::{self, Refusal, Ticket},
};
use store::{Rights, Share, VideoId, Viewer};

use crate::{
    Accounts, Audience, Error, Result,
    access::{self, ByToken, Found, Who},
    asker::{Asker, By},
    error::forbidden,
    idempotency::{self, Keyed},
    lasting::{self, Lasting, Limit},
};

// tus 1.0.0, Core: the field stands for the method.
const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

/// Lets a request through to its handler, with its viewer, or refuses it.
pub(crate) async fn admit(State(accounts): State<Accounts>, request: Request, next: Next) -> Response {
    match accounts.judge(request).await {
        Ok(Admitted { request, mark, keyed, lasting }) => {
            let (request, limit) = match lasting {
                Some(lasting) => lasting.limit(request),
                None => (request, Limit::None),
            };
            let response = match keyed {
                None => next.run(request).await,
                Some(keyed) => keyed.answer(&accounts, next.run(request)).await,
            };
            let mut response = limit.apply(response);
            if let Some(from) = mark {
                response.headers_mut().insert(ticket::FROM, from.into());
            }
            response
        }
        Err(error) => {
            let mut response = error.into_response();
            // Pages that play a video elsewhere see why it does not play, as they see an origin's other errors.
            cors::expose(response.headers_mut(), cors::PLAYBACK);
            response
        }
    }
}

/// A request that may go on.
struct Admitted {
    request: Request,
    /// The mark on its answer, where playing needs a ticket.
    mark: Option<u64>,
    /// The key by which it may be sent again.
    keyed: Option<Keyed>,
    /// The watch over one that lasts.
    lasting: Option<Lasting>,
}

/// The additions to a request by the rights on its video.
#[derive(Default)]
struct Granted {
    mark: Option<u64>,
    share: Option<Share>,
}

/// The keys that a request shows for a video, besides its sender's.
struct Shown {
    path: String,
    ticket: Option<Ticket>,
    share: Option<String>,
}

impl Accounts {
    async fn judge(&self, mut request: Request) -> Result<Admitted> {
        // It asks for methods and changes nothing: browsers' preflights, which carry no credentials, and tus' discovery. With
        // another method in a field it would be that one.
        if *request.method() == Method::OPTIONS && !request.headers().contains_key(METHOD_OVERRIDE) {
            return Ok(Admitted { request, mark: None, keyed: None, lasting: None });
        }
        let shown = Shown::by(&request);
        let path = request.uri().path().to_owned();
        let found = access::find(request.method(), &path).map_err(|allowed| missing(&allowed))?;
        self.refuse_foreign(&request)?;
        let evidence = self.evidence(&request);
        // Before the look, so that no end falls in between.
        let watched = lasting::part(found.endpoint).map(|part| (part, self.store.signals.subscribe()));
        let asker = self.asker(&evidence).await?;
        let viewer = asker.as_ref().map_or(Viewer::Stranger, Asker::viewer);
        if let Some(asker) = &asker {
            may_by_token(asker, &found)?;
        }
        let granted = self.may(&found, &viewer, &shown).await?;
        request.extensions_mut().insert(viewer);
        if let Some(share) = granted.share {
            request.extensions_mut().insert(share);
        }
        let (mut keyed, mut lasting) = (None, None);
        if let Some(asker) = asker {
            lasting = watched.map(|(part, signals)| Lasting::new(self, &asker, part, signals));
            if idempotency::takes_key(found.endpoint) {
                (request, keyed) = Keyed::read(request, &asker.user.id, evidence.credential()).await?;
            }
            request.extensions_mut().insert(asker);
        }
        Ok(Admitted { request, mark: granted.mark, keyed, lasting })
    }

    /// Refuses what a page of another site sends to change something. A token is no browser's own, so that a page which has
    /// one was given it.
    fn refuse_foreign(&self, request: &Request) -> Result<()> {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let by_token = request.headers().contains_key(header::AUTHORIZATION);
        if reads || by_token || self.config.site.sender(request) != Sender::Foreign {
            return Ok(());
        }
        let detail = "Pages of other origins may change nothing here. Behind a proxy, set public_url to the address that \
                      browsers show.";
        Err(forbidden("foreign_origin", detail))
    }

    async fn may(&self, found: &Found<'_>, viewer: &Viewer, shown: &Shown) -> Result<Granted> {
        match found.endpoint.who {
            Who::Anyone => Ok(Granted::default()),
            Who::Audience if self.is_of_audience(viewer) => Ok(Granted::default()),
            Who::SignedIn if viewer.user().is_some() => Ok(Granted::default()),
            Who::Administrator if matches!(viewer, Viewer::Administrator(_)) => Ok(Granted::default()),
            Who::Administrator if viewer.user().is_some() => {
                Err(forbidden("administrators_only", "This is for administrators."))
            }
            Who::Audience | Who::SignedIn | Who::Administrator => Err(sign_in_required()),
            // A stranger owns nothing; the video is not looked up, so that the answer tells nothing of it.
            Who::Owner if viewer.user().is_none() => Err(sign_in_required()),
            Who::Viewer | Who::Owner | Who::Player => {
                // Routers decode names and this does not: an escaped one would be another video's behind it.
                if found.video.is_some_and(|name| name.contains('%')) {
                    return Err(unknown_video());
                }
                // A path that names no video is answered by the handlers, each in its own words.
                let Some(id) = found.video_id() else { return Ok(Granted::default()) };
                let Some(rights) = self.store.videos.rights(&id).await? else {
                    return Ok(Granted::default());
                };
                match found.endpoint.who {
                    Who::Player => self.may_play(&rights, shown),
                    Who::Owner if viewer.may_edit(rights.owner.as_ref()) => Ok(Granted::default()),
                    Who::Owner if viewer.may_see(&rights) || self.is_granted(&id, viewer).await? => {
                        Err(forbidden("not_yours", "This video is another person's."))
                    }
                    // Whoever may not see a video does not learn that it is there.
                    Who::Owner => Err(unknown_video()),
                    _ if self.is_of_audience(viewer) && viewer.may_see(&rights) => Ok(Granted::default()),
                    _ if self.is_granted(&id, viewer).await? => Ok(Granted::default()),
                    _ => self.may_see_shared(&id, viewer, shown).await,
                }
            }
        }
    }

    /// Decides whether a request may have a file of a video. Edges show their client's ticket; a cookie counts for nothing
    /// here, for what it opens would be kept for others.
    fn may_play(&self, rights: &Rights, shown: &Shown) -> Result<Granted> {
        if self.config.audience == Audience::Everyone && !rights.visibility.needs_ticket() {
            return Ok(Granted::default());
        }
        let verified = match (&shown.ticket, &self.config.ticket_keys) {
            (Some(ticket), Some(keys)) => {
                keys.verify(ticket, &shown.path, SystemTime::now()).and_then(|()| {
                    if ticket.end() < rights.tickets_from { Err(Refusal::Expired) } else { Ok(()) }
                })
            }
            _ => Err(Refusal::BadSignature),
        };
        // The refusal is marked too, so that an edge does not take it for the video's own.
        let marked = |problem: Problem| problem.header(ticket::FROM, rights.tickets_from.into());
        verified.map_err(|refusal| marked(refusal.into()))?;
        Ok(Granted { mark: Some(rights.tickets_from), share: None })
    }

    /// Returns whether a video is shared with a person.
    async fn is_granted(&self, id: &VideoId, viewer: &Viewer) -> Result<bool> {
        match viewer.user() {
            Some(user) => Ok(self.store.grants.has(id, user).await?),
            None => Ok(false),
        }
    }

    /// Decides whether a link opens a video to somebody who may not see it otherwise.
    async fn may_see_shared(&self, id: &VideoId, viewer: &Viewer, shown: &Shown) -> Result<Granted> {
        let refusal = || if self.is_of_audience(viewer) { unknown_video() } else { sign_in_required() };
        let Some(secret) = &shown.share else { return Err(refusal()) };
        let share = self.store.shares.find(id, secret).await?.ok_or_else(refusal)?;
        Ok(Granted { mark: None, share: Some(share) })
    }

    /// Returns whether the site is for a viewer.
    fn is_of_audience(&self, viewer: &Viewer) -> bool {
        self.config.audience == Audience::Everyone || viewer.user().is_some()
    }
}

impl Shown {
    fn by(request: &Request) -> Self {
        let ticket = request.headers().get(ticket::SHOWN).and_then(|field| field.to_str().ok()?.parse().ok());
        let query = request.uri().query().unwrap_or_default();
        let share = query.split('&').find_map(|pair| pair.strip_prefix("share="));
        Self { path: request.uri().path().to_owned(), ticket, share: share.map(str::to_owned) }
    }
}

fn may_by_token(asker: &Asker, found: &Found<'_>) -> Result<()> {
    let By::Token { scopes, .. } = &asker.by else { return Ok(()) };
    match found.endpoint.by_token {
        ByToken::With(scope) if scopes.contains(&scope) => Ok(()),
        ByToken::With(scope) => {
            let detail = format!("The token lacks the scope `{}`.", scope.as_str());
            Err(Problem::new(StatusCode::FORBIDDEN, "insufficient_scope", detail).into())
        }
        ByToken::Never => {
            Err(forbidden("session_required", "This needs a person who is signed in, not a token."))
        }
    }
}

/// The answer at a path that the table does not have, or not with this method.
fn missing(allowed: &[&'static Method]) -> Error {
    if allowed.is_empty() {
        let detail = "There is nothing at this address.";
        return Problem::new(StatusCode::NOT_FOUND, "unknown_path", detail).into();
    }
    let mut names: Vec<&str> = allowed.iter().map(|method| method.as_str()).collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    let detail = "This address does not take this method; the Allow header lists those that it takes.";
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
    match HeaderValue::try_from(names.join(", ")) {
        Ok(names) => problem.header(header::ALLOW, names).into(),
        Err(_) => problem.into(),
    }
}

pub(crate) fn sign_in_required() -> Error {
    Problem::new(StatusCode::UNAUTHORIZED, "sign_in_required", "Sign in first.").into()
}

/// The answer for a video that is not there, in the origin's words: nobody learns that a private one is.
pub(crate) fn unknown_video() -> Error {
    Problem::new(StatusCode::NOT_FOUND, "unknown_video", "There is no such video.").into()
}
