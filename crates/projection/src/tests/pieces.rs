//! Snapshots that are written piece by piece, while the models go on.

use std::{collections::VecDeque, fs, path::PathBuf};

use rookery_log::{EventLog, Scope};

use crate::{
    ReadModels,
    commits::decode,
    storage::{generation, save},
    tests::testing::{Scene, settle},
};

/// The files of the rows of a model, with their sizes.
fn row_files(scene: &Scene, model: &str) -> Vec<(PathBuf, u64)> {
    let dir = generation::path(scene.dir.path(), 1);
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let is_of = |path: &PathBuf| {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        stem.split('-').next() == Some(model) && path.extension().unwrap() == "rows"
    };
    let files = files.filter(is_of);
    files.map(|path| (path.clone(), path.metadata().unwrap().len())).collect()
}

async fn rooms(scene: &mut Scene, count: usize) {
    for number in 0..count {
        scene.create(&format!("room{number}"), "alice").await;
    }
}

/// Saves the models, and lets them apply one more commit of the log after each piece.
async fn save_while_they_go_on(scene: &Scene, models: &ReadModels) -> usize {
    let at = models.checkpoint_now();
    let records = scene.log.read(&Scope::All, at, 4_096).await.unwrap();
    let mut commits: VecDeque<_> = decode(&*scene.log, &records).await.unwrap().into();
    let mut pieces = 0;
    save::save_in_pieces(&models.core, || {
        pieces += 1;
        if let Some(commit) = commits.pop_front() {
            // Nobody else may hold the lock now.
            models.core.models.try_write().unwrap().apply(&commit);
        }
    })
    .unwrap();
    assert!(commits.is_empty(), "{} are left after {pieces} pieces", commits.len());
    pieces
}

#[tokio::test]
async fn snapshot_of_models_that_go_on_meanwhile_is_theirs_after_a_start() {
    let mut scene = Scene::new();
    rooms(&mut scene, 20).await;
    let models = scene.open().await;
    // The first snapshot has all rows, as one before it failed; the second one has those that
    // changed since.
    for model in models.core.models.write().each_mut() {
        drop(model.begin_save());
    }
    for round in 0..2 {
        for number in 0..20 {
            let room = format!("room{}", (number * 7) % 20);
            scene.message(&room, "alice").await;
            if number % 5 == 0 {
                scene.member(&room, &format!("bob{round}"), "join").await;
                scene.create(&format!("late{round}{number}"), "carol").await;
                scene.garbage(&format!("room{}", number + round)).await;
            }
        }
        save_while_they_go_on(&scene, &models).await;
        for number in 0..20 {
            scene.message(&format!("room{number}"), "alice").await;
        }
        settle(&models).await;
    }
    let live = models.digest().await.unwrap();
    drop(models);
    let models = scene.open().await;
    assert_eq!(generation::current(scene.dir.path()).unwrap(), Some(1), "nothing was rebuilt");
    assert_eq!(models.digest().await.unwrap(), live);
    assert_eq!(models.verify(|_| {}).await.unwrap(), []);
}

#[tokio::test]
async fn snapshot_writes_only_the_rows_that_changed() {
    let mut scene = Scene::new();
    rooms(&mut scene, 60).await;
    let models = scene.open().await;
    let [(_, whole)] = row_files(&scene, "summaries")[..] else { panic!("one file of rows") };
    for round in 1..4 {
        scene.message("room7", "alice").await;
        settle(&models).await;
        models.save().await.unwrap();
        let [(_, bytes)] = row_files(&scene, "summaries")[..] else { panic!("one file of rows") };
        // Each row has about a sixtieth of the bytes.
        let grown = bytes - whole;
        assert!(grown > 0 && grown <= round * whole / 40, "{grown} of {whole}");
    }
    models.save().await.unwrap();
    let again = row_files(&scene, "summaries")[0].1;
    models.save().await.unwrap();
    assert_eq!(row_files(&scene, "summaries")[0].1, again, "nothing changed");
}

#[tokio::test]
async fn file_of_rows_is_written_again_when_most_of_it_is_old() {
    let mut scene = Scene::new();
    rooms(&mut scene, 3).await;
    let models = scene.open().await;
    let (first, whole) = row_files(&scene, "memberships").remove(0);
    let mut replaced = false;
    for _ in 0..40 {
        scene.message("room1", "alice").await;
        settle(&models).await;
        models.save().await.unwrap();
        let [(file, bytes)] = &row_files(&scene, "memberships")[..] else { panic!("one file") };
        assert!(*bytes <= 4 * whole + 1_024, "{bytes} of {whole}");
        replaced |= *file != first;
    }
    assert!(replaced);
    let live = models.digest().await.unwrap();
    drop(models);
    assert_eq!(scene.open().await.digest().await.unwrap(), live);
}

#[tokio::test]
async fn rows_that_a_crash_left_behind_a_snapshot_are_ignored() {
    let mut scene = Scene::new();
    rooms(&mut scene, 3).await;
    let models = scene.open().await;
    scene.message("room1", "alice").await;
    settle(&models).await;
    models.save().await.unwrap();
    let live = models.digest().await.unwrap();
    drop(models);
    let (file, bytes) = row_files(&scene, "summaries").remove(0);
    let mut longer = fs::read(&file).unwrap();
    longer.extend_from_slice(&[7; 99]);
    fs::write(&file, longer).unwrap();
    fs::write(file.with_file_name("summaries-9.rows"), "a snapshot that failed").unwrap();
    let models = scene.open().await;
    assert_eq!(models.digest().await.unwrap(), live);
    assert_eq!(generation::current(scene.dir.path()).unwrap(), Some(1), "nothing was rebuilt");
    models.save().await.unwrap();
    assert_eq!(row_files(&scene, "summaries"), [(file, bytes)]);
}
