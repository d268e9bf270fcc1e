//! Keeps a panic inside the exchange that it happened in.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

/// Runs `future`; a panic while it is polled becomes `Err` with the panic's text.
///
/// The future is dropped then. What it shares with the rest of the shard is guarded by `RefCell`
/// borrows, which unwinding releases.
pub(crate) async fn contain<F: Future>(future: F) -> Result<F::Output, String> {
    Contained { future }.await
}

pin_project_lite::pin_project! {
    struct Contained<F> { #[pin] future: F }
}

impl<F: Future> Future for Contained<F> {
    type Output = Result<F::Output, String>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.project().future;
        match catch_unwind(AssertUnwindSafe(|| future.poll(context))) {
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(panic) => Poll::Ready(Err(text(panic.as_ref()))),
        }
    }
}

fn text(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "no text".to_owned()
    }
}
