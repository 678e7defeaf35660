//! Compiles what the workspace's README shows. The programs are beside this folder.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
