//! The shell script that follows a page, and stops at the first answer with an error.
//!
//! **Invariant:** a command is in the script as on the page, except for the ports of the server and of a bridge, which are free.

use std::fmt::Write as _;

use super::page::Act;

/// The address of the server on the pages.
const ADDRESS: &str = "127.0.0.1:8008";

/// The port of a bridge on the pages.
const BRIDGE: &str = " -p 9898 ";

/// Parts of commands that run until they are stopped, beside the server.
const RUN_ON: [&str; 3] = ["node follow.mjs", "echo-bot/bot.py ", "heisenbridge.yaml -p 9898 http"];

/// A name that an earlier pass over the page registered is no error.
const SECOND_TIME: &str = "USER_NAME_TAKEN";

const BEGINNING: &str = r#"set -u -o pipefail
newcomer_out=$newcomer_logs/out newcomer_log=$newcomer_logs/server newcomer_told=$newcomer_logs/told
newcomer_server= newcomer_followers=
: >"$newcomer_told"
newcomer_fail() {
    printf 'FAILED: %s\n' "$1"
    tail -n 40 "$newcomer_out" "$newcomer_told" "$newcomer_log" 2>/dev/null
    exit 1
}
newcomer_stop() {
    [ -n "$newcomer_server" ] || return 0
    kill "-$1" "$newcomer_server"
    wait "$newcomer_server" 2>/dev/null
    newcomer_server=
}
newcomer_end() {
    newcomer_stop KILL
    [ -z "$newcomer_followers" ] || kill $newcomer_followers 2>/dev/null
}
trap newcomer_end EXIT
newcomer_wait_for() {
    for _ in $(seq 600); do
        grep -qF -- "$2" "$1" && return 0
        sleep 0.1
    done
    cp "$1" "$newcomer_out"
    newcomer_fail "nothing says: $2"
}
newcomer_check() {
    cat "$newcomer_out"
    [ "$1" -eq 0 ] || newcomer_fail "it ended with $1"
    ! grep -q '"errors"' "$newcomer_out" || newcomer_fail "the answer is an error"
    for newcomer_code in $(grep -oE '"code": *"[A-Z_]+"' "$newcomer_out" | tr -d '" ' | cut -d: -f2); do
        case " $2 " in *" $newcomer_code "*) ;; *) newcomer_fail "it is refused: $newcomer_code" ;; esac
    done
}
newcomer_set() {
    case "$2" in '' | null) newcomer_fail "$1 is empty" ;; esac
}
"#;

/// Writes the script for the instructions of a page, with a server at `address`, and a bridge at the port `bridge`.
pub(super) fn script(acts: &[Act], address: &str, bridge: u16) -> String {
    let mut script = BEGINNING.to_owned();
    let mut start = String::new();
    for act in acts {
        match act {
            Act::Command { text, answer } => {
                let runs_on = RUN_ON.iter().any(|part| text.contains(part));
                let text = text.replace(ADDRESS, address);
                let text = text.replace(BRIDGE, &format!(" -p {bridge} "));
                if serves(&text) {
                    start = server(&text);
                    script += &start;
                } else if text.starts_with("cargo xtask") {
                    script += "echo '(the checks are what runs this)'\n";
                } else if runs_on {
                    let shown = quoted(&text);
                    writeln!(
                        script,
                        "printf '$ %s\\n' {shown}\n{text} >>\"$newcomer_told\" 2>&1 &\n\
                         newcomer_followers=\"$newcomer_followers $!\""
                    )
                    .unwrap_or_default();
                } else {
                    script += &command(&text, answer);
                }
            }
            Act::File { name, text } => {
                let text = text.replace(ADDRESS, address);
                writeln!(script, "printf %s {} >{}", quoted(&text), quoted(name))
                    .unwrap_or_default();
            }
            Act::Told(lines) => {
                for line in lines {
                    writeln!(script, "newcomer_wait_for \"$newcomer_told\" {}", quoted(line))
                        .unwrap_or_default();
                }
            }
            // "Kill the server (`kill -9`), start it again".
            Act::Section(title) if title == "A crash" => {
                writeln!(script, "newcomer_stop KILL\n{start}").unwrap_or_default();
            }
            Act::Section(_) => {}
        }
    }
    script
}

/// Whether a command serves until it is stopped.
fn serves(text: &str) -> bool {
    text.starts_with("cargo run") && !text.contains(" -- ")
}

fn server(text: &str) -> String {
    let command = text.split(" #").next().unwrap_or(text).trim_end();
    format!(
        "newcomer_stop TERM\nprintf '$ %s\\n' {}\n: >\"$newcomer_log\"\n{command} >\"$newcomer_log\" 2>&1 &\n\
         newcomer_server=$!\nnewcomer_wait_for \"$newcomer_log\" 'listening on http'\n",
        quoted(text)
    )
}

fn command(text: &str, answer: &str) -> String {
    let shown = quoted(text);
    let words = answer.split(|letter: char| !letter.is_ascii_uppercase() && letter != '_');
    let codes = words.filter(|word| word.len() > 2).collect::<Vec<_>>().join(" ");
    let mut script = format!(
        "printf '$ %s\\n' {shown}\n{{\n{text}\n}} >\"$newcomer_out\" 2>&1 </dev/null\n\
         newcomer_check $? '{SECOND_TIME} {codes}'\n"
    );
    if let Some((name, value)) = text.split_once('=')
        && value.starts_with("$(")
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    {
        writeln!(script, "newcomer_set {name} \"${name}\"").unwrap_or_default();
    }
    script
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::process::Command;

    use super::*;

    fn run(text: &str, answer: &str) -> bool {
        let logs = tempfile::tempdir().unwrap();
        let act = Act::Command { text: text.to_owned(), answer: answer.to_owned() };
        let mut bash = Command::new("bash");
        bash.arg("-c").arg(script(&[act], "127.0.0.1:1", 2)).env("newcomer_logs", logs.path());
        bash.output().unwrap().status.success()
    }

    #[test]
    fn answers_without_error_pass() {
        assert!(run("echo '{\"data\": {}}'", ""));
        assert!(run("TOKEN=$(echo rk_1)", ""));
        assert!(run("echo '\"code\": \"USER_NAME_TAKEN\"'", ""));
        assert!(run(
            "echo '\"code\": \"INSUFFICIENT_POWER\"'",
            "\"code\": \"INSUFFICIENT_POWER\",\n"
        ));
    }

    #[test]
    fn errors_refusals_and_empty_variables_fail() {
        assert!(!run("false", ""));
        assert!(!run("false | cat", ""));
        assert!(!run("echo '{\"errors\":[]}'", ""));
        assert!(!run("echo '\"code\":\"NOT_VALID\"'", ""));
        assert!(!run("TOKEN=$(echo null)", ""));
        assert!(!run("TOKEN=$(true)", ""));
    }

    #[test]
    fn addresses_are_replaced_and_nothing_else() {
        let act = Act::Command {
            text: "curl http://127.0.0.1:8008/ -p 9898 # it's".to_owned(),
            answer: String::new(),
        };
        let text = script(&[act], "127.0.0.1:4711", 4712);
        assert!(text.contains("{\ncurl http://127.0.0.1:4711/ -p 4712 # it's\n}"), "{text}");
    }
}
