//! Seeded changes of inputs, for the tests that run where no engine is.

/// An endless row of changed inputs. The same seed and the same inputs give the same row.
#[derive(Clone, Debug)]
pub struct Mutations {
    state: u64,
    inputs: Vec<Vec<u8>>,
}

/// The longest input that is made, in bytes.
const INPUT_BYTES_MAX: usize = 4_096;

/// Changes made to one input at most.
const CHANGES_MAX: u64 = 6;

/// Bytes on which parsers turn.
const TURNS: &[u8] = b"\0\n\r\t <>&;:/?#[]@\"'=-*$%\\{}\x7f\x80\xc3\xff";

impl Mutations {
    /// Changes of `inputs`; an empty list stands for one empty input.
    pub fn new(seed: u64, inputs: Vec<Vec<u8>>) -> Mutations {
        // A state of 0 would give nothing but 0.
        let state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Mutations { state, inputs }
    }

    /// The next input, at most 4,096 bytes.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut input = self.any_input();
        for _ in 0..=self.below(CHANGES_MAX) {
            self.change(&mut input);
        }
        input.truncate(INPUT_BYTES_MAX);
        input
    }

    fn any_input(&mut self) -> Vec<u8> {
        let index = self.index(self.inputs.len());
        self.inputs.get(index).cloned().unwrap_or_default()
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.index(input.len() + 1);
        let end = (at + self.index(32)).min(input.len());
        match self.below(8) {
            0 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
            1 => input.insert(at, self.turn()),
            2 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte = self.turn();
                }
            }
            3 => drop(input.drain(at..end)),
            4 => {
                let copied: Vec<u8> = input.get(at..end).unwrap_or_default().to_vec();
                let times = self.index(20);
                input.splice(at..at, copied.repeat(times));
            }
            5 => input.truncate(at),
            6 => {
                let other = self.any_input();
                let from = self.index(other.len() + 1);
                input.truncate(at);
                input.extend(other.get(from..).unwrap_or_default());
            }
            _ => {
                let number = self.random().to_le_bytes();
                let length = 1 << self.below(4);
                input.splice(at..end, number.into_iter().take(length));
            }
        }
    }

    fn turn(&mut self) -> u8 {
        let index = self.index(TURNS.len());
        TURNS.get(index).copied().unwrap_or_default()
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random().checked_rem(bound).unwrap_or_default()
    }

    /// xorshift64* (Vigna 2016).
    fn random(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_inputs_and_another_seed_others() {
        let row = |seed| {
            let mut mutations = Mutations::new(seed, vec![b"User-agent: *".to_vec()]);
            (0..50).map(|_| mutations.next_input()).collect::<Vec<_>>()
        };
        assert_eq!(row(1), row(1));
        assert_ne!(row(1), row(2));
        assert!(row(3).iter().all(|input| input.len() <= INPUT_BYTES_MAX));
    }

    #[test]
    fn no_input_is_an_input() {
        let mut mutations = Mutations::new(7, Vec::new());
        assert!((0..100).any(|_| !mutations.next_input().is_empty()));
    }
}
