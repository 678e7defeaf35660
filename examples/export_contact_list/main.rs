//! The main job, start to finish: a segment of a warehouse becomes a contact list of Dotdigital and
//! stays equal to it. The warehouse is an SQLite file created on the spot, the service a simulated
//! account that is called over real HTTP, so nothing has to be installed or configured.
//!
//! Every sentence that starts with `ok` was checked against the warehouse or the service. When one
//! is not true, the program says so and ends with code 1.
#![expect(clippy::print_stdout, reason = "a story has to be told somewhere")]

mod costs;
mod customers;
mod service;
mod telling;
mod warehouse;

use std::{collections::BTreeSet, error::Error, process::ExitCode, sync::Arc};

use activation_core::{
    Activation, DirectoryStore, Engine, RunReport, RunStatus, Settings, SettingsPatch, Visibility,
    dotdigital::Dotdigital, sources::SqliteSource,
};

use self::{
    costs::Costs,
    service::Service,
    telling::{chapter, claim, counts, number, say},
    warehouse::{BROKEN_SEGMENT, SEGMENT, Warehouse},
};

const LIST: &str = "VIP customers (EU)";

/// Whom a colleague puts on the list by hand.
const GUEST: &str = "guest.of.the.board@example.com";

#[tokio::main]
async fn main() -> ExitCode {
    match Box::pin(story()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\n{error}");
            ExitCode::FAILURE
        }
    }
}

async fn story() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let warehouse = Warehouse::create(directory.path().join("warehouse.db"))?;
    let service = Service::open(&warehouse.known_to_the_service()?).await?;
    let engine = Engine::new(Arc::new(DirectoryStore::open(directory.path().join("state"))?));
    let mut job = Job {
        engine,
        activation: activation(),
        destination: Dotdigital::new(service.client()),
        warehouse,
        service,
        costs: Costs::default(),
    };
    job.introduce()?;
    job.first_run().await?;
    job.people_enter_and_leave().await?;
    job.nothing_changed().await?;
    job.a_broken_query().await?;
    job.in_the_end().await
}

/// Defaults of the destination, and what this activation overrides: nothing.
fn activation() -> Activation {
    let defaults = SettingsPatch::default().visibility(Visibility::Private);
    let settings = Settings::resolve(&defaults, &SettingsPatch::default());
    Activation::new("eu_vip").named(LIST).settings(settings)
}

/// All that takes part.
struct Job {
    engine: Engine,
    activation: Activation,
    destination: Dotdigital,
    warehouse: Warehouse,
    service: Service,
    costs: Costs,
}

impl Job {
    fn introduce(&self) -> Result<(), Box<dyn Error>> {
        say("A segment of a warehouse becomes a contact list, and stays equal to it.\n");
        let customers = number(self.warehouse.customers()?);
        say(&format!("warehouse  an SQLite file created just now, {customers} customers"));
        let contacts = number(self.service.contacts().len());
        say(&format!("service    a simulated Dotdigital account over HTTP, {contacts} contacts"));
        say(&format!("list       \"{LIST}\", private, which does not exist yet"));
        say("segment    \"eu_vip\":");
        SEGMENT.lines().for_each(|line| say(&format!("           {line}")));
        Ok(())
    }

    async fn first_run(&mut self) -> Result<(), Box<dyn Error>> {
        chapter("1. First run: the list is created and filled");
        let known = self.service.contacts();
        let segment = self.warehouse.segment()?;
        let report = self.run(SEGMENT, RunStatus::Done).await?;
        let created = segment.difference(&known).count();
        say(&format!("   {} of them were no contacts before and were created", number(created)));
        claim(
            "the list is there, under that name and private",
            self.list_is_private(&report).await?,
        )?;
        claim(
            &format!("all {} people with a usable address were added", number(segment.len())),
            report.added == segment.len() as u64 && !report.rejected.is_empty(),
        )?;
        claim("read back, the list is the segment", self.members().await? == segment)
    }

    async fn people_enter_and_leave(&mut self) -> Result<(), Box<dyn Error>> {
        chapter("2. A month later: people enter and leave");
        self.warehouse.a_month_later()?;
        self.service.add_by_hand(LIST, GUEST)?;
        let (entered, left) = (self.warehouse.entered()?, self.warehouse.left()?);
        let entering = counts("enter", &entered);
        let leaving = counts("leave", &left);
        say("   (meanwhile a colleague put one more person on the list by hand)");
        let report = self.run(SEGMENT, RunStatus::Done).await?;
        claim(
            &format!("exactly those {entering} were added and those {leaving} removed"),
            (report.added, report.removed) == (entering, leaving),
        )?;
        let mut expected = self.warehouse.segment()?;
        expected.insert(GUEST.to_owned());
        claim(
            "read back, the list is the segment and the colleague's guest",
            self.members().await? == expected,
        )
    }

    async fn nothing_changed(&mut self) -> Result<(), Box<dyn Error>> {
        chapter("3. An hour later: nothing changed");
        let writes = self.service.write_calls();
        self.run(SEGMENT, RunStatus::NothingToDo).await?;
        claim("no call that writes was made", self.service.write_calls() == writes)
    }

    async fn a_broken_query(&mut self) -> Result<(), Box<dyn Error>> {
        chapter("4. Somebody breaks the query: it compares country codes with names");
        let (writes, before) = (self.service.write_calls(), self.members().await?);
        let report = self.run(BROKEN_SEGMENT, RunStatus::Blocked).await?;
        let digest = report.plan_digest.as_deref().unwrap_or_default();
        say("   to go on: mend the query and run again; or, if everybody really is to leave,");
        say(&format!("   approve exactly this plan: activate … --approve {digest}"));
        let untouched = self.service.write_calls() == writes && self.members().await? == before;
        claim("nothing was written, and everybody is still on the list", untouched)
    }

    async fn in_the_end(&mut self) -> Result<(), Box<dyn Error>> {
        chapter("5. In the end");
        let mut expected = self.warehouse.segment()?;
        expected.insert(GUEST.to_owned());
        let members = self.members().await?;
        claim(
            &format!("the list's {} members are the segment and the guest", number(members.len())),
            members == expected,
        )?;
        let mut ever = self.warehouse.known_to_the_service()?;
        ever.extend(self.warehouse.segment_last_month()?);
        ever.extend(expected);
        let contacts = self.service.contacts();
        claim(
            &format!("the account holds all {} contacts it ever had", number(contacts.len())),
            contacts == ever && self.service.deleted() == 0,
        )?;
        claim("nobody was unsubscribed, resubscribed or deleted", self.service.is_unharmed())?;
        say("");
        self.costs.tell();
        claim("that is fewer calls than one for each change", self.costs.are_low())
    }

    /// Runs the activation once, tells what the run says of itself, and checks how it ended.
    async fn run(&mut self, query: &str, expected: RunStatus) -> Result<RunReport, Box<dyn Error>> {
        let source = SqliteSource::new(self.warehouse.path(), query);
        let report = self.engine.run(&self.activation, &source, &self.destination).await;
        telling::report(&report);
        self.costs.add(&report);
        claim(&format!("the run says: {}", report.status), report.status == expected)?;
        Ok(report)
    }

    async fn members(&self) -> Result<BTreeSet<String>, Box<dyn Error>> {
        self.service.members(LIST).await
    }

    async fn list_is_private(&self, report: &RunReport) -> Result<bool, Box<dyn Error>> {
        let list = self.service.list(LIST).await?;
        let is_ours = report.list.id == u64::try_from(list.id.get()).ok();
        Ok(is_ours && list.visibility == dotdigital_client::lists::Visibility::Private)
    }
}
