//! Fetches what a caller names.
