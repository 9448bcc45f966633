//! The comments of `.proto` files, which describe what they stand before.
use std::collections::HashMap;

use prost_reflect::{DescriptorPool, FileDescriptor};

/// Leading comments, by file and by place in it.
pub(super) struct Comments(HashMap<(String, Vec<i32>), String>);

impl Comments {
    pub(super) fn new(pool: &DescriptorPool) -> Self {
        let mut comments = HashMap::new();
        for file in pool.files() {
            let info = file.file_descriptor_proto().source_code_info.iter();
            for location in info.flat_map(|info| &info.location) {
                if let Some(text) = &location.leading_comments {
                    comments.insert((file.name().to_owned(), location.path.clone()), unwrap(text));
                }
            }
        }
        Self(comments)
    }

    /// The comment at a place; empty if there is none, as everywhere in descriptors without source info.
    pub(super) fn of(&self, file: &FileDescriptor, path: &[i32]) -> &str {
        self.0.get(&(file.name().to_owned(), path.to_vec())).map_or("", String::as_str)
    }
}

/// Its paragraphs, each on one line.
fn unwrap(comment: &str) -> String {
    let lines: Vec<_> = comment.lines().map(str::trim).collect();
    let paragraphs = lines.split(|line| line.is_empty()).filter(|lines| !lines.is_empty());
    paragraphs.map(|lines| lines.join(" ")).collect::<Vec<_>>().join("\n\n")
}

/// The first sentence without its full stop, and the rest.
pub(super) fn split(comment: &str) -> (&str, &str) {
    let end = [". ", ".\n\n"].into_iter().filter_map(|end| comment.find(end)).min();
    let (first, rest) = comment.split_at(end.unwrap_or(comment.len()));
    let rest = rest.trim_start_matches('.');
    (first.trim_end_matches('.'), rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_laid_out_again() {
        for (comment, expect) in [
            (" One line.\n", "One line."),
            (" Two\n lines.\n", "Two lines."),
            (" One.\n\n Two\n more.\n", "One.\n\nTwo more."),
            ("", ""),
        ] {
            assert_eq!(unwrap(comment), expect);
        }
    }

    #[test]
    fn the_first_sentence_is_a_summary() {
        for (comment, expect) in [
            ("Starts it. What it needs is checked.", ("Starts it", "What it needs is checked.")),
            ("Starts it.", ("Starts it", "")),
            ("Starts it.\n\nMore.", ("Starts it", "More.")),
            ("Starts it.\n\nMore. And more.", ("Starts it", "More. And more.")),
            ("", ("", "")),
        ] {
            assert_eq!(split(comment), expect);
        }
    }
}
