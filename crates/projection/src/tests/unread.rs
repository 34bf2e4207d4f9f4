//! Unread and highlight counts, compared with a simple count; and receipts.

mod receipts;

use proptest::{collection::vec, prelude::*};
use rookery_domain::{
    AccountEvent, Envelope, Erased, Fact, IgnoredUsers, Membership, OwnedEventId, Slot, StoredFact,
    UserId,
};
use rookery_log::{ErasableLog, EventLog, Position, Scope, StreamId, StreamKind};
use serde_json::{Value, json};

use crate::{
    ReadModels, Unread,
    commits::decode,
    tests::testing::{Scene, room, room_id, settle, user},
};

const USERS: [&str; 4] = ["alice", "bob", "carol", "dan.d"];
const NAMES: [&str; 4] = ["Ali", "Bob the Builder", "bob", ""];

/// The content of a message.
#[derive(Clone, Copy, Debug)]
enum What {
    Plain,
    /// The user name of this user, in the text.
    Calls(usize),
    /// One of the names that are shown, in the text.
    Names(usize),
    /// This user, in `m.mentions`.
    Mentions(usize),
    /// Everybody, in the text or in `m.mentions`.
    All(bool),
    /// An edit of a message that the room does not have.
    Edit,
    Reaction,
    State,
    Empty,
}

/// The text and the mentions of a message, and the users that the text names beside everybody in
/// it.
struct Text {
    body: String,
    mentions: Option<Value>,
    mentioned: Option<Vec<usize>>,
}

impl Text {
    fn of(what: What) -> Self {
        let (mut body, mut mentions, mut mentioned) = ("hello".to_owned(), None, None);
        match what {
            What::Calls(user) => {
                body = format!("well, @{}:rookery.test?", USERS[user].to_uppercase());
            }
            What::Names(name) => body = format!("{}: hello", NAMES[name]),
            What::Mentions(other) => {
                body = format!("{} is not meant", USERS[(other + 1) % USERS.len()]);
                mentions = Some(json!({ "user_ids": [user(USERS[other])] }));
                mentioned = Some(vec![other]);
            }
            What::All(true) => body = "@room, listen".into(),
            What::All(false) => {
                mentions = Some(json!({ "room": true }));
                mentioned = Some(Vec::new());
            }
            _ => {}
        }
        Self { body, mentions, mentioned }
    }

    fn content(&self) -> Value {
        let mut content = json!({ "msgtype": "m.text", "body": self.body });
        if let Some(mentions) = &self.mentions {
            content["m.mentions"] = mentions.clone();
        }
        content
    }
}

#[derive(Clone, Debug)]
enum Act {
    Say(usize, What, u64),
    /// Edits the event this many back, if it is a message.
    Revise(usize, What),
    Member(usize, Membership, usize),
    Notify(i64),
    /// This user reads the event this many back.
    Read(usize, usize, bool),
    /// Redacts the event this many back.
    Redact(usize),
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        4 => Just(What::Plain),
        2 => (0..USERS.len()).prop_map(What::Calls),
        2 => (0..NAMES.len()).prop_map(What::Names),
        2 => (0..USERS.len()).prop_map(What::Mentions),
        1 => any::<bool>().prop_map(What::All),
        1 => Just(What::Edit),
        1 => Just(What::Reaction),
        1 => Just(What::State),
        1 => Just(What::Empty),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    use Membership::{Ban, Invite, Join, Leave};
    let membership =
        prop_oneof![4 => Just(Join), 1 => Just(Leave), 1 => Just(Ban), 1 => Just(Invite)];
    prop_oneof![
        10 => (0..USERS.len(), what(), 0u64..3).prop_map(|(who, what, back)| Act::Say(who, what, back)),
        3 => (0..USERS.len(), membership, 0..NAMES.len())
            .prop_map(|(who, membership, name)| Act::Member(who, membership, name)),
        4 => (0usize..12, what()).prop_map(|(back, what)| Act::Revise(back, what)),
        1 => prop_oneof![Just(0i64), Just(50), Just(101)].prop_map(Act::Notify),
        4 => (0..USERS.len(), 0usize..12, any::<bool>())
            .prop_map(|(who, back, private)| Act::Read(who, back, private)),
        3 => (0usize..12).prop_map(Act::Redact),
    ]
}

/// One event of the room, in a model that keeps everything.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the event")]
struct Told {
    id: String,
    place: (Position, u16),
    slot: Option<(String, String)>,
    sender: usize,
    counts: bool,
    is_message: bool,
    /// The users it names, or everybody.
    names: Vec<usize>,
    all: bool,
    /// The users that each of its edits names, with the place of the edit among the events.
    edits: Vec<(usize, bool, Vec<usize>)>,
    change: Option<(usize, Membership)>,
    redacted: bool,
}

struct World {
    scene: Scene,
    events: Vec<Told>,
    /// The read receipt of each user.
    read: [usize; USERS.len()],
    notify: i64,
    shown: [Option<usize>; USERS.len()],
}

fn is_named(text: &str, name: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|char: char| !char.is_alphanumeric() && char != '_');
        words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
    };
    let (text, name) = (words(text), words(name));
    !name.is_empty() && text.windows(name.len()).any(|some| some == name)
}

impl World {
    async fn new() -> Self {
        let mut scene = Scene::new();
        let position = scene.create("tea", "alice").await;
        let mut world = Self {
            scene,
            events: Vec::new(),
            read: [0; USERS.len()],
            notify: 50,
            shown: [None; USERS.len()],
        };
        for index in 0..5 {
            let change = (index == 1).then_some((0, Membership::Join));
            let slot = match index {
                1 => ("m.room.member".to_owned(), user("alice").to_string()),
                2 => ("m.room.power_levels".to_owned(), String::new()),
                _ => ("other".to_owned(), String::new()),
            };
            world.note(format!("$event{}", index + 1), (position, index), 0, Some(slot));
            world.events.last_mut().unwrap().change = change;
        }
        world
    }

    fn note(
        &mut self,
        id: String,
        place: (Position, u16),
        sender: usize,
        slot: Option<(String, String)>,
    ) {
        self.events.push(Told {
            id,
            place,
            slot,
            sender,
            counts: false,
            is_message: false,
            names: Vec::new(),
            all: false,
            edits: Vec::new(),
            change: None,
            redacted: false,
        });
    }

    async fn send(
        &mut self,
        who: usize,
        kind: &str,
        key: Option<&str>,
        content: &Value,
        back: u64,
    ) {
        let event = self.scene.event("tea", USERS[who], kind, key, content, back);
        let id = event.id.clone();
        let position = self.append(event).await;
        let slot = key.map(|key| (kind.to_owned(), key.to_owned()));
        self.note(id, (position, 0), who, slot);
    }

    async fn append(&self, event: StoredFact) -> Position {
        self.scene.append(StreamId::new(StreamKind::Room, &room_id("tea")), vec![event]).await
    }

    fn membership(&self, who: usize) -> Membership {
        let changes = self.events.iter().filter_map(|event| event.change);
        changes.rev().find(|(user, _)| *user == who).map(|(_, it)| it).unwrap_or_default()
    }

    async fn say(&mut self, who: usize, what: What, back: u64) {
        let text = Text::of(what);
        let mut content = text.content();
        let mut kind = "m.room.message";
        match what {
            What::Edit => {
                content["m.relates_to"] = json!({ "rel_type": "m.replace", "event_id": "$x" });
            }
            What::Reaction => kind = "m.reaction",
            What::State => kind = "com.example.state",
            What::Empty => content = json!({}),
            _ => {}
        }
        let key = matches!(what, What::State).then_some("");
        let (all, names) = self.named_by(who, what, &text);
        self.send(who, kind, key, &content, back).await;
        let told = self.events.last_mut().unwrap();
        told.is_message = kind == "m.room.message";
        told.counts = told.is_message && !matches!(what, What::Edit | What::Empty);
        if told.counts {
            (told.all, told.names) = (all, names);
        }
    }

    /// Whether a text names everybody, or the members that it names.
    fn named_by(&self, who: usize, what: What, text: &Text) -> (bool, Vec<usize>) {
        let power = if who == 0 { 100 } else { 0 };
        if matches!(what, What::All(_)) && power >= self.notify {
            return (true, Vec::new());
        }
        let named = |other: &usize| {
            if let Some(mentioned) = &text.mentioned {
                return mentioned.contains(other);
            }
            let shown = self.shown[*other].map_or("", |name| NAMES[name]);
            is_named(&text.body, USERS[*other]) || is_named(&text.body, shown)
        };
        let joined = |other: &usize| self.membership(*other) == Membership::Join;
        (false, (0..USERS.len()).filter(named).filter(joined).collect())
    }

    /// Edits the message this many back.
    async fn revise(&mut self, back: usize, what: What) {
        let Some(at) = self.events.len().checked_sub(1 + back) else { return };
        let Told { sender, is_message: true, .. } = self.events[at] else { return };
        let text = Text::of(what);
        let mut content = json!({ "msgtype": "m.text", "body": "* changed" });
        content["m.new_content"] = text.content();
        content["m.relates_to"] =
            json!({ "rel_type": "m.replace", "event_id": self.events[at].id });
        let (all, names) = self.named_by(sender, what, &text);
        let kind = "m.room.message";
        let mut event = self.scene.event("tea", USERS[sender], kind, None, &content, 0);
        let envelope = Envelope { edits: Some(at as u64 + 1), ..Envelope::local(None, None) };
        event.envelope = serde_json::to_vec(&envelope).unwrap().into();
        let id = event.id.clone();
        let position = self.append(event).await;
        let edit = self.events.len();
        self.note(id, (position, 0), sender, None);
        self.events[edit].is_message = true;
        if self.events[at].counts && !self.events[at].redacted {
            self.events[at].edits.push((edit, all, names));
        }
    }

    async fn play(&mut self, act: &Act) {
        match *act {
            Act::Say(who, what, back) => self.say(who, what, back).await,
            Act::Revise(back, what) => self.revise(back, what).await,
            Act::Member(who, membership, name) => {
                let key = user(USERS[who]);
                let content = json!({ "membership": membership, "displayname": NAMES[name] });
                self.send(who, "m.room.member", Some(key.as_str()), &content, 0).await;
                self.events.last_mut().unwrap().change = Some((who, membership));
                self.shown[who] = (membership == Membership::Join).then_some(name);
            }
            Act::Notify(level) => {
                let alice = user("alice");
                let content = json!({
                    "users": { alice.as_str(): 100 }, "notifications": { "room": level },
                });
                self.send(0, "m.room.power_levels", Some(""), &content, 0).await;
                self.notify = level;
            }
            Act::Read(who, back, private) => self.read(who, back, private).await,
            Act::Redact(back) => self.redact(back).await,
        }
    }

    async fn read(&mut self, who: usize, back: usize, private: bool) {
        let Some(at) = self.events.len().checked_sub(1 + back) else { return };
        let event = AccountEvent::ReceiptMoved {
            room_id: room("tea"),
            event_id: self.events[at].id.as_str().try_into().unwrap(),
            sequence: at as u64 + 1,
            private,
        };
        let stream = StreamId::new(StreamKind::User, user(USERS[who]).as_str());
        self.scene.append(stream, vec![Fact::Account(event).store([1; 16])]).await;
        self.read[who] = self.read[who].max(at + 1);
    }

    /// Appends a redaction, then erases the content from the log, as the server does.
    async fn redact(&mut self, back: usize) {
        let Some(at) = self.events.len().checked_sub(1 + back) else { return };
        let target = &mut self.events[at];
        target.redacted = true;
        let ((position, index), slot) = (target.place, target.slot.clone());
        let erased = Erased {
            event_id: OwnedEventId::try_from(target.id.as_str()).unwrap(),
            position: position.0,
            index,
            slot: slot.clone().map(|(kind, state_key)| Slot { kind, state_key }),
        };
        let mut event = self.scene.event("tea", "alice", "m.room.redaction", None, &json!({}), 0);
        let envelope = Envelope { erases: vec![erased], ..Envelope::local(None, None) };
        event.envelope = serde_json::to_vec(&envelope).unwrap().into();
        let id = event.id.clone();
        let redaction = self.append(event).await;
        self.note(id, (redaction, 0), 0, None);
        let record = self.scene.log.get(&[position]).await.unwrap().remove(0);
        let stored = &record.commit.events[usize::from(index)].content;
        let mut pdu: Value = serde_json::from_slice(stored).unwrap();
        let kept = ["membership", "users", "room_version"];
        if let Some(content) = pdu["content"].as_object_mut() {
            content.retain(|key, _| kept.contains(&&**key));
        }
        let left = serde_json::to_vec(&pdu).unwrap().into();
        self.scene.log.erase(position, index.into(), left).await.unwrap();
        self.forget(at, slot.as_ref());
    }

    /// Forgets the content of a state event, as the counts do.
    fn forget(&mut self, at: usize, slot: Option<&(String, String)>) {
        match slot.map(|(kind, key)| (&**kind, &**key)) {
            Some(("m.room.member", key)) => {
                let Some(who) = USERS.iter().position(|name| user(name).as_str() == key) else {
                    return;
                };
                for event in &mut self.events {
                    event.names.retain(|name| *name != who);
                    for (_, _, names) in &mut event.edits {
                        names.retain(|name| *name != who);
                    }
                }
                let holds = |event: &Told| event.change.is_some_and(|(other, _)| other == who);
                if self.events.iter().rposition(holds) == Some(at) {
                    self.shown[who] = None;
                }
            }
            Some(("m.room.power_levels", "")) => {
                for event in &mut self.events {
                    event.names.clear();
                    event.all = false;
                    event.edits.clear();
                }
                let holds = |event: &Told| {
                    event.slot.as_ref().map(|(kind, _)| &**kind) == Some("m.room.power_levels")
                };
                if self.events.iter().rposition(holds) == Some(at) {
                    self.notify = 50;
                }
            }
            _ => {}
        }
    }

    /// The simple count, for a user who ignores some users.
    fn unread(&self, who: usize, ignored: &[usize]) -> Unread {
        if self.membership(who) != Membership::Join {
            return Unread::default();
        }
        let own = self.events.iter().enumerate().rev().map(|(at, event)| (at + 1, event.change));
        let own = own.filter_map(|(at, change)| Some((at, change.filter(|it| it.0 == who)?.1)));
        let joined = own.take_while(|(_, it)| *it == Membership::Join).last().map_or(0, |it| it.0);
        let sent = self.events.iter().rposition(|event| event.is_message && event.sender == who);
        let from = joined.max(sent.map_or(0, |at| at + 1)).max(self.read[who]);
        let counts =
            |event: &&Told| event.counts && !event.redacted && !ignored.contains(&event.sender);
        let later = self.events.iter().skip(from).filter(counts);
        let mut unread = Unread::default();
        for event in later {
            unread.count += 1;
            let mut edits = event.edits.iter().filter(|(edit, ..)| !self.events[*edit].redacted);
            let last = edits.next_back().map(|(_, all, names)| (*all, names));
            let (all, names) = last.unwrap_or((event.all, &event.names));
            unread.highlights += u64::from(all || names.contains(&who));
        }
        unread
    }
}

/// The count of a user who ignores some users.
fn shown(models: &ReadModels, who: &UserId, ignored: &[usize]) -> Unread {
    let mut users = IgnoredUsers::default();
    for ignored in ignored {
        users.set(&user(USERS[*ignored]), true);
    }
    let (models, tea) = (models.read(), room("tea"));
    let Some(key) = models.room(&tea) else { return Unread::default() };
    let marks = models.user(who).and_then(|user| models.read_marks(user, &tea));
    let read = marks.and_then(|marks| Some(marks.furthest()?.sequence));
    models.unread(key, who, read.unwrap_or(0), &users)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn counts_are_those_of_a_count_by_hand(acts in vec(act(), 0..60)) {
        block_on(async {
            let mut world = World::new().await;
            let models = world.scene.open().await;
            for act in &acts {
                world.play(act).await;
                settle(&models).await;
                for (who, name) in USERS.iter().enumerate() {
                    for ignored in [vec![], vec![(who + 1) % 4], vec![(who + 2) % 4, (who + 3) % 4]]
                    {
                        let by_hand = world.unread(who, &ignored);
                        let counted = shown(&models, &user(name), &ignored);
                        prop_assert_eq!(counted, by_hand, "{} after {:?}", name, act);
                    }
                }
            }
            // A rebuild no longer sees erased content, and makes the same rows.
            let differences = models.verify(|_| {}).await.unwrap();
            let mine = differences.iter().filter(|it| ["unread", "receipts"].contains(&it.model));
            prop_assert_eq!(mine.collect::<Vec<_>>(), Vec::<&crate::Difference>::new());
            models.save().await.unwrap();
            drop(models);
            let models = world.scene.open().await;
            for (who, name) in USERS.iter().enumerate() {
                let ignored = [(who + 1) % 4];
                let counted = shown(&models, &user(name), &ignored);
                prop_assert_eq!(counted, world.unread(who, &ignored));
            }
            // Applying everything again changes nothing.
            let log = &*world.scene.log;
            let again = log.read(&Scope::All, Position::ORIGIN, 4_096).await.unwrap();
            for commit in decode(log, &again).await.unwrap() {
                models.core.models.write().apply(&commit);
            }
            for (who, name) in USERS.iter().enumerate() {
                let ignored = [(who + 1) % 4];
                let counted = shown(&models, &user(name), &ignored);
                prop_assert_eq!(counted, world.unread(who, &ignored));
            }
            Ok(())
        })?;
    }
}
