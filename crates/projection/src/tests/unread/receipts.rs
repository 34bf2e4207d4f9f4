//! Receipts, and the stored rows of the models of receipts and counts.

use rookery_domain::Membership;

use super::{Act, What, World};
use crate::tests::testing::are_those_of_the_golden_files;

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
    are_those_of_the_golden_files(&world.scene, &["receipts", "unread"], "read");
}
