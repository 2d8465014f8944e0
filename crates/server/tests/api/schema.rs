//! JSON against the schemas of a published document, as far as they can be said in a page: members that must be there
//! and may be there, their types, words and bounds.

use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Document(Value);

impl Document {
    pub(crate) fn parse(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap())
    }

    pub(crate) fn json(&self) -> &Value {
        &self.0
    }

    /// What a reference stands for; everything else stands for itself.
    pub(crate) fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.0.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
            None => value,
        }
    }

    /// Says what is wrong with a value.
    pub(crate) fn fits(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let schema = self.resolved(schema);
        if schema.get("const").is_some_and(|wanted| wanted != value) {
            return Err(format!("{value} is not {}", schema["const"]));
        }
        if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
            return Err(format!("{value} is not one of {}", schema["enum"]));
        }
        has_type(&schema["type"], value)?;
        within(schema, value)?;
        self.has_members(schema, value)?;
        if let (Some(items), Some(found)) = (schema.get("items"), value.as_array()) {
            found.iter().try_for_each(|item| self.fits(items, item))?;
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.fits(part, value)?;
        }
        for (word, least, most) in [("oneOf", 1, 1), ("anyOf", 1, usize::MAX)] {
            let Some(choices) = schema[word].as_array() else { continue };
            let results: Vec<_> = choices.iter().map(|choice| self.fits(choice, value)).collect();
            let fitting = results.iter().filter(|result| result.is_ok()).count();
            if !(least..=most).contains(&fitting) {
                return Err(format!("{fitting} of the choices fit {value}: {results:?}"));
            }
        }
        Ok(())
    }

    fn has_members(&self, schema: &Value, value: &Value) -> Result<(), String> {
        for name in schema["required"].as_array().into_iter().flatten() {
            if value.get(name.as_str().unwrap()).is_none() {
                return Err(format!("{name} is missing in {value}"));
            }
        }
        let described = schema["properties"].as_object();
        for (name, member) in described.into_iter().flatten() {
            if let Some(found) = value.get(name) {
                self.fits(member, found).map_err(|why| format!("{name}: {why}"))?;
            }
        }
        if schema["additionalProperties"] == false {
            let is_known = |name: &String| described.is_some_and(|described| described.contains_key(name));
            let unknown = value.as_object().into_iter().flatten().find(|(name, _)| !is_known(name));
            if let Some((name, _)) = unknown {
                return Err(format!("{name} is not described"));
            }
        }
        Ok(())
    }
}

fn has_type(wanted: &Value, value: &Value) -> Result<(), String> {
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("the document has a type {other}"),
    };
    let fits = match wanted {
        Value::Null => true,
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().any(|name| is(name.as_str().unwrap())),
        other => panic!("the document has a type {other}"),
    };
    if fits { Ok(()) } else { Err(format!("{value} is not of type {wanted}")) }
}

fn within(schema: &Value, value: &Value) -> Result<(), String> {
    let measured = match value {
        Value::Number(_) => [("minimum", "maximum", integer(value))],
        Value::String(text) => [("minLength", "maxLength", Some(text.chars().count() as i128))],
        Value::Array(items) => [("minItems", "maxItems", Some(items.len() as i128))],
        _ => return Ok(()),
    };
    for (least, most, measured) in measured {
        let Some(measured) = measured else { continue };
        let too_small = integer(&schema[least]).is_some_and(|least| measured < least);
        let too_large = integer(&schema[most]).is_some_and(|most| measured > most);
        if too_small || too_large {
            return Err(format!("{value} is not within {} and {}", schema[least], schema[most]));
        }
    }
    Ok(())
}

fn integer(value: &Value) -> Option<i128> {
    value.as_u64().map(i128::from).or_else(|| value.as_i64().map(i128::from))
}

#[test]
fn what_does_not_fit_is_found() {
    let document = Document::parse(
        r##"{"a":{"type":"object","properties":{"n":{"type":"integer","minimum":1,"maximum":2},"w":{"enum":["x"]},"l":{"type":"array","items":{"$ref":"#/s"},"maxItems":2}},"required":["n"],"additionalProperties":false},"s":{"type":"string","maxLength":3},"o":{"oneOf":[{"const":1},{"type":"string"}]}}"##,
    );
    let fits = |schema: &str, value: &str| {
        document.fits(&document.json()[schema], &serde_json::from_str(value).unwrap()).is_ok()
    };
    for good in [r#"{"n":1}"#, r#"{"n":2,"w":"x","l":["abc","é"]}"#] {
        assert!(fits("a", good), "{good}");
    }
    let bad = [
        "{}",
        "[]",
        r#"{"n":0}"#,
        r#"{"n":3}"#,
        r#"{"n":1.5}"#,
        r#"{"n":1,"w":"y"}"#,
        r#"{"n":1,"m":1}"#,
        r#"{"n":1,"l":["abcd"]}"#,
        r#"{"n":1,"l":["a","b","c"]}"#,
    ];
    for bad in bad {
        assert!(!fits("a", bad), "{bad}");
    }
    assert!(fits("o", "1") && fits("o", "\"x\"") && !fits("o", "2"));
}
