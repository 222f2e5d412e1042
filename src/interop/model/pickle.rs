//! Python's pickles (protocols 0 to 5) as plain data. Nothing is looked up and nothing
//! called: what a pickle would call is kept by its name with its arguments.

use std::collections::HashMap;

/// The most objects that a pickle may build, or hold at one time: a whole model with its
/// modules has a few hundred thousand.
const MOST_OBJECTS: usize = 1_000_000;

/// The longest name of a class or function; longer ones are no names.
const LONGEST_NAME: usize = 1000;

/// An object by its number in [`Pickle::objects`].
pub(super) type Id = usize;

/// What a pickle builds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Object {
    None,
    Whole(i64),
    /// A float, bytes, or a number too large: nothing here needs its value.
    Other,
    Text(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// A class or function, `torch._utils._rebuild_tensor_v2`.
    Global(String),
    /// What a function or class would make of arguments; entries and state that were set
    /// on it afterwards.
    Call {
        callee: Id,
        arguments: Id,
        items: Vec<(Id, Id)>,
        state: Option<Id>,
    },
    /// What lies outside the pickle, by a description.
    Persistent(Id),
}

/// A pickle that was read.
#[derive(Debug, Default)]
pub(super) struct Pickle {
    pub(super) objects: Vec<Object>,
    pub(super) root: Id,
}

impl Pickle {
    pub(super) fn get(&self, id: Id) -> &Object {
        &self.objects[id]
    }

    pub(super) fn text(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Object::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn whole(&self, id: Id) -> Option<i64> {
        match self.get(id) {
            Object::Whole(n) => Some(*n),
            _ => None,
        }
    }

    pub(super) fn sequence(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Object::Tuple(all) | Object::List(all) => Some(all),
            _ => None,
        }
    }

    pub(super) fn global(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Object::Global(name) => Some(name),
            _ => None,
        }
    }
}

/// Reads one pickle from the front of `bytes`, which is left behind it.
pub(super) fn read(bytes: &mut &[u8]) -> Result<Pickle, String> {
    let mut machine = Machine {
        bytes,
        pickle: Pickle::default(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    while !machine.step()? {
        machine.check()?;
    }
    let pickle = machine.pickle;
    *bytes = machine.bytes;
    Ok(pickle)
}

struct Machine<'a> {
    bytes: &'a [u8],
    pickle: Pickle,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
}

impl<'a> Machine<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        let Some((head, rest)) = self.bytes.split_at_checked(n) else {
            let left = self.bytes.len();
            return Err(format!(
                "the pickle needs {n} more bytes, and {left} are left"
            ));
        };
        self.bytes = rest;
        Ok(head)
    }

    /// Refuses pickles that make much of little: an instruction of one byte builds an object.
    fn check(&self) -> Result<(), String> {
        let sizes = [
            self.pickle.objects.len(),
            self.stack.len(),
            self.marks.len(),
            self.memo.len(),
        ];
        if sizes.iter().any(|&n| n > MOST_OBJECTS) {
            return Err(format!(
                "the pickle has more than {MOST_OBJECTS} objects, the most that are read"
            ));
        }
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) -> Result<(), String> {
        if module.len() + name.len() > LONGEST_NAME {
            return Err("the pickle names a class of more than a thousand letters".to_owned());
        }
        self.push(Object::Global(format!("{module}.{name}")));
        Ok(())
    }

    /// A whole number of `n` bytes, at most 8, little end first, without a sign.
    fn number(&mut self, n: usize) -> Result<u64, String> {
        let bytes = self.take(n)?.iter().rev();
        Ok(bytes.fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    fn long_take(&mut self, width: usize) -> Result<&'a [u8], String> {
        let length = self.number(width)?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    fn line(&mut self) -> Result<&'a str, String> {
        let end = self.bytes.iter().position(|&b| b == b'\n');
        let end = end.ok_or("a line of the pickle does not end")?;
        let line = &self.take(end + 1)?[..end];
        std::str::from_utf8(line).map_err(|_| "a line of the pickle is not text".to_owned())
    }

    fn push(&mut self, object: Object) {
        self.stack.push(self.pickle.objects.len());
        self.pickle.objects.push(object);
    }

    fn text(&mut self, bytes: &[u8]) {
        self.push(Object::Text(String::from_utf8_lossy(bytes).into_owned()));
    }

    fn pop(&mut self) -> Result<Id, String> {
        // What lies below a mark is not to be taken one by one.
        if self.stack.len() <= self.marks.last().copied().unwrap_or(0) {
            return Err("the pickle takes what is not there".to_owned());
        }
        self.stack
            .pop()
            .ok_or_else(|| "the pickle takes what is not there".to_owned())
    }

    fn top(&mut self) -> Result<Id, String> {
        let id = self.pop()?;
        self.stack.push(id);
        Ok(id)
    }

    fn pop_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self
            .marks
            .pop()
            .ok_or("the pickle goes back to a mark that is not there")?;
        Ok(self.stack.split_off(mark))
    }

    fn tuple(&mut self, n: usize) -> Result<(), String> {
        let mut all = Vec::with_capacity(n);
        for _ in 0..n {
            all.insert(0, self.pop()?);
        }
        self.push(Object::Tuple(all));
        Ok(())
    }

    fn call(&mut self, callee: Id, arguments: Id) {
        self.push(Object::Call {
            callee,
            arguments,
            items: Vec::new(),
            state: None,
        });
    }

    fn append(&mut self, onto: Id, values: Vec<Id>) {
        if let Object::List(all) = &mut self.pickle.objects[onto] {
            all.extend(values);
        }
    }

    fn set(&mut self, onto: Id, pairs: &[Id]) {
        let pairs = pairs
            .as_chunks::<2>()
            .0
            .iter()
            .map(|&[key, value]| (key, value));
        match &mut self.pickle.objects[onto] {
            Object::Dict(items) | Object::Call { items, .. } => items.extend(pairs),
            _ => {}
        }
    }

    fn remember(&mut self, key: u64) -> Result<(), String> {
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: u64) -> Result<(), String> {
        let id = self.memo.get(&key).copied();
        self.stack
            .push(id.ok_or("the pickle refers to what it has not built")?);
        Ok(())
    }

    /// One instruction; whether it was the last.
    fn step(&mut self) -> Result<bool, String> {
        let code = self.take(1)?[0];
        match code {
            b'.' => {
                self.pickle.root = self.pop()?;
                return Ok(true);
            }
            0x80 => {
                let protocol = self.number(1)?;
                if protocol > 5 {
                    return Err(format!("a pickle of protocol {protocol}; 0 to 5 are read"));
                }
            }
            0x95 => {
                self.take(8)?;
            }
            b'(' => self.marks.push(self.stack.len()),
            b'0' => {
                self.pop()?;
            }
            b'1' => {
                self.pop_mark()?;
            }
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            b'N' => self.push(Object::None),
            0x88 | 0x89 => self.push(Object::Whole(i64::from(code == 0x88))),
            b'I' | b'L' => {
                let number = self.line()?.trim_end_matches('L').parse();
                self.push(number.map_or(Object::Other, Object::Whole));
            }
            b'J' => {
                let number = self.number(4)? as u32;
                self.push(Object::Whole(i64::from(number as i32)));
            }
            b'K' | b'M' => {
                let number = self.number(if code == b'K' { 1 } else { 2 })?;
                self.push(Object::Whole(number as i64));
            }
            0x8a | 0x8b => {
                let bytes = self.long_take(if code == 0x8a { 1 } else { 4 })?;
                self.push(long(bytes));
            }
            b'F' => {
                self.line()?;
                self.push(Object::Other);
            }
            b'G' => {
                self.take(8)?;
                self.push(Object::Other);
            }
            b'S' => {
                let line = self.line()?.trim_matches(['\'', '"']).to_owned();
                self.push(Object::Text(line));
            }
            b'V' => {
                let line = self.line()?.to_owned();
                self.push(Object::Text(line));
            }
            b'T' | b'X' => {
                let bytes = self.long_take(4)?;
                self.text(bytes);
            }
            b'U' | 0x8c => {
                let bytes = self.long_take(1)?;
                self.text(bytes);
            }
            0x8d => {
                let bytes = self.long_take(8)?;
                self.text(bytes);
            }
            b'B' | b'C' | 0x8e | 0x96 => {
                self.long_take(match code {
                    b'C' => 1,
                    b'B' => 4,
                    _ => 8,
                })?;
                self.push(Object::Other);
            }
            b']' => self.push(Object::List(Vec::new())),
            b'}' => self.push(Object::Dict(Vec::new())),
            b')' => self.push(Object::Tuple(Vec::new())),
            0x8f => self.push(Object::List(Vec::new())),
            b'l' | 0x91 => {
                let all = self.pop_mark()?;
                self.push(Object::List(all));
            }
            b't' => {
                let all = self.pop_mark()?;
                self.push(Object::Tuple(all));
            }
            b'd' => {
                let all = self.pop_mark()?;
                self.push(Object::Dict(Vec::new()));
                let dict = self.top()?;
                self.set(dict, &all);
            }
            0x85..=0x87 => self.tuple(usize::from(code - 0x84))?,
            b'a' => {
                let value = self.pop()?;
                let list = self.top()?;
                self.append(list, vec![value]);
            }
            b'e' | 0x90 => {
                let all = self.pop_mark()?;
                let list = self.top()?;
                self.append(list, all);
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                let dict = self.top()?;
                self.set(dict, &[key, value]);
            }
            b'u' => {
                let all = self.pop_mark()?;
                let dict = self.top()?;
                self.set(dict, &all);
            }
            b'g' | b'p' => {
                let key = self
                    .line()?
                    .parse()
                    .map_err(|_| "a number of the pickle is none")?;
                if code == b'g' {
                    self.recall(key)?
                } else {
                    self.remember(key)?
                }
            }
            b'h' | b'j' => {
                let key = self.number(if code == b'h' { 1 } else { 4 })?;
                self.recall(key)?;
            }
            b'q' | b'r' => {
                let key = self.number(if code == b'q' { 1 } else { 4 })?;
                self.remember(key)?;
            }
            0x94 => self.remember(self.memo.len() as u64)?,
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.global(module, name)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                // Cut off first: a long text may be named very often.
                let text = |id| -> String {
                    let text = self.pickle.text(id).unwrap_or("?").chars();
                    text.take(LONGEST_NAME + 1).collect()
                };
                let (module, name) = (text(module), text(name));
                self.global(&module, &name)?;
            }
            b'R' | 0x81 => {
                let (arguments, callee) = (self.pop()?, self.pop()?);
                self.call(callee, arguments);
            }
            0x92 => {
                self.pop()?;
                let (arguments, callee) = (self.pop()?, self.pop()?);
                self.call(callee, arguments);
            }
            b'o' => {
                let mut all = self.pop_mark()?;
                if all.is_empty() {
                    return Err("the pickle makes an object of no class".to_owned());
                }
                let arguments = all.split_off(1);
                self.push(Object::Tuple(arguments));
                let arguments = self.pop()?;
                self.call(all[0], arguments);
            }
            b'i' => {
                let (module, name) = (self.line()?, self.line()?);
                let all = self.pop_mark()?;
                self.global(module, name)?;
                let callee = self.pop()?;
                self.push(Object::Tuple(all));
                let arguments = self.pop()?;
                self.call(callee, arguments);
            }
            b'b' => {
                let given = self.pop()?;
                let object = self.top()?;
                if let Object::Call { state, .. } = &mut self.pickle.objects[object] {
                    *state = Some(given);
                }
            }
            b'P' => {
                let line = self.line()?.to_owned();
                self.push(Object::Text(line));
                let id = self.pop()?;
                self.push(Object::Persistent(id));
            }
            b'Q' => {
                let id = self.pop()?;
                self.push(Object::Persistent(id));
            }
            other => {
                return Err(format!(
                    "the pickle has the unknown instruction {other:#04x}"
                ));
            }
        }
        Ok(false)
    }
}

/// A whole number of any length in two's complement, if it fits.
fn long(bytes: &[u8]) -> Object {
    if bytes.len() > 8 {
        return Object::Other;
    }
    let negative = bytes.last().is_some_and(|&b| b > 127);
    let mut all = if negative { [0xff; 8] } else { [0; 8] };
    all[..bytes.len()].copy_from_slice(bytes);
    Object::Whole(i64::from_le_bytes(all))
}
