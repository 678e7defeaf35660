//! Programs: `/v2/programs`.

use serde_json::{Value, json};

use super::{
    Answer, Context,
    answer::{json_body, v2_error},
    v2_parameters::{Slice, int32, timestamp},
};
use crate::simulator::account::Program;

/// `GET /v2/programs`.
pub(super) fn page(context: &mut Context<'_>) -> Answer {
    let slice = Slice::read(&context.query)?;
    let page: Vec<Value> = slice.of(context.account.programs.all.values()).map(shown).collect();
    Ok(json_body(200, &page))
}

/// `GET /v2/programs/{id}`.
pub(super) fn get(context: &mut Context<'_>) -> Answer {
    let program = context.account.programs.all.get(&int32(context.arg(0))?);
    let program = program.ok_or_else(|| v2_error(404, "ERROR_PROGRAM_NOT_FOUND"))?;
    Ok(json_body(200, &shown(program)))
}

fn shown(program: &Program) -> Value {
    json!({
        "id": program.id,
        "name": program.name,
        "status": program.state.as_str(),
        "dateCreated": timestamp(program.created),
    })
}
