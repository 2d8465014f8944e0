//! What was found, step by step, for people and for machines.

use crate::cli::Outcome;
use crate::cli::output::{printable, say};
use serde::Serialize;
use std::io;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Found {
    Ok,
    /// It works, and should still be different.
    Warning,
    /// The walk ends here.
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Step {
    pub(super) step: &'static str,
    pub(super) result: Found,
    /// What was seen.
    pub(super) words: String,
    /// What to do about it.
    pub(super) fix: Option<String>,
}

impl Step {
    pub(super) fn ok(step: &'static str, words: impl Into<String>) -> Self {
        Self { step, result: Found::Ok, words: words.into(), fix: None }
    }

    pub(super) fn warning(step: &'static str, words: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { step, result: Found::Warning, words: words.into(), fix: Some(fix.into()) }
    }

    pub(super) fn failed(step: &'static str, words: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { step, result: Found::Failed, words: words.into(), fix: Some(fix.into()) }
    }
}

/// Prints the steps as they are made, or one JSON object at the end.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// `None`: it is not one of the app's.
    endpoint: Option<String>,
    sdkappid: u32,
    url: String,
    ok: bool,
    steps: Vec<Step>,
    #[serde(skip)]
    json: bool,
}

impl Report {
    pub(super) fn new(endpoint: Option<String>, sdkappid: u32, json: bool) -> Self {
        Self { endpoint, sdkappid, url: String::new(), ok: true, steps: Vec::new(), json }
    }

    /// Where the walk goes. Without the query, which may hold a secret.
    pub(super) fn goes_to(&mut self, url: &str) -> io::Result<()> {
        self.url = printable(url);
        if self.json {
            return Ok(());
        }
        let endpoint = self.endpoint.as_ref().map_or("A URL".to_owned(), |name| format!("Endpoint {name}"));
        say(&format!("{endpoint} of app {}: {}\n", self.sdkappid, self.url))
    }

    pub(super) fn add(&mut self, mut step: Step) -> io::Result<()> {
        // The words may be the receiver's own.
        step.words = printable(&step.words);
        if !self.json {
            let result = match step.result {
                Found::Ok => "ok",
                Found::Warning => "warning",
                Found::Failed => "failed",
            };
            say(&format!("  {result:<8} {:<16} {}", step.step, step.words))?;
            if let Some(fix) = &step.fix {
                say(&format!("  {:25} → {fix}", ""))?;
            }
        }
        self.ok &= step.result != Found::Failed;
        self.steps.push(step);
        Ok(())
    }

    /// Fails when a step did.
    pub(super) fn finish(self) -> Outcome {
        let failed = self.steps.iter().find(|step| step.result == Found::Failed);
        let warnings = self.steps.iter().filter(|step| step.result == Found::Warning).count();
        if self.json {
            say(&serde_json::to_string(&self).expect("it is words and numbers"))?;
        } else if failed.is_none() {
            let warnings = match warnings {
                0 => String::new(),
                1 => ", with 1 warning".to_owned(),
                count => format!(", with {count} warnings"),
            };
            say(&format!("\nThe endpoint works{warnings}."))?;
        } else {
            say("")?;
        }
        match failed {
            Some(step) => Err(format!("the endpoint does not work: {}: {}", step.step, step.words).into()),
            None => Ok(()),
        }
    }
}
