//! `limits`: how much callers may ask for, and how long an answer may take.
use super::Seconds;
use anyhow::bail;
use serde::Deserialize;
use std::{num::NonZeroU32, time::Duration};

/// The smallest `limits.max_message` that lets clients work, in bytes.
const LEAST_MESSAGE: usize = 1 << 20;

/// Rates are in requests a second; 0 stands for none, in all of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    pub(crate) user_rate: u32,
    pub(crate) user_burst: NonZeroU32,
    pub(crate) user_write_rate: u32,
    pub(crate) user_write_burst: NonZeroU32,
    pub(crate) user_concurrency: usize,
    pub(crate) namespace_rate: u32,
    pub(crate) namespace_burst: NonZeroU32,
    pub(crate) namespace_write_rate: u32,
    pub(crate) namespace_write_burst: NonZeroU32,
    pub(crate) concurrency: usize,
    pub(crate) request_timeout: Seconds,
    pub(crate) max_message: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let burst = |count| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        Self {
            user_rate: 200,
            user_burst: burst(2000),
            user_write_rate: 100,
            user_write_burst: burst(1000),
            user_concurrency: 16,
            namespace_rate: 400,
            namespace_burst: burst(4000),
            namespace_write_rate: 200,
            namespace_write_burst: burst(2000),
            concurrency: 256,
            request_timeout: Seconds(Duration::from_secs(60)),
            max_message: server::MAX_MESSAGE,
        }
    }
}

impl Limits {
    /// # Errors
    /// For what would keep everybody out, or mean nothing.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.max_message < LEAST_MESSAGE {
            bail!("limits.max_message: at least {LEAST_MESSAGE} bytes are needed");
        }
        if self.concurrency > 0 && self.user_concurrency > self.concurrency {
            bail!(
                "limits.user_concurrency: nobody gets more than all have, {} by limits.concurrency",
                self.concurrency
            );
        }
        Ok(())
    }
}
