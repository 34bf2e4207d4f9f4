//! A data directory with a long history. Its creation takes a while, so it is kept.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use rookery_domain::OwnedRoomId;
use serde_json::{Value, json};

use crate::{
    Error,
    seed::{Seed, chatter, names},
    settings::Settings,
};

/// Rises when the content for the same number of events changes.
const VERSION: u32 = 1;

/// Members of each room, if there are enough users.
const MEMBERS: usize = 20;

/// Rooms of the first user, if there are enough.
const ROOMS_OF_FIRST: usize = 50;

/// One of this number of messages goes to the first room, which becomes long.
const TO_FIRST_ROOM: u64 = 20;

/// A data directory, and the tokens of its users.
pub(crate) struct Dataset {
    /// The folder for `rookery serve --data`.
    pub(crate) folder: PathBuf,
    /// Tokens of all users. The first user is in the most rooms.
    pub(crate) tokens: Vec<String>,
    /// The longest room; the first user is in it.
    pub(crate) room: String,
}

impl Dataset {
    /// The data directory with this number of events; creates it if it does not exist.
    ///
    /// # Errors
    /// If it cannot be created.
    pub(crate) fn of(settings: &Settings, events: u64) -> Result<Self, Error> {
        let home = settings.kept().join(format!("events-{events}-v{VERSION}"));
        let (folder, note) = (home.join("data"), home.join("made.json"));
        if !note.exists() {
            if home.exists() {
                fs::remove_dir_all(&home)?;
            }
            fs::create_dir_all(&home)?;
            let made = make(&folder, events)?;
            fs::write(&note, made.to_string())?;
        }
        let made: Value = serde_json::from_slice(&fs::read(&note)?)?;
        let tokens = made["tokens"].as_array().ok_or("made.json has no tokens")?;
        let tokens = tokens.iter().filter_map(|token| Some(token.as_str()?.to_owned())).collect();
        let room = made["room"].as_str().ok_or("made.json has no room")?.to_owned();
        Ok(Self { folder, tokens, room })
    }

    /// Copies the data to a new folder.
    ///
    /// # Errors
    /// If it cannot be copied.
    pub(crate) fn copy_to(&self, data: &Path) -> Result<(), Error> {
        copy(&self.folder, data)
    }

    /// The token of the first user.
    pub(crate) fn token(&self) -> &str {
        &self.tokens[0]
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type()? {
            kind if kind.is_dir() => copy(&source, &target)?,
            kind if kind.is_file() => drop(fs::copy(&source, &target)?),
            // A socket of a server that was killed.
            _ => {}
        }
    }
    Ok(())
}

fn make(folder: &Path, events: u64) -> Result<Value, Error> {
    eprintln!("making a history of {events} events in {} ...", folder.display());
    let started = Instant::now();
    let size = usize::try_from(events)?;
    let users = names("user", (size / 1_000).clamp(30, 1_000));
    let mut seed = Seed::open(folder)?;
    seed.users(&users)?;
    let tokens = seed.tokens(&users)?;
    let count = (size / 2_000).clamp(25, 500);
    let owned: Vec<_> = (0..count)
        .map(|room| (users[room % users.len()].clone(), format!("Room {room}")))
        .collect();
    let (rooms, mut made) = seed.rooms(&owned)?;
    let members = members(count, users.len());
    for (room, members) in rooms.iter().zip(&members) {
        for member in members.iter().skip(1) {
            seed.join(room, &users[*member])?;
            made += 1;
        }
    }
    talk(&mut seed, events - made.min(events), &rooms, &members, &users)?;
    seed.close()?;
    eprintln!("made in {:.0} s", started.elapsed().as_secs_f64());
    Ok(json!({ "tokens": tokens, "room": rooms[0] }))
}

fn talk(
    seed: &mut Seed,
    messages: u64,
    rooms: &[OwnedRoomId],
    members: &[Vec<usize>],
    users: &[String],
) -> Result<(), Error> {
    for number in 0..messages {
        let round = usize::try_from(number)?;
        let room = if number % TO_FIRST_ROOM == 0 { 0 } else { round % rooms.len() };
        let member = members[room][(round / rooms.len()) % members[room].len()];
        seed.say(&rooms[room], &users[member], chatter(number))?;
        if number % 100_000 == 99_999 {
            eprintln!("{} of {messages} messages", number + 1);
        }
    }
    Ok(())
}

/// The members of each room, the owner first.
fn members(rooms: usize, users: usize) -> Vec<Vec<usize>> {
    let of = |room: usize| {
        let mut members = vec![room % users];
        if room < ROOMS_OF_FIRST {
            members.push(0);
        }
        // Steps that no room shares with its neighbours.
        members.extend((1..MEMBERS).map(|step| (room + step * (2 * room + 7)) % users));
        let mut seen = std::collections::BTreeSet::new();
        members.retain(|member| seen.insert(*member));
        members
    };
    (0..rooms).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_in_a_room_twice_and_owners_come_first() {
        for (room, members) in members(60, 30).iter().enumerate() {
            let distinct: std::collections::BTreeSet<_> = members.iter().collect();
            assert_eq!(distinct.len(), members.len());
            assert_eq!(members[0], room % 30);
            assert!(room >= ROOMS_OF_FIRST || members.contains(&0));
        }
    }
}
