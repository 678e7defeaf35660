use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender};

use crate::lines::LinesError;
use crate::merge::{Counts, DiffSink};

/// What a worker has to say about a piece.
pub(super) enum Message {
    /// Keys that differ: for each a [`Header`] and its bytes.
    Differences(Vec<u8>),
    /// There is nothing more.
    End(Result<Counts, LinesError>),
}

/// A sink that sends what it is told, some differences at a time.
pub(super) struct Relay {
    sender: SyncSender<Message>,
    block: Vec<u8>,
    size: usize,
}

/// Nobody listens any more.
pub(super) struct Deaf;

impl Relay {
    /// Sends blocks of at most `size` bytes, longer keys in several.
    pub(super) fn new(sender: SyncSender<Message>, size: usize) -> Self {
        Self { sender, block: Vec::new(), size: size.max(HEADER + 1) }
    }

    /// Sends what is left, and how it ended.
    pub(super) fn end(mut self, outcome: Result<Counts, LinesError>) -> ControlFlow<Deaf> {
        self.flush()?;
        send(&self.sender, Message::End(outcome))
    }

    fn push(&mut self, added: bool, key: &[u8]) -> ControlFlow<Deaf> {
        let pieces = key.chunks(self.size - HEADER);
        let last = pieces.len() - 1;
        for (index, piece) in pieces.enumerate() {
            if self.block.len() + HEADER + piece.len() > self.size {
                self.flush()?;
            }
            if self.block.capacity() == 0 {
                self.block.reserve_exact(self.size);
            }
            let header = Header { length: piece.len(), added, whole: index == last };
            self.block.extend_from_slice(&header.encode());
            self.block.extend_from_slice(piece);
        }
        ControlFlow::Continue(())
    }

    fn flush(&mut self) -> ControlFlow<Deaf> {
        if self.block.is_empty() {
            return ControlFlow::Continue(());
        }
        send(&self.sender, Message::Differences(std::mem::take(&mut self.block)))
    }
}

impl DiffSink<[u8]> for Relay {
    type Break = Deaf;

    fn added(&mut self, key: &[u8], (): &()) -> ControlFlow<Deaf> {
        self.push(true, key)
    }

    fn removed(&mut self, key: &[u8], (): &()) -> ControlFlow<Deaf> {
        self.push(false, key)
    }
}

fn send(sender: &SyncSender<Message>, message: Message) -> ControlFlow<Deaf> {
    match sender.send(message) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(Deaf),
    }
}

/// Tells `sink` what is said about one piece.
pub(super) fn deliver<S: DiffSink<[u8]> + ?Sized>(
    messages: &Receiver<Message>,
    sink: &mut S,
) -> Result<ControlFlow<S::Break, Counts>, LinesError> {
    // A key that came in several pieces.
    let mut long = Vec::new();
    loop {
        match messages.recv().expect("a worker ends every piece that it begins") {
            Message::End(outcome) => return outcome.map(ControlFlow::Continue),
            Message::Differences(block) => {
                if let ControlFlow::Break(reason) = tell(&block, &mut long, sink) {
                    return Ok(ControlFlow::Break(reason));
                }
            }
        }
    }
}

fn tell<S: DiffSink<[u8]> + ?Sized>(
    mut block: &[u8],
    long: &mut Vec<u8>,
    sink: &mut S,
) -> ControlFlow<S::Break> {
    while let Some((header, rest)) = block.split_first_chunk() {
        let header = Header::decode(*header);
        let (mut key, rest) = rest.split_at(header.length);
        block = rest;
        if !header.whole || !long.is_empty() {
            long.extend_from_slice(key);
            key = long;
        }
        if !header.whole {
            continue;
        }
        if header.added {
            sink.added(key, &())?;
        } else {
            sink.removed(key, &())?;
        }
        long.clear();
    }
    ControlFlow::Continue(())
}

/// What stands before a key, or a piece of one.
struct Header {
    length: usize,
    added: bool,
    /// Whether the key ends with this piece.
    whole: bool,
}

impl Header {
    fn encode(&self) -> [u8; HEADER] {
        let word = self.length << 2 | usize::from(self.added) << 1 | usize::from(self.whole);
        (word as u32).to_le_bytes()
    }

    fn decode(bytes: [u8; HEADER]) -> Self {
        let word = u32::from_le_bytes(bytes) as usize;
        Self { length: word >> 2, added: word & 2 != 0, whole: word & 1 != 0 }
    }
}

const HEADER: usize = 4;
