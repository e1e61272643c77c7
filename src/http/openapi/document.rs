//! The document: OpenAPI 3.1.

use super::{
    operation::{Access, AnswerDescription, AnswerHeader, OperationDescription},
    schemas::Schemas,
};
use crate::{http::credential, matrix::SourceScope};
use serde_json::{Map, Value, json};

/// The version of the specification that the document is written for.
const OPENAPI: &str = "3.1.1";

const TOKEN: &str = "sourceToken";
const PASSWORD: &str = "sourcePassword";
const COOKIE: &str = "deskCookie";

const ABOUT: &str = "\
The routes under `/v1` on TCP, and those that show alerts as Alertmanager does. Others are in the guide: the formats of \
other monitors, silences, the desk page, callbacks of providers, monitoring, and the daemon's Unix socket.\n\n\
- Requests and answers are JSON in UTF-8. The credential is checked before the body is read.\n\
- Errors under `/v1` are problem details (RFC 9457): `title`, `status`, `detail`, and `errors` for each alert of an array. A method \
that a route does not have is a `405`, an address that does not exist a `404`.\n\
- `503` means that nothing was kept. Send the request again; `Retry-After` says when.\n\
- New fields may be added to any object: ignore those that you do not know.";

/// The document of these operations, each with its path.
pub fn of(operations: &[(&'static str, OperationDescription)]) -> Value {
    let mut schemas = Schemas::new();
    let mut paths: Map<String, Value> = Map::new();
    for (path, operation) in operations {
        let item = paths.entry(*path).or_insert_with(|| json!({}));
        item[operation.method] = described(operation, &mut schemas);
    }
    let mut document = json!({
        "openapi": OPENAPI,
        "info": {
            "title": "Stentor",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "servers": [{ "url": "/", "description": "The daemon's address on TCP, by default 127.0.0.1:7373." }],
        "paths": paths,
        "components": { "schemas": schemas.named(), "securitySchemes": security_schemes() },
    });
    reword(&mut document);
    document
}

fn described(operation: &OperationDescription, schemas: &mut Schemas) -> Value {
    let mut parameters: Vec<Value> = operation
        .path
        .iter()
        .map(|parameter| json!({ "name": parameter.name, "in": "path", "required": true, "schema": schemas.read(parameter.schema) }))
        .collect();
    let query = operation.query.map(|query| schemas.properties(query)).unwrap_or_default();
    parameters.extend(query.into_iter().map(|(name, schema, required)| query_parameter(&name, schema, required)));
    let mut answers: Map<String, Value> = Map::new();
    for answer in &operation.answers {
        answers.insert(answer.status.as_str().to_owned(), answered(answer, schemas));
    }
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.details,
        "parameters": parameters,
        "responses": answers,
        "security": security(operation.access),
    });
    if let Some(body) = &operation.body {
        let content = json!({ "application/json": { "schema": schemas.read(body.schema) } });
        described["requestBody"] = json!({ "required": true, "description": body.details, "content": content });
    }
    described
}

/// A parameter of a query. It is absent where the field of the type is null.
fn query_parameter(name: &str, mut schema: Value, required: bool) -> Value {
    let details = schema.as_object_mut().and_then(|schema| schema.remove("description"));
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|kind| kind != "null");
        if let [only] = &types[..] {
            schema["type"] = only.clone();
        }
    }
    if let Some(choices) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        choices.retain(|choice| choice["type"] != "null");
        if let [only] = &choices[..] {
            schema = only.clone();
        }
    }
    if let Some(fields) = schema.as_object_mut().filter(|fields| fields.get("default") == Some(&Value::Null)) {
        fields.remove("default");
    }
    json!({ "name": name, "in": "query", "required": required, "description": details, "schema": schema })
}

fn answered(answer: &AnswerDescription, schemas: &mut Schemas) -> Value {
    let mut described = json!({
        "description": answer.details,
        "content": { answer.media: { "schema": schemas.written(answer.schema) } },
    });
    for AnswerHeader { name, details, is_number, is_required } in answer.headers.iter().copied() {
        let schema = if is_number { json!({ "type": "integer", "minimum": 0 }) } else { json!({ "type": "string" }) };
        described["headers"][name] = json!({ "description": details, "required": is_required, "schema": schema });
    }
    described
}

fn security(access: Access) -> Value {
    match access {
        Access::Anybody => json!([]),
        Access::Source(scope) => json!([{ TOKEN: [scope.as_str()] }, { PASSWORD: [scope.as_str()] }]),
        Access::Reader(scope) => {
            json!([{ TOKEN: [scope.as_str()] }, { PASSWORD: [scope.as_str()] }, { COOKIE: [] }])
        }
    }
}

fn security_schemes() -> Value {
    let scopes: Vec<String> =
        SourceScope::ALL.iter().map(|scope| format!("- `{}`: {}", scope.as_str(), scope.purpose())).collect();
    let token = format!(
        "The token of a `[source]` of the matrix. Its `scopes` say what it may be used for:\n\n{}",
        scopes.join("\n")
    );
    json!({
        TOKEN: { "type": "http", "scheme": "bearer", "description": token },
        PASSWORD: {
            "type": "http",
            "scheme": "basic",
            "description": "The same token as the password; the name of the user does not matter. For senders that know no bearer tokens.",
        },
        COOKIE: {
            "type": "apiKey",
            "in": "cookie",
            "name": credential::COOKIE,
            "description": "The cookie of a person who has signed in to the desk page. It has every scope for reading.",
        },
    })
}

/// Descriptions are doc comments: what is a link or a name of Rust there is plain Markdown and JSON here.
fn reword(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "description" => *text = reworded(text),
                    value => reword(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(reword),
        _ => {}
    }
}

fn reworded(text: &str) -> String {
    text.replace("[`", "`").replace("`]", "`").replace("`None`", "`null`")
}
