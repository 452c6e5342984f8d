//! The wish to stop.

use tokio::sync::watch;

/// Tells everybody who holds the other end to finish. Dropping it without a word tells them too.
#[derive(Debug)]
pub struct ShutdownTrigger(watch::Sender<bool>);

/// Whether we have been asked to stop; cheap to clone.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// Both ends.
    #[must_use]
    pub fn pair() -> (ShutdownTrigger, Self) {
        let (sender, receiver) = watch::channel(false);
        (ShutdownTrigger(sender), Self(receiver))
    }

    /// Whether the trigger was pulled.
    #[must_use]
    pub fn requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Completes when the trigger is pulled or gone.
    pub async fn wait(&self) {
        let mut receiver = self.0.clone();
        // An error means that the trigger is gone, which asks for the same.
        drop(receiver.wait_for(|asked| *asked).await);
    }
}

impl ShutdownTrigger {
    /// Asks everybody to stop. Asking again changes nothing.
    pub fn pull(&self) {
        self.0.send_replace(true);
    }
}
