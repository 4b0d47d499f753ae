//! What a chat template makes of lists is looked at where it is made.
//!
//! minijinja's fuel pays for the elements of a list, and not for what a list shows: one that holds itself twice, forty times over,
//! is forty small lists to fuel, and 2^40 elements to whoever compares it. So a filter of ours stands behind every instruction that
//! makes a value of values, and before those that compare; and lists that are joined are made one at once.

use std::collections::BTreeMap;

use minijinja::machinery::{CompiledTemplate, Instruction, Instructions, eval, make_string_output};
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, Value};

/// What the filter is called; no template can write it.
const FILTER: &str = "how-large";
/// The same for what a namespace is given.
const KEPT: &str = "is-kept";
/// The same for what was joined.
const JOINED: &str = "joined";
/// The same for the step of a slice.
const STEP: &str = "step";
/// How the engine calls a namespace within.
const NAMESPACE: &str = "::Namespace";
/// No place in the engine's table of filters.
const NOT_KEPT: u8 = !0;
/// Values that a list may show, those within it counted as often as it shows them, beside as many as a conversation has bytes.
const MOST_VALUES: usize = 1 << 17;
/// Lists within lists; JSON of data is no deeper.
const DEEPEST: usize = 128;
/// Values that are looked at for a unit of fuel.
const VALUES_A_UNIT: usize = 64;

/// Renders a template of `environment` without blocks.
///
/// # Errors
/// Those of the template, and of a list that shows more than [`add_filter`] lets it.
pub fn render<'env>(
    environment: &'env Environment<'env>,
    template: &CompiledTemplate<'env>,
    context: Value,
) -> Result<String, Error> {
    let instructions = watched(&template.instructions);
    let blocks = BTreeMap::new();
    let mut text = String::new();
    let mut output = make_string_output(&mut text);
    eval(
        environment,
        &instructions,
        context,
        &blocks,
        &mut output,
        AutoEscape::None,
    )?;
    Ok(text)
}

/// Makes the filter known, for a conversation of so many bytes.
pub fn add_filter(environment: &mut Environment, bytes: usize) {
    let most = MOST_VALUES.saturating_add(bytes);
    environment.add_filter(FILTER, move |state: &State, value: Value| {
        let mut left = most;
        count(&value, DEEPEST, &mut left)?;
        let units = (most - left) / VALUES_A_UNIT;
        state.consume_fuel(units as u64)?;
        Ok(value)
    });
    // The engine keeps what was joined as its parts, and goes through all of them even where none has an element: an empty list
    // that is joined with itself sixty times has no elements and 2^60 parts.
    environment.add_filter(JOINED, move |value: Value| {
        if value.kind() != ValueKind::Iterable {
            return Ok(value);
        }
        let elements: Vec<Value> = value.try_iter()?.take(most + 1).collect();
        match elements.len() > most {
            true => Err(too_many()),
            false => Ok(Value::from(elements)),
        }
    });
    // The engine takes a step to 32 bits in a browser, where 2^32 becomes 0, and divides by it.
    environment.add_filter(STEP, |step: Value| {
        let longest = i64::from(i32::MAX);
        i64::try_from(step.clone()).map_or(step, |step| step.clamp(-longest, longest).into())
    });
    // A namespace alone changes after it was made, and one that held itself would show itself without an end.
    environment.add_filter(KEPT, |value: Value| {
        let mut left = MOST_VALUES;
        match holds_namespace(&value, DEEPEST, &mut left)? {
            false => Ok(value),
            true => Err(Error::new(
                ErrorKind::InvalidOperation,
                "the template puts a namespace into a namespace; put what it holds there",
            )),
        }
    });
}

/// Whether a value is or shows a namespace.
fn holds_namespace(value: &Value, depth: usize, left: &mut usize) -> Result<bool, Error> {
    let Some(object) = value.as_object() else {
        return Ok(false);
    };
    if object.type_name().ends_with(NAMESPACE) {
        return Ok(true);
    }
    let is_map = value.kind() == ValueKind::Map;
    let Some(length) = value.len() else {
        return Ok(false);
    };
    // What shows more is refused where it is made.
    let Some(rest) = left.checked_sub(length).filter(|_| depth > 0) else {
        return Ok(false);
    };
    *left = rest;
    for element in value.try_iter()? {
        let element = match is_map {
            true => value.get_item(&element)?,
            false => element,
        };
        if holds_namespace(&element, depth - 1, left)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes what a value shows off `left`.
fn count(value: &Value, depth: usize, left: &mut usize) -> Result<(), Error> {
    let is_map = match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => false,
        ValueKind::Map => true,
        _ => return Ok(()),
    };
    // What has no length is made element by element, and paid for.
    let Some(length) = value.len() else {
        return Ok(());
    };
    let rest = left.checked_sub(length).filter(|_| depth > 0);
    *left = rest.ok_or_else(too_many)?;
    for element in value.try_iter()? {
        let element = match is_map {
            true => value.get_item(&element)?,
            false => element,
        };
        count(&element, depth - 1, left)?;
    }
    Ok(())
}

fn too_many() -> Error {
    let problem = format!(
        "the template makes a list that shows more values than a conversation of its length has, or has more than {DEEPEST} lists \
         in each other"
    );
    Error::new(ErrorKind::InvalidOperation, problem)
}

/// The same instructions, with the filter behind those that make a value of values.
fn watched<'source>(instructions: &Instructions<'source>) -> Instructions<'source> {
    let all = || (0..).map_while(|place| instructions.get(place));
    let mut moved = Vec::new();
    let mut next = 0;
    for (place, instruction) in (0..).zip(all()) {
        moved.push(next);
        next += 1
            + u32::from(compares(instruction))
            + u32::from(matches!(instruction, Instruction::Slice))
            + u32::from(matches!(instruction, Instruction::Add))
            + u32::from(makes_values(instruction))
            + u32::from(is_kept(instructions, place));
    }
    // A jump may go behind the last one.
    moved.push(next);
    let to = |place: u32| moved.get(place as usize).copied().unwrap_or(place);
    let mut result = Instructions::new(instructions.name(), instructions.source());
    for (place, instruction) in (0..).zip(all()) {
        let mut add = |instruction| {
            let line = instructions.get_line(place);
            match line.and_then(|line| u16::try_from(line).ok()) {
                Some(line) => result.add_with_line(instruction, line),
                None => result.add(instruction),
            }
        };
        let filter = Instruction::ApplyFilter(FILTER, Some(1), NOT_KEPT);
        if compares(instruction) {
            add(filter.clone());
        }
        if matches!(instruction, Instruction::Slice) {
            add(Instruction::ApplyFilter(STEP, Some(1), NOT_KEPT));
        }
        if is_kept(instructions, place) {
            add(Instruction::ApplyFilter(KEPT, Some(1), NOT_KEPT));
        }
        add(match instruction {
            Instruction::Iterate(place) => Instruction::Iterate(to(*place)),
            Instruction::Jump(place) => Instruction::Jump(to(*place)),
            Instruction::JumpIfFalse(place) => Instruction::JumpIfFalse(to(*place)),
            Instruction::JumpIfFalseOrPop(place) => Instruction::JumpIfFalseOrPop(to(*place)),
            Instruction::JumpIfTrueOrPop(place) => Instruction::JumpIfTrueOrPop(to(*place)),
            Instruction::BuildMacro(name, place, flags) => {
                Instruction::BuildMacro(name, to(*place), *flags)
            }
            other => other.clone(),
        });
        if matches!(instruction, Instruction::Add) {
            add(Instruction::ApplyFilter(JOINED, Some(1), NOT_KEPT));
        }
        if makes_values(instruction) {
            add(filter);
        }
    }
    result
}

/// Whether the value on top of the stack is given to a namespace, which is found from this place on.
fn is_kept(instructions: &Instructions<'_>, place: u32) -> bool {
    if !matches!(instructions.get(place), Some(Instruction::Lookup(_))) {
        return false;
    }
    let mut after = (place + 1..).map_while(|next| instructions.get(next));
    let found = after.find(|next| !matches!(next, Instruction::GetAttr(_)));
    matches!(found, Some(Instruction::SetAttr(_)))
}

/// Whether it goes through the value on top of the stack, beside another one.
fn compares(instruction: &Instruction) -> bool {
    matches!(
        instruction,
        Instruction::Eq
            | Instruction::Ne
            | Instruction::Lt
            | Instruction::Lte
            | Instruction::Gt
            | Instruction::Gte
            | Instruction::In
            | Instruction::CompareAndPreserve(_)
    )
}

fn makes_values(instruction: &Instruction) -> bool {
    matches!(
        instruction,
        Instruction::Add
            | Instruction::Mul
            | Instruction::BuildList(_)
            | Instruction::BuildTuple(_)
            | Instruction::BuildMap(_)
            | Instruction::ApplyFilter(..)
            | Instruction::CallFunction(..)
            | Instruction::CallMethod(..)
            | Instruction::CallObject(_)
    )
}
