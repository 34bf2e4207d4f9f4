//! Pages of timelines, as one viewer sees them.

mod backfill;
mod cursor;
mod meter;
mod moment;
mod page;
mod shown;

pub(crate) use self::page::{EventFilter, Pager, is_visible, resolve};
pub use self::{
    backfill::{Backfill, NoOtherServers},
    cursor::{CursorError, TimelineCursor},
    meter::{EVENT_UNIT_BYTES, Meter, ROWS_OF_A_UNIT, Scans, Unmetered},
    moment::Moments,
    page::{Anchor, Begins, TimelineError, TimelineEvent, TimelinePage, Wanted},
    shown::Kept,
};
