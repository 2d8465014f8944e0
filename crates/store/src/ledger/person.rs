//! Accounts, and what is kept of each person.

use super::{Account, Cause, Ledger};
use crate::codec;
use crate::engine::Table;
use crate::key;
use chat::conversation::Inbox;
use chat::person::{ChangePerson, Person, PersonChanged, Portrait, Profile, change_person};
use chat::port::{self, Stored};
use chat::{AppId, UserId};

impl Ledger {
    pub(crate) fn import_accounts(
        &mut self,
        app: AppId,
        accounts: Vec<port::Account>,
        now_ms: u64,
    ) -> Stored<()> {
        for account in &accounts {
            self.account(app, &account.user)?;
            if !account.profile.is_empty() {
                self.profile(app, &account.user)?;
            }
        }
        for account in accounts {
            let known = self.account(app, &account.user)?;
            if !known.exists && !account.may_begin(known.person().revoked_s) {
                continue;
            }
            let port::Account { user, profile, .. } = account;
            if !known.exists {
                let epoch = now_ms.max(known.epoch + 1);
                // Of one who left, the person still says which credentials are worthless.
                let person = known.person.take();
                *known = Account { exists: true, epoch, inbox: Some(Inbox::new(epoch)), person };
                self.write_account(app, &user);
            }
            if !profile.is_empty() {
                let mut known = self.profile(app, &user)?;
                known.extend(profile);
                self.set_profile(app, &user, &known);
            }
        }
        Ok(())
    }

    pub(crate) fn change_person(&mut self, change: &ChangePerson) -> Stored<PersonChanged> {
        let (app, user) = (change.app, change.user);
        let account = self.account(app, &user)?;
        if !account.exists {
            return Ok(PersonChanged::UnknownAccount);
        }
        let mut portrait = Portrait { person: account.person(), ..Portrait::default() };
        if change.changes_profile() {
            portrait.profile = self.profile(app, &user)?;
        }
        let mut tokens = Vec::new();
        if change.changes_tokens() {
            tokens = self.tokens(app, &user)?;
            portrait.tokens.clone_from(&tokens);
        }
        let effects = match change_person(change, &mut portrait) {
            Ok(effects) => effects,
            Err(refusal) => return Ok(PersonChanged::Refused(refusal)),
        };
        let token_rows = self.token_rows((app, user), &tokens, &portrait.tokens)?;
        self.prepare(app, &effects)?;

        self.set_person(app, &user, portrait.person);
        if change.changes_profile() {
            self.set_profile(app, &user, &portrait.profile);
        }
        self.set_token_rows(token_rows);
        let facts = change.origin().map(|origin| (change.now_ms, origin));
        Ok(PersonChanged::Done(self.publish(Cause { app, facts }, effects, None)))
    }

    fn profile(&mut self, app: AppId, user: &UserId) -> Stored<Profile> {
        let key = key::account(app, user);
        let Some(value) = self.row(Table::Profiles, key)? else {
            return Ok(Profile::default());
        };
        codec::decode_profile(value).map_err(|what| Table::Profiles.corrupt(key.as_ref(), what))
    }

    /// Writes a profile that was read before.
    fn set_profile(&mut self, app: AppId, user: &UserId, profile: &Profile) {
        let value = (!profile.is_empty()).then(|| codec::encode_profile(profile));
        self.set_row(Table::Profiles, key::account(app, user), value);
    }

    /// Keeps what was made of a person who was looked up, if anything was.
    pub(super) fn set_person(&mut self, app: AppId, user: &UserId, person: Person) {
        let account = self.accounts.touch(&(app, *user), self.number).expect("it was looked up");
        if account.person() != person {
            account.set_person(person);
            self.write_account(app, user);
        }
    }

    pub(super) fn write_account(&mut self, app: AppId, user: &UserId) {
        let account = self.accounts.touch(&(app, *user), self.number).expect("it was looked up");
        let value = codec::encode_account(account.exists, account.epoch, account.person.as_deref());
        self.group.set(Table::Accounts, key::account(app, user), Some(value));
    }
}
