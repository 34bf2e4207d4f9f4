//! The ends of a room's graph, in the order in which a new event follows them.

use crate::limits::EXTREMITIES_MAX;

/// Replaces the ends that an event follows by the event itself. It takes the place of the first of
/// them, so the end that continues the room's oldest line stays first, and an end that waits longer
/// stands before a newer one. Returns `false` if the event opens a new line and there are too many:
/// then it is not kept.
pub fn follow<T>(ends: &mut Vec<T>, is_followed: impl Fn(&T) -> bool, event: T) -> bool {
    let place = ends.iter().position(&is_followed);
    ends.retain(|end| !is_followed(end));
    match place {
        Some(place) => ends.insert(place, event),
        None if ends.len() < EXTREMITIES_MAX => ends.push(event),
        None => return false,
    }
    true
}
