//! Our numbers in canonical JSON, compared with those of a JavaScript engine, whose form RFC 8785 takes.

use crate::parts::{self, Part};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use stentor::core::canonical::number;

const PARTS: [Part; 1] = [Part("node", "nodejs")];

/// How many numbers of each sort are compared.
const COUNT: usize = 20_000;

/// Doubles of every size; those with few digits; those exactly between two decimals.
fn doubles() -> Vec<f64> {
    let mut dice = StdRng::seed_from_u64(8785);
    let mut all = Vec::new();
    for _ in 0..COUNT {
        let any = f64::from_bits(dice.random());
        let digits: i64 = dice.random_range(1..1_000_000_000_000);
        let few = format!("{digits}e{}", dice.random_range(-30..30)).parse().unwrap();
        let between = dice.random_range(1_i64 << 50..1 << 53) as f64 / [2.0, 4.0, 8.0, 16.0][dice.random_range(0..4)];
        let power = 2_f64.powi(dice.random_range(-1074..1023));
        all.extend([any, few, between, -between, power, f64::from_bits(power.to_bits() + 1)]);
    }
    all.retain(|double| double.is_finite());
    all
}

#[test]
fn numbers_are_those_of_a_javascript_engine() {
    if parts::missing(&PARTS) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let doubles = doubles();
    let bits: Vec<String> = doubles.iter().map(|double| format!("{:016x}", double.to_bits())).collect();
    std::fs::write(dir.path().join("bits"), bits.join("\n")).unwrap();
    let script = "const view = new DataView(new ArrayBuffer(8)); \
        const of = (bits) => (view.setBigUint64(0, BigInt('0x' + bits)), JSON.stringify(view.getFloat64(0))); \
        console.log(require('fs').readFileSync('bits', 'utf8').split('\\n').map(of).join('\\n'));";
    let output = parts::command("node").args(["-e", script]).current_dir(dir.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    let told: Vec<&str> = told.lines().collect();
    assert_eq!(told.len(), doubles.len());
    for (double, told) in doubles.into_iter().zip(told) {
        assert_eq!(number(double), told, "{:016x}", double.to_bits());
    }
}
