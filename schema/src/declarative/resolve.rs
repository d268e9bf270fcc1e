//! The second pass, over valid items: duplicates, then references, then fields that must be
//! unique, each only when nothing was found before; and the work that needs references.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::fault::{Faults, PlaceIndex, Taken, Unresolved};
use super::load::{Duplicate, Loader, Pending, Written, missing_key};
use super::{Config, row};
use crate::entity::EntityKind;

impl Loader<'_> {
    /// Ends the first pass and runs the second.
    pub(super) fn finish(mut self) -> Result<Config, Box<Faults>> {
        if !self.faults.is_empty() {
            self.report_unresolved_beside_errors();
            return Err(Box::new(self.faults));
        }
        self.report_duplicates(true);
        if self.faults.is_empty() {
            self.resolve_references();
        }
        if self.faults.is_empty() {
            self.report_duplicates(false);
            self.check_unique_references();
        }
        if !self.faults.is_empty() {
            self.name_the_faulty();
            return Err(Box::new(self.faults));
        }
        if self.transform {
            self.transform();
        }
        let mut config = self.config;
        config.warnings = self.warnings.lines();
        let total = self.others.iter().map(Vec::len).sum();
        config.entities.reserve_exact(total);
        for entities in self.others {
            config.entities.extend(entities);
        }
        Ok(config)
    }

    /// In a file with other errors Kong reports an unresolvable reference by its missing key.
    fn report_unresolved_beside_errors(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            if self.find(&pending).is_none() {
                let field = pending.to.field;
                self.faults.add_field(pending.place, field, missing_key());
            }
        }
    }

    /// Keys and ids come before references, other fields after them.
    fn report_duplicates(&mut self, keys: bool) {
        let duplicates = std::mem::take(&mut self.duplicates);
        let (now, later): (Vec<_>, Vec<_>) = duplicates
            .into_iter()
            .partition(|duplicate| duplicate.is_key == keys);
        self.duplicates = later;
        for Duplicate {
            place, what, key, ..
        } in now
        {
            let text = violation(self.faults.places[place as usize].kind, &what);
            if keys {
                self.faults.add(place, text.into());
            } else {
                self.faults.taken.push(Taken { place, key, text });
            }
        }
    }

    /// By key first, then by id.
    fn find(&self, pending: &Pending) -> Option<Uuid> {
        let kind = pending.to.kind?.index();
        let id = match &pending.written {
            Written::Id(id) => *id,
            Written::Text(text) => match self.keys[kind].get(text) {
                Some(id) => return Some(*id),
                None => Uuid::try_parse(text).ok()?,
            },
        };
        self.ids[kind].contains(&id).then_some(id)
    }

    fn resolve_references(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            let (kind, position) = pending.from;
            match self.find(&pending) {
                Some(id) => self.refer(kind, position as usize, pending.to.field, id),
                None => {
                    let unresolved = self.unresolved(&pending);
                    self.faults.unresolved.push(unresolved);
                }
            }
        }
    }

    fn unresolved(&self, pending: &Pending) -> Unresolved {
        let (field, target) = (pending.to.field, pending.to.name);
        let value = match &pending.written {
            Written::Text(text) => text.to_string(),
            Written::Id(id) => json!({ "id": id.to_string() }).to_string(),
        };
        let (kind, position) = pending.from;
        let key = self.plan.of(kind).unique_key;
        let key = key.and_then(|key| self.text_of(kind, position as usize, key));
        Unresolved {
            place: pending.place,
            field,
            key,
            text: format!("invalid reference '{field}: {value}' (no such entry in '{target}')"),
        }
    }

    /// References of which no two entities may have the same.
    fn check_unique_references(&mut self) {
        for plan in self.plan.kinds() {
            let mut seen = HashSet::new();
            let index = plan.kind.index();
            if plan.unique_references.is_empty() {
                continue;
            }
            for (entity, place) in self.others[index].iter().zip(&self.positions[index]) {
                for (field, id) in &entity.references {
                    if plan.unique_references.contains(field) && !seen.insert((*field, *id)) {
                        let text = violation(plan.kind, &format!("{field} set to '{id}'"));
                        let (place, key) = (*place, None);
                        self.faults.taken.push(Taken { place, key, text });
                    }
                }
            }
        }
    }

    /// Keeps the ids that the flat form of the error shows.
    fn name_the_faulty(&mut self) {
        let faulty: Vec<PlaceIndex> = self.faults.places_with_problems().collect();
        for place in faulty {
            let mut next = Some(place);
            while let Some(index) = next {
                let place = self.faults.places[index as usize];
                let positions = &self.positions[place.kind.index()];
                // Items of one kind are never inside each other: their places ascend.
                if let Ok(position) = positions.binary_search(&index) {
                    let id = self.id_at(place.kind, position);
                    self.faults.ids.insert(index, id);
                }
                next = place.parent;
            }
        }
    }

    fn id_at(&self, kind: EntityKind, position: usize) -> Uuid {
        match kind {
            EntityKind::SERVICES => self.config.services[position].id,
            EntityKind::ROUTES => self.config.routes[position].id,
            EntityKind::UPSTREAMS => self.config.upstreams[position].id,
            EntityKind::TARGETS => self.config.targets[position].id,
            _ => self.others[kind.index()][position].id,
        }
    }

    fn text_of(&self, kind: EntityKind, position: usize, field: &str) -> Option<String> {
        match kind {
            EntityKind::SERVICES => self.config.services[position].name.clone(),
            EntityKind::ROUTES => self.config.routes[position].name.clone(),
            EntityKind::UPSTREAMS => Some(self.config.upstreams[position].name.clone()),
            _ => {
                let json = &self.others.get(kind.index())?.get(position)?.json;
                let fields: Map<String, Value> = serde_json::from_str(json).ok()?;
                fields.get(field)?.as_str().map(str::to_owned)
            }
        }
    }

    /// Hashes and digests of the kinds that have such.
    fn transform(&mut self) {
        for plan in self.plan.kinds() {
            let Some(transform) = plan.schema.transform else {
                continue;
            };
            for entity in &mut self.others[plan.kind.index()] {
                let mut fields: Map<String, Value> =
                    serde_json::from_str(&entity.json).expect("entities hold JSON objects");
                for (field, id) in &entity.references {
                    fields.insert((*field).to_owned(), json!({ "id": id.to_string() }));
                }
                transform(&mut fields);
                for (field, _) in &entity.references {
                    fields.shift_remove(*field);
                }
                entity.json = row::text(&fields);
            }
        }
    }
}

fn violation(kind: EntityKind, what: &str) -> String {
    let kind = kind.name();
    format!("uniqueness violation: '{kind}' entity with {what} already declared")
}
