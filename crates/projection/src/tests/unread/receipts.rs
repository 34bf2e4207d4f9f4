//! Receipts, and the stored rows of the models of receipts and counts.

use std::{fs, path::Path};

use rookery_domain::Membership;

use super::{Act, What, World};
use crate::storage::generation;

/// The last versions of these models. Never edit the files: a change of a format needs a new
/// version of the model, and golden files of its own.
#[tokio::test]
async fn rows_of_counts_and_receipts_are_those_of_the_golden_files() {
    let mut world = World::new().await;
    let acts = [
        Act::Member(1, Membership::Join, 1),
        Act::Member(2, Membership::Join, 0),
        Act::Say(0, What::Names(1), 0),
        Act::Say(2, What::All(true), 1),
        Act::Say(0, What::All(true), 0),
        Act::Say(1, What::Mentions(2), 0),
        Act::Redact(1),
        Act::Read(2, 3, false),
        Act::Read(2, 1, true),
    ];
    for act in &acts {
        world.play(act).await;
    }
    let models = world.scene.open().await;
    models.save().await.unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let written = generation::path(world.scene.dir.path(), 1);
    for (model, name) in [("receipts", "receipts-with-rows-1"), ("unread", "unread-with-rows-2")] {
        let written = fs::read(written.join(format!("{model}.snapshot"))).unwrap();
        let file = golden.join(name);
        if std::env::var_os("ROOKERY_WRITE_GOLDEN_FILES").is_some() {
            fs::write(&file, &written).unwrap();
        }
        assert!(written == fs::read(&file).unwrap(), "{model} is written otherwise than it was");
    }
}
