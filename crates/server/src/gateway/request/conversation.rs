//! What a device does with conversations.

use super::{Asked, CHANGED_AT_ONCE_MAX, unavailable, user};
use crate::gateway::login::wire_position;
use crate::translate::conversation as translate;
use chat::UserId;
use chat::change::ReadAll;
use chat::contact::{Contact, NoteView, ViewAct};
use chat::port::{ChangeView, ContactsQuery, MarkRead, ViewChanged};
use futures_util::future::join_all;
use protocol::client::{ConversationReply, ConversationRequest, ListPlace, Reply};
use protocol::{ErrorCode, Failure};
use std::borrow::Cow;

/// Conversations in a page when the device does not say.
const LIST_LEN_DEFAULT: usize = 20;
/// Bytes of content in a page. A page of ordinary messages stays far below it; one of the longest ends early.
const LIST_BYTES_MAX: usize = 256 * 1024;
/// Bytes of content of conversations that a device names. As many of the longest messages as there can be fit: only
/// bodies that are mostly padding do not.
const NAMED_BYTES_MAX: usize = 2 * 1024 * 1024;

impl Asked<'_> {
    pub(super) async fn conversation(
        &self,
        id: u64,
        request: ConversationRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        match request {
            ConversationRequest::List { limit, after } => return self.list(id, limit, after, out).await,
            ConversationRequest::Of { peers } => return self.of(id, &peers, out).await,
            ConversationRequest::Read { peer, until_s } => self.read(&peer, until_s).await?,
            ConversationRequest::ReadAll => self.read_all().await?,
            ConversationRequest::Clear { peer } => self.change(user(&peer)?, ViewAct::Clear).await?,
            ConversationRequest::Remove { peer, erase } => {
                let act = if erase { ViewAct::Erase } else { ViewAct::Remove };
                self.change(user(&peer)?, act).await?;
            }
            ConversationRequest::Pin { peer, pinned } => {
                let act = if pinned { ViewAct::Pin } else { ViewAct::Unpin };
                self.change(user(&peer)?, act).await?;
            }
            ConversationRequest::Notify { peers, notify } => {
                let notify = Some(translate::notify(notify));
                self.note(&peers, NoteView { notify, ..NoteView::default() }).await?;
            }
            ConversationRequest::Mark { peers, mark, on } => {
                let bit = 1 << mark;
                let (marks_on, marks_off) = if on { (bit, 0) } else { (0, bit) };
                self.note(&peers, NoteView { marks_on, marks_off, ..NoteView::default() }).await?;
            }
            ConversationRequest::Annotate { peers, custom } => {
                let custom = Some(custom.into_owned());
                self.note(&peers, NoteView { custom, ..NoteView::default() }).await?;
            }
        }
        Reply::Done.write(id, out);
        Ok(())
    }

    async fn list(
        &self,
        id: u64,
        limit: Option<u32>,
        after: Option<ListPlace>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let limit = limit.map_or(LIST_LEN_DEFAULT, |limit| limit as usize);
        let query = ContactsQuery {
            app: self.caller.app.id,
            owner: self.caller.user,
            pinned: None,
            with_empty: true,
            unread_only: false,
            with_details: true,
            after: after.map(translate::cursor),
            limit: limit.clamp(1, self.gateway.limits.contacts_page_len_max.max(1)),
        };
        let page = self.gateway.chat.store.contacts(query).await.map_err(unavailable)?;
        let page = page.ok_or(ErrorCode::ContactAccountNotFound)?;
        let contacts = cut(&page.contacts, LIST_BYTES_MAX);
        let is_whole = contacts.len() == page.contacts.len();
        let next = if is_whole { page.next } else { query.behind(contacts) };
        let contacts = translate::with_last_ids(self.caller.app.id, contacts);
        let conversations: Vec<_> = contacts.iter().map(translate::entry).collect();
        let reply = ConversationReply {
            conversations: &conversations,
            next: next.map(translate::place),
            position: wire_position(page.inbox.position()),
            unread: u64::from(page.inbox.unread),
        };
        Reply::Conversation(reply).write(id, out);
        Ok(())
    }

    async fn of(&self, id: u64, peers: &[Cow<'_, str>], out: &mut Vec<u8>) -> Result<(), Failure> {
        let (app, owner) = (self.caller.app.id, self.caller.user);
        let page = self.gateway.chat.store.contacts_with(app, owner, users(peers)?).await;
        let page = page.map_err(unavailable)?.ok_or(ErrorCode::ContactAccountNotFound)?;
        let contacts = translate::with_last_ids(app, cut(&page.contacts, NAMED_BYTES_MAX));
        let conversations: Vec<_> = contacts.iter().map(translate::entry).collect();
        let reply = ConversationReply {
            conversations: &conversations,
            next: None,
            position: wire_position(page.inbox.position()),
            unread: u64::from(page.inbox.unread),
        };
        Reply::Conversation(reply).write(id, out);
        Ok(())
    }

    async fn read(&self, peer: &str, until_s: Option<u64>) -> Result<(), Failure> {
        let mark = MarkRead {
            app: self.caller.app.id,
            reader: self.caller.user,
            peer: user(peer)?,
            until_s,
            now_ms: self.gateway.chat.clock.now_ms(),
            origin: self.origin,
        };
        self.gateway.chat.mark_read(mark).await.map_err(unavailable)?;
        Ok(())
    }

    async fn read_all(&self) -> Result<(), Failure> {
        let wanted = ReadAll {
            app: self.caller.app.id,
            reader: self.caller.user,
            now_ms: self.gateway.chat.clock.now_ms(),
            origin: self.origin,
        };
        self.gateway.chat.read_all(wanted).await.map_err(unavailable)?;
        Ok(())
    }

    /// Sets or notes the same of several conversations, each by itself: when one cannot be changed, others may be.
    async fn note(&self, peers: &[Cow<'_, str>], note: NoteView) -> Result<(), Failure> {
        let peers = users(peers)?;
        for peers in peers.chunks(CHANGED_AT_ONCE_MAX) {
            let changes = peers.iter().map(|peer| self.change(*peer, ViewAct::Note(note.clone())));
            for changed in join_all(changes).await {
                changed?;
            }
        }
        Ok(())
    }

    async fn change(&self, peer: UserId, act: ViewAct) -> Result<(), Failure> {
        let wanted = ChangeView {
            app: self.caller.app.id,
            owner: self.caller.user,
            peer,
            act,
            pinned_len_max: self.gateway.limits.pinned_len_max,
            now_ms: self.gateway.chat.clock.now_ms(),
        };
        match self.gateway.chat.change_view(wanted).await.map_err(unavailable)? {
            ViewChanged::Done(_) => Ok(()),
            ViewChanged::UnknownAccount => {
                let code = ErrorCode::ContactAccountNotFound;
                Err(code.with(format!("{}: {peer}", code.text())))
            }
            ViewChanged::TooManyPinned => Err(ErrorCode::TooManyPinned.into()),
        }
    }
}

fn users(names: &[Cow<'_, str>]) -> Result<Vec<UserId>, Failure> {
    names.iter().map(|name| user(name)).collect()
}

/// The first of these that are together not too long for a frame. No message alone is.
fn cut(contacts: &[Contact], bytes_max: usize) -> &[Contact] {
    let mut bytes = 0;
    let fits = |contact: &&Contact| {
        let last = contact.details.last.as_ref();
        bytes += last.map_or(0, |last| last.body.len() + last.custom_data.len());
        bytes <= bytes_max
    };
    let len = contacts.iter().take_while(fits).count().max(1);
    &contacts[..len.min(contacts.len())]
}
