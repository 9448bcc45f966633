//! How large a document may be, whatever way it came.
use domain::{Error, Result};
use serde_json::Value;

/// The deepest nesting of lists and maps. The deepest documents of the SDK nest about 15 levels,
/// and protobuf, in which the API shows them, carries no more than about 30.
pub(crate) const DEPTH: usize = 25;
/// The most keys and values together.
pub(crate) const NODES: usize = 50_000;
/// The most bytes of text in keys and values together. Aliases can multiply text beyond the size of the upload.
pub(crate) const BYTES: usize = 32 << 20;

/// Refuses a document that is too deep, too rich or too long, so that all later work on it is bounded and what is
/// stored can be read again.
pub(crate) fn check(document: &Value) -> Result<()> {
    let mut sizes = Sizes::default();
    sizes.add(document, 1)
}

#[derive(Default)]
struct Sizes {
    nodes: usize,
    bytes: usize,
}

impl Sizes {
    fn add(&mut self, value: &Value, depth: usize) -> Result<()> {
        if depth > DEPTH {
            return Err(Error::invalid(format!("the document nests deeper than {DEPTH} levels")));
        }
        self.count(value.as_str().unwrap_or_default())?;
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| self.add(item, depth + 1)),
            Value::Object(fields) => fields.iter().try_for_each(|(key, item)| {
                self.count(key)?;
                self.add(item, depth + 1)
            }),
            _ => Ok(()),
        }
    }

    fn count(&mut self, text: &str) -> Result<()> {
        self.nodes += 1;
        self.bytes += text.len();
        if self.nodes > NODES {
            return Err(Error::invalid(format!("the document has more than {NODES} keys and values")));
        }
        if self.bytes > BYTES {
            return Err(Error::invalid(format!("the document has more than {BYTES} bytes of text")));
        }
        Ok(())
    }
}
