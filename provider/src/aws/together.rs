//! Looks at objects of one kind that one task asks for side by side go out as one call.
//!
//! Whoever asks is answered by a call that began after the question: nobody gets what somebody else asked for
//! earlier. A question may be given up at any time; the others are answered all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use resource_graph::Failure;

type Answers<V> = Result<BTreeMap<String, V>, Failure>;

/// Asks for objects by name. Absent ones have no answer.
pub struct Together<V> {
    open: Arc<Mutex<Option<Round<V>>>>,
}

struct Round<V> {
    names: BTreeSet<String>,
    answers: Shared<BoxFuture<'static, Answers<V>>>,
}

impl<V> Default for Together<V> {
    fn default() -> Self {
        Self { open: Arc::default() }
    }
}

impl<V: Clone + Send + Sync + 'static> Together<V> {
    /// The object of this name. `ask` is called with all names that came together, of which there is one at least.
    pub async fn look<F>(
        &self,
        name: &str,
        ask: impl FnOnce(BTreeSet<String>) -> F + Send + 'static,
    ) -> Result<Option<V>, Failure>
    where
        F: Future<Output = Answers<V>> + Send,
    {
        let answers = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let round = open.get_or_insert_with(|| self.round(ask));
            round.names.insert(name.to_owned());
            round.answers.clone()
        };
        // Whatever the same task asks side by side has been asked when the runtime has had its turn.
        tokio::task::yield_now().await;
        Ok(answers.await?.remove(name))
    }

    fn round<F>(&self, ask: impl FnOnce(BTreeSet<String>) -> F + Send + 'static) -> Round<V>
    where
        F: Future<Output = Answers<V>> + Send,
    {
        let open = Arc::clone(&self.open);
        let answers = async move {
            // From here on questions open the next round.
            let round = open.lock().unwrap_or_else(PoisonError::into_inner).take();
            ask(round.map(|round| round.names).unwrap_or_default()).await
        };
        Round { names: BTreeSet::new(), answers: answers.boxed().shared() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    fn counted(
        calls: &Arc<AtomicUsize>,
    ) -> impl FnOnce(BTreeSet<String>) -> BoxFuture<'static, Answers<usize>> + Send + 'static {
        let calls = Arc::clone(calls);
        move |names| {
            async move {
                calls.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(names
                    .into_iter()
                    .filter(|name| name != "absent")
                    .map(|name| (name.clone(), name.len()))
                    .collect())
            }
            .boxed()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn questions_of_one_moment_are_one_call() {
        let (together, calls) = (Together::default(), Arc::new(AtomicUsize::new(0)));
        let look = |name: &'static str| together.look(name, counted(&calls));
        let answers = tokio::join!(look("one"), look("three"), look("absent"), look("one"));
        assert_eq!(answers, (Ok(Some(3)), Ok(Some(5)), Ok(None), Ok(Some(3))));
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_during_a_call_is_answered_by_a_later_one() {
        let (together, calls) = (Together::default(), Arc::new(AtomicUsize::new(0)));
        let later = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            together.look("one", counted(&calls)).await
        };
        let answers = tokio::join!(together.look("one", counted(&calls)), later);
        assert_eq!(answers, (Ok(Some(3)), Ok(Some(3))));
        assert_eq!(calls.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_that_is_given_up_leaves_the_others_their_answer() {
        let (together, calls) = (Together::default(), Arc::new(AtomicUsize::new(0)));
        let given_up = tokio::time::timeout(Duration::from_millis(10), together.look("one", counted(&calls)));
        let (given_up, answer) = tokio::join!(given_up, together.look("three", counted(&calls)));
        assert!(given_up.is_err());
        assert_eq!(answer, Ok(Some(5)));
        assert_eq!(together.look("one", counted(&calls)).await, Ok(Some(3)));
    }
}
