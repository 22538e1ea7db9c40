//! The terminal: takes it and gives it back, turns its bytes into [`Input`], and writes each frame at once. What a key means
//! is for [`crate::keys`].

mod background;
pub mod editor;
mod features;
mod frame;
mod input;
mod panic;
mod screen;
mod title;

pub use background::Background;
pub(crate) use features::Locale;
pub use features::TerminalFeatures;
pub use frame::FrameBackend;
pub use input::{Input, InputBatch, InputThread, Parser, TerminalReply};
pub use panic::install_panic_hook;
pub use screen::{Screen, Surface, TerminalError};
