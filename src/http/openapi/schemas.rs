//! Schemas of types, as OpenAPI 3.1 has them: JSON Schema 2020-12, each named type once.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};

/// Where the document has its schemas.
const PLACE: &str = "/components/schemas";

/// The schema of a type, made when it is needed.
#[derive(Debug, Clone, Copy)]
pub struct SchemaOf(fn(&mut SchemaGenerator) -> Schema);

impl SchemaOf {
    /// Of this type.
    pub fn of<T: JsonSchema>() -> Self {
        Self(SchemaGenerator::subschema_for::<T>)
    }
}

/// Gathers schemas: of what is read and of what is written, which may differ for one type.
pub struct Schemas {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

impl Schemas {
    /// Without any.
    pub fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = PLACE.into();
                settings.meta_schema = None;
            })
        };
        let (read, written) = (settings().for_deserialize(), settings().for_serialize());
        Self { read: read.into_generator(), written: written.into_generator() }
    }

    /// The schema of a value that clients send.
    pub fn read(&mut self, of: SchemaOf) -> Value {
        (of.0)(&mut self.read).to_value()
    }

    /// The schema of a value that clients get.
    pub fn written(&mut self, of: SchemaOf) -> Value {
        (of.0)(&mut self.written).to_value()
    }

    /// The properties of an object that clients send, with whether each is required.
    pub fn properties(&mut self, of: SchemaOf) -> Vec<(String, Value, bool)> {
        let schema = self.read(of);
        let name = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.rsplit('/').next());
        // Its properties go where they are used: the object itself is not part of the document.
        let object = name.and_then(|name| self.read.definitions_mut().remove(name)).unwrap_or(schema);
        let required = |name: &str| {
            let names = object.get("required").and_then(Value::as_array);
            names.is_some_and(|names| names.iter().any(|required| required == name))
        };
        let properties = object.get("properties").and_then(Value::as_object).into_iter().flatten();
        properties.map(|(name, schema)| (name.clone(), schema.clone(), required(name))).collect()
    }

    /// Every named schema. One that is read and written is there once; what is written goes first.
    pub fn named(mut self) -> Map<String, Value> {
        let mut named = self.read.take_definitions(true);
        named.extend(self.written.take_definitions(true));
        named
    }
}
