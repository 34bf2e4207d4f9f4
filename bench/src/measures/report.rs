//! One JSON line for each measurement: the medians of its runs.

use std::time::Duration;

use serde_json::Value;

use crate::stats::{Latency, float, median};

/// A figure of a run, if the run has it.
type Figure<'a> = &'a dyn Fn(&Run) -> Option<f64>;

/// One run of a measurement.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// The number of repetitions.
    pub(crate) count: u64,
    /// Their duration.
    pub(crate) elapsed: Duration,
    /// The duration of each.
    pub(crate) latency: Option<Latency>,
    /// The rate of the bare reference in the same run.
    pub(crate) reference_rate: Option<f64>,
    /// Figures of this measurement alone; names end in their unit.
    pub(crate) more: Vec<(&'static str, f64)>,
}

impl Run {
    /// `count` repetitions in `elapsed`.
    pub(crate) fn new(count: u64, elapsed: Duration, latency: Option<Latency>) -> Self {
        Self { count, elapsed, latency, ..Self::default() }
    }

    pub(crate) fn rate(&self) -> Option<f64> {
        (self.elapsed > Duration::ZERO).then(|| float(self.count) / self.elapsed.as_secs_f64())
    }

    fn ratio(&self) -> Option<f64> {
        Some(self.rate()? / self.reference_rate.filter(|rate| *rate > 0.0)?)
    }
}

/// Prints the medians of all runs.
pub(crate) fn print(workload: &str, parameters: Value, runs: &[Run]) {
    println!("{}", line(workload, parameters, runs));
}

/// The keys keep a readable order, so no map holds them.
fn line(workload: &str, parameters: Value, runs: &[Run]) -> String {
    let middle = |figure: Figure| number(median(runs.iter().filter_map(figure)));
    let mut line = vec![("workload", workload.into()), ("parameters", parameters)];
    let figures: [(&str, Figure); 8] = [
        ("count", &|run| Some(float(run.count))),
        ("seconds", &|run| Some(run.elapsed.as_secs_f64())),
        ("rate", &Run::rate),
        ("p50_ms", &|run| Some(run.latency?.p50_ms)),
        ("p99_ms", &|run| Some(run.latency?.p99_ms)),
        ("p999_ms", &|run| run.latency?.p999_ms),
        ("reference_rate", &|run| run.reference_rate),
        ("ratio", &Run::ratio),
    ];
    for (name, figure) in figures {
        line.push((name, middle(figure)));
    }
    let names = runs.first().map(|run| run.more.clone()).unwrap_or_default();
    for (name, _) in names {
        let figure = |run: &Run| run.more.iter().find(|more| more.0 == name).map(|more| more.1);
        line.push((name, middle(&figure)));
    }
    line.push(("runs", runs.len().into()));
    let pairs: Vec<_> = line.iter().map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
    format!("{{{}}}", pairs.join(","))
}

/// Four digits are precise enough for all of these figures.
fn number(figure: Option<f64>) -> Value {
    let Some(figure) = figure else { return Value::Null };
    let text = format!("{figure:.3e}");
    let rounded: f64 = text.parse().unwrap_or(figure);
    if rounded.fract() == 0.0 && rounded.abs() < 1e15 {
        return format!("{rounded:.0}").parse::<i64>().map_or(Value::Null, Value::from);
    }
    rounded.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(count: u64, reference_rate: f64) -> Run {
        let latency = Some(Latency { p50_ms: 1.5, p99_ms: 2.0, p999_ms: Some(3.0) });
        let mut run = Run::new(count, Duration::from_secs(2), latency);
        run.reference_rate = Some(reference_rate);
        run.more = vec![("bytes", float(count))];
        run
    }

    #[test]
    fn line_has_the_medians_of_all_runs() {
        let runs = [run(30, 10.0), run(10, 10.0), run(20, 10.0)];
        let expected = concat!(
            r#"{"workload":"send","parameters":{"senders":1},"count":20,"seconds":2,"rate":10,"#,
            r#""p50_ms":1.5,"p99_ms":2,"p999_ms":3,"reference_rate":10,"ratio":1,"bytes":20,"#,
            r#""runs":3}"#,
        );
        assert_eq!(line("send", json!({ "senders": 1 }), &runs), expected);
    }

    #[test]
    fn what_was_not_measured_is_null() {
        let line = line("home", Value::Null, &[Run::new(1, Duration::ZERO, None)]);
        let line: Value = serde_json::from_str(&line).expect("a line is JSON");
        for name in ["rate", "p50_ms", "p99_ms", "p999_ms", "reference_rate", "ratio"] {
            assert_eq!(line[name], Value::Null, "{name}");
        }
    }

    #[test]
    fn figures_have_four_digits() {
        assert_eq!(number(Some(12_345.678)), json!(12_350));
        assert_eq!(number(Some(0.012_345_6)), json!(0.01235));
    }
}
