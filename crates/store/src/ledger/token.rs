//! Tokens by which push reaches devices, and whose they are.

use super::Ledger;
use crate::codec;
use crate::engine::Table;
use crate::key;
use chat::person::PushToken;
use chat::port::Stored;
use chat::{AppId, UserId};

/// Rows that follow from a change, all of them read before.
pub(super) type TokenRows = Vec<(Table, Vec<u8>, Option<Vec<u8>>)>;

impl Ledger {
    pub(super) fn tokens(&mut self, app: AppId, user: &UserId) -> Stored<Vec<PushToken>> {
        let key = key::account(app, user);
        let Some(value) = self.row(Table::PushTokens, key)? else {
            return Ok(Vec::new());
        };
        codec::decode_tokens(value).map_err(|what| Table::PushTokens.corrupt(key.as_ref(), what))
    }

    fn token_owner(&mut self, app: AppId, token: &PushToken) -> Stored<Option<UserId>> {
        let key = key::token_owner(app, token);
        let Some(value) = self.row(Table::TokenOwners, &key)? else {
            return Ok(None);
        };
        codec::decode_token_owner(value).map(Some).map_err(|what| Table::TokenOwners.corrupt(&key, what))
    }

    /// What has to be written when the tokens of a user become others. One that somebody else had is taken from there.
    pub(super) fn token_rows(
        &mut self,
        (app, user): (AppId, UserId),
        before: &[PushToken],
        after: &[PushToken],
    ) -> Stored<TokenRows> {
        let mut rows = TokenRows::new();
        if before == after {
            return Ok(rows);
        }
        for token in without(before, after) {
            self.token_owner(app, token)?;
            rows.push((Table::TokenOwners, key::token_owner(app, token), None));
        }
        for token in without(after, before) {
            if let Some(owner) = self.token_owner(app, token)? {
                let mut left = self.tokens(app, &owner)?;
                left.retain(|known| !known.is_same(token));
                rows.push(tokens_row(app, &owner, &left));
            }
            let value = codec::encode_token_owner(&user);
            rows.push((Table::TokenOwners, key::token_owner(app, token), Some(value)));
        }
        rows.push(tokens_row(app, &user, after));
        Ok(rows)
    }

    pub(super) fn set_token_rows(&mut self, rows: TokenRows) {
        for (table, key, value) in rows {
            self.set_row(table, key, value);
        }
    }

    /// Forgets the tokens of an account that is deleted.
    pub(super) fn delete_tokens(&mut self, app: AppId, user: &UserId) -> Stored<()> {
        let tokens = self.tokens(app, user)?;
        for token in &tokens {
            self.remove_row(Table::TokenOwners, &key::token_owner(app, token));
        }
        if !tokens.is_empty() {
            self.remove_row(Table::PushTokens, key::account(app, user).as_ref());
        }
        Ok(())
    }
}

fn tokens_row(app: AppId, user: &UserId, tokens: &[PushToken]) -> (Table, Vec<u8>, Option<Vec<u8>>) {
    let value = (!tokens.is_empty()).then(|| codec::encode_tokens(tokens));
    (Table::PushTokens, key::account(app, user).as_ref().to_vec(), value)
}

/// Those of `tokens` that are not among `others`.
fn without<'a>(tokens: &'a [PushToken], others: &'a [PushToken]) -> impl Iterator<Item = &'a PushToken> {
    tokens.iter().filter(|token| !others.iter().any(|other| other.is_same(token)))
}
