//! The target of an imported line: a data directory that this process has open, or the server that has it open.
//!
//! **Invariant:** both ways end in the same code, [`Importer`].

use std::path::PathBuf;

use rookery_import::{Applied, Importer, LineSteps, Target};
use rookery_log::CommandId;
use serde::{Deserialize, Serialize};

use crate::{
    failure::Failure,
    node::{Node, clock},
    operator::{Order, Output, answer_of},
};

/// Lines in one batch without a running server.
const LINES_HERE: usize = 8_192;

/// Commands in flight to the disk without a running server.
const UNDER_WAY_HERE: usize = 1_024;

/// Commands of an import in flight to the disk beside those of users.
const UNDER_WAY_SERVING: usize = 64;

/// Size of one part of an import in bytes. It bounds the time that others wait behind the part.
const ORDER_BYTES: usize = 256 * 1_024;

/// A part of an import, for the server to execute.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportPart {
    /// Asks whether these users exist, for whom the operator lets the import act.
    Check {
        /// User names or IDs.
        mapped: Vec<String>,
    },
    /// Asks which of these commands the log knows.
    Known {
        /// The commands.
        commands: Vec<CommandId>,
    },
    /// Carries out these lines.
    Lines {
        /// The lines.
        lines: Vec<LineSteps>,
    },
}

/// The target of the lines.
pub(super) enum Sink<'a> {
    Here { importer: Box<Importer<'a>>, waiting: Vec<LineSteps> },
    Server { data: PathBuf, waiting: Vec<LineSteps>, bytes: usize, applied: Applied },
}

impl<'a> Sink<'a> {
    pub(super) fn here(node: &'a Node) -> Self {
        let importer = Box::new(Importer::new(target(node, UNDER_WAY_HERE)));
        Self::Here { importer, waiting: Vec::new() }
    }

    pub(super) fn server(data: PathBuf) -> Self {
        Self::Server { data, waiting: Vec::new(), bytes: 0, applied: Applied::default() }
    }

    pub(super) async fn check_mapped(&mut self, mapped: Vec<String>) -> Result<(), Failure> {
        match self {
            Self::Here { importer, .. } => {
                Ok(importer.check_mapped(mapped.iter().map(String::as_str))?)
            }
            Self::Server { .. } if mapped.is_empty() => Ok(()),
            Self::Server { data, .. } => ask(data, ImportPart::Check { mapped }).await,
        }
    }

    pub(super) async fn known(&mut self, commands: Vec<CommandId>) -> Result<Vec<bool>, Failure> {
        match self {
            Self::Here { importer, .. } => Ok(importer.known(&commands).await?),
            Self::Server { data, .. } => ask(data, ImportPart::Known { commands }).await,
        }
    }

    pub(super) async fn take(&mut self, lines: Vec<LineSteps>) -> Result<(), Failure> {
        match self {
            Self::Here { importer, waiting } => {
                waiting.extend(lines);
                if waiting.len() >= LINES_HERE {
                    importer.apply(std::mem::take(waiting)).await?;
                }
            }
            Self::Server { waiting, bytes, .. } => {
                for line in lines {
                    *bytes += serde_json::to_vec(&line).map_or(0, |text| text.len() + 1);
                    waiting.push(line);
                }
                if *bytes >= ORDER_BYTES {
                    self.send().await?;
                }
            }
        }
        Ok(())
    }

    pub(super) async fn finish(mut self) -> Result<Applied, Failure> {
        self.send().await?;
        match self {
            Self::Here { mut importer, waiting } => {
                importer.apply(waiting).await?;
                Ok(importer.finish().await?)
            }
            Self::Server { applied, .. } => Ok(applied),
        }
    }

    /// Sends the queued lines to the server.
    async fn send(&mut self) -> Result<(), Failure> {
        let Self::Server { data, waiting, bytes, applied } = self else { return Ok(()) };
        let lines = std::mem::take(waiting);
        *bytes = 0;
        if lines.is_empty() {
            return Ok(());
        }
        let done: Applied = ask(data, ImportPart::Lines { lines }).await?;
        applied.commits += done.commits;
        applied.refused.extend(done.refused);
        applied.apart.extend(done.apart);
        Ok(())
    }
}

async fn ask<T: for<'de> Deserialize<'de>>(
    data: &std::path::Path,
    part: ImportPart,
) -> Result<T, Failure> {
    let text = answer_of(data, &Order::Import { part }).await?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::new(format!("cannot read the server's answer: {error}")))
}

fn target(node: &Node, under_way_max: usize) -> Target<'_> {
    Target {
        commands: &node.commands,
        accounts: &node.accounts,
        log: &*node.log,
        under_way_max,
        now: clock::now(),
    }
}

/// Carries out a part of an import on the data directory of a server.
///
/// # Errors
/// [`Failure`], which says what to do.
pub(crate) async fn carry_out(
    node: &Node,
    part: ImportPart,
    output: &Output,
) -> Result<(), Failure> {
    let mut importer = Importer::new(target(node, UNDER_WAY_SERVING));
    let text = match part {
        ImportPart::Check { mapped } => {
            importer.check_mapped(mapped.iter().map(String::as_str))?;
            serde_json::to_string(&())
        }
        ImportPart::Known { commands } => serde_json::to_string(&importer.known(&commands).await?),
        ImportPart::Lines { lines } => {
            importer.apply(lines).await?;
            serde_json::to_string(&importer.finish().await?)
        }
    };
    let text = text.map_err(|error| Failure::new(error.to_string()))?;
    output.text(text).await;
    Ok(())
}
