//! Draws what `runs` measured, and prints it as tables.
//!
//! ```text
//! runs_chart RESULTS CHART
//! ```
//!
//! RESULTS holds the lines that `runs` printed; where a measurement was repeated, its median counts.
//! CHART is the SVG to write: time and calls over the number of members, both axes logarithmic, so
//! that a straight line at 45 degrees is linear growth.

use std::{
    collections::BTreeMap,
    error::Error,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
};

use serde::Deserialize;

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [results, chart] = &arguments[..] else { return Err("expected: RESULTS CHART".into()) };
    let measured = Measured::read(&fs::read_to_string(results)?)?;
    fs::write(chart, draw(&measured))?;
    Ok(io::stdout().write_all(tables(&measured).as_bytes())?)
}

/// A line of the results; those that are about something else lack a field.
#[derive(Clone, Deserialize)]
struct Line {
    account: String,
    run: String,
    members: u64,
    per_minute: Option<u64>,
    seconds: f64,
    cpu_seconds: f64,
    before_mib: f64,
    peak_mib: f64,
    virtual_minutes: f64,
    calls: BTreeMap<String, u64>,
}

impl Line {
    fn total_calls(&self) -> u64 {
        self.calls.values().sum()
    }
}

/// What the rows of a segment cost by themselves: each figure contains the one before.
#[derive(Deserialize)]
struct Reading {
    members: u64,
    rows_cpu_seconds: f64,
    normalised_cpu_seconds: f64,
    fingerprinted_cpu_seconds: f64,
}

/// Account, calls allowed per minute, members, run.
type Key = (String, Option<u64>, u64, String);

/// Medians.
struct Measured {
    runs: BTreeMap<Key, Line>,
    /// By members: rows, normalised, fingerprinted.
    readings: BTreeMap<u64, [f64; 3]>,
}

impl Measured {
    fn read(lines: &str) -> Fallible<Self> {
        let mut groups: BTreeMap<Key, Vec<Line>> = BTreeMap::new();
        for line in lines.lines().filter(|line| line.contains(r#""account""#)) {
            let line: Line = serde_json::from_str(line)?;
            let key = (line.account.clone(), line.per_minute, line.members, line.run.clone());
            groups.entry(key).or_default().push(line);
        }
        let mut readings: BTreeMap<u64, [Vec<f64>; 3]> = BTreeMap::new();
        for line in lines.lines().filter(|line| line.contains(r#""rows_cpu_seconds""#)) {
            let line: Reading = serde_json::from_str(line)?;
            let [rows, normalised, fingerprinted] = readings.entry(line.members).or_default();
            rows.push(line.rows_cpu_seconds);
            normalised.push(line.normalised_cpu_seconds);
            fingerprinted.push(line.fingerprinted_cpu_seconds);
        }
        Ok(Self {
            runs: groups.into_iter().map(|(key, lines)| (key, median(&lines))).collect(),
            readings: (readings.into_iter())
                .map(|(members, figures)| (members, figures.map(median_of)))
                .collect(),
        })
    }

    /// Measurements of one run over growing numbers of members.
    fn series(&self, account: &str, run: &str) -> Vec<&Line> {
        let of_run = |line: &&Line| line.account == account && line.run == run;
        let mut lines: Vec<_> = self.runs.values().filter(of_run).collect();
        lines.sort_by_key(|line| line.members);
        // Calls are the same under every limit.
        lines.dedup_by_key(|line| line.members);
        lines
    }
}

/// The median of each figure by itself. Calls are the same in every repetition, or the first counts.
fn median(lines: &[Line]) -> Line {
    let of = |figure: fn(&Line) -> f64| median_of(lines.iter().map(figure).collect());
    Line {
        seconds: of(|line| line.seconds),
        cpu_seconds: of(|line| line.cpu_seconds),
        before_mib: of(|line| line.before_mib),
        peak_mib: of(|line| line.peak_mib),
        virtual_minutes: of(|line| line.virtual_minutes),
        ..lines[0].clone()
    }
}

fn median_of(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn tables(measured: &Measured) -> String {
    let mut text = String::from(
        "| account | run | members | wall s | CPU s | MiB before | peak MiB | calls |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for line in measured.runs.values().filter(|line| line.per_minute.is_none()) {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.2} | {:.2} | {:.0} | {:.0} | {} |",
            line.account,
            line.run,
            line.members,
            line.seconds,
            line.cpu_seconds,
            line.before_mib,
            line.peak_mib,
            line.total_calls()
        );
    }
    text.push_str(
        "\n| members | run | calls a minute | calls, lists | minutes | calls, per contact | minutes |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for ((account, limit, members, run), ours) in &measured.runs {
        let key = ("per_contact".to_owned(), *limit, *members, run.clone());
        let (Some(limit), "lists", Some(theirs)) =
            (limit, account.as_str(), measured.runs.get(&key))
        else {
            continue;
        };
        let _ = writeln!(
            text,
            "| {members} | {run} | {limit} | {} | {:.1} | {} | {:.1} |",
            ours.total_calls(),
            ours.virtual_minutes,
            theirs.total_calls(),
            theirs.virtual_minutes
        );
    }
    text.push_str(
        "\n| members | rows, CPU s | normalised | fingerprinted | a run without changes |\n\
         |---|---|---|---|---|\n",
    );
    let runs = measured.series("thin", "unchanged");
    for (members, [rows, normalised, fingerprinted]) in &measured.readings {
        let run = runs.iter().find(|run| run.members == *members).map(|run| run.cpu_seconds);
        let _ = writeln!(
            text,
            "| {members} | {rows:.2} | {normalised:.2} | {fingerprinted:.2} | {:.2} |",
            run.unwrap_or(f64::NAN)
        );
    }
    text
}

/// The words of a curve, its class in the style, and its points.
struct Curve<'a> {
    name: &'a str,
    class: &'a str,
    points: Vec<(f64, f64)>,
}

fn draw(measured: &Measured) -> String {
    let curve = |name, class, account, run, figure: fn(&Line) -> f64| {
        let lines = measured.series(account, run);
        let points = lines.iter().map(|line| (line.members as f64, figure(line))).collect();
        Curve { name, class, points }
    };
    let seconds = |name, class, run| curve(name, class, "thin", run, |line| line.seconds);
    let calls =
        |name, class, account| curve(name, class, account, "changed", |l| l.total_calls() as f64);
    let mut svg = String::from(HEAD);
    panel(
        &mut svg,
        0.0,
        "Seconds of a run",
        &[
            seconds("first run", "a", "first"),
            seconds("1 % change", "b", "changed"),
            seconds("no change", "c", "unchanged"),
        ],
    );
    panel(
        &mut svg,
        PANEL,
        "Calls for a change of 1 %",
        &[
            calls("one contact at a time", "a", "per_contact"),
            calls("activation-core", "b", "thin"),
        ],
    );
    svg.push_str("</svg>\n");
    svg
}

fn panel(svg: &mut String, left: f64, title: &str, curves: &[Curve<'_>]) {
    let values = curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.1));
    let (low, high) =
        values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    let (low, high) = (low.log10().floor(), high.log10().ceil());
    let x = |members: f64| left + MARGIN + (members.log10() - 4.0) / 3.0 * WIDTH;
    let y = |value: f64| TOP + (high - value.log10()) / (high - low) * HEIGHT;
    let _ = writeln!(svg, r#"<text x="{:.0}" y="20" class="t">{title}</text>"#, left + MARGIN);
    for power in 4..=7 {
        let (at, bottom) = (x(10_f64.powi(power)), TOP + HEIGHT);
        let label = ["10 k", "100 k", "1 M", "10 M"][power as usize - 4];
        let _ = writeln!(svg, r#"<path class="g" d="M{at:.1} {TOP}V{bottom}"/>"#);
        let _ =
            writeln!(svg, r#"<text x="{at:.1}" y="{}" class="m">{label}</text>"#, bottom + 18.0);
    }
    for power in low as i32..=high as i32 {
        let (value, right) = (10_f64.powi(power), left + MARGIN + WIDTH);
        let at = y(value);
        let _ = writeln!(svg, r#"<path class="g" d="M{:.1} {at:.1}H{right}"/>"#, left + MARGIN);
        let (label_x, label_y) = (left + MARGIN - 8.0, at + 4.0);
        let _ = writeln!(svg, r#"<text x="{label_x}" y="{label_y:.1}" class="e">{value}</text>"#);
    }
    for (index, Curve { name, class, points }) in curves.iter().enumerate() {
        let path: Vec<_> = points
            .iter()
            .map(|(members, value)| format!("{:.1} {:.1}", x(*members), y(*value)))
            .collect();
        if !path.is_empty() {
            let _ = writeln!(svg, r#"<path class="l {class}" d="M{}"/>"#, path.join("L"));
        }
        for (members, value) in points {
            let (at_x, at_y) = (x(*members), y(*value));
            let _ =
                writeln!(svg, r#"<circle class="{class}" cx="{at_x:.1}" cy="{at_y:.1}" r="3"/>"#);
        }
        let (key_x, key_y) = (left + MARGIN + 10.0, TOP + 16.0 + 18.0 * index as f64);
        let _ = writeln!(
            svg,
            r#"<circle class="{class}" cx="{key_x}" cy="{}" r="4"/><text x="{}" y="{key_y}">{name}</text>"#,
            key_y - 4.0,
            key_x + 10.0
        );
    }
}

const PANEL: f64 = 390.0;
const MARGIN: f64 = 62.0;
const TOP: f64 = 34.0;
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 220.0;

/// Colours that can be told apart without seeing red or green, on light and on dark.
const HEAD: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 284" font-family="sans-serif" font-size="12">
<style>
text { fill: #24292f } .t { font-weight: bold } .m { text-anchor: middle } .e { text-anchor: end }
.g { stroke: #8884; fill: none } .l { fill: none; stroke-width: 2 }
.a { fill: #b35900; stroke: #b35900 } .b { fill: #0969da; stroke: #0969da } .c { fill: #6e7781; stroke: #6e7781 }
path.l { fill: none }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .a { fill: #ffa657; stroke: #ffa657 } .b { fill: #79c0ff; stroke: #79c0ff } .c { fill: #b1bac4; stroke: #b1bac4 }
path.l { fill: none }
}
</style>
"##;
