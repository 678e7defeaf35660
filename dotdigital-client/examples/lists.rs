//! Contact lists: create, find, rename, page.
//!
//! `cargo run -p dotdigital-client --features simulator --example lists`
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod support;

use dotdigital_client::{
    ErrorKind,
    lists::{ListName, NewList, Visibility},
};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> support::Outcome {
    let (client, _simulator) = support::simulated_client()?;
    let lists = client.lists();

    let vip = NewList { name: ListName::parse("VIP")?, visibility: Visibility::Private };
    let list = lists.create(&vip).await?;
    println!("created list {} \"{}\"", list.id, list.name);

    // A name belongs to one list only, whatever its case.
    let error = lists.create(&vip).await.err().ok_or("two lists of one name")?;
    assert_eq!(error.kind(), ErrorKind::Conflict);
    println!("a second one is refused: {error}");

    let renamed = NewList { name: ListName::parse("VIP customers")?, ..vip };
    lists.update(list.id, &renamed).await?;
    let found = lists.find_by_name("vip customers").await?.ok_or("the list is gone")?;
    assert_eq!(found.id, list.id);

    let mut pages = lists.pages();
    while let Some(page) = pages.next_page().await? {
        for list in page {
            println!("list {:>3} {:<8} {}", list.id, list.visibility, list.name);
        }
    }
    Ok(())
}
