//! A PostgreSQL server: the way to it, and what its errors mean.

mod error;
mod server;
mod session;
mod tls;

pub(crate) use self::{
    error::{Failure, is_cut},
    session::Session,
};
pub use self::{
    server::{NotAPostgresUrl, PostgresServer},
    tls::{NotACertificate, PostgresTls},
};
