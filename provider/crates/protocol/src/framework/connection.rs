//! Whether Terraform is still there.

use tokio_util::sync::CancellationToken;

/// Terraform's connection, as the work that it asked for sees it.
#[derive(Clone, Debug)]
pub struct Connected {
    lost: CancellationToken,
}

impl Connected {
    pub(crate) fn new(lost: CancellationToken) -> Self {
        Self { lost }
    }

    /// A connection that stays: for calls that do not come from Terraform, such as tests.
    pub fn always() -> Self {
        Self::new(CancellationToken::new())
    }

    /// Whether Terraform still listens: otherwise nothing that is answered will be saved.
    pub fn is_connected(&self) -> bool {
        !self.lost.is_cancelled()
    }

    /// Waits until the connection is gone.
    pub async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// A token that is cancelled when the connection is gone.
    pub fn lost_token(&self) -> CancellationToken {
        self.lost.clone()
    }
}
