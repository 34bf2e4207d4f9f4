//! One task for each key.

use std::{collections::HashMap, hash::Hash};

use tokio::task::JoinHandle;

/// Tasks by key. Each began with a value, and ends when the value of its key changes or the key is not wanted any more.
///
/// **Invariant:** a key has at most one task.
#[derive(Debug)]
pub struct KeyedTasks<K, V>(HashMap<K, Keyed<V>>);

/// A task, which is stopped when this is dropped.
#[derive(Debug)]
struct Keyed<V> {
    value: V,
    task: JoinHandle<()>,
}

impl<V> Drop for Keyed<V> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<K, V> Default for KeyedTasks<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, V: PartialEq> KeyedTasks<K, V> {
    /// Stops the tasks that `wanted` does not have with the same value, and starts those that are missing.
    pub fn follow<F>(&mut self, wanted: HashMap<K, (V, F)>)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.0.retain(|key, one| wanted.get(key).is_some_and(|(value, _)| *value == one.value));
        for (key, (value, work)) in wanted {
            self.0.entry(key).or_insert_with(|| Keyed { value, task: tokio::spawn(work) });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

    use super::*;

    /// Says that it has begun, and when it ends.
    async fn work(name: &'static str, said: UnboundedSender<String>) {
        struct Ends(&'static str, UnboundedSender<String>);
        impl Drop for Ends {
            fn drop(&mut self) {
                self.1.send(format!("{} ended", self.0)).ok();
            }
        }
        said.send(format!("{name} began")).ok();
        let _ends = Ends(name, said);
        pending::<()>().await;
    }

    #[tokio::test]
    async fn tasks_begin_and_end_with_their_keys_and_values() {
        let (said, mut heard) = unbounded_channel();
        let mut tasks = KeyedTasks::default();
        let one = |key, value, name| (key, (value, work(name, said.clone())));
        tasks.follow([one("a", 1, "a1"), one("b", 1, "b1")].into());
        let mut begun = [heard.recv().await, heard.recv().await];
        begun.sort();
        assert_eq!(begun, [Some("a1 began".to_owned()), Some("b1 began".to_owned())]);
        tasks.follow([one("a", 1, "never"), one("b", 2, "b2")].into());
        let mut changed = [heard.recv().await, heard.recv().await];
        changed.sort();
        assert_eq!(changed, [Some("b1 ended".to_owned()), Some("b2 began".to_owned())]);
        tasks.follow([one("b", 2, "never")].into());
        assert_eq!(heard.recv().await.as_deref(), Some("a1 ended"));
        drop(tasks);
        assert_eq!(heard.recv().await.as_deref(), Some("b2 ended"));
    }
}
