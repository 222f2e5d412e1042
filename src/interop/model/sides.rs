//! How large a model's inputs are, where the file leaves it open and somebody says it.

use super::graph::{ForeignModel, Port, Sides};
use std::str::FromStr;

/// The sides of one sample of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputSides {
    /// Which input; the first where there is no name.
    pub name: Option<String>,
    /// Channels, rows and columns, or whatever the input has behind its first side, that of the
    /// samples.
    pub sides: Vec<usize>,
}

impl FromStr for InputSides {
    type Err = String;

    /// Of `3,224,224` or `image=3,224,224`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, list) = match text.rsplit_once('=') {
            Some((name, list)) => (Some(name.to_owned()), list),
            None => (None, text),
        };
        let sides: Result<Vec<usize>, _> = list
            .split(',')
            .map(|side| side.trim().parse::<usize>())
            .collect();
        match sides {
            Ok(sides) if !sides.contains(&0) => Ok(InputSides { name, sides }),
            _ => Err(format!(
                "{list:?} are no sides; give whole numbers such as 3,224,224"
            )),
        }
    }
}

impl InputSides {
    /// Its place among `ports`.
    fn place(&self, ports: &[Port]) -> Result<usize, String> {
        let names = || -> String {
            let all: Vec<&str> = ports.iter().map(|port| port.name.as_str()).collect();
            all.join(", ")
        };
        match &self.name {
            None if ports.is_empty() => Err("has no inputs".to_owned()),
            None => Ok(0),
            Some(name) => ports
                .iter()
                .position(|port| port.name == *name)
                .ok_or_else(|| format!("has no input {name:?}; its inputs are {}", names())),
        }
    }
}

/// Writes the sides into the model's inputs.
pub(super) fn set(model: &mut ForeignModel, inputs: &[InputSides]) -> Result<(), String> {
    for input in inputs {
        let at = input.place(&model.inputs)?;
        let port = &mut model.inputs[at];
        let first = port.shape.as_ref().and_then(|shape| *shape.first()?);
        let known = port.shape.as_ref().and_then(|shape| shape.get(1..));
        let fits = known.is_none_or(|known| {
            known.len() == input.sides.len()
                && known
                    .iter()
                    .zip(&input.sides)
                    .all(|(known, &side)| known.is_none_or(|known| known == side))
        });
        if !fits {
            return Err(format!(
                "its input {:?} has the shape {}, and {:?} behind the samples do not fit it",
                port.name,
                Sides(port.shape.as_deref().unwrap_or_default()),
                input.sides
            ));
        }
        let rest = input.sides.iter().map(|&side| Some(side));
        port.shape = Some(std::iter::once(first).chain(rest).collect());
    }
    Ok(())
}

/// Rows and columns of images for weights without a graph.
pub(super) fn of_images(inputs: &[InputSides]) -> Result<Option<[usize; 2]>, String> {
    match inputs {
        [] => Ok(None),
        [one] => match one.sides[..] {
            [_, rows, columns] => Ok(Some([rows, columns])),
            [_] => Ok(None),
            _ => Err(format!(
                "holds weights and no graph; images are given as channels, rows and columns, and \
                 not as {:?}",
                one.sides
            )),
        },
        _ => Err("holds weights and no graph, for which one input is guessed".to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_read_with_and_without_a_name() {
        let input: InputSides = "3, 12,12".parse().unwrap();
        assert_eq!((input.name, input.sides), (None, vec![3, 12, 12]));
        let input: InputSides = "x:0=a=512".parse().unwrap();
        assert_eq!(
            (input.name.unwrap(), input.sides),
            ("x:0=a".to_owned(), vec![512])
        );
        for bad in ["", "3,", "0,2", "-1", "x="] {
            assert!(InputSides::from_str(bad).is_err(), "{bad}");
        }
    }
}
