//! Pictures of what was measured, as SVG that a book can show.

use std::fmt::Write as _;

use crate::report::Latencies;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 200.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
const COLOURS: [&str; 6] = ["#1b6ca8", "#c8553d", "#3a7d44", "#7b4b94", "#b8860b", "#444444"];

/// A named line.
pub(crate) struct Curve {
    name: String,
    points: Vec<(f64, f64)>,
}

impl Curve {
    /// A distribution: how many of a hundred calls took at most so many milliseconds.
    pub(crate) fn of(name: &str, latencies: &Latencies) -> Self {
        let points = (0..=200_u16)
            .map(|step| {
                let share = usize::from(step) * 5;
                let millis = f64::from(latencies.per_mille(share.max(1))) / 1000.0;
                (millis.max(0.01), f64::from(step) / 2.0)
            })
            .collect();
        Self {
            name: name.to_owned(),
            points,
        }
    }
}

/// Latency distributions: milliseconds on a logarithmic axis, per cent of the calls on the other.
pub(crate) fn distribution(title: &str, curves: &[Curve]) -> String {
    let all = || curves.iter().flat_map(|curve| &curve.points);
    let low = all()
        .map(|point| point.0)
        .fold(f64::MAX, f64::min)
        .log10()
        .floor();
    let high = all().map(|point| point.0).fold(0.011, f64::max).log10().ceil();
    let logarithmic: Vec<Curve> = curves
        .iter()
        .map(|curve| Curve {
            name: curve.name.clone(),
            points: curve.points.iter().map(|(x, y)| (x.log10(), *y)).collect(),
        })
        .collect();
    let mut ticks = Vec::new();
    let mut power = low;
    while power <= high {
        ticks.push((power, format!("{} ms", 10_f64.powf(power))));
        power += 1.0;
    }
    let percents: Vec<(f64, String)> = [0.0, 25.0, 50.0, 75.0, 100.0]
        .iter()
        .map(|percent| (*percent, format!("{percent} %")))
        .collect();
    chart(title, &logarithmic, (low, high), (0.0, 100.0), &ticks, &percents)
}

/// Messages per second over messages in the queue: of sends while it fills, of drains at its fullest.
pub(crate) fn throughput(title: &str, sends: &[(usize, f64)], drains: &[(usize, f64)]) -> String {
    let points = |found: &[(usize, f64)]| {
        found
            .iter()
            .map(|(backlog, rate)| (f64::from(u32::try_from(*backlog).unwrap_or(u32::MAX)), *rate))
            .collect::<Vec<_>>()
    };
    let curves = [
        Curve {
            name: "send".to_owned(),
            points: points(sends),
        },
        Curve {
            name: "drain, fullest".to_owned(),
            points: points(drains),
        },
    ];
    let all = || curves.iter().flat_map(|curve| &curve.points);
    let widest = all().map(|point| point.0).fold(1.0, f64::max);
    let highest = all().map(|point| point.1).fold(1.0, f64::max) * 1.1;
    let quarters = |of: f64| -> Vec<(f64, String)> {
        (0..=4_u8)
            .map(|quarter| {
                let at = of * f64::from(quarter) / 4.0;
                (at, format!("{at:.0}"))
            })
            .collect()
    };
    chart(
        title,
        &curves,
        (0.0, widest),
        (0.0, highest),
        &quarters(widest),
        &quarters(highest),
    )
}

fn chart(
    title: &str,
    curves: &[Curve],
    across: (f64, f64),
    up: (f64, f64),
    x_ticks: &[(f64, String)],
    y_ticks: &[(f64, String)],
) -> String {
    let x = |value: f64| LEFT + (value - across.0) / (across.1 - across.0).max(1e-9) * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - (value - up.0) / (up.1 - up.0).max(1e-9) * (HEIGHT - TOP - BOTTOM);
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"{LEFT}\" y=\"22\" \
         font-size=\"15\">{title}</text>"
    );
    for (at, name) in x_ticks {
        let at = x(*at);
        let (top, bottom) = (TOP, HEIGHT - BOTTOM);
        let _ = writeln!(
            svg,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{top}\" y2=\"{bottom}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" \
             y=\"{:.1}\" text-anchor=\"middle\">{name}</text>",
            bottom + 18.0
        );
    }
    for (at, name) in y_ticks {
        let at = y(*at);
        let (left, right) = (LEFT, WIDTH - RIGHT);
        let _ = writeln!(
            svg,
            "<line x1=\"{left}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/><text x=\"{:.1}\" \
             y=\"{:.1}\" text-anchor=\"end\">{name}</text>",
            left - 6.0,
            at + 4.0
        );
    }
    let mut legend = TOP + 10.0;
    for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        let points: Vec<String> = curve
            .points
            .iter()
            .map(|(across, up)| format!("{:.1},{:.1}", x(*across), y(*up)))
            .collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            points.join(" ")
        );
        for (across, up) in curve.points.iter().filter(|_| curve.points.len() <= 16) {
            let _ = writeln!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>",
                x(*across),
                y(*up)
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{legend:.1}\" fill=\"{colour}\">{}</text>",
            WIDTH - RIGHT + 12.0,
            curve.name
        );
        legend += 18.0;
    }
    svg.push_str("</svg>\n");
    svg
}

#[cfg(test)]
mod tests {
    use super::{Curve, distribution, throughput};
    use crate::report::Latencies;

    #[test]
    fn a_distribution_names_its_curves() {
        let mut latencies = Latencies::default();
        latencies.add((100..2000).collect());
        let picture = distribution("t", &[Curve::of("send", &latencies.sorted())]);
        assert!(picture.contains(">send</text>") && picture.trim_end().ends_with("</svg>"));
    }

    #[test]
    fn a_picture_of_nothing_has_no_impossible_numbers() {
        let picture = throughput("t", &[], &[]) + &distribution("t", &[]);
        assert!(!picture.contains("NaN") && !picture.contains("inf"));
    }
}
