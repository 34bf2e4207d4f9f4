//! Compares an image with the engine.

use std::{fs, path::Path};

use bytes::Bytes;
use proptest::prelude::*;
use rookery_log::{
    Commit, ErasableLog, EventLog, Guard, LoggedEvent, Millis, Position, StreamId, StreamKind,
};

use super::{Image, Loss, Replay, newest};
use crate::{SledLog, SledOptions, engine::records::Records, open::check::ImageRecords};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn commit(number: u64, bytes: usize) -> Commit {
    Commit {
        stream: StreamId::new(StreamKind::Room, "!room"),
        command: None,
        received: Millis(1),
        events: vec![LoggedEvent {
            id: format!("$event{number}"),
            envelope: Bytes::new(),
            content: vec![b'x'; bytes].into(),
        }],
    }
}

fn guard(number: u64) -> Guard {
    number.checked_sub(1).map_or(Guard::EMPTY, |last| Guard::after(&format!("$event{last}")))
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<usize>),
    Erase(u64),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let size = prop_oneof![8 => 1_usize..2_000, 2 => 7_000_usize..60_000];
    prop_oneof![
        6 => prop::collection::vec(size, 1..60).prop_map(Step::Append),
        2 => any::<u64>().prop_map(Step::Erase),
        1 => Just(Step::Reopen),
    ]
}

async fn carry_out(dir: &Path, steps: &[Step]) -> SledLog {
    let mut log = SledLog::open(dir, SledOptions::default()).unwrap();
    for step in steps {
        let last = log.tail().borrow().0;
        match step {
            Step::Append(sizes) => {
                let appends: Vec<_> = (last..)
                    .zip(sizes)
                    .map(|(at, bytes)| log.append(commit(at, *bytes), guard(at)))
                    .collect();
                for append in appends {
                    append.await.unwrap();
                }
            }
            Step::Erase(at) if last > 0 => {
                log.erase(Position(1 + at % last), 0, Bytes::new()).await.unwrap();
            }
            Step::Erase(_) => {}
            Step::Reopen => {
                drop(log);
                log = SledLog::open(dir, SledOptions::default()).unwrap();
            }
        }
    }
    log
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn image_has_the_values_of_the_engine(
        steps in prop::collection::vec(step(), 1..10),
        with_snapshot: bool,
    ) {
        let (dir, copied) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let log = runtime().block_on(carry_out(dir.path(), &steps));
        copy(dir.path(), copied.path());
        let engine = copied.path().join("sled");
        let file = fs::File::open(engine.join("db")).unwrap();
        let snapshot = newest(&engine, &[]).unwrap().map(Result::unwrap);
        let snapshot = snapshot.filter(|_| with_snapshot).unwrap_or_default();
        let mut replay = Replay::of(&file, snapshot).unwrap();
        prop_assert_eq!(replay.loss(&file).unwrap(), Loss::Nothing);
        let image = ImageRecords(Image::of(&file, &replay).unwrap());
        let store = &*log.shared().slot.now().expect("an open log");
        let last = image.last().unwrap();
        prop_assert_eq!(last, store.last().unwrap());
        for position in (1..=last.unwrap_or_default().0).map(Position) {
            let value = image.value(position).unwrap();
            prop_assert_eq!(&value, &store.value(position).unwrap());
            prop_assert_eq!(image.record(position).unwrap(), store.record(position).unwrap());
        }
    }
}
