//! TensorBoard's event files, in and out: records framed as in TensorFlow's TFRecord files
//! (`record.rs`), each of them a protocol buffer `Event` (`message.rs`).
//!
//! Read are scalars, as a plain number (TensorFlow 1, PyTorch, tensorboardX) and as a tensor
//! (TensorFlow 2, Keras), histograms, as a `HistogramProto` and as a tensor of the plugin
//! `histograms`, and texts. A file may grow while it is read (`EventReader`).
//!
//! Sources: `tensorflow/core/lib/io/record_writer.h`, `tensorflow/core/util/event.proto`,
//! `tensorflow/core/framework/summary.proto`, and `tensorboard/data_compat.py` for what
//! becomes of a histogram.

mod bounds;
mod decode;
mod message;
mod reader;
mod record;
mod writer;

pub use decode::{Event, EventHistogram, EventValue};
pub use reader::{EventFault, EventReader, Growth, events_of_bytes};
pub use record::{MOST_RECORD, Piece, next_piece};
pub use writer::EventWriter;

/// What every event file's name contains, by which TensorBoard knows it.
pub const NAME_PART: &str = "tfevents";
