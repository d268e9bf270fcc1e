//! The entities of the running configuration, as the endpoints read them: one version of the store
//! for each request.
//!
//! Source: `kong/api/endpoints.lua` (keys), `kong/db/dao/*.lua` (special look-ups).

use std::sync::Arc;

use serde_json::{Map, Value};
use silverback_schema::{
    declarative::export::{self, ExportError},
    entity::{EntityKind, target::normal_target},
    field::{Context, Mode, Rules, Schema},
    snapshot::Snapshot,
};
use uuid::Uuid;

use crate::{error::Refusal, page::TagFilter, route::Below};

/// An entity as Kong shows it.
pub(crate) type Object = Map<String, Value>;

/// Reads entities; all reads see the same version.
pub(crate) struct Entities {
    snapshot: Snapshot,
    /// What the node's configuration says of entities.
    pub(crate) rules: Arc<Rules>,
}

/// A key in a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// Anything of the shape of a UUID.
    Id(Uuid),
    /// A valid value of the endpoint key.
    Name(&'static str, String),
}

impl Key {
    /// The field that it is a value of.
    pub(crate) fn field(&self) -> &'static str {
        match self {
            Self::Id(_) => "id",
            Self::Name(field, _) => field,
        }
    }

    /// As text.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Id(id) => id.to_string(),
            Self::Name(_, text) => text.clone(),
        }
    }
}

impl Entities {
    /// Reads that version.
    pub(crate) fn new(snapshot: Snapshot, rules: Arc<Rules>) -> Self {
        Self { snapshot, rules }
    }

    /// The description of a kind.
    pub(crate) fn schema(&self, kind: EntityKind) -> &'static Schema {
        kind.schema(&self.rules)
    }

    /// What a text in a path means.
    pub(crate) fn key(&self, kind: EntityKind, text: &str) -> Result<Key, Refusal> {
        if let Some(id) = uuid_of(text) {
            return Ok(Key::Id(id));
        }
        let schema = self.schema(kind);
        let field = path_key(schema).ok_or(Refusal::PrimaryKey)?;
        let context = Context {
            mode: Mode::Insert,
            rules: &self.rules,
        };
        match schema.check_field(field, Value::from(text), context) {
            Ok(Value::String(text)) => Ok(Key::Name(field, text)),
            Ok(_) => Ok(Key::Name(field, text.to_owned())),
            Err(problem) => {
                let problem = problem
                    .as_str()
                    .map_or_else(|| problem.to_string(), str::to_owned);
                Err(Refusal::Unique(field, problem))
            }
        }
    }

    /// The id of the entity with that key, if there is one.
    pub(crate) fn id(&self, kind: EntityKind, key: &Key) -> Result<Option<Uuid>, Refusal> {
        Ok(match key {
            Key::Id(id) => Some(*id),
            Key::Name(field, text) => self.snapshot.find(kind, field, text)?,
        })
    }

    /// The entity with that id.
    pub(crate) fn get(&self, kind: EntityKind, id: Uuid) -> Result<Option<Object>, Refusal> {
        let entity = self.snapshot.entity(kind, id)?;
        match entity {
            Some(entity) if kind == EntityKind::CERTIFICATES => {
                self.with_snis(id, entity).map(Some)
            }
            entity => Ok(entity),
        }
    }

    /// The entity with that key.
    pub(crate) fn by_key(&self, kind: EntityKind, key: &Key) -> Result<Option<Object>, Refusal> {
        match self.id(kind, key)? {
            Some(id) => self.get(kind, id),
            None => Ok(None),
        }
    }

    /// The id of the entity above; it must exist. Above its SNIs, a certificate is also known by
    /// the name of one.
    pub(crate) fn parent(&self, below: Below, text: &str) -> Result<Uuid, Refusal> {
        if below.child == EntityKind::SNIS && uuid_of(text).is_none() {
            return self.certificate_of(text)?.ok_or_else(Refusal::unknown_sni);
        }
        let key = self.key(below.parent, text)?;
        let parent = self.by_key(below.parent, &key)?;
        let id = parent.as_ref().and_then(id_of);
        id.ok_or(Refusal::NotFound)
    }

    /// The item of a collection below an entity; `None` when there is none, or it is another's.
    pub(crate) fn child(
        &self,
        below: Below,
        parent: Uuid,
        key: &Key,
    ) -> Result<Option<Object>, Refusal> {
        let found = match key {
            Key::Name(field, text) if !self.is_unique(below.child, field) => {
                return self.sibling(below, parent, field, text);
            }
            key => self.by_key(below.child, key)?,
        };
        Ok(found.filter(|child| reference(child, below.field) == Some(parent)))
    }

    fn is_unique(&self, kind: EntityKind, field: &str) -> bool {
        let schema = self.schema(kind);
        let position = schema.position(field);
        position.is_some_and(|position| schema.fields[position].unique)
    }

    /// The child whose field has that value: for fields that are unique below one entity only.
    fn sibling(
        &self,
        below: Below,
        parent: Uuid,
        field: &str,
        text: &str,
    ) -> Result<Option<Object>, Refusal> {
        let text = match below.child {
            EntityKind::TARGETS => normal_target(text),
            _ => text.to_owned(),
        };
        for id in self
            .snapshot
            .children(below.child, below.field, parent, None)?
        {
            let child = self.get(below.child, id?)?;
            if let Some(child) =
                child.filter(|child| child.get(field) == Some(&text.as_str().into()))
            {
                return Ok(Some(child));
            }
        }
        Ok(None)
    }

    /// Up to `size` entities after an id, and whether there are more.
    pub(crate) fn page(
        &self,
        kind: EntityKind,
        after: Option<Uuid>,
        size: usize,
        tags: Option<&TagFilter>,
    ) -> Result<(Vec<Object>, bool), Refusal> {
        let ids = self.snapshot.ids(kind, after)?;
        self.take(kind, ids, size, tags)
    }

    /// The same of the entities below one.
    pub(crate) fn page_below(
        &self,
        below: Below,
        parent: Uuid,
        after: Option<Uuid>,
        size: usize,
    ) -> Result<(Vec<Object>, bool), Refusal> {
        let ids = self
            .snapshot
            .children(below.child, below.field, parent, after)?;
        self.take(below.child, ids, size, None)
    }

    fn take(
        &self,
        kind: EntityKind,
        ids: impl Iterator<Item = Result<Uuid, silverback_schema::snapshot::Damaged>>,
        size: usize,
        tags: Option<&TagFilter>,
    ) -> Result<(Vec<Object>, bool), Refusal> {
        let mut page = Vec::new();
        for id in ids {
            let Some(entity) = self.get(kind, id?)? else {
                continue;
            };
            if tags.is_some_and(|tags| !tags.fits(&entity)) {
                continue;
            }
            if page.len() == size {
                return Ok((page, true));
            }
            page.push(entity);
        }
        Ok((page, false))
    }

    /// The certificate that an SNI belongs to.
    pub(crate) fn certificate_of(&self, name: &str) -> Result<Option<Uuid>, Refusal> {
        let Some(id) = self.snapshot.find(EntityKind::SNIS, "name", name)? else {
            return Ok(None);
        };
        let sni = self.snapshot.entity(EntityKind::SNIS, id)?;
        Ok(sni.and_then(|sni| reference(&sni, "certificate")))
    }

    /// A certificate shows the names of its SNIs.
    fn with_snis(&self, id: Uuid, mut certificate: Object) -> Result<Object, Refusal> {
        let mut names = Vec::new();
        let snis = self
            .snapshot
            .children(EntityKind::SNIS, "certificate", id, None)?;
        for sni in snis {
            if let Some(sni) = self.snapshot.entity(EntityKind::SNIS, sni?)? {
                names.extend(sni.get("name").and_then(Value::as_str).map(str::to_owned));
            }
        }
        names.sort_unstable();
        certificate.insert("snis".to_owned(), names.into());
        Ok(certificate)
    }

    /// Everything as one declarative configuration.
    pub(crate) fn export(&self) -> Result<String, Refusal> {
        let mut text = Vec::new();
        match export::write_snapshot(&self.snapshot, &mut text) {
            Ok(()) => Ok(String::from_utf8(text).expect("exports are text")),
            Err(ExportError::Damaged(damage)) => Err(damage.into()),
            Err(ExportError::Io(_)) => Err(Refusal::unexpected()),
        }
    }
}

/// What looks like an id is one, never a name.
pub(crate) fn uuid_of(text: &str) -> Option<Uuid> {
    const LONG_FORM_BYTES: usize = 36;
    Uuid::try_parse(text)
        .ok()
        .filter(|_| text.len() == LONG_FORM_BYTES)
}

/// The id of an entity.
pub(crate) fn id_of(entity: &Object) -> Option<Uuid> {
    entity.get("id").and_then(Value::as_str).and_then(uuid_of)
}

/// The id that a field refers to.
pub(crate) fn reference(entity: &Object, field: &str) -> Option<Uuid> {
    let id = entity.get(field)?.get("id")?;
    id.as_str().and_then(uuid_of)
}

/// The field that names an entity in a path beside its id.
pub(crate) fn path_key(schema: &Schema) -> Option<&'static str> {
    let group = (schema.name == "acls").then_some("group");
    schema.endpoint_key.or(group)
}
