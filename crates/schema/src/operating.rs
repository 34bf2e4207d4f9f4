//! Work that administrators start: in tasks of its own, so that it goes on without the client.

use rookery_projection::{Progress, Retried};

use crate::{context::App, types::errors::fault::Fault};

impl App {
    /// Begins to build all read models again. Returns the progress of the rebuild that runs already, if one does.
    pub fn begin_rebuild(&self) -> Option<Progress> {
        let models = self.models.models().clone();
        if let Some(progress) = models.rebuilding() {
            return Some(progress);
        }
        tokio::spawn(async move {
            match models.rebuild(|_| ()).await {
                Ok(rebuilt) => tracing::info!(
                    events = rebuilt.events,
                    position = rebuilt.position.0,
                    "rebuilt the read models"
                ),
                Err(error) => tracing::error!(%error, "the read models were not rebuilt"),
            }
        });
        None
    }

    /// Applies the parked streams again.
    ///
    /// # Errors
    /// [`Fault`] if the log cannot be read.
    pub async fn retry_parked(&self) -> Result<Retried, Fault> {
        let models = self.models.models().clone();
        let retried = tokio::spawn(async move { models.retry_parked().await }).await;
        let retried = retried.map_err(|error| Fault::unavailable(&error.to_string()))?;
        retried.map_err(|error| Fault::unavailable(&error.to_string()))
    }
}
