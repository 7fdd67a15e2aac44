//! The interface described by itself (`OpenAPI` 3.1), from the table it is served by.
//!
//! Invariant: nothing of this server is in it.

use serde_json::{Map, Value, json};

use crate::web::api::PREFIX;
use crate::web::api::table::{Makes, ROWS, Row};

const ABOUT: &str = "What `lalapanel` does on the command line, over HTTP. Every change is an operation: it answers 202 with the \
    operation's address, where its steps and its end are seen; with `?plan=true` it answers what it would do, and does nothing. \
    Documents are those of `lalapanel … --json`. An `Idempotency-Key` that is a ULID becomes the operation's id, so a request that \
    is sent twice is done once.";

/// The document.
pub(super) fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for row in ROWS {
        let path = paths
            .entry(format!("/{}", row.path))
            .or_insert_with(|| json!({}));
        if let Value::Object(methods) = path {
            methods.insert(row.method.as_str().to_ascii_lowercase(), operation(row));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Lala Panel", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT },
        "servers": [{ "url": PREFIX.trim_end_matches('/') }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": {
                "type": "http", "scheme": "bearer",
                "description": "Made by `lalapanel token create`, as root on the server.",
            }},
            "responses": { "Fault": {
                "description": "Refused or failed, and nothing changed; `code` is stable.",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Fault" } } },
            }},
            "schemas": { "Fault": {
                "type": "object",
                "required": ["error"],
                "properties": { "error": {
                    "type": "object",
                    "required": ["code", "title", "detail", "hint", "operation"],
                    "properties": {
                        "code": { "type": "string" },
                        "title": { "type": "string" },
                        "detail": { "type": "string" },
                        "hint": { "type": "string" },
                        "operation": { "type": ["string", "null"] },
                    },
                }},
            }},
        },
    })
}

fn operation(row: &Row) -> Value {
    let open = row
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = open
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let mut query = |name: &str, means: &str| {
        let schema = json!({ "type": "string" });
        parameters
            .push(json!({ "name": name, "in": "query", "description": means, "schema": schema }));
    };
    for (name, means) in row.query {
        query(name, means);
    }
    if row.makes == Makes::Change {
        query("plan", "true: answer what it would do, and do nothing");
    }
    let words = row.path.replace(['/', '-'], "_").replace(['{', '}'], "");
    let mut operation = json!({
        "operationId": format!("{}_{words}", row.method.as_str().to_ascii_lowercase()),
        "summary": row.does,
        "tags": [row.path.split('/').next().unwrap_or_default()],
        "parameters": parameters,
        "responses": responses(row.makes),
    });
    if let (Some(example), Value::Object(fields)) = (row.body, &mut operation) {
        fields.insert("requestBody".to_owned(), body(example));
    }
    operation
}

fn responses(makes: Makes) -> Value {
    let object = json!({ "application/json": { "schema": { "type": "object" } } });
    let mut responses = json!({
        "200": { "description": "Here it is", "content": object },
        "401": { "$ref": "#/components/responses/Fault" },
        "default": { "$ref": "#/components/responses/Fault" },
    });
    if let (true, Value::Object(fields)) = (makes != Makes::Look, &mut responses) {
        let begun = json!({ "description": "It has begun; `Location` is where it is followed", "content": object });
        fields.insert("202".to_owned(), begun);
    }
    responses
}

/// What an example is an example of.
fn body(example: &str) -> Value {
    let example: Value = serde_json::from_str(example).unwrap_or_default();
    let mut properties = Map::new();
    if let Value::Object(fields) = &example {
        for (name, value) in fields {
            let kind = match value {
                Value::Bool(_) => json!({ "type": "boolean" }),
                Value::Number(_) => json!({ "type": "integer" }),
                Value::Array(_) => json!({ "type": "array", "items": { "type": "string" } }),
                _ => json!({ "type": "string" }),
            };
            properties.insert(name.clone(), kind);
        }
    }
    let schema = json!({ "type": "object", "properties": properties });
    json!({ "content": { "application/json": { "schema": schema, "example": example } } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_described_once() {
        let document = document();
        let paths = document["paths"].as_object().unwrap();
        let described: usize = paths
            .values()
            .map(|methods| methods.as_object().unwrap().len())
            .sum();
        assert_eq!(described, ROWS.len());
        let text = document.to_string();
        let mut names = std::collections::BTreeSet::new();
        for methods in paths.values() {
            for operation in methods.as_object().unwrap().values() {
                assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()));
                assert!(operation["responses"]["401"].is_object());
            }
        }
        assert!(!text.contains("null}") && text.len() < 60_000);
    }
}
