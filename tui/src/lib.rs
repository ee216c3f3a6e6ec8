//! mindloop's terminal: the dashboard and the command line.
//!
//! The dashboard is state ([`app`]) that messages change ([`update`]) and that is drawn
//! ([`view`]) through panels, which are made of widgets. It knows `acquisition` and
//! `decoding`, nothing of files, sources or threads, and runs headless in tests.

pub mod app;
pub mod cli;
#[cfg(test)]
mod fixture;
pub mod keymap;
pub mod message;
pub mod panel;
pub mod runtime;
pub mod terminal;
pub mod theme;
pub mod update;
pub mod view;
pub mod widget;
