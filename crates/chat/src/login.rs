//! How many sessions a user may have at the same time.

use crate::event::Platform;

/// What an app allows. A newer session ends the oldest one that is too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoginPolicy {
    /// As many as the user likes.
    #[default]
    Any,
    /// One.
    Last,
    /// One on each class of platforms.
    Class,
    /// So many on each platform.
    Count(PerPlatform),
}

/// A number for each platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerPlatform([u32; Platform::ALL.len()]);

/// One of a user's sessions, as it stands beside the others. Numbers rise with every login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub session: u64,
    pub platform: Platform,
}

/// Platforms that a user holds in one hand, or sits before, at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Phone,
    Tablet,
    Desktop,
    Web,
    Other,
}

impl PerPlatform {
    /// The same number for all.
    pub fn all(number: u32) -> Self {
        Self([number; Platform::ALL.len()])
    }

    pub fn with(mut self, platform: Platform, number: u32) -> Self {
        self.0[platform as usize] = number;
        self
    }

    fn of(&self, platform: Platform) -> usize {
        self.0[platform as usize] as usize
    }
}

impl LoginPolicy {
    /// The sessions that are too many. Whoever looks at the same sessions finds the same ones, so that logins at the
    /// same time do not end each other.
    pub fn too_many(&self, sessions: &[Standing]) -> Vec<Standing> {
        if *self == Self::Any {
            return Vec::new();
        }
        let mut newest_first = sessions.to_vec();
        newest_first.sort_unstable_by_key(|standing| std::cmp::Reverse(standing.session));
        let is_too_many = |at: usize| {
            let Standing { platform, .. } = newest_first[at];
            let newer =
                newest_first[..at].iter().filter(|other| self.compete(platform, other.platform)).count();
            newer >= self.allowed(platform)
        };
        (0..newest_first.len()).filter(|at| is_too_many(*at)).map(|at| newest_first[at]).collect()
    }

    fn compete(&self, one: Platform, other: Platform) -> bool {
        match self {
            Self::Any => false,
            Self::Last => true,
            Self::Class => class(one) == class(other),
            Self::Count(_) => one == other,
        }
    }

    fn allowed(&self, platform: Platform) -> usize {
        match self {
            Self::Any => usize::MAX,
            Self::Last | Self::Class => 1,
            Self::Count(numbers) => numbers.of(platform),
        }
    }
}

fn class(platform: Platform) -> Class {
    match platform {
        Platform::Android | Platform::Ios => Class::Phone,
        Platform::Ipad => Class::Tablet,
        Platform::Windows | Platform::Mac => Class::Desktop,
        Platform::Web => Class::Web,
        Platform::RestApi | Platform::Unknown => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Platform::{Android, Ios, Ipad, Mac, Unknown, Web, Windows};

    /// The numbers of the sessions that have to end, when these have logged in one after another.
    fn ended(policy: LoginPolicy, platforms: &[Platform]) -> Vec<u64> {
        let standing = |(session, platform): (u64, &Platform)| Standing { session, platform: *platform };
        let sessions: Vec<_> = (1..).zip(platforms).map(standing).collect();
        let mut ended: Vec<_> = policy.too_many(&sessions).iter().map(|standing| standing.session).collect();
        ended.sort_unstable();
        ended
    }

    #[test]
    fn the_oldest_go() {
        let two_on_the_web = LoginPolicy::Count(PerPlatform::all(1).with(Web, 2));
        let table: &[(LoginPolicy, &[Platform], &[u64])] = &[
            (LoginPolicy::Any, &[Web, Web, Web, Ios, Ios], &[]),
            (LoginPolicy::Last, &[], &[]),
            (LoginPolicy::Last, &[Web], &[]),
            (LoginPolicy::Last, &[Web, Ios], &[1]),
            (LoginPolicy::Last, &[Ios, Unknown, Ios], &[1, 2]),
            (LoginPolicy::Class, &[Android, Ipad, Windows, Web, Unknown], &[]),
            (LoginPolicy::Class, &[Android, Ios], &[1]),
            (LoginPolicy::Class, &[Windows, Web, Mac], &[1]),
            (LoginPolicy::Class, &[Web, Ios, Web, Android, Web], &[1, 2, 3]),
            (LoginPolicy::Class, &[Unknown, Unknown], &[1]),
            (two_on_the_web, &[Web, Android, Web, Ios, Windows, Mac], &[]),
            (two_on_the_web, &[Web, Android, Web, Web], &[1]),
            (two_on_the_web, &[Android, Web, Android], &[1]),
        ];
        for (policy, platforms, expected) in table {
            assert_eq!(ended(*policy, platforms), *expected, "{policy:?} {platforms:?}");
        }
    }

    /// Nobody is told in which order others look.
    #[test]
    fn the_order_of_the_list_does_not_matter() {
        let [old, new] = [1, 2].map(|session| Standing { session, platform: Web });
        assert_eq!(LoginPolicy::Last.too_many(&[old, new]), [old]);
        assert_eq!(LoginPolicy::Last.too_many(&[new, old]), [old]);
    }
}
