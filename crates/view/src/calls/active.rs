//! Calls that go on.

use std::cmp::Reverse;

use rookery_domain::{Call, CallId, CallState, EventId, IgnoredUsers, OwnedRoomId, RoomId, UserId};
use rookery_projection::{RowKey, StreamKey};

use crate::{RoomView, View, Viewer, timeline::is_visible};

/// How many active calls of a room are checked for one that a viewer may see.
const LOOKED_MAX: usize = 32;

/// A call with its room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomCall {
    /// The room.
    pub room_id: OwnedRoomId,
    /// The call.
    pub call: Call,
    /// The place of its invite in the timeline.
    pub invite: RowKey,
}

impl RoomCall {
    /// Whether `viewer`, who ignores these users, does not want to know of it.
    pub(super) fn is_ignored(&self, viewer: &UserId, ignored: &IgnoredUsers) -> bool {
        let has_answered = self.call.callee == *viewer && self.call.answer().is_some();
        ignored.contains(&self.call.caller) && !has_answered
    }
}

impl View<'_> {
    /// An active call of a room. This decides no access.
    #[must_use]
    pub fn active_call(&self, room: &RoomId, call: &CallId) -> Option<RoomCall> {
        let (call, invite) = self.models().active_call(self.models().room(room)?, call)?;
        Some(RoomCall { room_id: room.to_owned(), call: call.clone(), invite })
    }

    /// All active calls, for the timers of the server. This decides no access.
    #[must_use]
    pub fn active_calls(&self) -> Vec<RoomCall> {
        let models = self.models();
        let users = models.users_in_calls();
        // Each call is listed for its caller, and for its callee.
        let calls = users.flat_map(|user| {
            let own = models.active_calls_of(user);
            own.filter(move |(_, call)| call.caller == user)
        });
        calls.filter_map(|(room, call)| self.room_call(room, call)).collect()
    }

    /// The call of `viewer` now: the one that they take part in, else one that they place, else one
    /// that rings for them.
    #[must_use]
    pub fn call_of(&self, viewer: &UserId) -> Option<RoomCall> {
        let ignored = self.ignored_by(viewer);
        let own = self.models().active_calls_of(viewer);
        let own = own.filter_map(|(room, call)| self.room_call(room, call));
        own.filter(|call| !call.is_ignored(viewer, &ignored)).min_by_key(
            |RoomCall { call, .. }| {
                let rings_here = call.callee == *viewer && call.state == CallState::Ringing;
                (rings_here, call.placed_at)
            },
        )
    }

    /// The active call of `viewer` with this ID.
    #[must_use]
    pub fn own_call(&self, viewer: &UserId, call: &CallId) -> Option<RoomCall> {
        let mut own = self.models().active_calls_of(viewer);
        let (room, call) = own.find(|(_, own)| own.id == *call)?;
        let call = self.room_call(room, call)?;
        (!call.is_ignored(viewer, &self.ignored_by(viewer))).then_some(call)
    }

    /// The call of a room now: that of `viewer`, else the newest one that they may see.
    #[must_use]
    pub fn call_in(&self, room: &RoomId, viewer: &UserId) -> Option<RoomCall> {
        let room = self.room(room)?;
        let ignored = self.ignored_by(viewer);
        let (models, key) = room.models();
        let calls = models.active_calls(key).filter_map(|call| self.room_call(key, call));
        let mut calls: Vec<_> = calls.collect();
        calls.sort_by_key(|RoomCall { call, invite, .. }| Reverse((call.is_of(viewer), *invite)));
        let mut looked = calls.into_iter().take(LOOKED_MAX);
        looked.find(|call| room.shows_call(call, viewer, &ignored))
    }

    /// An active call of a room, if `viewer` may see it.
    #[must_use]
    pub fn call_for(&self, room: &RoomId, call: &CallId, viewer: &UserId) -> Option<RoomCall> {
        let call = self.active_call(room, call)?;
        let ignored = self.ignored_by(viewer);
        self.room(room)?.shows_call(&call, viewer, &ignored).then_some(call)
    }

    /// The active call that this event placed, if `viewer` may see it.
    #[must_use]
    pub fn call_placed_by(
        &self,
        room: &RoomId,
        invite: &EventId,
        viewer: &UserId,
    ) -> Option<RoomCall> {
        let mut calls = self.models().active_calls(self.models().room(room)?);
        let call = calls.find(|call| call.invite == *invite)?;
        self.call_for(room, &call.id, viewer)
    }

    fn room_call(&self, room: StreamKey, call: &Call) -> Option<RoomCall> {
        let (_, invite) = self.models().active_call(room, &call.id)?;
        let room_id = self.models().room_id(room)?.to_owned();
        Some(RoomCall { room_id, call: call.clone(), invite })
    }
}

impl RoomView<'_> {
    /// Whether `viewer`, who is joined and ignores these users, may see an active call.
    fn shows_call(&self, call: &RoomCall, viewer: &UserId, ignored: &IgnoredUsers) -> bool {
        if !self.reads(viewer) || call.is_ignored(viewer, ignored) {
            return false;
        }
        let sight = self.sight(&Viewer::User(viewer.to_owned()));
        let row = self.row(call.invite).ok().flatten();
        row.is_some_and(|row| is_visible(&row, &sight))
    }
}
