use std::sync::Arc;

use rookery_domain::{MessageKind, MessageRelation, OwnedEventId, Rejection, RoomCommand};

use crate::tests::{actor, bodies, commands, memory, public_room, say};
use crate::{HandleError, Retry};

fn react(event: &OwnedEventId) -> RoomCommand {
    RoomCommand::React { event_id: event.clone(), key: "👍".into() }
}

#[tokio::test]
async fn the_same_reaction_sent_many_times_at_once_is_one_event() {
    let log = memory();
    let commands = Arc::new(commands(&log));
    let room = public_room(&commands, "alice").await;
    let event = say(&commands, "alice", &room, "hello").await.events[0].event_id.clone();
    let reacting: Vec<_> = (1..=20)
        .map(|number| {
            let (commands, room, command) = (Arc::clone(&commands), room.clone(), react(&event));
            tokio::spawn(async move {
                let retry = Retry::Action(number);
                commands.room(&actor("alice"), &room, &command, retry).await.unwrap().events.len()
            })
        })
        .collect();
    let mut made = 0;
    for reaction in reacting {
        made += reaction.await.unwrap();
    }
    assert_eq!(made, 1);
}

#[tokio::test]
async fn an_event_of_another_room_cannot_be_referred_to() {
    let log = memory();
    let commands = commands(&log);
    let (room, other) =
        (public_room(&commands, "alice").await, public_room(&commands, "alice").await);
    let event = say(&commands, "alice", &other, "elsewhere").await.events[0].event_id.clone();
    let saying = |relation| RoomCommand::SendMessage {
        kind: MessageKind::Text,
        body: "x".into(),
        formatted_body: None,
        relation: Some(relation),
        mentions: None,
    };
    for command in [
        react(&event),
        saying(MessageRelation::Reply(event.clone())),
        saying(MessageRelation::Edit(event.clone())),
        saying(MessageRelation::Thread { root: event.clone(), reply_to: None }),
    ] {
        let refused = commands.room(&actor("alice"), &room, &command, Retry::Unnamed).await;
        let expected = Rejection::NoSuchEvent(event.clone());
        assert!(matches!(refused, Err(HandleError::Rejected(rule)) if rule == expected));
    }
    assert_eq!(bodies(&log).await, ["elsewhere"]);
}
