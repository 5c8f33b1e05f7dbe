//! Panics become errors: a broken stream would lose everything that the call had already made.

use std::any::Any;
use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, PanicHookInfo};

use futures::FutureExt as _;

thread_local! {
    /// What the hook saw last on this thread: the payload alone does not say where it happened.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs work and turns a panic in it into its text.
pub(crate) async fn catch<T>(work: impl Future<Output = T>) -> Result<T, String> {
    // What the work has touched is not used any more after a panic, only what it has saved.
    AssertUnwindSafe(work).catch_unwind().await.map_err(|payload| {
        LAST.with_borrow_mut(Option::take).unwrap_or_else(|| text_of(payload.as_ref()).to_owned())
    })
}

/// Logs every panic, with its place, at error level.
pub(crate) fn install_hook(name: &'static str) {
    std::panic::set_hook(Box::new(move |info| {
        let text = describe(info);
        crate::serve::logging::write_panic(name, &text);
        LAST.with_borrow_mut(|last| *last = Some(text));
    }));
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let text = text_of(info.payload());
    match info.location() {
        Some(place) => format!("{text} ({}:{})", place.file(), place.line()),
        None => text.to_owned(),
    }
}

fn text_of(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("panic without a text")
}
