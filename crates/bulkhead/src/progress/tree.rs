//! The lines of a run.
use super::{Change, Run, Task, visible};
use domain::Timestamp;
use std::collections::BTreeMap;
use unicode_width::UnicodeWidthStr as _;

/// The width and height that are drawn in where nobody knows better.
const SIZE: (usize, usize) = (100, 40);

/// Columns and lines of the terminal.
pub(super) fn size() -> (usize, usize) {
    let size = terminal_size::terminal_size_of(std::io::stderr());
    size.map_or(SIZE, |(width, height)| (usize::from(width.0), usize::from(height.0)))
}

/// One change, for a log.
pub(super) fn line(task: &Task, change: &Change) -> String {
    let cached = if task.cached_task_id.is_empty() || change.state != "SUCCEEDED" { "" } else { " (cached)" };
    let error = if change.error.is_empty() { String::new() } else { format!(": {}", visible(first(&change.error))) };
    format!("{} {:9} {}{cached}{error}\n", change.at, change.state, visible(&task.path))
}

/// The whole tree, cut to a screen: what has ended well goes first when there is no room.
pub(super) fn draw(run: &Run, tasks: &BTreeMap<String, Task>, (width, height): (usize, usize)) -> Vec<String> {
    let mut order: Vec<&Task> = tasks.values().collect();
    order.sort_by_key(|task| key(&task.path));
    let room = height.saturating_sub(4).max(5);
    let (all, mut left) = (order.len(), order.len().saturating_sub(room));
    for state in ["SUCCEEDED", "SKIPPED", "PENDING"] {
        order.retain(|task| {
            let goes = left > 0 && task.state == state;
            left -= usize::from(goes);
            !goes
        });
    }
    order.truncate(room);
    let done = tasks.values().filter(|task| is_final(&task.state)).count();
    let head = format!("{} {}  {done} of {all} tasks ended", mark(&run.state), visible(&run.display_name));
    let mut lines = vec![clip(&head, width)];
    lines.extend(order.iter().map(|task| clip(&branch(task), width)));
    if all > order.len() {
        lines.push(format!("  … and {} more", all - order.len()));
    }
    lines
}

fn branch(task: &Task) -> String {
    let depth = task.path.matches('/').count() + task.path.matches('[').count();
    let mut text = format!("{}{} {}", "  ".repeat(depth + 1), mark(&task.state), visible(&task.display_name));
    if task.attempt > 0 {
        text += &format!(" (attempt {})", task.attempt + 1);
    }
    if !task.cached_task_id.is_empty() {
        text += " (cached)";
    }
    if let Some(seconds) = seconds(task) {
        text += &format!("  {seconds:.1} s");
    }
    if !task.error.is_empty() && task.state != "SKIPPED" {
        text += &format!("  {}", visible(first(&task.error)));
    }
    text
}

fn seconds(task: &Task) -> Option<f64> {
    let (began, ended) = (Timestamp::parse(&task.started_at)?, Timestamp::parse(&task.finished_at)?);
    Some(ended.since(began).as_secs_f64())
}

fn mark(state: &str) -> &'static str {
    match state {
        "SUCCEEDED" => "✓",
        "FAILED" => "✗",
        "SKIPPED" => "-",
        "RUNNING" => "▸",
        _ => "·",
    }
}

fn is_final(state: &str) -> bool {
    matches!(state, "SUCCEEDED" | "FAILED" | "SKIPPED")
}

fn first(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// What fits on a line of the terminal: a letter of a name can take two columns, or none.
fn clip(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    let ends = text.char_indices().map(|(at, letter)| at + letter.len_utf8());
    let end = ends.take_while(|end| text[..*end].width() <= room).last().unwrap_or_default();
    format!("{}…", &text[..end])
}

/// Paths in the order of a tree, iterations by their number.
fn key(path: &str) -> Vec<(String, usize)> {
    let parts = path.split('/').flat_map(|part| match part.strip_suffix(']').and_then(|part| part.rsplit_once('[')) {
        // The loop itself stands before its iterations.
        Some((name, number)) => vec![(name.to_owned(), 0), (String::new(), number.parse().unwrap_or(0) + 1)],
        None => vec![(part.to_owned(), 0)],
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(path: &str, state: &str) -> (String, Task) {
        let display_name = path.rsplit('/').next().unwrap_or_default().to_owned();
        (path.to_owned(), Task { path: path.into(), display_name, state: state.into(), ..Task::default() })
    }

    #[test]
    fn a_line_is_cut_where_the_terminal_ends() {
        for (text, width, expect) in [
            ("train", 5, "train"),
            ("train", 4, "tra…"),
            // Wide letters.
            ("模型訓練", 8, "模型訓練"),
            ("模型訓練", 7, "模型訓…"),
            ("模型訓練", 6, "模型…"),
            // Accents that are letters of their own take no room, and stay with theirs.
            ("e\u{301}te\u{301}", 3, "e\u{301}te\u{301}"),
            ("e\u{301}te\u{301}s", 3, "e\u{301}t…"),
            ("👩\u{200d}🔬 lab", 6, "👩\u{200d}🔬 lab"),
            ("train", 1, "…"),
            ("", 0, ""),
        ] {
            assert_eq!(clip(text, width), expect, "{text} in {width}");
            assert!(clip(text, width).width() <= width);
        }
    }

    #[test]
    fn a_tree_is_in_order_and_obeys_nobody() {
        let mut tasks: BTreeMap<_, _> = [
            task("loop[10]/train", "RUNNING"),
            task("loop[2]/train", "SUCCEEDED"),
            task("loop", "RUNNING"),
            task("loop[10]", "RUNNING"),
            task("loop[2]", "SUCCEEDED"),
            task("a", "FAILED"),
        ]
        .into();
        let failed = tasks.get_mut("a").expect("it is there");
        failed.error = "it \x1b[31mbroke\nand more".into();
        failed.attempt = 1;
        let run = Run { display_name: "my run".into(), state: "RUNNING".into(), ..Run::default() };
        let lines = draw(&run, &tasks, (60, 40));
        assert_eq!(
            lines,
            [
                "▸ my run  3 of 6 tasks ended",
                "  ✗ a (attempt 2)  it \u{fffd}[31mbroke",
                "  ▸ loop",
                "    ✓ loop[2]",
                "      ✓ train",
                "    ▸ loop[10]",
                "      ▸ train",
            ]
        );
        let few = draw(&run, &tasks, (60, 8));
        assert_eq!(few.len(), 7, "{few:?}");
        assert_eq!(few.last().map(String::as_str), Some("  … and 1 more"));
    }
}
