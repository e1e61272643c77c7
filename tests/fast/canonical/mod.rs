//! Canonical JSON: the vectors of RFC 8785, laws over any JSON, and what is refused.

use proptest::prelude::*;
use serde_json::{Value, json};
use stentor::core::canonical::{CanonicalError, CanonicalJson, INTEGER_MAX, number, read_exact, sha256};

/// RFC 8785, appendix B.
#[test]
fn numbers_are_written_as_ecmascript_writes_them() {
    for (bits, wanted) in [
        (0x0000000000000000_u64, "0"),
        (0x8000000000000000, "0"),
        (0x0000000000000001, "5e-324"),
        (0x8000000000000001, "-5e-324"),
        (0x7fefffffffffffff, "1.7976931348623157e+308"),
        (0xffefffffffffffff, "-1.7976931348623157e+308"),
        (0x4340000000000000, "9007199254740992"),
        (0xc340000000000000, "-9007199254740992"),
        (0x4430000000000000, "295147905179352830000"),
        (0x44b52d02c7e14af5, "9.999999999999997e+22"),
        (0x44b52d02c7e14af6, "1e+23"),
        (0x44b52d02c7e14af7, "1.0000000000000001e+23"),
        (0x444b1ae4d6e2ef4e, "999999999999999700000"),
        (0x444b1ae4d6e2ef4f, "999999999999999900000"),
        (0x444b1ae4d6e2ef50, "1e+21"),
        (0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"),
        (0x3eb0c6f7a0b5ed8d, "0.000001"),
        (0x41b3de4355555553, "333333333.3333332"),
        (0x41b3de4355555554, "333333333.33333325"),
        (0x41b3de4355555555, "333333333.3333333"),
        (0x41b3de4355555556, "333333333.3333334"),
        (0x41b3de4355555557, "333333333.33333343"),
        (0xbecbf647612f3696, "-0.0000033333333333333333"),
        (0x43143ff3c1cb0959, "1424953923781206.2"),
    ] {
        assert_eq!(number(f64::from_bits(bits)), wanted, "{bits:016x}");
    }
}

fn refused(text: &str) -> CanonicalError {
    CanonicalJson::read(text).expect_err(text)
}

#[test]
fn what_readers_would_read_differently_is_refused() {
    for literal in [
        "9007199254740992",
        "9007199254740993",
        "-9007199254740992",
        "18446744073709551615",
        "-9223372036854775808",
        "9007199254740991.5",
        "9007199254740992.0",
        "1e16",
        "1e30",
        "0.10000000000000000001",
        "333333333.33333329",
        "1e-400",
        "4.9e-324",
        "1e-99999999999999999999",
    ] {
        for text in [literal.to_owned(), format!(r#"{{"a":["9007199254740993 \" 1e30",{literal}]}}"#)] {
            assert_eq!(refused(&text), CanonicalError::Inexact(literal.into()), "{text}");
        }
    }
    assert!(matches!(refused("1e400"), CanonicalError::NotJson(_)), "no reader has it");
    for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"\u0061":2}}]"#] {
        assert!(matches!(refused(text), CanonicalError::Twice(why) if why.contains("\"a\"")), "{text}");
    }
    for text in ["", "{", "{} {}", "[1,]", "NaN", r#""\ud800""#, "01", "+1"] {
        assert!(matches!(refused(text), CanonicalError::NotJson(_)), "{text}");
    }
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(CanonicalJson::read(&deep(127)).is_ok());
    assert!(CanonicalJson::read(&deep(128)).is_err());
    let built = (0..128).fold(Value::Null, |inner, _| json!([inner]));
    assert_eq!(CanonicalJson::of(&built), Err(CanonicalError::Deep));
    for value in [json!(INTEGER_MAX + 1), json!(u64::MAX), json!(i64::MIN), json!(1e300)] {
        assert!(matches!(CanonicalJson::of(&value), Err(CanonicalError::Inexact(_))), "{value}");
    }
}

#[test]
fn what_says_the_same_has_the_same_digest() {
    for (text, canonical) in [
        ("9007199254740991", "9007199254740991"),
        ("-9007199254740991", "-9007199254740991"),
        ("1.0", "1"),
        ("-0", "0"),
        ("-0.0e5", "0"),
        ("0e99999999999", "0"),
        ("1200e-2", "12"),
        ("4.50", "4.5"),
        ("2e-3", "0.002"),
        ("0.000000000000000000000000001", "1e-27"),
        ("1E+2", "100"),
        ("0.1", "0.1"),
        (r#""\u00e9\/\u001F\u007f""#, "\"é/\\u001f\u{7f}\""),
        (" { \"b\" : [ ] , \"a\" : { } } ", r#"{"a":{},"b":[]}"#),
    ] {
        let read = CanonicalJson::read(text).expect(text);
        assert_eq!((read.text(), read.digest()), (canonical, sha256(canonical.as_bytes())));
    }
    // `printf '{"a":1}' | sha256sum`
    let digest = "sha256:015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
    assert_eq!(CanonicalJson::read(r#"{ "a": 1.0 }"#).expect("JSON").digest(), digest);
    assert_eq!(CanonicalJson::of_serialized(&json!({ "a": 1 })).expect("JSON").digest(), digest);
}

fn any_json() -> impl Strategy<Value = Value> {
    let within = INTEGER_MAX as i64;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-within..=within).prop_map(Value::from),
        any::<f64>().prop_filter("small", |n| n.abs() <= INTEGER_MAX as f64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The same value, with whole doubles as the integers that JSON can not tell them from.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(n) if n.is_f64() => {
            let n = n.as_f64().expect("a double");
            if n.fract() == 0.0 { Value::from(n as i64) } else { value.clone() }
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), plain(field))).collect(),
        _ => value.clone(),
    }
}

fn turned(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().rev().map(|(name, field)| format!("{} : {}", json!(name), turned(field))).collect();
            format!("{{ {} }}", fields.join(" , "))
        }
        Value::Array(items) => format!("[\n{}\t]", items.iter().map(turned).collect::<Vec<_>>().join(",")),
        leaf => leaf.to_string(),
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_as_what_it_was(value in any_json()) {
        let written = CanonicalJson::of(&value).expect("small numbers");
        let read = read_exact(written.text()).expect("what we write can be read");
        prop_assert_eq!(&plain(&read), &plain(&value));
        prop_assert_eq!(CanonicalJson::of(&read).expect("small numbers"), written);
    }

    #[test]
    fn neither_order_nor_spaces_count(value in any_json()) {
        let of_text = CanonicalJson::read(&turned(&value)).expect("small numbers");
        prop_assert_eq!(of_text, CanonicalJson::of(&value).expect("small numbers"));
    }

    #[test]
    fn another_value_has_another_form(a in any_json(), b in any_json()) {
        let [of_a, of_b] = [&a, &b].map(|value| CanonicalJson::of(value).expect("small numbers"));
        prop_assert_eq!(of_a == of_b, plain(&a) == plain(&b));
    }

    #[test]
    fn any_double_reads_back_as_itself(bits: u64) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite());
        prop_assert_eq!(number(value).parse::<f64>().expect("a number"), value);
    }

    /// Nothing else is taken than what another reader of JSON takes.
    #[test]
    fn only_json_is_read(text in "[\\[\\]{}\",:0-9eE.+-a\\\\u ]{0,24}") {
        let known = serde_json::from_str::<Value>(&text).is_ok();
        prop_assert!(known || CanonicalJson::read(&text).is_err());
    }
}
