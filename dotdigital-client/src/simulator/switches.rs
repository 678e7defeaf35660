//! One switch for each thing that is not known about the real service.
//!
//! Each default is the documented choice, or the likelier one where nothing is documented. A client
//! that works under both positions of every switch works whatever the service does.

/// All switches of one account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches {
    /// Status of a created list.
    pub list_created: ListCreated,
    /// Status of a deleted list.
    pub list_deleted: ListDeleted,
    /// How an email address comes back.
    pub email_echo: EmailEcho,
    /// What `X-RateLimit-Reset` counts.
    pub rate_reset: RateReset,
    /// Body of the 429 that means too many calls.
    pub throttle_body: ThrottleBody,
    /// Removing a contact from a list it is not on.
    pub non_member_removal: NonMemberRemoval,
    /// Bulk removal that names ids the account does not know.
    pub unknown_removal: UnknownRemoval,
    /// Spelling of a removal job's status.
    pub removal_status: RemovalStatusCase,
    /// Whether reading a list shows its suppressed members.
    pub list_reading: ListReading,
    /// Adding to a list that does not exist.
    pub bad_list: BadList,
    /// Adding a contact that is suppressed on all its channels.
    pub suppressed_addition: SuppressedAddition,
    /// How the v3 services write a contact id.
    pub contact_id: ContactIdForm,
    /// Error code when an identifier belongs to another contact.
    pub conflict_code: ConflictCode,
    /// Status of an import that is too large.
    pub oversize_import: OversizeImport,
    /// Enrolling somebody in a program who was enrolled in it before.
    pub reenrolment: Reenrolment,
    /// A value for a data field that the account does not have.
    pub unknown_data_field: UnknownDataField,
    /// A value that does not fit the type of its data field.
    pub mistyped_data_field: MistypedDataField,
    /// Spelling of the codes in an import's report.
    pub failure_codes: FailureCodeCase,
    /// What comes with the 201 of a created data field.
    pub data_field_created: DataFieldCreated,
    /// How the server's time is written.
    pub server_time: ServerTimeBody,
    /// The shape of errors about custom identifiers.
    pub custom_identifier_errors: CustomIdentifierErrors,
    /// Shapes of what is told of imports and collections of Insight data.
    pub insight_data: InsightDataShapes,
}

/// Status of a created list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListCreated {
    /// 200, as the documentation says.
    #[default]
    Ok200,
    /// 201, as the generated description says.
    Created201,
}

/// Status of a deleted list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListDeleted {
    /// 204, as the documentation says.
    #[default]
    NoContent204,
    /// 200, as the generated description says.
    Ok200,
}

/// How an email address comes back in answers and reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EmailEcho {
    /// In the spelling it was sent in.
    #[default]
    AsSent,
    /// In lower case.
    LowerCase,
}

/// What `X-RateLimit-Reset` counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RateReset {
    /// Seconds since 1970, as the documentation says.
    #[default]
    EpochSeconds,
    /// Seconds from now, as a comment in the vendor's SDK says.
    SecondsFromNow,
}

/// Body of the 429 that means too many calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThrottleBody {
    /// No body.
    #[default]
    Empty,
    /// A JSON object with a message.
    Json,
    /// Plain text.
    Text,
}

/// Removing a contact from a list it is not on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NonMemberRemoval {
    /// 204, as if it had been there.
    #[default]
    NoContent204,
    /// 404 with `ERROR_CONTACT_NOT_FOUND`.
    NotFound404,
}

/// Bulk removal that names ids the account does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownRemoval {
    /// The unknown ids are passed over, the others removed.
    #[default]
    Ignored,
    /// The job ends as `Failed` and removes nobody.
    JobFails,
}

/// Spelling of the keys in a removal job's status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RemovalStatusCase {
    /// `{"Id":…,"Status":…}`, as the documentation's example says.
    #[default]
    Pascal,
    /// `{"id":…,"status":…}`, as the generated description says.
    Camel,
}

/// Whether `~listId` and a list's count show members whose status there is `suppressed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListReading {
    /// They are left out.
    #[default]
    HidesSuppressed,
    /// They are shown, with that status under `lists`.
    ShowsSuppressed,
}

/// Adding a contact to a list that does not exist or cannot be written to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BadList {
    /// The contact is neither created nor changed.
    #[default]
    ContactFails,
    /// The contact is created or changed; the list is reported and passed over.
    ListSkipped,
}

/// Adding a contact that is suppressed on all its channels to a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SuppressedAddition {
    /// The contact counts as updated and is not on the list afterwards.
    #[default]
    SilentlyDropped,
    /// The contact is reported as `globallySuppressed`.
    Fails,
}

/// How the v3 services write a contact id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContactIdForm {
    /// As a JSON number.
    #[default]
    Number,
    /// As a JSON string of digits.
    Text,
}

/// Error code when an identifier belongs to another contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConflictCode {
    /// `contacts:identifierConflict`, what clients report to receive.
    #[default]
    IdentifierConflict,
    /// `contacts:idAlreadyExists`, as the documentation says.
    IdAlreadyExists,
}

/// Status of an import whose body is too large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OversizeImport {
    /// 413.
    #[default]
    TooLarge413,
    /// 400.
    BadRequest400,
}

/// Enrolling somebody in a program who was enrolled in it before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reenrolment {
    /// The contact goes through the program once more, as one does who has finished it. The
    /// default, because it shows who was enrolled twice by mistake.
    #[default]
    EnrolledAgain,
    /// The contact is reported as `AlreadyInProgram`.
    AlreadyInProgram,
}

/// A value for a data field that the account does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownDataField {
    /// The contact is neither created nor changed, as the v2 services do it.
    #[default]
    Fails,
    /// The value is passed over without a word.
    Ignored,
}

/// A value that does not fit the type of its data field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MistypedDataField {
    /// The contact is neither created nor changed.
    #[default]
    Fails,
    /// The value is passed over without a word.
    Ignored,
}

/// Spelling of the codes in an import's report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailureCodeCase {
    /// `invalidEmail`, `duplicateIdentifier`, as the description's examples say.
    #[default]
    Camel,
    /// `InvalidEmail`, `Duplicate`, as the reference page says.
    Pascal,
}

/// What comes with the 201 of a created data field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataFieldCreated {
    /// The field, as the documentation says.
    #[default]
    Echoed,
    /// No body, as the generated description says.
    Empty,
}

/// How the server's time is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServerTimeBody {
    /// Plain text, as the documentation says.
    #[default]
    PlainText,
    /// A JSON string, as the generated description says.
    JsonString,
}

/// The shape of errors about custom identifiers that are missing or in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CustomIdentifierErrors {
    /// As the description declares them.
    #[default]
    AsDeclared,
    /// As its examples show them: one in an array, one with an object for its details.
    AsInExamples,
}

/// Shapes of what is told of imports and collections of Insight data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InsightDataShapes {
    /// As the description declares them: an import ends as `Complete`, the schema of a collection is
    /// an object.
    #[default]
    AsDeclared,
    /// As its examples show them: an import ends as `Finished`, the schema is an array of fields.
    AsInExamples,
}
