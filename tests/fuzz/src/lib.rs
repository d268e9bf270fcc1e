//! What several fuzz targets share: the laws of declarative files, and scratch files.

pub mod declarative;
mod scratch;

pub use scratch::Scratch;
