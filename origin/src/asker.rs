//! The asker: the person behind a request, as the guard in front of an origin has found out. Where there are no accounts, it is
//! everybody.

use std::{collections::HashSet, convert::Infallible};

use axum::extract::FromRequestParts;
use http::{Extensions, request::Parts};
use store::{Rights, Share, VideoId, Viewer};

use crate::{Access, Origin, error::Result};

/// The person behind a request, and the link that they came by.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pub(crate) viewer: Viewer,
    /// The share of the one video that the request is for.
    pub(crate) share: Option<Share>,
}

impl Asker {
    pub(crate) fn of(origin: &Origin, extensions: &Extensions) -> Self {
        let viewer = match origin.config.access {
            Access::Open => Viewer::Everyone,
            // Without a guard in front, nobody is anybody.
            Access::ByAccount => extensions.get().cloned().unwrap_or(Viewer::Stranger),
        };
        Self { viewer, share: extensions.get().cloned() }
    }

    /// Returns whether the account is what it was when the request came: it may have been disabled, deleted or demoted since.
    pub(crate) async fn is_still(&self, origin: &Origin) -> Result<bool> {
        let Some(id) = self.viewer.user() else { return Ok(true) };
        let user = origin.store.accounts.users.get(id).await?;
        Ok(user.is_some_and(|user| !user.disabled && user.viewer() == self.viewer))
    }

    /// Returns whether the asker may see the video now: a share or a grant may have been revoked since the request.
    pub(crate) async fn still_sees(&self, origin: &Origin, id: &VideoId, rights: &Rights) -> Result<bool> {
        if self.viewer.may_see(rights) {
            return Ok(true);
        }
        if self.granted(origin, std::slice::from_ref(id)).await?.contains(id) {
            return Ok(true);
        }
        let Some(share) = &self.share else { return Ok(false) };
        Ok(origin.store.shares.find(id, &share.secret).await?.is_some())
    }

    /// Returns those of `videos` that are shared with the asker's account.
    pub(crate) async fn granted(&self, origin: &Origin, videos: &[VideoId]) -> Result<HashSet<VideoId>> {
        match self.viewer.user() {
            Some(user) => Ok(origin.store.grants.among(videos, user).await?),
            None => Ok(HashSet::new()),
        }
    }
}

impl FromRequestParts<Origin> for Asker {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, origin: &Origin) -> std::result::Result<Self, Infallible> {
        Ok(Self::of(origin, &parts.extensions))
    }
}
