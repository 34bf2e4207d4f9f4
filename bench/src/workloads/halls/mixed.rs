//! Clients with different documents, in rooms of all sizes, with traffic in all of them; speakers
//! also listen.

use std::time::Instant;

use serde_json::json;
use tokio::runtime::Builder;

use super::hall::{follow, position};
use crate::{
    Error,
    audience::Audience,
    files,
    phase::{self, Pace},
    report::{self, Run},
    seed::{Seed, names},
    server::Server,
    settings::Settings,
    speaker::Speaker,
    stamp::MARK,
    stats::float,
};

/// Sockets for each room.
const SOCKETS_PER_ROOM: usize = 10;

/// The documents of clients for an event. Each shows the text once, which is how deliveries are
/// counted.
const SELECTIONS: [&str; 10] = [
    "eventId type sequence text sentAt sender { userId } room { roomId }",
    "eventId text",
    "eventId text sender { userId displayName }",
    "type stateKey text sequence depth",
    "eventId text room { roomId name }",
    "eventId text cursor position receivedAt isLate",
    // From here on, fields depend on the viewer.
    "eventId text actionId",
    "eventId text room { roomId unreadCount highlightCount }",
    "eventId text room { roomId myMembership myPowerLevel }",
    "eventId text actionId sender { userId displayName } room { roomId name unreadCount }",
];

/// Members of each room, the owner first.
type Rooms = Vec<Vec<usize>>;

pub(crate) fn run(settings: &Settings) -> Result<(), Error> {
    files::enough_for(settings.mixed)?;
    let folder = settings.scratch()?;
    let data = folder.path().join("data");
    let members = members(settings.mixed);
    let users = names("user", settings.mixed);
    let mut seed = Seed::open(&data)?;
    seed.users(&users)?;
    let tokens = seed.tokens(&users)?;
    let owned: Vec<_> = members
        .iter()
        .enumerate()
        .map(|(room, members)| (users[members[0]].clone(), format!("Room {room}")))
        .collect();
    let (rooms, _) = seed.rooms(&owned)?;
    for (room, members) in rooms.iter().zip(&members) {
        for member in &members[1..] {
            seed.join(room, &users[*member])?;
        }
    }
    seed.close()?;
    let rooms: Vec<_> = rooms.iter().map(ToString::to_string).collect();
    let mean = float(members.iter().map(Vec::len).sum::<usize>()) / float(members.len());
    let rate = settings.pace / mean / 2.0;
    let (mut burst, mut paced) = (Vec::new(), Vec::new());
    for _ in 0..settings.runs {
        let server = Server::start(&settings.program, &data)?;
        let [one, other] = measure(settings, &server, &tokens, &rooms, &members, rate)?;
        burst.push(one);
        paced.push(other);
    }
    let mut parameters =
        json!({ "sockets": settings.mixed, "rooms": rooms.len(), "documents": SELECTIONS.len() });
    parameters["messages"] = "burst".into();
    parameters["messages_under_way"] = json!(rooms.len());
    report::print("mixed", parameters.clone(), &burst);
    parameters["messages"] = "paced".into();
    parameters.as_object_mut().and_then(|parameters| parameters.remove("messages_under_way"));
    parameters["messages_per_second"] = json!(rate.round());
    report::print("mixed", parameters, &paced);
    Ok(())
}

fn measure(
    settings: &Settings,
    server: &Server,
    tokens: &[String],
    rooms: &[String],
    members: &Rooms,
    rate: f64,
) -> Result<[Run; 2], Error> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let messages = |deliveries: f64, mean: f64| -> Result<u64, Error> {
        Ok(format!("{:.0}", (deliveries / mean).max(1.0)).parse()?)
    };
    let mean = settings.pace / 2.0 / rate;
    let all = messages(float(settings.deliveries), mean)?;
    let some = messages(settings.pace / 2.0 * settings.paced.as_secs_f64(), mean)?;
    runtime.block_on(async {
        let after = position(server, &tokens[0]).await?;
        let mut listeners = Vec::new();
        for (token, selection) in tokens.iter().zip(SELECTIONS.iter().cycle()) {
            listeners.push(follow(server, token, &document(selection), after, 0).await?);
        }
        let audience = Audience::start(Instant::now(), listeners, &[MARK])?;
        let mut speakers = Vec::new();
        for (room, members) in rooms.iter().zip(members) {
            let (token, address) = (&tokens[members[0]], server.address());
            speakers.push(Speaker::member(address, token, room, members.len()).await?);
        }
        server.settle().await?;
        let burst = phase::measure(server, &audience, &mut speakers, Pace::Burst, all).await?;
        let pace = Pace::PerSecond(rate);
        let paced = phase::measure(server, &audience, &mut speakers, pace, some).await?;
        Ok([burst.run(), paced.run()])
    })
}

fn document(selection: &str) -> String {
    format!(
        "subscription($after: Position) {{ eventStream(after: $after) {{ position events {{ \
         __typename ... on RoomEvent {{ {selection} }} }} }} }}"
    )
}

/// Everybody is in the first room, half of them in the second, a third in the third, and so on.
fn members(sockets: usize) -> Rooms {
    let rooms = (sockets / SOCKETS_PER_ROOM).max(1);
    let size = |room: usize| (sockets / (room + 1)).max(1);
    // Each owner owns one room only, since each room begins at another user.
    let of = |room: usize| (0..size(room)).map(|member| (room * 7 + member) % sockets).collect();
    (0..rooms).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_shrink_as_zipf_says_and_nobody_is_in_one_twice() {
        let rooms = members(1_000);
        let sizes: Vec<_> = rooms.iter().map(Vec::len).collect();
        assert_eq!((sizes.len(), sizes[0], sizes[1], sizes[99]), (100, 1_000, 500, 10));
        for room in &rooms {
            let distinct: std::collections::BTreeSet<_> = room.iter().collect();
            assert_eq!(distinct.len(), room.len());
        }
    }

    #[test]
    fn every_document_shows_the_text_once() {
        for selection in SELECTIONS {
            let words = selection.split_whitespace().filter(|word| *word == "text");
            assert_eq!(words.count(), 1, "{selection}");
        }
    }
}
