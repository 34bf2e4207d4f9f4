//! The list of workloads.

use super::{
    append, consume,
    halls::{fanout, mixed, quiet, stalled, storm},
    memory, rebuild,
    screens::{home, long, scroll},
    send, start,
};
use crate::{Error, settings::Settings};

/// One workload.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Settings) -> Result<(), Error>,
}

const ALL: &[Workload] = &[
    Workload { name: "append", run: append::run },
    Workload { name: "send", run: send::run },
    Workload { name: "fanout", run: fanout::run },
    Workload { name: "mixed", run: mixed::run },
    Workload { name: "quiet", run: quiet::run },
    Workload { name: "stalled", run: stalled::run },
    Workload { name: "storm", run: storm::run },
    Workload { name: "consume", run: consume::run },
    Workload { name: "home", run: home::run },
    Workload { name: "scroll", run: scroll::run },
    Workload { name: "long", run: long::run },
    Workload { name: "rebuild", run: rebuild::run },
    Workload { name: "memory", run: memory::run },
    Workload { name: "start", run: start::run },
];

/// The named workloads; all of them without a name.
///
/// # Errors
/// Names the unknown one, and lists the known ones.
pub(crate) fn choose(names: &[String]) -> Result<Vec<&'static Workload>, Error> {
    if names.is_empty() {
        return Ok(ALL.iter().collect());
    }
    let find = |name: &String| {
        ALL.iter().find(|workload| workload.name == name).ok_or_else(|| {
            let known: Vec<_> = ALL.iter().map(|workload| workload.name).collect();
            format!("unknown workload `{name}`; known: {}", known.join(", ")).into()
        })
    };
    names.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_means_all_workloads() {
        assert_eq!(choose(&[]).map(|chosen| chosen.len()).ok(), Some(ALL.len()));
    }

    #[test]
    fn workloads_run_in_the_order_of_their_names_on_the_command_line() {
        let chosen = choose(&["start".to_owned(), "append".to_owned()]).unwrap_or_default();
        let names: Vec<_> = chosen.iter().map(|workload| workload.name).collect();
        assert_eq!(names, ["start", "append"]);
    }

    #[test]
    fn unknown_workload_is_named_beside_the_known_ones() {
        let refusal = choose(&["sing".to_owned()]).map(|_| ()).expect_err("nobody sings");
        let expected = "unknown workload `sing`; known: append, send, fanout, mixed, quiet, \
                        stalled, storm, consume, home, scroll, long, rebuild, memory, start";
        assert_eq!(refusal.to_string(), expected);
    }
}
