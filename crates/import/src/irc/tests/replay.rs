use std::collections::HashSet;

use proptest::prelude::*;

use super::{Step, replay, told};
use crate::Category;

fn steps(files: &[&str]) -> Vec<String> {
    let named: Vec<(String, &[u8])> = files
        .iter()
        .enumerate()
        .map(|(index, text)| (format!("2004-01-{:02}.txt", index + 1), text.as_bytes()))
        .collect();
    let borrowed: Vec<(&str, &[u8])> =
        named.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    replay(&borrowed).0.iter().map(|step| told(&step.command)).collect()
}

#[test]
fn who_speaks_is_registered_and_joined_first() {
    assert_eq!(
        steps(&["[10:00] <Ada> hi\n[10:01]  * Ada waves\n[10:02] -Ada:#made-up- listen\n"]),
        [
            "register ada as Ada",
            "create #made-up as made-up",
            "join ada",
            "Text ada hi",
            "Emote ada waves",
            "Notice ada listen"
        ]
    );
}

#[test]
fn a_renamed_user_keeps_her_id_until_the_file_ends() {
    let first = "[10:00] <ada> hi\n=== ada is now known as ada_away\n[10:01] <ada_away> zzz\n";
    assert_eq!(
        steps(&[first, "[10:00] <ada> back\n"])[4..],
        ["rename ada to ada_away", "Text ada zzz", "rename ada to ada", "Text ada back",]
    );
}

#[test]
fn a_nick_belongs_to_its_own_user_in_the_next_file() {
    let first = "[10:00] <ada> hi\n=== ada is now known as eve\n";
    assert_eq!(
        steps(&[first, "[10:00] <eve> me\n"])[5..],
        ["register eve as eve", "join eve", "Text eve me"]
    );
}

#[test]
fn a_nick_can_be_lost_twice() {
    let log = "[10:00] <ada> hi\n[10:00] <bob> hi\n=== bob is now known as ada\n\
               === ada is now known as bob\n[10:00] <ada> hi\n=== bob is now known as ada\n";
    assert_eq!(
        steps(&[log])[7..],
        [
            "leave ada -",
            "rename bob to ada",
            "rename bob to bob",
            "join ada",
            "Text ada hi",
            "leave ada -",
            "rename bob to ada"
        ]
    );
}

#[test]
fn nicks_that_differ_in_case_only_are_one_user_who_is_written_as_in_the_line() {
    assert_eq!(
        steps(&["[10:00] <[Ada]> hi\n[10:00] <{ada}> ho\n"])[3..],
        ["Text =7bada=7d hi", "rename =7bada=7d to {ada}", "Text =7bada=7d ho"]
    );
}

#[test]
fn who_loses_her_nick_to_another_has_left() {
    let log = "[10:00] <ada> hi\n[10:01] <ada_> hi\n=== ada_ is now known as ada\n[10:02] <ada> me again\n";
    assert_eq!(steps(&[log])[7..], ["leave ada -", "rename ada_ to ada", "Text ada_ me again"]);
}

#[test]
fn who_comes_back_under_her_own_nick_is_the_same_user() {
    let log = "[10:00] <ada> hi\n=== ada is now known as eve\n=== ada [a@b]  has joined #made-up\n\
               [10:01] <ada> here\n[10:02] <eve> and I\n";
    assert_eq!(
        steps(&[log])[4..],
        [
            "rename ada to eve",
            "rename ada to ada",
            "Text ada here",
            "register eve as eve",
            "join eve",
            "Text eve and I"
        ]
    );
}

#[test]
fn what_already_holds_makes_no_step() {
    let log = "[10:00] <ada> hi\n=== ada [a@b]  has joined #made-up\n\
               === bob [a@b]  has left #made-up []\n=== ada is now known as ada\n\
               === bob was kicked off #made-up by ada (x)\n\
               === Topic for #made-up: T\n=== Topic for #made-up: T\n";
    let (steps, replay) = replay(&[("2004-01-01.txt", log.as_bytes())]);
    assert_eq!(steps.len(), 5);
    assert_eq!(replay.summary().count(Category::AlreadySo), 5);
    assert_eq!(replay.summary().lines(), 7);
}

#[test]
fn leaving_and_kicking_carry_their_reasons() {
    let log = "[10:00] <ada> hi\n=== ada [a@b]  has left #made-up [\"Tea\"]\n[10:01] <ada> hi\n\
               === ada was kicked off #made-up by Bob (\x02spam\x02)\n=== ada [a@b]  has joined #made-up\n";
    assert_eq!(
        steps(&[log])[4..],
        ["leave ada Tea", "join ada", "Text ada hi", "kick ada kicked by Bob: spam", "join ada"]
    );
}

#[test]
fn lines_without_a_time_take_that_of_the_first_line_that_has_one() {
    let log = "=== ada [a@b]  has joined #made-up\n=== ada waves\n[10:00] <ada> hi\n=== ada sits\n";
    let (steps, _) = replay(&[("2004-01-01.txt", log.as_bytes())]);
    let ten = 1_072_951_200_000;
    let times: Vec<u64> = steps.iter().map(|step| step.at.0).collect();
    // Implied events have the time of their line.
    assert_eq!(times, [ten, ten, ten, ten + 1, ten + 2, ten + 3]);
}

#[test]
fn a_log_without_any_time_happens_at_midnight() {
    let (steps, _) = replay(&[("2004-01-01.txt", b"=== ada waves\n")]);
    assert_eq!(steps[0].at.0, 1_072_915_200_000);
    assert_eq!(told(&steps[3].command), "Emote ada waves");
}

#[test]
fn bytes_that_are_not_utf8_and_marks_of_the_file_do_not_get_lost() {
    let (steps, replay) = replay(&[(
        "2004-01-01.txt",
        b"\xef\xbb\xbf[10:00] <ada> caf\xc3\xa9\n[10:00] <ada> caf\xe9\n",
    )]);
    let bodies: Vec<String> = steps[3..].iter().map(|step| told(&step.command)).collect();
    assert_eq!(bodies, ["Text ada café", "Text ada café"]);
    assert_eq!(replay.summary().unreadable().total(), 0);
}

#[test]
fn steps_have_the_same_ids_in_each_run_and_all_are_different() {
    let log: &[u8] = b"[10:00] <ada> hi\n[10:00] <ada> hi\n=== bob is now known as ada\n";
    let files = [("2004-01-01.txt", log), ("2004-01-02.txt", log)];
    let (first, _) = replay(&files);
    let (second, _) = replay(&files);
    let ids = |steps: &[Step]| steps.iter().map(|step| step.id.0).collect::<Vec<_>>();
    assert_eq!(ids(&first), ids(&second));
    assert_eq!(ids(&first).into_iter().collect::<HashSet<_>>().len(), first.len());
}

#[test]
fn the_own_step_of_a_line_keeps_its_id_when_earlier_files_are_missing() {
    let log: &[u8] = b"[10:00] <ada> hi\n";
    let (both, _) = replay(&[("2004-01-01.txt", log), ("2004-01-02.txt", log)]);
    let (later, _) = replay(&[("2004-01-02.txt", log)]);
    assert_eq!(both.last().map(|step| step.id), later.last().map(|step| step.id));
}

/// Lines that each dialect can read, and lines that none can read.
fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "[10:00] <ada> hi",
        "[25:00] <ada> hi",
        "10:00 -!- ada [a@b] has joined #made-up",
        "=== ada is now known as eda",
        "[10:01] * eda (a@b) has left #made-up",
        "2013-03-03 10:00:01\tada\thi",
        "--- Day changed Mon Mar 04 2013",
        "[23:59] *** Quits: ada (a@b) (bye)",
        "Mar 03 10:00:02 <ada>\thi",
        "nothing",
        "",
        "[10:02] <ada> \u{1}ACTION waves\u{1}",
    ]);
    prop_oneof![known.prop_map(|text| text.as_bytes().to_vec()), any::<Vec<u8>>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_line_of_any_file_is_counted_once(lines in prop::collection::vec(any_line(), 0..20)) {
        let text = [&b"[09:00] <bob> first\n"[..], &lines.join(&b'\n')].concat();
        let ends = text.iter().enumerate().filter(|(at, byte)| match byte {
            b'\r' => true,
            b'\n' => *at == 0 || text[at - 1] != b'\r',
            _ => false,
        });
        let unended = !text.ends_with(b"\n") && !text.ends_with(b"\r");
        let expected = ends.count() as u64 + u64::from(unended);
        if text.contains(&0) {
            return Ok(());
        }
        let (steps, replay) = replay(&[("2004-01-01.txt", &text)]);
        let summary = replay.summary();
        prop_assert_eq!(summary.lines(), expected);
        prop_assert_eq!(summary.unreadable().total(), summary.count(Category::Unreadable));
        let ids: HashSet<_> = steps.iter().map(|step| step.id.0).collect();
        prop_assert_eq!(ids.len(), steps.len());
    }
}
