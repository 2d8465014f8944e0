//! The token by which a carrier knows the server, kept until it wears out.

use super::answer::Outcome;
use hyper::header::HeaderValue;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::Mutex;

/// A token that was just made, or given.
pub(super) struct Fresh {
    pub(super) text: String,
    /// When another one has to be used.
    pub(super) until_s: u64,
}

// Without the secret.
impl fmt::Debug for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fresh").field("until_s", &self.until_s).finish_non_exhaustive()
    }
}

/// A token as it is used.
#[derive(Clone)]
pub(super) struct Access {
    header: HeaderValue,
    made_s: u64,
    until_s: u64,
    /// Rises from one to the next.
    number: u64,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Access {
    pub(super) fn header(&self) -> HeaderValue {
        self.header.clone()
    }
}

/// One token for all who need one. Whoever finds it worn out makes another, and the rest wait for that.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    current: Mutex<Option<Arc<Access>>>,
}

impl Tokens {
    /// A token that is good at this time; another one than `refused`, unless that one is younger than
    /// `age_secs_min`: a carrier that is asked too often refuses everything.
    pub(super) async fn get<F>(
        &self,
        now_s: u64,
        refused: Option<&Access>,
        age_secs_min: u64,
        make: impl FnOnce() -> F,
    ) -> Result<Arc<Access>, Outcome>
    where
        F: Future<Output = Result<Fresh, Outcome>>,
    {
        let mut current = self.current.lock().await;
        if let Some(access) = &*current {
            let is_refused = refused.is_some_and(|refused| refused.number == access.number);
            let is_young = now_s < access.made_s + age_secs_min;
            if now_s < access.until_s && (!is_refused || is_young) {
                return Ok(Arc::clone(access));
            }
        }
        let number = current.as_ref().map_or(1, |access| access.number + 1);
        let Fresh { text, until_s } = make().await?;
        let mut header = HeaderValue::from_str(&format!("Bearer {text}"))
            .unwrap_or_else(|_| HeaderValue::from_static("Bearer"));
        header.set_sensitive(true);
        let access = Arc::new(Access { header, made_s: now_s, until_s, number });
        *current = Some(Arc::clone(&access));
        Ok(access)
    }
}

impl Access {
    /// Whether it is the same token.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.number == other.number
    }
}
