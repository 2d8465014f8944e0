//! The plain words: one sentence for each thing that is known.

use super::super::standing::{EndpointStanding, State, Told};
use crate::asked::{About, Asked, AskedOutcome};
use crate::translate;
use chat::event::{AfterSend, Event, Outcome};
use std::time::{Duration, UNIX_EPOCH};

/// What is known of a message and its event.
#[derive(Debug)]
pub(super) struct Known<'a> {
    /// Whether the app's backend is asked before sends.
    pub(super) is_asked: bool,
    pub(super) has_endpoints: bool,
    /// Newest first.
    pub(super) questions: &'a [Asked],
    pub(super) event: Option<(&'a Event, &'a AfterSend)>,
    pub(super) search: Search,
    /// `None`: nobody knows between whom it was.
    pub(super) stored: Option<bool>,
    pub(super) standings: &'a [EndpointStanding],
}

/// How looking for the event ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Search {
    Found,
    NotThere,
    /// Not there, and events of that time have been forgotten.
    Forgotten,
    /// There were too many.
    CutShort,
}

impl Known<'_> {
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.of_send().next().is_none() {
            lines.push(match self.is_asked {
                true => "No question to the backend about it is remembered: it was not asked, or other questions have come since, or the server was started since.".to_owned(),
                false => "The backend is not asked before messages are sent.".to_owned(),
            });
        }
        lines.extend(self.questions.iter().rev().map(question));
        match self.event {
            Some((event, sent)) => {
                lines.extend(self.happened(event, sent));
                lines.extend(self.standings.iter().map(standing));
                if !self.has_endpoints {
                    lines.push("No endpoint is told of events.".to_owned());
                }
            }
            None => lines.push(self.why_no_event().to_owned()),
        }
        lines
    }

    /// The questions about the send itself. Those about edits come from later, and say nothing of whether it was sent.
    fn of_send(&self) -> impl Iterator<Item = &Asked> {
        self.questions.iter().filter(|asked| matches!(asked.about, About::Send(_)))
    }

    fn happened(&self, event: &Event, sent: &AfterSend) -> Vec<String> {
        let recorded = date(event.recorded_ms);
        let mut lines = vec![match sent.outcome {
            Outcome::Delivered { .. } => {
                format!("It was sent, and its event {} was recorded {recorded}.", event.id)
            }
            Outcome::Refused(refusal) => {
                let code = translate::refusal_code(refusal);
                format!("It was refused with {code}; event {}, recorded {recorded}, tells so.", event.id)
            }
        }];
        let was_delivered = matches!(sent.outcome, Outcome::Delivered { .. });
        if sent.online_only {
            lines.push("It was for devices that were online, and is stored nowhere.".to_owned());
        } else if was_delivered && self.stored == Some(false) {
            lines.push(
                "The message itself is not stored any more, or was never: a sample has an event only."
                    .to_owned(),
            );
        }
        lines
    }

    fn why_no_event(&self) -> &'static str {
        let refused = |asked: &Asked| matches!(asked.outcome, AskedOutcome::Vetoed | AskedOutcome::Dropped);
        match (self.search, self.stored) {
            (Search::CutShort, _) => {
                "No event was found among the first 100,000 of that time; there are more, which were not looked at."
            }
            // What the backend has refused is stored by nobody.
            (_, Some(false) | None) if self.of_send().next().is_some_and(refused) => {
                "There is no event: what the backend itself refuses is no news to it."
            }
            (Search::Forgotten, Some(true)) => {
                "The message is stored, and its event is not there: it was forgotten, or its sender forbade it."
            }
            (Search::Forgotten, _) => {
                "There is no event: there was none, or it was older than events are kept."
            }
            (_, Some(true)) => {
                "The message is stored, and has no event: its sender forbade it with ForbidCallbackControl."
            }
            (_, Some(false)) if self.of_send().next().is_none() => {
                "There is neither an event nor a message with this key between these two: the send was never seen, or was refused before anyone was asked."
            }
            (_, Some(false)) => {
                "There is no event, and the message is not stored: it was not sent, or only to devices that were online and without an event."
            }
            (_, None) => {
                "There is no event with this key. With from and to given, the message itself is looked for as well."
            }
        }
    }
}

fn question(asked: &Asked) -> String {
    let Asked { at_ms, about, outcome, latency_ms, words } = asked;
    let operator = about.operator();
    let what = operator.map_or("it".to_owned(), |operator| format!("an edit of it by {operator}"));
    let asked = format!("The backend was asked about {what} {}", date(*at_ms));
    let answered = format!("{asked}, and answered after {latency_ms} ms");
    match outcome {
        AskedOutcome::Passed => format!("{answered}: pass."),
        AskedOutcome::Replaced => format!("{answered}: pass, with other content in its place."),
        AskedOutcome::Vetoed => format!("{answered}: refuse ({words})."),
        AskedOutcome::Dropped => match operator {
            Some(operator) => format!("{answered}: drop it. {operator} was told that it was done."),
            None => format!("{answered}: drop it. Its sender was told that it was sent."),
        },
        AskedOutcome::Failed => {
            format!("{asked}, without a usable answer ({words}): before_failure decided.")
        }
        AskedOutcome::Skipped => {
            format!(
                "The backend was not heard about {what} {}, since {words}: before_failure decided.",
                date(*at_ms)
            )
        }
    }
}

fn standing(standing: &EndpointStanding) -> String {
    let name = &standing.endpoint;
    match &standing.state {
        State::Done { told: Some(Told { at_ms, attempt, code }) } => {
            format!("{name} was told of it {}, in attempt {attempt}, and answered {code}.", date(*at_ms))
        }
        State::Done { told: None } => {
            format!("{name} is done with it; when it was told is not known any more.")
        }
        State::NotWanted { why: Some(why) } => format!("{name} does not want it: its `{why}` say so."),
        State::NotWanted { why: None } => {
            format!("{name} did not want it when its turn came; its settings have changed since.")
        }
        State::Waiting => format!("{name} will be told of it: it waits for its turn."),
        State::InFlight { attempt } => format!("{name} is being told of it now, in attempt {attempt}."),
        State::Retrying { due_ms, attempts } => {
            let why = standing.failures.last().map_or("not known", |last| &last.words);
            format!(
                "{name} will be told of it again {}, after {}; the last failure: {why}.",
                date(*due_ms),
                failed(*attempts)
            )
        }
        State::Behind { behind } => {
            format!(
                "{name} will be told of it after {behind}, which comes first in its conversation and is not done."
            )
        }
        State::Parked { at_ms, attempts, last_failure } => format!(
            "{name} was given up {}, after {}; the last failure: {last_failure}. The event stands parked until it is replayed.",
            date(*at_ms),
            failed(*attempts)
        ),
    }
}

fn failed(attempts: u32) -> String {
    format!("{attempts} failed {}", if attempts == 1 { "attempt" } else { "attempts" })
}

fn date(at_ms: u64) -> String {
    /// The last second of the year 9999, beyond which there is no such date.
    const MS_MAX: u64 = 253_402_300_799_000;
    let at = UNIX_EPOCH + Duration::from_millis(at_ms.min(MS_MAX));
    format!("at {}", httpdate::fmt_http_date(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use chat::event::{EventId, Fact, Lane, MessageName, Origin, Platform, Refusal};
    use chat::{AppId, ConversationId, UserId};

    const AT_MS: u64 = 1_795_441_035_591;
    const AT: &str = "at Mon, 23 Nov 2026 13:37:15 GMT";

    const NOTHING: Known<'_> = Known {
        is_asked: false,
        has_endpoints: true,
        questions: &[],
        event: None,
        search: Search::NotThere,
        stored: None,
        standings: &[],
    };

    fn user(name: &str) -> UserId {
        UserId::new(name).unwrap()
    }

    fn asked(outcome: AskedOutcome, words: &str) -> Asked {
        let (from, to) = (user("ana"), user("bo"));
        let message = MessageName { from, to, wire_seq: 1, random: 2, time_s: AT_MS / 1000 };
        Asked { at_ms: AT_MS, about: About::Send(message), outcome, latency_ms: 12, words: words.to_owned() }
    }

    /// The same about an edit.
    fn edited(outcome: AskedOutcome, words: &str) -> Asked {
        let asked = asked(outcome, words);
        let About::Send(message) = asked.about else { unreachable!("what it makes") };
        Asked { about: About::Edit { message, operator: user("cy") }, ..asked }
    }

    fn event(outcome: Outcome, online_only: bool) -> (Event, AfterSend) {
        let (from, to) = (user("ana"), user("bo"));
        let time_s = AT_MS / 1000;
        let sent = AfterSend {
            from,
            to,
            wire_seq: 1,
            random: 2,
            time_s,
            client_time_s: time_s,
            online_only,
            marked: false,
            outcome,
            body: Bytes::new(),
            custom_data: Bytes::new(),
        };
        let event = Event {
            id: EventId { lane: Lane { app: AppId(1), index: 0 }, epoch: 10, offset: 7 },
            recorded_ms: AT_MS,
            conversation: ConversationId::new(AppId(1), from, to),
            origin: Origin { ip: [127, 0, 0, 1].into(), platform: Platform::RestApi },
            fact: Fact::AfterSend(sent.clone()),
        };
        (event, sent)
    }

    #[test]
    fn what_the_backend_said() {
        use AskedOutcome::{Dropped, Failed, Passed, Replaced, Skipped, Vetoed};
        for (outcome, words, expected) in [
            (Passed, "", format!("The backend was asked about it {AT}, and answered after 12 ms: pass.")),
            (
                Replaced,
                "",
                format!(
                    "The backend was asked about it {AT}, and answered after 12 ms: pass, with other content in its place."
                ),
            ),
            (
                Vetoed,
                "120001 no",
                format!("The backend was asked about it {AT}, and answered after 12 ms: refuse (120001 no)."),
            ),
            (
                Dropped,
                "",
                format!(
                    "The backend was asked about it {AT}, and answered after 12 ms: drop it. Its sender was told that it was sent."
                ),
            ),
            (
                Failed,
                "answered 500",
                format!(
                    "The backend was asked about it {AT}, without a usable answer (answered 500): before_failure decided."
                ),
            ),
            (
                Skipped,
                "it is known not to answer",
                format!(
                    "The backend was not heard about it {AT}, since it is known not to answer: before_failure decided."
                ),
            ),
        ] {
            assert_eq!(question(&asked(outcome, words)), expected);
            let it = if outcome == Skipped { "not heard about it" } else { "was asked about it" };
            let of_edit = it.replace("it", "an edit of it by cy");
            let expected = expected
                .replace(it, &of_edit)
                .replace("Its sender was told that it was sent", "cy was told that it was done");
            assert_eq!(question(&edited(outcome, words)), expected);
        }
    }

    /// A question about an edit used to be taken for one about the send.
    #[test]
    fn an_edit_is_not_the_send() {
        let unknown = "No question to the backend about it is remembered: it was not asked, or other questions have come since, or the server was started since.";
        let edit = format!(
            "The backend was asked about an edit of it by cy {AT}, and answered after 12 ms: refuse (1 no)."
        );
        let questions = [edited(AskedOutcome::Vetoed, "1 no")];
        for (is_asked, stored, first, last) in [
            (true, true, unknown, "its sender forbade it with ForbidCallbackControl."),
            (
                false,
                false,
                "The backend is not asked before messages are sent.",
                "the send was never seen, or was refused before anyone was asked.",
            ),
        ] {
            let known = Known { is_asked, questions: &questions, stored: Some(stored), ..NOTHING };
            let lines = known.lines();
            assert_eq!(lines[..2], [first, &edit]);
            assert!(lines[2].ends_with(last), "{lines:?}");
        }
        // And one about the send stays one, also when an edit came after it.
        let questions = [edited(AskedOutcome::Passed, ""), asked(AskedOutcome::Vetoed, "1 no")];
        let lines = Known { questions: &questions, stored: Some(false), ..NOTHING }.lines();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[2], "There is no event: what the backend itself refuses is no news to it.");
    }

    #[test]
    fn why_there_is_no_event() {
        use AskedOutcome::{Dropped, Failed, Passed, Vetoed};
        use Search::{CutShort, Forgotten, NotThere};
        for (outcome, search, stored, expected) in [
            (Some(Vetoed), NotThere, Some(false), "what the backend itself refuses is no news to it"),
            (Some(Dropped), NotThere, None, "what the backend itself refuses is no news to it"),
            (Some(Passed), NotThere, Some(true), "its sender forbade it with ForbidCallbackControl"),
            (None, NotThere, Some(true), "its sender forbade it with ForbidCallbackControl"),
            (None, NotThere, Some(false), "the send was never seen"),
            (Some(Failed), NotThere, Some(false), "the message is not stored: it was not sent"),
            (None, NotThere, None, "With from and to given"),
            (None, Forgotten, Some(true), "it was forgotten, or its sender forbade it"),
            (None, Forgotten, Some(false), "older than events are kept"),
            (None, Forgotten, None, "older than events are kept"),
            (Some(Vetoed), CutShort, Some(false), "there are more, which were not looked at"),
        ] {
            let questions: Vec<Asked> = outcome.map(|outcome| asked(outcome, "")).into_iter().collect();
            let lines = Known { questions: &questions, search, stored, ..NOTHING }.lines();
            assert_eq!(lines.len(), 2, "{lines:?}");
            assert!(lines[1].contains(expected), "{outcome:?} {search:?} {stored:?}: {}", lines[1]);
        }
    }

    #[test]
    fn what_happened() {
        let found = |outcome, online_only, stored| {
            let (event, sent) = event(outcome, online_only);
            let event = Some((&event, &sent));
            Known { event, search: Search::Found, stored, is_asked: true, has_endpoints: false, ..NOTHING }
                .lines()
        };
        let unknown = "No question to the backend about it is remembered: it was not asked, or other questions have come since, or the server was started since.";
        let nobody = "No endpoint is told of events.";
        let sent = format!("It was sent, and its event evt_1_0_a_7 was recorded {AT}.");
        let delivered = Outcome::Delivered { unread: 1 };
        assert_eq!(found(delivered, false, Some(true)), [unknown, &sent, nobody]);
        let online = "It was for devices that were online, and is stored nowhere.";
        assert_eq!(found(delivered, true, Some(false)), [unknown, &sent, online, nobody]);
        let sample = "The message itself is not stored any more, or was never: a sample has an event only.";
        assert_eq!(found(delivered, false, Some(false)), [unknown, &sent, sample, nobody]);
        let refused = format!(
            "It was refused with 80001 the message contains words that the app does not allow; event evt_1_0_a_7, recorded {AT}, tells so."
        );
        assert_eq!(
            found(Outcome::Refused(Refusal::Filtered), false, Some(false)),
            [unknown, &refused, nobody]
        );
    }

    #[test]
    fn how_it_stands() {
        let behind = "evt_1_0_a_3".to_owned();
        let last_failure = "answered 400".to_owned();
        for (state, expected) in [
            (
                State::Done { told: Some(Told { at_ms: AT_MS, attempt: 2, code: 0 }) },
                format!("ep_a was told of it {AT}, in attempt 2, and answered 0."),
            ),
            (
                State::Done { told: None },
                "ep_a is done with it; when it was told is not known any more.".to_owned(),
            ),
            (
                State::NotWanted { why: Some("senders") },
                "ep_a does not want it: its `senders` say so.".to_owned(),
            ),
            (
                State::NotWanted { why: None },
                "ep_a did not want it when its turn came; its settings have changed since.".to_owned(),
            ),
            (State::Waiting, "ep_a will be told of it: it waits for its turn.".to_owned()),
            (State::InFlight { attempt: 3 }, "ep_a is being told of it now, in attempt 3.".to_owned()),
            (
                State::Retrying { due_ms: AT_MS, attempts: 2 },
                format!("ep_a will be told of it again {AT}, after 2 failed attempts; the last failure: not known."),
            ),
            (
                State::Behind { behind },
                "ep_a will be told of it after evt_1_0_a_3, which comes first in its conversation and is not done.".to_owned(),
            ),
            (
                State::Parked { at_ms: AT_MS, attempts: 1, last_failure },
                format!("ep_a was given up {AT}, after 1 failed attempt; the last failure: answered 400. The event stands parked until it is replayed."),
            ),
        ] {
            let one = EndpointStanding { endpoint: "ep_a".to_owned(), state, failures: Vec::new() };
            assert_eq!(standing(&one), expected);
        }
    }
}
