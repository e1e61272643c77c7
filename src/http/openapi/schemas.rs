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

    /// Every named schema. One that is read and written is there once, so it must be the same for both: where it is not, the
    /// two need types of their own.
    pub fn named(mut self) -> Map<String, Value> {
        let mut named = self.read.take_definitions(true);
        for (name, written) in self.written.take_definitions(true) {
            let read = named.insert(name, written.clone());
            debug_assert!(read.is_none_or(|read| read == written), "read and written differ: {written}");
        }
        named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "it is a schema alone")]
    struct Asked {
        /// How many.
        limit: u32,
        after: Option<u32>,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "it is a schema alone")]
    struct Shared {
        #[serde(default)]
        mark: String,
    }

    #[test]
    fn the_fields_of_a_query_are_parameters_in_every_operation_that_has_it() {
        let mut schemas = Schemas::new();
        for _ in 0..2 {
            let found = schemas.properties(SchemaOf::of::<Asked>());
            let found: Vec<(&str, bool)> = found.iter().map(|(name, _, required)| (name.as_str(), *required)).collect();
            assert_eq!(found, [("after", false), ("limit", true)]);
        }
        assert!(schemas.named().is_empty(), "the object itself is nobody's");
    }

    #[test]
    #[should_panic(expected = "read and written differ")]
    fn a_type_that_is_not_the_same_for_both_is_found() {
        let mut schemas = Schemas::new();
        schemas.read(SchemaOf::of::<Shared>());
        schemas.written(SchemaOf::of::<Shared>());
        schemas.named();
    }
}
