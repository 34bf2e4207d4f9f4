//! A future that several callers wait for.
//!
//! `futures_util::future::Shared` has a gap. While one caller polls the work, another caller that
//! is woken goes back to sleep, because it expects the first caller to poll again. A caller that
//! polls only once, or that is dropped or parked, does not, and the other caller sleeps for ever.
//! Here the other caller waits until the first poll has ended, and then polls the work itself.
//!
//! **Invariant:** a caller that is polled after the work became ready gets the result, whatever the
//! other callers do.
//! **Invariant:** a poll of the work is short and does not poll the same `SharedFuture`: callers
//! wait for it on their threads.

use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, Wake, Waker},
};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use slab::Slab;

/// One of the callers that wait for the same work. A clone is another caller.
pub struct SharedFuture<T> {
    inner: Arc<Inner<T>>,
    /// Where the waker of this caller is kept, once it has waited.
    key: Option<usize>,
}

struct Inner<T> {
    result: OnceLock<T>,
    /// The work, until it has ended.
    work: Mutex<Option<BoxFuture<'static, T>>>,
    wakers: Arc<Wakers>,
}

/// The wakers of all callers that wait.
#[derive(Default)]
struct Wakers(Mutex<Slab<Waker>>);

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let wakers: Vec<Waker> = self.0.lock().iter().map(|(_, waker)| waker.clone()).collect();
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl<T: Clone> SharedFuture<T> {
    /// Callers of this handle and its clones wait for `work`. The first of them polls it first.
    pub fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        let (result, work) =
            (OnceLock::new(), Mutex::new(Some(Box::pin(work) as BoxFuture<'_, T>)));
        Self { inner: Arc::new(Inner { result, work, wakers: Arc::default() }), key: None }
    }

    /// The result, if a caller has got it already.
    #[must_use]
    pub fn peek(&self) -> Option<&T> {
        self.inner.result.get()
    }

    /// The result, if the work has ended by now.
    #[must_use]
    pub fn now(&self) -> Option<T> {
        self.inner.poll()
    }

    /// Whether both handles wait for the same work.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl<T: Clone> Inner<T> {
    /// Polls the work. When the work can continue, it wakes all callers.
    fn poll(&self) -> Option<T> {
        if let Some(result) = self.result.get() {
            return Some(result.clone());
        }
        let mut work = self.work.lock();
        if let Some(result) = self.result.get() {
            return Some(result.clone());
        }
        let waker = Waker::from(Arc::clone(&self.wakers));
        let mut context = Context::from_waker(&waker);
        let Poll::Ready(result) = work.as_mut()?.as_mut().poll(&mut context) else { return None };
        let result = self.result.get_or_init(|| result).clone();
        let ended = mem::take(&mut *work);
        drop(work);
        drop(ended);
        self.wakers.wake_by_ref();
        Some(result)
    }
}

impl<T: Clone> Future for SharedFuture<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        if let Some(result) = self.inner.result.get() {
            return Poll::Ready(result.clone());
        }
        // The waker is there before the work is polled, so every wake-up by the work reaches this
        // caller.
        let key = {
            let mut wakers = self.inner.wakers.0.lock();
            match self.key {
                Some(key) => {
                    wakers[key].clone_from(context.waker());
                    key
                }
                None => wakers.insert(context.waker().clone()),
            }
        };
        self.key = Some(key);
        self.inner.poll().map_or(Poll::Pending, Poll::Ready)
    }
}

impl<T> Clone for SharedFuture<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), key: None }
    }
}

impl<T> Drop for SharedFuture<T> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            drop(self.inner.wakers.0.lock().try_remove(key));
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for SharedFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedFuture").field(&self.inner.result.get()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, poll_fn, ready},
        sync::{
            atomic::{AtomicBool, AtomicUsize, Ordering},
            mpsc,
        },
        thread,
    };

    use futures_util::FutureExt as _;
    use tokio::sync::oneshot;

    use super::*;

    /// How often a poll yields to the other thread, so that the other thread has surely run.
    const TURNS: usize = 10_000;

    /// Sends a message for each call.
    struct Bell(mpsc::Sender<()>);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.send(()).ok();
        }
    }

    /// The waiting caller is woken and polled while another caller polls the work once.
    #[test]
    fn a_caller_that_is_woken_while_another_one_looks_gets_the_result() {
        let (is_ready, polled) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (in_look, look_begun) = mpsc::channel();
        let work = {
            let (is_ready, polled) = (Arc::clone(&is_ready), Arc::clone(&polled));
            poll_fn(move |context| {
                if is_ready.load(Ordering::SeqCst) {
                    return Poll::Ready(7);
                }
                if polled.fetch_add(1, Ordering::SeqCst) == 1 {
                    // During this poll the work becomes ready, and the waiting caller is polled.
                    is_ready.store(true, Ordering::SeqCst);
                    in_look.send(()).ok();
                    context.waker().wake_by_ref();
                    (0..TURNS).for_each(|_| thread::yield_now());
                }
                Poll::Pending
            })
        };
        let looker = SharedFuture::new(work);
        let mut waiting = looker.clone();
        let (bell, rung) = mpsc::channel();
        let waker = Waker::from(Arc::new(Bell(bell)));
        let mut context = Context::from_waker(&waker);
        assert!(waiting.poll_unpin(&mut context).is_pending());
        let other = thread::spawn(move || looker.now());
        look_begun.recv().expect("the other caller looks");
        rung.recv().expect("the waiting caller is woken");
        assert_eq!(waiting.poll_unpin(&mut context), Poll::Ready(7));
        assert_eq!(other.join().expect("no panic"), None);
    }

    #[tokio::test]
    async fn callers_that_wait_get_the_result_when_one_of_them_is_gone() {
        let (send, receive) = oneshot::channel();
        let one = SharedFuture::new(async { receive.await.expect("a result") });
        let mut parked = one.clone();
        assert_eq!((&mut parked).now_or_never(), None);
        let two = tokio::spawn(one.clone());
        tokio::task::yield_now().await;
        drop(one);
        send.send(7).expect("somebody waits");
        assert_eq!(two.await.expect("no panic"), 7);
        assert_eq!(parked.peek(), Some(&7));
        assert_eq!(parked.await, 7);
    }

    #[tokio::test]
    async fn callers_are_woken_when_a_look_finds_the_result() {
        let is_ready = Arc::new(AtomicBool::new(false));
        let looker = {
            let is_ready = Arc::clone(&is_ready);
            SharedFuture::new(poll_fn(move |_| {
                if is_ready.load(Ordering::SeqCst) { Poll::Ready(7) } else { Poll::Pending }
            }))
        };
        let waiting = tokio::spawn(looker.clone());
        tokio::task::yield_now().await;
        assert_eq!(looker.now(), None);
        is_ready.store(true, Ordering::SeqCst);
        assert_eq!(looker.now(), Some(7));
        assert_eq!(waiting.await.expect("no panic"), 7);
    }

    #[test]
    fn handles_of_the_same_work_are_known() {
        let (one, other) = (SharedFuture::new(ready(1)), SharedFuture::new(ready(1)));
        assert!(one.is_same(&one.clone()) && !one.is_same(&other));
    }

    #[test]
    fn a_caller_that_leaves_takes_its_waker_along() {
        let kept = SharedFuture::<u8>::new(pending());
        let mut leaves = kept.clone();
        assert_eq!((&mut leaves).now_or_never(), None);
        assert_eq!(kept.inner.wakers.0.lock().len(), 1);
        drop(leaves);
        assert!(kept.inner.wakers.0.lock().is_empty());
    }
}
