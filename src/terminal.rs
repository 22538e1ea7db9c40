//! The left edge: takes the terminal and gives it back, turns its bytes into [`Input`] and frames into one write each.

pub mod editor;
mod frame;
mod input;
mod panic;
mod screen;

pub use frame::FrameBackend;
pub use input::{Input, InputBatch, InputThread, Parser, TerminalReply};
pub use panic::install_panic_hook;
pub use screen::{Screen, Surface, TerminalError};
