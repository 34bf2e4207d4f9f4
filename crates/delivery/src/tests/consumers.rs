//! The record of a consumer.

use rookery_domain::OwnedEventId;
use rookery_log::{Epoch, Millis, Position};

use crate::{
    AcknowledgeError, BatchPlace, ConsumerRecord, NamedBatch, OutstandingBatch, PARKED_MAX,
    ParkError, ParkedEvent, ParkedFate, consumers::is_reported,
};

const NOW: Millis = Millis(7);

fn event(number: usize) -> OwnedEventId {
    format!("${number:043}").try_into().unwrap()
}

fn parked(position: u64) -> ParkedEvent {
    let (reason, fate) = ("a reason".to_owned(), ParkedFate::Waits);
    ParkedEvent { reason, since: NOW, position: Position(position), fate }
}

/// A consumer at 10 with batches up to these ends.
fn with_batches(ends: &[u64]) -> ConsumerRecord {
    let mut record = ConsumerRecord::new(Epoch(1), Position(10), NOW);
    let batch = |end: &u64| OutstandingBatch {
        end: Position(*end),
        first_sent: NOW,
        deliveries: 1,
        retried: None,
    };
    record.batches = ends.iter().map(batch).collect();
    record
}

#[test]
fn an_acknowledgement_covers_the_batches_before_it_and_goes_no_way_back() {
    let mut record = with_batches(&[20, 30]);
    let refused = record.acknowledge(Position(25), &NamedBatch::Unnamed, NOW);
    assert_eq!(refused, Err(AcknowledgeError::NotDelivered));
    assert_eq!(record.acknowledge(Position(30), &NamedBatch::Unnamed, NOW), Ok(()));
    assert_eq!((record.position, record.batches.len()), (Position(30), 0));
    assert_eq!(record.acknowledge(Position(20), &NamedBatch::Unnamed, NOW), Ok(()));
    assert_eq!(record.position, Position(30));
}

#[test]
fn an_acknowledgement_of_a_named_batch_settles_no_other_one_with_the_same_end() {
    let first = BatchPlace::After(Position(10));
    for named in [NamedBatch::Gone, NamedBatch::At(first.clone())] {
        let mut record = with_batches(&[20, 30]);
        let refused = record.acknowledge(Position(30), &named, NOW);
        assert_eq!(refused, Err(AcknowledgeError::NotDelivered), "{named:?}");
        assert_eq!(record, with_batches(&[20, 30]));
    }
    let mut record = with_batches(&[20, 30]);
    assert_eq!(record.acknowledge(Position(20), &NamedBatch::At(first), NOW), Ok(()));
    assert_eq!(record.acknowledge(Position(20), &NamedBatch::Gone, NOW), Ok(()), "a repeat");
    let second = NamedBatch::At(BatchPlace::After(Position(20)));
    assert_eq!(record.acknowledge(Position(30), &second, NOW), Ok(()));
}

#[test]
fn the_place_of_a_retried_event_stays_while_others_are_acknowledged() {
    let mut record = with_batches(&[20]);
    record.park(&event(1), parked(15)).unwrap();
    record.retry(&event(1)).unwrap();
    record.push_retry(event(1), NOW);
    let places =
        |record: &ConsumerRecord| record.places().map(|(place, _)| place).collect::<Vec<_>>();
    let retry = BatchPlace::Retry(event(1));
    assert_eq!(places(&record), [BatchPlace::After(Position(10)), retry.clone()]);
    record.acknowledge(Position(20), &NamedBatch::Unnamed, NOW).unwrap();
    assert_eq!(places(&record), std::slice::from_ref(&retry));
    record.acknowledge(Position(20), &NamedBatch::Unnamed, NOW).unwrap();
    assert_eq!(places(&record), std::slice::from_ref(&retry), "a late repeat does not settle it");
    record.acknowledge(Position(20), &NamedBatch::At(retry), NOW).unwrap();
    assert!(record.batches.is_empty() && record.parked.is_empty());
}

#[test]
fn an_acknowledgement_of_a_retried_event_without_its_batch_settles_no_other_batch() {
    let mut record = with_batches(&[20]);
    record.park(&event(1), parked(15)).unwrap();
    record.retry(&event(1)).unwrap();
    record.push_retry(event(1), NOW);
    let (place, retry) = record.places().last().map(|(at, batch)| (at, batch.end)).unwrap();
    assert_eq!(record.acknowledge(retry, &NamedBatch::Unnamed, NOW), Ok(()));
    assert_eq!((record.position, record.batches.len()), (Position(10), 2));
    // The answer was lost, so the program acknowledges again.
    for named in [NamedBatch::At(place), NamedBatch::Gone] {
        assert_eq!(record.acknowledge(retry, &named, NOW), Ok(()), "{named:?}");
        assert_eq!((record.position, record.batches.len()), (Position(10), 1));
    }
}

#[test]
fn the_batch_of_a_retried_event_keeps_its_end_when_a_later_batch_is_acknowledged() {
    let mut record = with_batches(&[20]);
    record.park(&event(1), parked(15)).unwrap();
    record.acknowledge(Position(20), &NamedBatch::Unnamed, NOW).unwrap();
    record.retry(&event(1)).unwrap();
    record.push_retry(event(1), NOW);
    record.batches.extend(with_batches(&[30]).batches);
    assert_eq!(record.next_begin(), Position(30));
    record.acknowledge(Position(30), &NamedBatch::Unnamed, NOW).unwrap();
    let left: Vec<_> = record.outstanding().map(|(_, batch)| batch.end).collect();
    assert_eq!((left, record.next_begin()), (vec![Position(20)], Position(30)));
    let retry = NamedBatch::At(BatchPlace::Retry(event(1)));
    record.acknowledge(Position(20), &retry, NOW).unwrap();
    assert!(record.batches.is_empty() && record.parked.is_empty());
}

#[test]
fn a_settled_event_is_remembered_until_its_batch_is_acknowledged() {
    let mut record = with_batches(&[20, 30]);
    for (number, position) in [(1, 15), (2, 25)] {
        record.park(&event(number), parked(position)).unwrap();
        record.discard(&event(number)).unwrap();
        assert!(record.leaves_out(&event(number)));
        assert_eq!(record.retry(&event(number)), Err(ParkError::NotParked));
    }
    record.acknowledge(Position(20), &NamedBatch::Unnamed, NOW).unwrap();
    assert!(!record.leaves_out(&event(1)) && record.leaves_out(&event(2)));
    record.reset(Epoch(1), Position(0));
    assert!(!record.leaves_out(&event(2)), "a reset asks for the past");
}

#[test]
fn a_consumer_parks_a_thousand_events_and_no_more() {
    let mut record = with_batches(&[20]);
    for number in 0..PARKED_MAX {
        assert_eq!(record.park(&event(number), parked(11)), Ok(()));
    }
    let refused = record.park(&event(PARKED_MAX), parked(11));
    assert_eq!(refused, Err(ParkError::TooMany { max: PARKED_MAX }));
    assert_eq!(record.park(&event(3), parked(11)), Ok(()), "it is parked already");
    record.discard(&event(3)).unwrap();
    assert_eq!(record.parked.len(), PARKED_MAX, "it is remembered with its batch");
}

#[test]
fn a_batch_that_is_sent_in_a_loop_is_reported_seldom() {
    let reported: Vec<u32> = (0..1_000).filter(|deliveries| is_reported(*deliveries)).collect();
    assert_eq!(reported, [10, 20, 40, 80, 160, 320, 640]);
}
