//! Two apps in one server, one of which has a backend that hangs.

use anyhow::{Context, Result, ensure};

use super::{
    conduct::Conduct,
    outcome::Outcome,
    people::People,
    report::{Section, figure, latency, p99_ms},
    rig::{self, Pace, Run, Setup},
    scenario::{Bench, OPEN_LINES},
};

const NEIGHBOUR_RATE_PER_S: u32 = 1_000;

impl Bench {
    pub(super) fn fair(&self) -> Result<Section> {
        let (mut healthy, mut hanging) = (Vec::new(), Vec::new());
        for round in 1..=self.args.rounds {
            healthy.push(self.beside(&format!("fair {round}: beside a healthy one"), Conduct::Healthy)?);
            hanging.push(self.beside(&format!("fair {round}: beside a hanging one"), Conduct::Mute)?);
        }
        let ratios = |of: fn(&Outcome) -> f64| -> Vec<f64> {
            healthy.iter().zip(&hanging).map(|(healthy, hanging)| of(hanging) / of(healthy)).collect()
        };
        let (rates, p99s) = (ratios(|app| app.per_s), ratios(|app| p99_ms(&app.callback_ns)));
        let mut rows = vec![
            figure("rate beside a hanging one, to healthy", "×", rates).at_least(0.9),
            figure("p99 of callbacks, to healthy", "×", p99s),
        ];
        for (name, rounds) in [("healthy", healthy), ("hanging", hanging)] {
            rows.push(figure(&format!("{name}: callbacks"), "msg/s", rounds.iter().map(|app| app.per_s)));
            let callback_ns = rounds.into_iter().flat_map(|app| app.callback_ns).collect();
            rows.push(latency(&format!("{name}: answer to callback"), callback_ns));
        }
        let rate_per_s = self.rate(NEIGHBOUR_RATE_PER_S);
        Ok(Section { scenario: format!("an app beside another that has {rate_per_s} sends/s"), rows })
    }

    /// One app in a closed loop, while another has a steady load and a backend of its own.
    fn beside(&self, label: &str, neighbour: Conduct) -> Result<Outcome> {
        let people = People::new(self.args.conversations);
        let mut rig = self.rig(Setup { neighbour: Some(neighbour), ..Setup::telling(people) })?;
        let rate_per_s = self.rate(NEIGHBOUR_RATE_PER_S);
        let lines = OPEN_LINES.min(rate_per_s);
        let steady = Run { lines, pace: Pace::Open { rate_per_s }, ..self.run(label, people) };
        let mut generator = rig.neighbour(&steady)?;
        let run = self.run(label, people);
        let trace = rig
            .load_with(&run, &self.progress, |_, window| generator.say(&steady.go(window)))
            .with_context(|| label.to_owned())?;
        let sent = rig::await_end(&mut generator, |_| {}).context("the neighbour's sends")?;
        ensure!(sent > 0, "the neighbour sent nothing");
        let (tally, _) = rig.settle(&trace.sent, |_| {})?;
        let received = tally.exact()?;
        let usage = rig.server.usage()?;
        rig.stop()?;
        let outcome = Outcome::new(&trace, &received, usage);
        self.progress.remark(&format!("{label}: {:.0} msg/s", outcome.per_s));
        Ok(outcome)
    }
}
