//! Preferences: what contacts wish to hear about.
//!
//! `cargo run -p dotdigital-client --features simulator --example preferences`
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod support;

use dotdigital_client::{
    EmailAddress,
    contacts::IdOrEmail,
    preferences::{NewPreference, Preference, PreferenceChoice},
};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> support::Outcome {
    let (client, simulator) = support::simulated_client()?;
    let preferences = client.preferences();

    // A category holds preferences; only these can be chosen.
    let sport = preferences.create(&NewPreference::category("Sport", "sport")).await?;
    let tennis = NewPreference::preference_in(sport.id, "Tennis", "sport-tennis");
    let tennis = preferences.create(&tennis).await?;
    let news = preferences.create(&NewPreference::preference("News", "news")).await?;
    for top in preferences.list().await? {
        println!("{}", top.public_name);
        for below in &top.preferences {
            println!("  {}", below.public_name);
        }
    }

    // Jane said on a form that she wishes to hear about tennis and not about news.
    simulator.add_contact("jane@example.com");
    let jane = IdOrEmail::from(EmailAddress::parse("jane@example.com")?);
    let choice = |preference: &Preference, opted_in| PreferenceChoice {
        preference: preference.id,
        category: preference.category,
        opted_in,
    };
    preferences.set_for_contact(&jane, &[choice(&tennis, true), choice(&news, false)]).await?;

    let hers = preferences.of_contact(&jane).await?.ok_or("she is gone")?;
    let chosen = hers.iter().flat_map(|top| [top].into_iter().chain(&top.preferences));
    let chosen: Vec<&str> = chosen
        .filter(|it| it.is_preference && it.opted_in == Some(true))
        .map(|it| it.public_name.as_str())
        .collect();
    println!("jane wishes to hear about {}", chosen.join(", "));
    assert_eq!(chosen, ["Tennis"]);

    let listeners = preferences.opted_into(tennis.id).all().await?;
    println!("{} contact wishes to hear about {}", listeners.len(), tennis.public_name);
    assert_eq!(listeners.len(), 1);
    assert!(preferences.opted_into(news.id).all().await?.is_empty());
    Ok(())
}
