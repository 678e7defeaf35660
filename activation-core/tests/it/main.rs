//! Integration tests of the run engine, one binary.

mod guarding;
mod lists;
mod outcomes;
mod rules;
mod scale;
mod simulation;
mod world;
