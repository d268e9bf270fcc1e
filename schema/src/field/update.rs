//! Changes laid over a stored entity: PATCH.
//!
//! What the request says replaces what is stored; records are merged member by member, lists, sets
//! and maps are replaced as a whole, null clears. Everything is checked on the merged entity.
//!
//! Deviation: a member that neither has (a field newer than the stored entity, a record in a
//! replaced list) takes its default, as Kong shows it when it is read back.

use serde_json::{Map, Value};

use super::{Context, Errors, FieldList, Kind, Mode, Row, Rules, Schema, Type, shorthand};

impl Schema {
    /// Validates a stored entity (as Kong shows it) with a request laid over it.
    ///
    /// # Errors
    /// Kong's error tree.
    pub fn validate_update(
        &'static self,
        mut stored: Map<String, Value>,
        mut request: Map<String, Value>,
        rules: &Rules,
    ) -> Result<Row, Errors> {
        let mode = Mode::Update;
        let context = Context { mode, rules };
        (self.prepare)(&mut request)?;
        let known = self.known_fields(&stored);
        shorthand::forget(known, &mut stored);
        let mut warnings = Vec::new();
        let mut selecting = request.clone();
        if let Some(subschemas) = self.subschemas
            && !request.contains_key(subschemas.selector)
        {
            let stored = stored.get(subschemas.selector).cloned();
            selecting.insert(subschemas.selector.to_owned(), stored.unwrap_or_default());
        }
        let subschema = self.subschema_of(&selecting, rules)?;
        let fields = self.fields_with(subschema);
        if subschema.is_some() {
            shorthand::expand(fields, &mut request, context, &mut warnings)?;
        }
        for field in fields.iter() {
            if let Some(change) = request.swap_remove(field.name) {
                lay_over(
                    &field.ty,
                    stored.entry(field.name).or_insert(Value::Null),
                    change,
                );
            }
        }
        stored.extend(request); // what is no field is refused by the checks
        self.check(stored, subschema, context, warnings)
    }

    /// The fields of a stored entity, with those of its subschema.
    pub(super) fn known_fields(&self, object: &Map<String, Value>) -> FieldList {
        let subschema = self.subschemas.and_then(|subschemas| {
            let name = object.get(subschemas.selector)?.as_str()?;
            (subschemas.known)(name)
        });
        self.fields_with(subschema)
    }
}

fn lay_over(ty: &Type, stored: &mut Value, change: Value) {
    match (ty.kind, stored, change) {
        (Kind::Record(record), Value::Object(stored), Value::Object(changes)) => {
            for (name, change) in changes {
                match record.fields.iter().find(|field| field.name == name) {
                    Some(field) => {
                        lay_over(&field.ty, stored.entry(name).or_insert(Value::Null), change);
                    }
                    None => drop(stored.insert(name, change)),
                }
            }
        }
        // `[]` and `{}` cannot be told apart: nothing changes.
        (Kind::Record(_), Value::Object(_), Value::Array(list)) if list.is_empty() => {}
        (_, stored, change) => *stored = change,
    }
}
