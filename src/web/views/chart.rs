//! A line of a chart, in the drawing's own measures.
//!
//! Invariant: where nothing was seen, the line has a gap.

use std::fmt::Write as _;

use crate::domain::time::Timestamp;

/// The drawing's own measures.
pub(super) const WIDTH: u64 = 600;
pub(super) const HEIGHT: u64 = 120;

/// From where to where a chart goes, and how high.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
    /// Points further apart than this, in milliseconds, are not joined.
    pub(super) far: u64,
    pub(super) top: u64,
}

/// The pieces without a gap, as the points of polylines.
pub(super) fn pieces(
    frame: Frame,
    points: impl IntoIterator<Item = (Timestamp, Option<u64>)>,
) -> Vec<String> {
    let range = frame.until.millis_since(frame.since).max(1);
    let mut pieces: Vec<String> = Vec::new();
    let mut last: Option<Timestamp> = None;
    for (at, figure) in points {
        let Some(figure) = figure else {
            last = None;
            continue;
        };
        let tenth = |part: u64, whole: u64, size: u64| {
            u64::try_from(u128::from(part) * u128::from(size * 10) / u128::from(whole.max(1)))
                .unwrap_or_default()
        };
        let x = tenth(at.millis_since(frame.since), range, WIDTH);
        let y = (HEIGHT * 10).saturating_sub(tenth(figure.min(frame.top), frame.top, HEIGHT));
        if last.is_none_or(|last| at.millis_since(last) > frame.far) {
            pieces.push(String::new());
        }
        last = Some(at);
        if let Some(piece) = pieces.last_mut() {
            let _ = write!(piece, "{}.{},{}.{} ", x / 10, x % 10, y / 10, y % 10);
        }
    }
    pieces
}
