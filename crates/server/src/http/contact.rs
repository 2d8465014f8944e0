//! `recentcontact`: a user's list of conversations is read, shortened and pinned.

use super::{Call, Rest, store_failure};
use chat::UserId;
use chat::contact::{Contact, ContactCursor, ViewAct};
use chat::port::{ChangeView, ContactsPage, ContactsQuery, ViewChanged};
use protocol::rest::contact::{self, ContactPage, Cursor, Delete, List, Pin, PinOperation};
use protocol::rest::{self, Command};
use protocol::{ErrorCode, Failure};

impl Rest {
    pub(super) async fn contacts(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = List::parse(&call.body)?;
        let list = ContactList { rest: self, call: &call, owner: user(&request.owner)?, request: &request };
        let Listed { pinned, others, complete, next } = list.page().await?;
        let shown = |pinned| move |contact: &Contact| (contact.peer.to_string(), contact.time_s, pinned);
        let lines: Vec<_> = pinned.iter().map(shown(true)).chain(others.iter().map(shown(false))).collect();
        let contacts: Vec<_> = lines
            .iter()
            .map(|(peer, time_s, pinned)| contact::Contact { peer, time_s: *time_s, pinned: *pinned })
            .collect();
        Ok(ContactPage { contacts: &contacts, complete, next }.to_json())
    }

    pub(super) async fn delete_contact(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = Delete::parse(&call.body)?;
        let act = if request.clear_history { ViewAct::Erase } else { ViewAct::Remove };
        let [owner, peer] = [user(&request.owner)?, user(&request.peer)?];
        self.change_view(&call, Command::DeleteContact, [owner, peer], act).await?;
        Ok(rest::ok_with_display().into())
    }

    pub(super) async fn pin_contacts(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = Pin::parse(&call.body)?;
        let act = match request.operation {
            PinOperation::Pin => ViewAct::Pin,
            PinOperation::Unpin => ViewAct::Unpin,
        };
        let owner = user(&request.owner)?;
        let peers = request.peers.iter().map(|peer| user(peer)).collect::<Result<Vec<_>, _>>()?;
        // Each by itself, in the order given: what stands before the first that fails is done.
        for peer in peers {
            self.change_view(&call, Command::PinContact, [owner, peer], act.clone()).await?;
        }
        Ok(rest::ok_with_display().into())
    }

    async fn change_view(
        &self,
        call: &Call,
        command: Command,
        [owner, peer]: [UserId; 2],
        act: ViewAct,
    ) -> Result<(), Failure> {
        let wanted = ChangeView {
            app: call.caller.app.id,
            owner,
            peer,
            act,
            pinned_len_max: self.limits.pinned_len_max,
            now_ms: self.chat.clock.now_ms(),
        };
        let changed = self.chat.change_view(wanted).await.map_err(|error| store_failure(command, &error))?;
        match changed {
            ViewChanged::Done(_) => Ok(()),
            ViewChanged::UnknownAccount => Err(ErrorCode::ContactAccountNotFound.into()),
            ViewChanged::TooManyPinned => Err(ErrorCode::TooManyPinned.into()),
        }
    }
}

/// A page of a user's list, as its request wants it.
struct ContactList<'a> {
    rest: &'a Rest,
    call: &'a Call,
    owner: UserId,
    request: &'a List<'a>,
}

struct Listed {
    /// Those that are shown as pinned, which come first.
    pinned: Vec<Contact>,
    others: Vec<Contact>,
    complete: bool,
    next: Cursor,
}

impl ContactList<'_> {
    async fn page(&self) -> Result<Listed, Failure> {
        let assist = self.request.assist;
        let limit = self.rest.limits.contacts_page_len_max.max(1);
        if !assist.pinned {
            return self.with_others(None, Vec::new(), limit).await;
        }
        if !assist.pinned_pages {
            let is_first = self.after().is_none();
            // However many there are: a user has few of them.
            let pinned = if is_first { self.pinned(None, usize::MAX).await?.contacts } else { Vec::new() };
            // At least one more, so that the next page is known not to be the first.
            let room = limit.saturating_sub(pinned.len()).max(1);
            return self.with_others(Some(false), pinned, room).await;
        }
        let page = self.pinned(self.after_pinned(), limit).await?;
        let room = limit - page.contacts.len();
        if page.next.is_none() && room > 0 {
            return self.with_others(Some(false), page.contacts, room).await;
        }
        let next = self.next(&page.contacts, &[]);
        Ok(Listed { pinned: page.contacts, others: Vec::new(), complete: false, next })
    }

    /// Ends a page with conversations that are not shown as pinned.
    async fn with_others(
        &self,
        kind: Option<bool>,
        pinned: Vec<Contact>,
        limit: usize,
    ) -> Result<Listed, Failure> {
        let page = self.read(self.query(kind, self.after(), limit)).await?;
        let next = self.next(&pinned, &page.contacts);
        Ok(Listed { pinned, complete: page.next.is_none(), others: page.contacts, next })
    }

    async fn pinned(&self, after: Option<ContactCursor>, limit: usize) -> Result<ContactsPage, Failure> {
        self.read(self.query(Some(true), after, limit)).await
    }

    async fn read(&self, query: ContactsQuery) -> Result<ContactsPage, Failure> {
        let page = self.rest.chat.store.contacts(query).await;
        let page = page.map_err(|error| store_failure(Command::GetContacts, &error))?;
        page.ok_or_else(|| ErrorCode::ContactAccountNotFound.into())
    }

    fn query(&self, pinned: Option<bool>, after: Option<ContactCursor>, limit: usize) -> ContactsQuery {
        let (app, owner) = (self.call.caller.app.id, self.owner);
        ContactsQuery {
            app,
            owner,
            pinned,
            with_empty: self.request.assist.empty,
            unread_only: false,
            with_details: false,
            after,
            limit,
        }
    }

    fn after(&self) -> Option<ContactCursor> {
        place(self.request.cursor.time_stamp, self.request.cursor.start_index)
    }

    fn after_pinned(&self) -> Option<ContactCursor> {
        place(self.request.cursor.top_time_stamp, self.request.cursor.top_start_index)
    }

    /// The places behind what is on this page. Behind the last page too, where nothing follows.
    fn next(&self, pinned: &[Contact], others: &[Contact]) -> Cursor {
        let behind = self.query(None, self.after(), 1).behind(others);
        let behind_pinned = self.query(None, self.after_pinned(), 1).behind(pinned);
        let (time_stamp, start_index) = numbers(behind);
        let (top_time_stamp, top_start_index) = numbers(behind_pinned);
        Cursor { time_stamp, start_index, top_time_stamp, top_start_index }
    }
}

fn place(time_s: u64, start_index: u64) -> Option<ContactCursor> {
    let skip = usize::try_from(start_index).unwrap_or(usize::MAX);
    (time_s > 0 || skip > 0).then_some(ContactCursor { time_s, skip })
}

fn numbers(cursor: Option<ContactCursor>) -> (u64, u64) {
    cursor.map_or((0, 0), |cursor| (cursor.time_s, cursor.skip as u64))
}

fn user(text: &str) -> Result<UserId, Failure> {
    UserId::new(text).ok_or_else(|| ErrorCode::ContactParameter.into())
}
