//! Random numbers that are the same on every machine and in every version: SplitMix64, with one stream for each random
//! thing.
//!
//! The generator is from G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014),
//! with the constants of its reference implementation. It is written here and not taken from a crate, because a later
//! version must reproduce a result that was printed with its seed.
//!
//! A stream is identified by the seed, the number of the run and its purpose ("ana/answers"). So what one person does
//! does not depend on the draws for others, on the order of events or on which thread plays the run, and two matrices
//! that are compared with one seed get the same people (common random numbers).

/// One stream.
#[derive(Debug, Clone)]
pub struct RandomStream(u64);

/// The odd number nearest to 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl RandomStream {
    /// The stream for one purpose in one run.
    pub fn new(seed: u64, run: u64, purpose: &[&str]) -> Self {
        let mut state = mix(seed ^ mix(run.wrapping_add(GOLDEN)));
        for part in purpose {
            // FNV-1a, with a separator, so that ("a", "bc") and ("ab", "c") are two streams.
            for byte in part.bytes().chain([0xff]) {
                state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
            state = mix(state);
        }
        Self(state)
    }

    /// The `n`th stream derived from this one.
    pub fn nth(self, n: u64) -> Self {
        Self(mix(self.0 ^ mix(n.wrapping_add(GOLDEN))))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A number above 0 and below 1, from 53 bits: never the ends, where quantiles are infinite.
    pub fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Returns `true` with this probability.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }
}

fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        // The first numbers of the reference implementation for the state 1234567.
        let mut dice = RandomStream(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| dice.bits()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn streams_of_different_purposes_runs_and_seeds_differ() {
        let first = |seed, run, purpose: &[&str]| RandomStream::new(seed, run, purpose).bits();
        let all = [
            first(1, 1, &["a", "bc"]),
            first(1, 1, &["ab", "c"]),
            first(1, 2, &["a", "bc"]),
            first(2, 1, &["a", "bc"]),
        ];
        assert!((1..4).all(|n| !all[..n].contains(&all[n])), "{all:?}");
    }

    #[test]
    fn a_quarter_happens_a_quarter_of_the_time() {
        let hits = (0..40_000).filter(|run| RandomStream::new(7, *run, &["x"]).happens(0.25)).count();
        assert!((9_700..10_300).contains(&hits), "{hits}");
    }
}
