//! The schema as an executor of subscriptions.

use async_graphql::Request;
use futures_util::{StreamExt as _, stream::BoxStream};

use super::Schema;
use crate::transport::{Frame, Frames};

impl Frames for Schema {
    fn frames(&self, request: Request) -> BoxStream<'static, Frame> {
        self.execute_stream(request).map(Frame::from).boxed()
    }
}
