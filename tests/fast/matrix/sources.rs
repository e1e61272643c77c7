//! What sources say of themselves: how they sign, and how their bodies become alerts.

use super::faults::*;

fn signed(keys: &str, faults: &[(&str, &str)]) {
    check_added(&format!("[source.other]\nsignature = {{ keys = [{{ env = \"KEY\" }}], {keys} }}"), faults);
}

#[test]
fn a_source_that_signs_needs_no_token() {
    signed("header = \"X-Signature\"", &[]);
    signed("header = \"X-S\", encoding = \"base64\", prefix = \"v1=\", timestamp = \"X-T\"", &[]);
    signed("header = \"X-S\", timestamp = \"X-T\", signed = \"v0:{timestamp}:{body}\"", &[]);
    for (keys, code, underlined) in [
        ("header = \"X Signature\"", "bad-header", "\"X Signature\""),
        ("header = \"CE-Signature\"", "bad-header", "\"CE-Signature\""),
        ("header = \"\"", "empty-text", "\"\""),
        ("header = \"X-S\", encoding = \"binary\"", "unknown-word", "\"binary\""),
        ("header = \"X-S\", signed = \"{timestamp}{body}\"", "bad-signature", "\"{timestamp}{body}\""),
        ("header = \"X-S\", timestamp = \"X-T\", signed = \"{body}\"", "bad-signature", "\"{body}\""),
        ("header = \"X-S\", signed = \"body\"", "bad-signature", "\"body\""),
        ("header = \"X-S\", signed = \"{body}{body}\"", "bad-signature", "\"{body}{body}\""),
        ("header = \"X-S\", algorithm = \"sha1\"", "unknown-key", "algorithm"),
    ] {
        signed(keys, &[(code, underlined)]);
    }
    check_added(
        "[source.other]\nsignature = { keys = [{ env = \"KEY\" }], header = \"X-S\" }\ntoken_header = \"X-Token\"",
        &[("no-effect", "\"X-Token\"")],
    );
    check_added("[source.other]\ntoken_header = \"X-Token\"", &[("missing-key", "other")]);
    check_added(
        "[source.other]\ntoken = { env = \"OTHER\" }\nscopes = [\"read\"]\ntoken_header = \"X-Token\"\nmap = { kind = 'body.a' }",
        &[("no-effect", "\"X-Token\""), ("no-effect", "{ kind = 'body.a' }")],
    );
}

fn mapped(map: &str, faults: &[(&str, &str)]) {
    check_added(&format!("[source.other]\ntoken = {{ env = \"OTHER\" }}\n[source.other.map]\n{map}"), faults);
}

#[test]
fn the_faults_of_a_mapping_are_found_before_anything_is_sent() {
    mapped("kind = 'body.event'", &[]);
    mapped(
        "each = 'body.events'\nkind = 'item.kind'\nwhen = 'item.level > 3.0'\nlabels = { a = 'body.a', b = 'item.b[0]' }",
        &[],
    );
    for (map, code, underlined) in [
        ("summary = 'body.text'", "missing-key", "[source.other.map]"),
        ("kind = 'body.'", "bad-expression", "body."),
        ("kind = 'alert.kind'", "unknown-variable", "alert"),
        ("kind = 'item.kind'", "unknown-variable", "item"),
        ("kind = 'body.kind'\nresolved = '\"yes\"'", "not-a-condition", "\"yes\""),
        ("kind = 'body.kind'\neach = 'size(body)'", "not-a-list", "size(body)"),
        ("kind = 'body.kind'\nlabels = { a = '[1]' }", "not-text", "[1]"),
        ("kind = 'body.kind'\nvalues = { a = 'number(body.a)' }", "unknown-function", "number(body.a)"),
        ("kind = 'body.kind'\nlabel = { a = 'body.a' }", "unknown-key", "label"),
        ("kind = 'body.kind'\nlabels = 'body.a'", "wrong-type", "'body.a'"),
    ] {
        mapped(map, &[(code, underlined)]);
    }
    // What is said of an alert is no word of a mapping, and the other way round.
    check_added(
        "[trigger.other]\non = [\"k\"]\nroles = [\"trader\"]\nwhen = 'body.x > 1.0'",
        &[("unknown-variable", "body")],
    );
}
