//! Forms: what can be asked, and what answers fit. A validator of JSON Schema is the referee.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use stentor::core::{
    Alert, Form,
    action_edit::{ActionEdit, change_words, changed},
    form_schema::FormSchema,
    request_facts::{action_digest, asked_digest},
};

fn form(schema: &Value) -> Form {
    Form::read(schema).unwrap_or_else(|fault| panic!("{fault}: {schema}"))
}

fn with(field: Value) -> Value {
    json!({ "type": "object", "properties": { "f": field } })
}

#[test]
fn what_a_form_can_not_ask_is_refused_at_its_place() {
    let fields = |n: usize| -> Value {
        let fields: Map<_, _> = (0..n).map(|n| (format!("f{n}"), json!({ "type": "boolean" }))).collect();
        json!({ "type": "object", "properties": fields })
    };
    let text = |key: &str, value: &str| with(json!({ "type": "boolean", key: value }));
    let integer = |min: Value, max: Value| with(json!({ "type": "integer", "minimum": min, "maximum": max }));
    let choices = |choices: Value| with(json!({ "type": "string", "enum": choices }));
    let boolean = json!({ "type": "boolean" });
    let f = "/properties/f";
    let table: Vec<(Value, String, &str)> = vec![
        (json!("object"), String::new(), "must be an object"),
        (json!({ "type": "array" }), "/type".into(), "must be \"object\""),
        (json!({ "type": "object" }), "/properties".into(), "has 0 fields"),
        (fields(10), "/properties".into(), "has 10 fields: a form has 1 to 9"),
        (json!({ "type": "object", "oneOf": [] }), "/oneOf".into(), "is not taken in a form"),
        (json!({ "type": "object", "a/b~c": 1 }), "/a~1b~0c".into(), "is not taken"),
        (json!({ "type": "object", "additionalProperties": true }), "/additionalProperties".into(), "must be false"),
        (
            json!({ "type": "object", "properties": { "f": boolean }, "required": ["g"] }),
            "/required/0".into(),
            "properties",
        ),
        (
            json!({ "type": "object", "properties": { "f": boolean }, "required": ["f", "f"] }),
            "/required/1".into(),
            "be there once",
        ),
        (json!({ "type": "object", "properties": { "a b": boolean } }), "/properties/a b".into(), "letters, digits"),
        (
            json!({ "type": "object", "properties": { "f": boolean, "g": { "type": "boolean", "title": "F" } } }),
            "/properties".into(),
            "two fields have the same title",
        ),
        (with(json!({ "type": "array" })), format!("{f}/type"), "\"boolean\""),
        (with(json!({ "type": ["string", "null"] })), format!("{f}/type"), "\"boolean\""),
        (with(json!({ "type": "string" })), format!("{f}/maxLength"), "needs `maxLength`"),
        (with(json!({ "type": "string", "maxLength": 201 })), format!("{f}/maxLength"), "1 to 200"),
        (with(json!({ "type": "string", "maxLength": 9, "pattern": "^a" })), format!("{f}/pattern"), "is not taken"),
        (with(json!({ "type": "boolean", "default": true })), format!("{f}/default"), "is not taken"),
        (choices(json!(["one"])), format!("{f}/enum"), "has 1 choices"),
        (choices(json!(["a", 2])), format!("{f}/enum/1"), "must be a text"),
        (choices(json!(["Go", "go"])), format!("{f}/enum/1"), "is there twice"),
        (choices(json!(["a", "b  c"])), format!("{f}/enum/1"), "two beside each other"),
        (choices(json!(["a", "x".repeat(33)])), format!("{f}/enum/1"), "33 characters: 32 at most"),
        (integer(json!(1), Value::Null), format!("{f}/maximum"), "needs `minimum` and `maximum`"),
        (integer(json!(0.5), json!(2)), format!("{f}/minimum"), "a whole number needs"),
        (integer(json!(3), json!(2)), format!("{f}/maximum"), "is less than `minimum`"),
        (integer(json!(0), json!(9_007_199_254_740_992_u64)), String::new(), "9007199254740992"),
        (text("title", "a\u{202e}b"), format!("{f}/title"), "control character"),
        (text("title", "LIVE\nnow"), format!("{f}/title"), "control character"),
        (text("title", &"x".repeat(61)), format!("{f}/title"), "61 characters: 60 at most"),
        (text("description", ""), format!("{f}/description"), "is empty"),
        (text("description", &"x".repeat(201)), format!("{f}/description"), "201 characters"),
    ];
    for (schema, at, why) in table {
        let fault = Form::read(&schema).expect_err(&schema.to_string());
        assert_eq!(fault.at, at, "{schema}: {fault}");
        assert!(fault.why.contains(why), "{schema}: {fault}");
    }
}

/// The names of an object have no order in JSON, but those of a list do.
#[test]
fn fields_are_in_the_order_of_what_is_required_and_then_by_name() {
    let boolean = json!({ "type": "boolean" });
    let schema = json!({
        "type": "object", "properties": { "a": boolean, "b": boolean, "c": boolean, "d": boolean }, "required": ["c", "b"],
    });
    let names: Vec<String> = form(&schema).fields().iter().map(|field| field.name.clone()).collect();
    assert_eq!(names, ["c", "b", "a", "d"]);
}

#[test]
fn what_is_typed_is_read_as_its_field_takes_it() {
    let form = form(&json!({
        "type": "object", "properties": {
            "n": { "type": "integer", "minimum": -5, "maximum": 10 }, "x": { "type": "number", "minimum": 0.0, "maximum": 1.5 },
            "ok": { "type": "boolean" }, "side": { "type": "string", "enum": ["buy", "sell"] },
            "note": { "type": "string", "maxLength": 4 },
        },
    }));
    let table = [
        ("n", " 5 ", Ok(json!(5))),
        ("n", "-5", Ok(json!(-5))),
        ("n", "5.0", Err("n takes a whole number from -5 to 10")),
        ("n", "11", Err("n takes a whole number from -5 to 10")),
        ("x", "0.5", Ok(json!(0.5))),
        ("x", "1", Ok(json!(1))),
        ("x", "0,5", Err("x takes a number from 0 to 1.5, such as 0.5")),
        ("x", "inf", Err("x takes a number from 0 to 1.5, such as 0.5")),
        ("x", "NaN", Err("x takes a number from 0 to 1.5, such as 0.5")),
        ("ok", "Yes", Ok(json!(true))),
        ("ok", "no", Ok(json!(false))),
        ("ok", "1", Err("ok takes yes or no")),
        ("side", "buy", Ok(json!("buy"))),
        ("side", "Buy", Err("side takes one of buy, sell")),
        ("note", "日本語で", Ok(json!("日本語で"))),
        ("note", "a\tb", Err("note takes one line of at most 4 characters")),
        ("note", "abcde", Err("note takes one line of at most 4 characters")),
    ];
    for (name, text, expected) in table {
        let read = form.typed(|field| if field == name { text.to_owned() } else { String::new() });
        let read = read.map(|answer| answer.to_json()[name].clone()).map_err(|faults| faults[0].to_string());
        assert_eq!(read, expected.map_err(ToOwned::to_owned), "{name} {text:?}");
    }
    assert_eq!(form.typed(|_| " ".to_owned()).unwrap().to_json(), json!({}), "what is left out is left out");
}

#[test]
fn every_fault_is_found_at_once() {
    let form = form(&json!({
        "type": "object", "required": ["n", "side"], "properties": {
            "n": { "type": "integer", "minimum": 0, "maximum": 10 }, "side": { "type": "string", "enum": ["buy", "sell"] },
        },
    }));
    let faults = form.answer(&json!({ "n": 11, "a\u{1b}": 1 })).unwrap_err();
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "n takes a whole number from 0 to 10",
            "side is missing: it takes one of buy, sell",
            "a\\u{1b} is not a field: there are n, side"
        ]
    );
    assert_eq!(form.answer(&json!([])).unwrap_err()[0].to_string(), "the answer must be one object of JSON");
}

/// Law 14: who answers another form has answered another question.
#[test]
fn the_digest_covers_the_form() {
    let alert = Alert::new("bot", "limit");
    let bounded = |max: u32| form(&with(json!({ "type": "integer", "minimum": 0, "maximum": max })));
    let digest = |form: Option<&Form>| asked_digest(&Value::Null, form, &alert).unwrap();
    assert_ne!(digest(Some(&bounded(5))), digest(Some(&bounded(50))));
    assert_ne!(digest(None), digest(Some(&bounded(5))));
}

#[test]
fn what_can_not_be_changed_of_an_action_is_refused_at_its_place() {
    let action =
        json!({ "qty": 100, "side": "sell", "gap": " x", "none": "", "px": { "limit": 1 }, "ok": true, "rate": 0.5 });
    let whole = |max: u32| json!({ "type": "integer", "minimum": 1, "maximum": max });
    let with = |name: &str, field: Value| json!({ "type": "object", "properties": { name: field } });
    let text = json!({ "type": "string", "maxLength": 9 });
    for (schema, at, why) in [
        (with("size", whole(9)), "/properties/size", "is not a member of `action`"),
        (
            with("qty", whole(99)),
            "/properties/qty",
            "the action has 100, which does not fit: the field takes a whole number",
        ),
        (with("qty", text.clone()), "/properties/qty", "the action has 100, which does not fit"),
        (
            with("side", json!({ "type": "string", "enum": ["buy", "hold"] })),
            "/properties/side",
            "takes one of buy, hold",
        ),
        (with("px", text.clone()), "/properties/px", "does not fit"),
        (with("gap", text.clone()), "/properties/gap", "a blank at an end"),
        (with("none", text.clone()), "/properties/none", "is empty"),
        (with("qty", json!({ "type": "integer" })), "/properties/qty/minimum", "needs `minimum`"),
        (json!([]), "", "must be an object"),
    ] {
        let fault = ActionEdit::read(&schema, &action).unwrap_err();
        assert_eq!(fault.at, at, "{schema}");
        assert!(fault.why.contains(why), "{schema}: {fault}");
    }
    for action in [Value::Null, json!("sell"), json!([100])] {
        assert!(ActionEdit::read(&with("qty", whole(100)), &action).is_err(), "{action}");
    }
    for (name, field) in [
        ("qty", whole(100)),
        ("side", text.clone()),
        ("ok", json!({ "type": "boolean" })),
        ("rate", json!({ "type": "number", "minimum": 0, "maximum": 1 })),
    ] {
        assert!(ActionEdit::read(&with(name, field), &action).is_ok(), "{name}");
    }
}

/// Law 14: what is done is bound to what was approved as it would have been if that had been asked about.
#[test]
fn a_changed_action_has_the_digest_of_one_that_was_asked_about() {
    let alert = Alert::new("bot", "order");
    let asked = json!({ "qty": 100.0, "side": "sell", "note": "as it was", "more": { "a": [1, 2] } });
    let schema = json!({
        "type": "object", "properties": {
            "qty": { "type": "integer", "minimum": 1, "maximum": 100 }, "side": { "type": "string", "enum": ["buy", "sell"] },
        },
    });
    let edit = ActionEdit::read(&schema, &asked).unwrap();
    // Every field keeps a value, whatever the schema requires.
    assert!(edit.form().fields().iter().all(|field| field.required));
    assert_eq!(serde_json::from_value::<ActionEdit>(serde_json::to_value(&edit).unwrap()).unwrap(), edit);
    assert_eq!(
        [edit.present(&asked, "qty"), edit.present(&asked, "side"), edit.present(&asked, "x")],
        ["100", "sell", ""]
    );
    let answer = |qty: u32, side: &str| edit.form().answer(&json!({ "qty": qty, "side": side })).unwrap();
    assert_eq!(edit.changes(&asked, &answer(100, "sell")), []);
    let changes = edit.changes(&asked, &answer(60, "buy"));
    assert_eq!(change_words(&changes), "qty 100 -> 60, side sell -> buy");
    let done = changed(&asked, &changes);
    assert_eq!(done, json!({ "qty": 60, "side": "buy", "note": "as it was", "more": { "a": [1, 2] } }));
    let built = json!({ "more": { "a": [1, 2] }, "note": "as it was", "side": "buy", "qty": 60 });
    assert_eq!(action_digest(&done, &alert), action_digest(&built, &alert));
    assert_ne!(action_digest(&done, &alert), action_digest(&asked, &alert));
    let small = json!({ "rate": 1e-7 });
    let rate = json!({ "rate": { "type": "number", "minimum": 0, "maximum": 1 } });
    let edit = ActionEdit::read(&json!({ "type": "object", "properties": rate }), &small).unwrap();
    assert_eq!(edit.present(&small, "rate"), "0.0000001");
    // Two of five are counted, and nobody's text makes a line of its own.
    let fields: Map<String, Value> =
        (0..5).map(|n| (format!("f{n}"), json!({ "type": "string", "maxLength": 99 }))).collect();
    let many: Map<String, Value> = (0..5).map(|n| (format!("f{n}"), json!("a".repeat(30)))).collect();
    let edit = ActionEdit::read(&json!({ "type": "object", "properties": fields }), &json!(many)).unwrap();
    let other: Map<String, Value> = (0..5).map(|n| (format!("f{n}"), json!("b"))).collect();
    let told = change_words(&edit.changes(&json!(many), &edit.form().answer(&json!(other)).unwrap()));
    let one = format!("{}.. -> b", "a".repeat(24));
    assert_eq!(told, format!("f0 {one}, f1 {one}, f2 {one}, 2 more"));
}

/// A letter, a space, a sign of two UTF-16 units: whatever length means, it is that of characters.
fn text(length: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = String> {
    proptest::collection::vec(prop::sample::select(vec!['a', 'Z', ' ', '<', '日', '👍', 'é']), length)
        .prop_map(|letters| letters.into_iter().collect())
}

fn field_schema() -> impl Strategy<Value = Value> {
    let bound = -20_i32..=20;
    prop_oneof![
        Just(json!({ "type": "boolean" })),
        (1_usize..=6).prop_map(|max| json!({ "type": "string", "maxLength": max })),
        (2_usize..=9).prop_map(|n| json!({ "type": "string", "enum": CHOICES[..n] })),
        (bound.clone(), 0_i32..=9)
            .prop_map(|(min, n)| json!({ "type": "integer", "minimum": min, "maximum": min + n })),
        (bound, 0_i32..=9).prop_map(|(min, n)| {
            json!({ "type": "number", "minimum": f64::from(min) / 4.0, "maximum": f64::from(min + n) / 4.0 })
        }),
        Just(json!({ "type": "integer", "minimum": -9_007_199_254_740_991_i64, "maximum": 9_007_199_254_740_991_i64 })),
    ]
}

const CHOICES: [&str; 9] = ["a", "b", "1", "true", "long one", "日本", "yes", "x<y", "null"];

const NAMES: [&str; 5] = ["limit", "note", "A-1", "_x", "q"];

fn schema() -> impl Strategy<Value = Value> {
    let fields = proptest::collection::vec((field_schema(), any::<bool>()), 1..=4);
    (fields, any::<bool>()).prop_map(|(fields, closed)| {
        let named = || NAMES.iter().zip(&fields);
        let properties: Map<_, _> = named().map(|(name, (schema, _))| ((*name).to_owned(), schema.clone())).collect();
        let required: Vec<&&str> = named().filter(|(_, (_, required))| *required).map(|(name, _)| name).collect();
        let mut schema = json!({ "type": "object", "properties": properties, "required": required });
        if closed {
            schema["additionalProperties"] = json!(false);
        }
        schema
    })
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => (-24_i32..=24).prop_map(|n| json!(n)),
        3 => (-96_i32..=96).prop_map(|n| json!(f64::from(n) / 4.0)),
        3 => text(0..=7).prop_map(|text| json!(text)),
        4 => prop::sample::select(CHOICES.to_vec()).prop_map(|text| json!(text)),
        2 => any::<bool>().prop_map(|is| json!(is)),
        1 => prop::sample::select(vec![
            json!(null), json!([]), json!({}), json!(u64::MAX), json!(i64::MIN), json!(9_007_199_254_740_992_u64), json!(1e300),
            json!(9_007_199_254_740_991_u64), json!(9_007_199_254_740_991.0), json!(-0.0), json!("5"), json!("true"),
        ]),
    ]
}

fn answer() -> impl Strategy<Value = Value> {
    proptest::collection::vec((0_usize..5, value()), 0..=5).prop_map(|fields| {
        let fields: Map<_, _> = fields.into_iter().map(|(n, value)| (NAMES[n].to_owned(), value)).collect();
        Value::Object(fields)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// With no field beside those of the form; that texts are one line is ours alone.
    #[test]
    fn exactly_what_a_validator_of_json_schema_accepts_fits(schema in schema(), answers in proptest::collection::vec(answer(), 8)) {
        let form = form(&schema);
        let mut closed = schema.clone();
        closed["additionalProperties"] = json!(false);
        let referee = jsonschema::validator_for(&closed).unwrap();
        for answer in answers {
            let read = form.answer(&answer);
            prop_assert_eq!(read.is_ok(), referee.is_valid(&answer), "{}: {} is {:?}", &schema, &answer, &read);
            let Ok(read) = read else { continue };
            prop_assert!(form.fits(&read) && referee.is_valid(&read.to_json()));
            // Typed, it is the same; an empty text is left out there.
            let typed = form.typed(|name| read.get(name).map(|value| value.typed()).unwrap_or_default());
            let text_edges = read.to_json().as_object().unwrap().values().any(|value| {
                value.as_str().is_some_and(|text| text.trim() != text || text.is_empty())
            });
            prop_assert!(text_edges || typed.as_ref() == Ok(&read), "{:?} is typed {:?}", &read, &typed);
        }
    }

    /// What the document of the API says of forms, and what is read, are the same.
    #[test]
    fn the_schema_of_schemas_takes_what_is_read(schema in schema()) {
        let described = schemars::schema_for!(FormSchema).to_value();
        let referee = jsonschema::validator_for(&described).unwrap();
        prop_assert!(referee.is_valid(&schema), "{} {:?}", &schema, referee.validate(&schema));
        let mut null = schema.clone();
        null["title"] = json!(null);
        prop_assert!(!referee.is_valid(&null) && Form::read(&null).is_err());
        let kept: Form = serde_json::from_value(serde_json::to_value(form(&schema)).unwrap()).unwrap();
        prop_assert_eq!(kept, form(&schema));
    }
}
