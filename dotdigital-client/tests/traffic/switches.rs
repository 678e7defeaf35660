//! Every position of every switch.

use dotdigital_client::simulator::{
    BadList, ConflictCode, ContactIdForm, CustomIdentifierErrors, DataFieldCreated, EmailEcho,
    FailureCodeCase, InsightDataShapes, ListCreated, ListDeleted, ListReading, MistypedDataField,
    NonMemberRemoval, OversizeImport, RateReset, Reenrolment, RemovalStatusCase, ServerTimeBody,
    SuppressedAddition, Switches, ThrottleBody, UnknownDataField, UnknownRemoval,
};
use proptest::{prelude::*, sample::select};

/// Draws one of the positions, the default being the first.
macro_rules! drawn {
    ($draw:expr, { $($switch:ident: [$($position:expr),+ $(,)?]),+ $(,)? }) => {
        // Without `..`: a switch that is missing here does not compile.
        Switches { $($switch: $draw(&[$($position),+].map(|_| ()), stringify!($switch))
            .map_or_else(Default::default, |at: usize| [$($position),+][at])),+ }
    };
}

/// Which position each switch is in; `draw` is told how many there are, and the switch's name.
fn positions(mut draw: impl FnMut(&[()], &str) -> Option<usize>) -> Switches {
    drawn!(draw, {
        list_created: [ListCreated::Ok200, ListCreated::Created201],
        list_deleted: [ListDeleted::NoContent204, ListDeleted::Ok200],
        email_echo: [EmailEcho::AsSent, EmailEcho::LowerCase],
        rate_reset: [RateReset::EpochSeconds, RateReset::SecondsFromNow],
        throttle_body: [ThrottleBody::Empty, ThrottleBody::Json, ThrottleBody::Text],
        non_member_removal: [NonMemberRemoval::NoContent204, NonMemberRemoval::NotFound404],
        unknown_removal: [UnknownRemoval::Ignored, UnknownRemoval::JobFails],
        removal_status: [RemovalStatusCase::Pascal, RemovalStatusCase::Camel],
        list_reading: [ListReading::HidesSuppressed, ListReading::ShowsSuppressed],
        bad_list: [BadList::ContactFails, BadList::ListSkipped],
        suppressed_addition: [SuppressedAddition::SilentlyDropped, SuppressedAddition::Fails],
        contact_id: [ContactIdForm::Number, ContactIdForm::Text],
        conflict_code: [ConflictCode::IdentifierConflict, ConflictCode::IdAlreadyExists],
        oversize_import: [OversizeImport::TooLarge413, OversizeImport::BadRequest400],
        unknown_data_field: [UnknownDataField::Fails, UnknownDataField::Ignored],
        mistyped_data_field: [MistypedDataField::Fails, MistypedDataField::Ignored],
        failure_codes: [FailureCodeCase::Camel, FailureCodeCase::Pascal],
        data_field_created: [DataFieldCreated::Echoed, DataFieldCreated::Empty],
        server_time: [ServerTimeBody::PlainText, ServerTimeBody::JsonString],
        custom_identifier_errors: [
            CustomIdentifierErrors::AsDeclared,
            CustomIdentifierErrors::AsInExamples,
        ],
        insight_data: [InsightDataShapes::AsDeclared, InsightDataShapes::AsInExamples],
        reenrolment: [Reenrolment::EnrolledAgain, Reenrolment::AlreadyInProgram],
    })
}

/// The default, and each switch in each of its other positions, with a name for each.
pub(crate) fn each_switch() -> Vec<(String, Switches)> {
    let mut sizes = Vec::new();
    let default = positions(|positions, name| {
        sizes.push((name.to_owned(), positions.len()));
        None
    });
    let mut all = vec![("default".to_owned(), default)];
    for (switch, size) in &sizes {
        for position in 1..*size {
            let moved = positions(|_, name| (name == switch).then_some(position));
            all.push((format!("{switch} {position}"), moved));
        }
    }
    all
}

/// Switches in any positions.
pub(crate) fn any_switches() -> impl Strategy<Value = Switches> {
    let numbers = prop::collection::vec(0_usize..6, 40);
    let switches = numbers.prop_map(|numbers| {
        let mut numbers = numbers.into_iter().cycle();
        positions(|positions, _| numbers.next().map(|number| number % positions.len()))
    });
    prop_oneof![select(vec![Switches::default()]), switches]
}
