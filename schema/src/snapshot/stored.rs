//! Records of any kind, back as the entities they came from.

use serde_json::{Map, Value};

use super::encode::Encode;
use super::error::Damage;
use super::layout;
use super::record;
use super::view::{self, RouteView, ServiceView, TargetView, UpstreamView};
use crate::entity::{Entity, EntityKind, Route, Service, Target, Upstream};
use crate::generated as fbs;

/// An entity that was read.
pub(super) enum Stored {
    Service(Service),
    Route(Route),
    Upstream(Upstream),
    Target(Target),
    Entity(Entity),
}

impl Stored {
    /// Reads the record of an entity of that kind.
    ///
    /// # Errors
    /// What is wrong with the record.
    pub(super) fn read(kind: EntityKind, value: &[u8]) -> Result<Self, Damage> {
        let hash = record::checksum(value);
        Ok(match kind {
            EntityKind::SERVICES => {
                let table = record::checked::<fbs::Service<'_>>(value)?;
                Self::Service(ServiceView::new(table, hash).to_entity())
            }
            EntityKind::ROUTES => {
                let table = record::checked::<fbs::Route<'_>>(value)?;
                Self::Route(RouteView::new(table, hash).to_entity())
            }
            EntityKind::UPSTREAMS => {
                let table = record::checked::<fbs::Upstream<'_>>(value)?;
                Self::Upstream(UpstreamView::new(table, hash).to_entity())
            }
            EntityKind::TARGETS => {
                let table = record::checked::<fbs::Target<'_>>(value)?;
                Self::Target(TargetView::new(table, hash).to_entity())
            }
            _ => {
                let entity = view::entity(&record::checked::<fbs::Entity<'_>>(value)?)?;
                if entity.kind != kind {
                    return Err(Damage::Inconsistent);
                }
                Self::Entity(entity)
            }
        })
    }

    /// The entity as something to be written.
    pub(super) fn as_encode(&self) -> &dyn Encode {
        match self {
            Self::Service(service) => service,
            Self::Route(route) => route,
            Self::Upstream(upstream) => upstream,
            Self::Target(target) => target,
            Self::Entity(entity) => entity,
        }
    }

    /// The entity as Kong shows it.
    ///
    /// # Errors
    /// When the record holds no JSON object.
    pub(super) fn to_json(&self) -> Result<Map<String, Value>, Damage> {
        let value = match self {
            Self::Service(service) => service.to_json(),
            Self::Route(route) => route.to_json(),
            Self::Upstream(upstream) => upstream.to_json(),
            Self::Target(target) => target.to_json(),
            Self::Entity(entity) => {
                let json = entity.try_to_json(layout::schema(entity.kind));
                return json.map_err(|_| Damage::Format);
            }
        };
        match value {
            Value::Object(fields) => Ok(fields),
            _ => Err(Damage::Format),
        }
    }
}
