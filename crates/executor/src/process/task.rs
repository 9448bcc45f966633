//! The server's hold on a task: it can wait for it and stop it, and letting go kills it.
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::podman::{self, Container};

use super::protocol::{Confined, Exit, Message, Order};

/// A task that was started. To drop it is to kill it, with everything that it started.
#[derive(Debug)]
pub struct Task {
    // Kept so that the runtime reaps the supervisor.
    _supervisor: Child,
    orders: ChildStdin,
    // What is to be sent still, so that a dropped future neither loses an order nor sends half of one.
    unsent: Vec<u8>,
    report: Lines<BufReader<ChildStdout>>,
    /// What would be left of the task should its supervisor be killed.
    container: Option<Container>,
    exit: Option<Exit>,
}

impl Task {
    pub(crate) async fn start(supervisor: &Path, confined: Confined) -> io::Result<Self> {
        let mut child = Command::new(supervisor)
            .arg("supervise")
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", supervisor.display())))?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (orders, report) = pipes.ok_or_else(|| io::Error::other("the supervisor has no pipes"))?;
        let container = confined.container();
        let mut unsent = serde_json::to_vec(&Order::Supervise(confined))?;
        unsent.push(b'\n');
        let report = BufReader::new(report).lines();
        let mut task = Self { _supervisor: child, orders, unsent, report, container, exit: None };
        // A supervisor that is gone already does not hear this, and `wait` says that it is gone.
        let _ = task.send().await;
        Ok(task)
    }

    /// Waits for the end of the task and of everything that it started. May be dropped and called again.
    pub async fn wait(&mut self) -> Exit {
        if let Some(exit) = &self.exit {
            return exit.clone();
        }
        // The rest of an order to stop, should its future have been dropped. A supervisor that is gone reports nothing,
        // which is seen below.
        let _ = self.send().await;
        let exit = match self.report.next_line().await {
            Ok(Some(line)) => serde_json::from_str(&line)
                .unwrap_or_else(|error| Exit::Lost(format!("its supervisor's report cannot be read: {error}"))),
            Ok(None) => Exit::Lost("its supervisor ended without a report".to_owned()),
            Err(error) => Exit::Lost(format!("its supervisor's report cannot be read: {error}")),
        };
        if let (Exit::Lost(_), Some(container)) = (&exit, self.container.take()) {
            // Should the removal fail, the next start of the server sweeps.
            let _ = tokio::task::spawn_blocking(move || podman::remove(&container)).await;
        }
        self.exit.insert(exit).clone()
    }

    /// Asks the task to end (SIGTERM) and kills after `grace` what is left of it. Returns once the order is given:
    /// [`Task::wait`] tells how the task ended.
    pub async fn stop(&mut self, grace: Duration) {
        if let Ok(mut message) = serde_json::to_vec(&Message::Stop { grace }) {
            message.push(b'\n');
            self.unsent.append(&mut message);
        }
        let _ = self.send().await;
    }

    async fn send(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            let sent = self.orders.write(&self.unsent).await?;
            self.unsent.drain(..sent);
        }
        Ok(())
    }
}
