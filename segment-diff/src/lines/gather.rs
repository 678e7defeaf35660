use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

/// Where workers send what they made, or why they could not.
pub(super) type Sender<B, E> = SyncSender<Result<B, E>>;

/// Does `work` on every piece, on so many threads, and gives what they send to `take` on this one,
/// in no particular order. A worker sends as much as it likes, and waits while as many batches as
/// there are threads have not been taken.
pub(super) fn gather<P: Sync, B: Send, E: Send, F: From<E>>(
    threads: usize,
    pieces: &[P],
    work: impl Fn(&P, &Sender<B, E>) -> Result<(), E> + Sync,
    mut take: impl FnMut(B) -> Result<(), F>,
) -> Result<(), F> {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (sender, batches) = sync_channel(threads);
        for _ in 0..threads {
            let (sender, work, next) = (sender.clone(), &work, &next);
            scope.spawn(move || {
                while let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = work(piece, &sender) {
                        // Whoever no longer listens has an error already.
                        let _ = sender.send(Err(error));
                        return;
                    }
                }
            });
        }
        drop(sender);
        for batch in batches {
            take(batch?)?;
        }
        Ok(())
    })
}
