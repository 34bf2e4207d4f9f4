//! mIRC, and clients with its format: `[10:00] <ada> hello`, `[10:00] * ada waves`,
//! `[10:00] * ada (~ada@host) has joined #tea`.
//!
//! Source: mIRC, the default of its options "IRC > Messages"; mSL scripts call these events.

use crate::irc::dialect::{
    form::{Event, aside, channel_of, message, notice, stamped},
    star,
};
use crate::irc::line::{Aside, Line, Parsed, Unreadable, stamp};

pub(in crate::irc::dialect) fn read(text: &str) -> Parsed<'_> {
    if let Some(words) = text.strip_prefix("Session ") {
        return session(words);
    }
    stamped(text, |rest, _| {
        let rest = rest.trim_start();
        message(rest).or_else(|| notice(rest)).or_else(|| starred(rest))
    })
}

fn starred(text: &str) -> Option<Event<'_>> {
    let words = text.strip_prefix('*')?.strip_prefix(' ')?;
    let blank = words.trim().is_empty();
    Some(if blank { aside(Aside::Client) } else { star::event(words) })
}

/// `Session Start: DAY`, `Session Time: DAY`, `Session Close: DAY`, `Session Ident: #CHANNEL`
fn session(words: &str) -> Parsed<'_> {
    if let Some(ident) = words.strip_prefix("Ident: ") {
        let what = Line::Aside(Aside::Client);
        return Parsed { stamp: None, channel: channel_of(ident), what };
    }
    let day = ["Start: ", "Time: ", "Close: "]
        .iter()
        .find_map(|mark| stamp::day_and_time(words.strip_prefix(mark)?));
    let unknown = Line::Unreadable(Unreadable::UnknownStart);
    Parsed::of(None, day.map_or(unknown, |(date, time)| Line::Day { date, time }))
}

#[cfg(test)]
pub(in crate::irc::dialect) const SAMPLES: &[(&str, &str)] = &[
    ("Session Start: Sun Mar 03 10:00:00 2013", "day 2013-03-03 10:00"),
    ("Session Ident: #tea", "#tea aside Client"),
    ("[10:00] * Now talking in #tea", "10:00 #tea aside Client"),
    ("[10:00] * Topic is 'kettle'", "10:00 topic kettle"),
    ("[10:00] * Set by ada on Sun Mar 03 09:00:00", "10:00 aside TopicOrigin"),
    ("[10:00] * ada (~ada@host.example) has joined #tea", "10:00 #tea joined ada"),
    ("[10:00] * Joins: ada (~ada@host.example)", "10:00 joined ada"),
    ("[10:01] <@ada> hello", "10:01 message ada: hello"),
    ("[10:01:07] <~ada> hello", "10:01 message ada: hello"),
    ("[09:59pm] <ada> hello", "21:59 message ada: hello"),
    ("[10:02] * ada waves", "10:02 emote ada: waves"),
    ("[10:02] * @ada waves", "10:02 emote ada: waves"),
    ("[10:02] * ada (smiling) waves", "10:02 emote ada: (smiling) waves"),
    ("[10:02] * ada has quit smoking", "10:02 emote ada: has quit smoking"),
    ("[10:02] * ada is now known as the best", "10:02 emote ada: is now known as the best"),
    ("[10:02] -ada:#tea- listen", "10:02 #tea notice ada: listen"),
    ("[10:02] -ada- listen", "10:02 notice ada: listen"),
    ("[10:03] * ada is now known as eda", "10:03 renamed ada to eda"),
    ("[10:03] * ada sets mode: +o bob", "10:03 aside Mode"),
    ("[10:03] * irc.example sets mode: +nt", "10:03 aside Mode"),
    ("[10:03] * ada changes topic to 'it's new'", "10:03 topic it's new"),
    ("[10:04] * bob was kicked by ada (spam (again))", "10:04 kicked bob by ada: spam (again)"),
    ("[10:04] * eda (~ada@host.example) Quit (Ping timeout)", "10:04 left eda: Ping timeout"),
    ("[10:04] * Quits: eda (~ada@host.example) (Ping timeout)", "10:04 left eda: Ping timeout"),
    ("[10:04] * eda (~ada@host) has left #tea (bye)", "10:04 #tea left eda: bye"),
    ("[10:04] * eda (~ada@host) has left #tea", "10:04 #tea left eda"),
    ("[10:04] * Parts: eda (~ada@host) (bye)", "10:04 left eda: bye"),
    ("[10:04] * Disconnected", "10:04 aside Client"),
    ("[10:04] * Rejoined channel #tea", "10:04 #tea aside Client"),
    ("[10:04] * eda (~ada@host) did what", "10:04 unreadable UnknownEvent"),
    ("[10:04] *** odd", "10:04 unreadable UnknownForm"),
    ("Session Time: Mon Mar 04 00:00:00 2013", "day 2013-03-04 00:00"),
    ("Session Close: Mon Mar 04 01:00:00 2013", "day 2013-03-04 01:00"),
];
