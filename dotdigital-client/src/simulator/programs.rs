//! Setting programs up, and who was enrolled in them.

use super::Simulator;

/// Whether a program takes people in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProgramState {
    /// Not started yet.
    Draft,
    /// Running: the only state in which people can be enrolled.
    #[default]
    Active,
    /// Stopped.
    Deactivated,
    /// Running, and not to be changed.
    ReadOnly,
}

impl ProgramState {
    /// The service's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::Active => "Active",
            Self::Deactivated => "Deactivated",
            Self::ReadOnly => "ReadOnly",
        }
    }
}

impl Simulator {
    /// Creates a program; returns its id.
    pub fn add_program(&self, name: &str, state: ProgramState) -> i32 {
        let account = &mut self.lock().account;
        let now = account.now();
        account.programs.create(name, state, now)
    }

    /// Starts or stops a program.
    pub fn set_program_state(&self, program: i32, state: ProgramState) {
        if let Some(program) = self.lock().account.programs.all.get_mut(&program) {
            program.state = state;
        }
    }

    /// Who was enrolled in a program, by contact id, and how many times. More than once means that
    /// the contact went through the program more than once.
    pub fn enrolments(&self, program: i32) -> Vec<(i64, u32)> {
        let account = &self.lock().account;
        let program = account.programs.all.get(&program);
        program.into_iter().flat_map(|one| &one.enrolled).map(|(id, n)| (*id, *n)).collect()
    }
}
