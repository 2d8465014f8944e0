//! The apps' own opinion of a send, which takes time to come and may not come at all.

use crate::plan::{Opinion, WORD_BLOCKED, WORD_MASKED};
use crate::stage::Stage;
use async_trait::async_trait;
use bytes::Bytes;
use chat::port::{Gate, GateAnswer, Question};
use chat::{AppId, Content};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long an answer is waited for.
const DEADLINE_MS: u64 = 2_000;

#[derive(Debug)]
pub(crate) struct Opinions {
    pub(crate) stage: Arc<Stage>,
    pub(crate) of_app: BTreeMap<AppId, Opinion>,
}

#[async_trait]
impl Gate for Opinions {
    async fn ask(&self, question: Question<'_>) -> GateAnswer {
        let (delay_ms, answer) = self.think(&question);
        // A later send may well be answered before this one.
        self.stage.sleep(delay_ms).await;
        answer
    }
}

impl Opinions {
    fn think(&self, question: &Question<'_>) -> (u64, GateAnswer) {
        let opinion = self.of_app[&question.app];
        let state = &mut *self.stage.lock();
        if state.strikes(|faults| faults.gate_failed) {
            state.counts.gate_failures += 1;
            return (DEADLINE_MS, GateAnswer::Failed);
        }
        let (chance, counts) = (&mut state.chance, &mut state.counts);
        let answer = if chance.hits(opinion.veto) {
            counts.gate_vetoes += 1;
            GateAnswer::Veto(None)
        } else if chance.hits(opinion.own_veto) {
            counts.gate_vetoes += 1;
            GateAnswer::Veto(Some((120_001, "not here".to_owned())))
        } else if chance.hits(opinion.drop) {
            counts.gate_drops += 1;
            state.dropped.insert(state.running);
            GateAnswer::Drop
        } else if chance.hits(opinion.replace) {
            counts.gate_replaces += 1;
            // What the app says instead may be filtered in its turn.
            let text = *chance.pick(&["replaced", WORD_MASKED, WORD_BLOCKED]);
            GateAnswer::Replace(rewritten(question.content, text))
        } else {
            counts.gate_passes += 1;
            GateAnswer::Pass
        };
        (chance.between(1..=DEADLINE_MS / 4), answer)
    }
}

fn rewritten(content: &Content, text: &str) -> Content {
    Content {
        body: Bytes::copy_from_slice(text.as_bytes()),
        size_bytes: text.len(),
        texts: vec![text.to_owned()],
        ..content.clone()
    }
}
