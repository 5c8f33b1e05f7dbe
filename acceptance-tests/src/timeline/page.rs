//! The timelines of create and destroy as a page for people.

use super::Timeline;

/// Signs of a whole line in the drawing.
const WIDTH: f64 = 60.0;

/// Markdown: a drawing of each command, and what it took.
pub fn page(timelines: &[(&str, &Timeline)]) -> String {
    let mut page = "---\npage_title: \"Timeline\"\nsubcategory: \"\"\ndescription: |-\n  How long a cluster takes, \
                    part by part.\n---\n\n# Timeline\n\nHow long the parts of a cluster take when nothing goes wrong, \
                    measured against the model of AWS that the tests use (`cargo measure -- --timeline`). AWS decides \
                    these durations; the sources stand in `acceptance-tests/aws/RULES.md`.\n"
        .to_owned();
    for (name, timeline) in timelines {
        let lost = timeline.total - timeline.by_aws();
        page.push_str(&format!("\n## {name}\n\n```text\n"));
        let width = timeline.bars.iter().map(|bar| bar.name.len()).max().unwrap_or(0);
        for bar in &timeline.bars {
            let sign = |seconds: f64| column(seconds, timeline.total);
            let (start, end) = (sign(bar.start), sign(bar.end).max(sign(bar.start) + 1));
            let drawing = format!("{}{}", " ".repeat(start), "█".repeat(end - start));
            page.push_str(&format!("{:width$}  {drawing}\n", bar.name));
        }
        page.push_str(&format!(
            "```\n\n{:.0} seconds, {:.0} of them by AWS along the critical path, {lost:.0} between.\n",
            timeline.total,
            timeline.by_aws(),
        ));
    }
    page
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a column of a drawing")]
fn column(seconds: f64, total: f64) -> usize {
    (seconds / total.max(1.0) * WIDTH).round().max(0.0) as usize
}
