//! The viewer: the person behind a request, as far as the rights on videos go.

use super::users::{Role, User};
use crate::{Rights, UserId, Visibility};

/// The person behind a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// There are no accounts, so everybody may do everything.
    Everyone,
    /// Somebody who is not signed in.
    Stranger,
    /// Somebody with an account.
    User(UserId),
    /// Somebody who may change every video.
    Administrator(UserId),
}

impl Viewer {
    /// Returns the account, if there is one.
    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::User(id) | Self::Administrator(id) => Some(id),
            Self::Everyone | Self::Stranger => None,
        }
    }

    /// Returns whether the viewer may change a video of `owner`.
    pub fn may_edit(&self, owner: Option<&UserId>) -> bool {
        match self {
            Self::Everyone | Self::Administrator(_) => true,
            Self::User(id) => owner == Some(id),
            Self::Stranger => false,
        }
    }

    /// Returns whether the viewer may see a video without a share or a grant of it.
    pub fn may_see(&self, rights: &Rights) -> bool {
        rights.visibility != Visibility::Private || self.may_edit(rights.owner.as_ref())
    }

    /// Returns whether lists show the viewer a video without a grant of it.
    pub fn lists(&self, rights: &Rights) -> bool {
        rights.visibility == Visibility::Public || self.may_edit(rights.owner.as_ref())
    }
}

impl User {
    /// Returns the viewer that the account's requests are judged as.
    pub fn viewer(&self) -> Viewer {
        match self.role {
            Role::Administrator => Viewer::Administrator(self.id.clone()),
            Role::User => Viewer::User(self.id.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_sees_edits_and_lists_by_owner_and_visibility() {
        let (owner, other) = (UserId::from("a".to_owned()), UserId::from("b".to_owned()));
        let viewers = [
            Viewer::Everyone,
            Viewer::Administrator(other.clone()),
            Viewer::User(owner.clone()),
            Viewer::User(other),
            Viewer::Stranger,
        ];
        let check = |visibility, expected: [&str; 5]| {
            let rights = Rights { owner: Some(owner.clone()), visibility, tickets_from: 0 };
            for (viewer, expected) in viewers.iter().zip(expected) {
                let may = [
                    (viewer.may_edit(rights.owner.as_ref()), "edit "),
                    (viewer.may_see(&rights), "see "),
                    (viewer.lists(&rights), "list "),
                ];
                let may: String = may.iter().filter(|(may, _)| *may).map(|(_, word)| *word).collect();
                assert_eq!(may.trim_end(), expected, "{viewer:?} {visibility:?}");
            }
        };
        let all = "edit see list";
        check(Visibility::Public, [all, all, all, "see list", "see list"]);
        check(Visibility::Unlisted, [all, all, all, "see", "see"]);
        check(Visibility::Private, [all, all, all, "", ""]);
    }
}
