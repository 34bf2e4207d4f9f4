//! Finds the channel and the network of a log from its path.

use std::path::Path;

use crate::irc::line::date::{in_path, place_in_path};

/// Known networks. A folder with such a name stands for the network, at any place.
const NETWORKS: &[&str] = &[
    "2600net",
    "abjects",
    "anonops",
    "chathispano",
    "dalnet",
    "darkmyst",
    "efnet",
    "epiknet",
    "espernet",
    "europnet",
    "foonetic",
    "freenode",
    "furnet",
    "gamesurge",
    "geekshed",
    "gimpnet",
    "gnome",
    "hackint",
    "indymedia",
    "irchighway",
    "ircnet",
    "libera",
    "liberachat",
    "mozilla",
    "oftc",
    "quakenet",
    "rizon",
    "slashnet",
    "snoonet",
    "swiftirc",
    "synirc",
    "tilde",
    "tildechat",
    "undernet",
    "w3c",
];

/// Folders whose names do not describe their content.
const GENERIC: &[&str] = &[
    "archive",
    "archives",
    "backup",
    "backups",
    "channel",
    "channels",
    "chat",
    "chatlogs",
    "chats",
    "history",
    "irc",
    "irclogs",
    "irssi",
    "log",
    "logs",
    "mirc",
    "moddata",
    "old",
    "query",
    "scrollback",
    "textual",
    "weechat",
    "xchat",
    "hexchat",
    "xchatlogs",
    "znc",
];

/// Endings of log names.
const EXTENSIONS: &[&str] =
    &["bak", "gz", "irclog", "log", "old", "raw", "text", "txt", "weechatlog", "z"];

/// A channel of IRC, which becomes a room.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Channel {
    /// Its name with the `#`, in lower case.
    pub name: String,
    /// Its network, if known.
    pub network: Option<String>,
}

impl Channel {
    /// The key of the channel: two networks may each have one of the same name.
    #[must_use]
    pub fn key(&self) -> String {
        match &self.network {
            Some(network) => format!("{network} {}", self.name),
            None => self.name.clone(),
        }
    }

    /// Localparts of aliases for its room, best first.
    pub(crate) fn aliases(&self) -> Vec<String> {
        let plain = self.name.strip_prefix('#').unwrap_or(&self.name);
        let long = self.network.as_ref().map(|network| format!("{plain}.{network}"));
        let short = Some(plain.to_owned());
        let apart = |alias: &Option<String>| Some(format!("irc.{}", alias.as_ref()?));
        let apart = [apart(&short), apart(&long)];
        [short, long].into_iter().chain(apart).flatten().collect()
    }
}

/// The network that a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Network {
    /// The operator or the name of the file states it.
    Sure(String),
    /// A folder has this name.
    Folder(String),
}

/// The normalised name of a network: `irc.Libera.Chat` and `Libera (1F2E)` are `libera`.
pub(super) fn network_name(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let text = text.split_once(" (").map_or(text.as_str(), |(name, _)| name);
    let text = text.split_once('-').map_or(text, |(name, id)| {
        let is_id = id.len() >= 32 && id.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        if is_id { name } else { text }
    });
    let text = text.strip_prefix("irc.").unwrap_or(text);
    let ends = [".chat", ".net", ".org", ".com", ".io", ".im"];
    let text = ends.iter().find_map(|end| text.strip_suffix(end)).unwrap_or(text);
    let clean = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = text.chars().map(clean).collect();
    let says = name.chars().any(char::is_alphabetic)
        && !GENERIC.contains(&name.as_str())
        && in_path(&name).is_none();
    says.then_some(name)
}

/// Whether a network of this name is known.
pub(super) fn is_network(name: &str) -> bool {
    NETWORKS.contains(&name)
}

/// The channel and the network in a path: the part that starts with `#`, without date and extension, and the part
/// before it.
pub(super) fn of_path(path: &str) -> (Option<String>, Option<Network>) {
    let path = path.replace("%23", "#");
    let parts: Vec<&str> = path.split(['/', '!']).collect();
    let Some(at) = parts.iter().rposition(|part| is_channel(part)) else { return (None, None) };
    let (before, channel) = parts[at].split_at(parts[at].find('#').unwrap_or(0));
    let is_file = at + 1 == parts.len();
    let (name, named) = if is_file { without_ending(channel) } else { (channel.to_owned(), None) };
    let channel = Some(name.to_lowercase());
    let mut words = before.split(['.', '_', '-', ' ']).rev();
    if let Some(network) = named.or_else(|| words.find_map(network_name)) {
        return (channel, Some(Network::Sure(network)));
    }
    let mut folders = parts[..at].iter().rev();
    let folder = folders.find(|part| !is_channel(part) && !part.eq_ignore_ascii_case("channels"));
    (channel, folder.and_then(|folder| network_name(folder)).map(Network::Folder))
}

/// The name of the folder of a path, as that of a network.
pub(super) fn folder_name(path: &Path) -> Option<String> {
    let path = std::fs::canonicalize(path).ok()?;
    let folder = if path.is_dir() { path.as_path() } else { path.parent()? };
    let named = |folder: &Path| {
        let name = folder.file_name()?.to_string_lossy().into_owned();
        (!is_channel(&name)).then(|| network_name(&name))?
    };
    folder.ancestors().take(2).find_map(named)
}

fn is_channel(part: &str) -> bool {
    part.find('#').is_some_and(|at| {
        part[at..].trim_start_matches('#').starts_with(|c: char| !" .".contains(c))
    })
}

/// The name of a channel without the date and the extension of its log, and the network in between.
fn without_ending(text: &str) -> (String, Option<String>) {
    let mut name = text;
    let is_name = |stem: &str| stem.trim_matches('#').chars().any(char::is_alphanumeric);
    loop {
        let stem = match name.rsplit_once('.') {
            Some((stem, end)) if EXTENSIONS.contains(&end.to_lowercase().as_str()) => stem,
            Some((stem, end))
                if end.len() <= 3 && end.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                stem
            }
            _ => match place_in_path(name) {
                Some((at, _)) => name[..at].trim_end_matches([' ', '.', '_', '-']),
                None => break,
            },
        };
        if !is_name(stem) {
            break;
        }
        name = stem;
    }
    name = name.split_once(' ').map_or(name, |(name, _)| name);
    match name.rsplit_once('.') {
        Some((stem, network)) if is_network(&network.to_lowercase()) && is_name(stem) => {
            (stem.to_owned(), Some(network.to_lowercase()))
        }
        _ => (name.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str) -> String {
        let (channel, network) = of_path(path);
        let network = match network {
            Some(Network::Sure(name)) => format!(" on {name}"),
            Some(Network::Folder(name)) => format!(" maybe on {name}"),
            None => String::new(),
        };
        channel.unwrap_or_default() + &network
    }

    #[test]
    fn paths_name_channels_and_networks() {
        for (path, expected) in [
            ("#Rust/2004-01-01.txt", "#rust"),
            ("2004/01/02/%23rust-beginners.txt", "#rust-beginners"),
            ("##c_20040103.log", "##c"),
            ("#tea.20130303.log", "#tea"),
            ("#tea-2013-03-03_02.log.gz", "#tea"),
            ("#tea.log.03Mar2013", "#tea"),
            ("#tea.log.1", "#tea"),
            ("#node.js.20130303.log", "#node.js"),
            ("#node.js/2013-03-03.log", "#node.js"),
            ("#2600-2013-03-03.log", "#2600"),
            ("#tea.Libera.20130303.log", "#tea on libera"),
            ("irc.libera.#tea.2013-03-03.weechatlog", "#tea on libera"),
            ("ada_libera_#tea_20130303.log", "#tea on libera"),
            ("Libera.Chat-#tea.log", "#tea on libera"),
            ("libera/#tea/2013-03-03.log", "#tea maybe on libera"),
            ("ada/work/#tea/#tea.2013-03-03.log", "#tea maybe on work"),
            ("Libera (1F2E3)/Channels/#tea/2013-03-03.txt", "#tea maybe on libera"),
            ("libera-1f2e3d4c-1111-2222-3333-444455556666/#tea.log", "#tea maybe on libera"),
            ("irc.libera.chat/#tea.log", "#tea maybe on libera"),
            ("logs/#tea.log", "#tea"),
            ("2013/03/#tea.log", "#tea"),
            ("x.tar.gz!oftc/#tea.log", "#tea maybe on oftc"),
            ("tea/2013-03-03.log", ""),
            ("#.log", ""),
            ("", ""),
        ] {
            assert_eq!(told(path), expected, "{path}");
        }
    }

    #[test]
    fn channels_of_two_networks_are_two() {
        let channel = |network: Option<&str>| Channel {
            name: "#tea".into(),
            network: network.map(ToOwned::to_owned),
        };
        assert_ne!(channel(Some("libera")).key(), channel(Some("oftc")).key());
        assert_eq!(channel(None).aliases(), ["tea", "irc.tea"]);
        assert_eq!(channel(Some("oftc")).aliases(), ["tea", "tea.oftc", "irc.tea", "irc.tea.oftc"]);
    }
}
