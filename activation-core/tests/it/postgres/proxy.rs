//! A proxy in front of a server that cuts connections at statements.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::Server;

/// What becomes of a statement and of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It passes, and so does its answer.
    Nothing,
    /// The server does not see it.
    Before,
    /// The server is at it when the connection ends.
    Amid,
    /// The server has done it, and its answer is lost.
    After,
}

type Decide = Arc<dyn Fn() -> Cut + Send + Sync>;

/// Passes on what is said, statement by statement. It knows no TLS.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    is_over: Arc<AtomicBool>,
}

impl Proxy {
    /// In front of `server`; `decide` is asked at each statement.
    pub(crate) fn before(
        server: &Server,
        decide: impl Fn() -> Cut + Send + Sync + 'static,
    ) -> Self {
        let socket = server.directory.join(format!(".s.PGSQL.{}", server.port));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let is_over = Arc::new(AtomicBool::new(false));
        let (end, decide): (_, Decide) = (Arc::clone(&is_over), Arc::new(decide));
        thread::spawn(move || {
            for client in listener.incoming() {
                if end.load(Ordering::SeqCst) {
                    break;
                }
                let (socket, decide) = (socket.clone(), Arc::clone(&decide));
                // Whatever goes wrong on a connection ends it, as those on both sides will see.
                thread::spawn(move || client.and_then(|client| serve(client, socket, &decide)));
            }
        });
        Self { port, is_over }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // It is waiting for a connection.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(mut client: TcpStream, socket: PathBuf, decide: &Decide) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut server = UnixStream::connect(socket)?;
    let keeps_answer = Arc::new(AtomicBool::new(false));
    let back = (server.try_clone()?, client.try_clone()?, Arc::clone(&keeps_answer));
    let answers = thread::spawn(move || pass_answers(back.0, back.1, &back.2));
    // The first message has no type.
    let mut passed = read_rest(&mut client, Vec::new()).and_then(|first| server.write_all(&first));
    while passed.is_ok() {
        passed = (|| {
            let message = read_message(&mut client)?;
            // One statement of each of the two ways to send them ends with one of these.
            let cut = if matches!(message[0], b'Q' | b'S') { decide() } else { Cut::Nothing };
            let broken = || io::Error::from(io::ErrorKind::ConnectionAborted);
            match cut {
                Cut::Nothing => server.write_all(&message),
                Cut::Before => Err(broken()),
                Cut::Amid => server.write_all(&message).and(Err(broken())),
                Cut::After => {
                    keeps_answer.store(true, Ordering::SeqCst);
                    server.write_all(&message)
                }
            }
        })();
    }
    let _ = (server.shutdown(Shutdown::Both), client.shutdown(Shutdown::Both));
    let _ = answers.join();
    Ok(())
}

fn pass_answers(mut server: UnixStream, mut client: TcpStream, keeps_answer: &AtomicBool) {
    while let Ok(message) = read_message(&mut server) {
        let is_kept = keeps_answer.load(Ordering::SeqCst);
        // The server is ready for the next statement.
        let is_end = is_kept && message[0] == b'Z';
        if is_end || !is_kept && client.write_all(&message).is_err() {
            break;
        }
    }
    let _ = (server.shutdown(Shutdown::Both), client.shutdown(Shutdown::Both));
}

/// A message: its type, its length, and what it says.
fn read_message(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut kind = [0];
    from.read_exact(&mut kind)?;
    read_rest(from, kind.to_vec())
}

fn read_rest(from: &mut impl Read, mut message: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    message.extend(length);
    let (start, length) = (message.len(), u32::from_be_bytes(length) as usize);
    message.resize(start + length.saturating_sub(4), 0);
    from.read_exact(&mut message[start..])?;
    Ok(message)
}
