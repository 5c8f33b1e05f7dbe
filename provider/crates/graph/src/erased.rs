//! Parts, what was seen of them and their changes, without their types: what the engine works with.

use std::{
    any::Any,
    fmt::{self, Debug, Display},
    sync::Arc,
};

use async_trait::async_trait;

use crate::{
    Comparison, Created, Failure, Identity, Observation, Outputs, Part, PartKey, Probe, Target, Until,
};

/// What was seen of an object, without its type.
#[derive(Clone)]
pub struct AnySeen(Arc<dyn Value>);

impl AnySeen {
    /// What was seen, when it is of the type `S`.
    pub fn get<S: 'static>(&self) -> Option<&S> {
        (&*self.0 as &dyn Any).downcast_ref()
    }
}

impl Debug for AnySeen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.0, formatter)
    }
}

/// A change of a part, without its type. Displays what people read.
#[derive(Clone)]
pub struct AnyChange {
    value: Arc<dyn Value>,
    text: String,
}

impl Debug for AnyChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.value, formatter)
    }
}

impl Display for AnyChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

trait Value: Any + Debug + Send + Sync {}

impl<T: Any + Debug + Send + Sync> Value for T {}

/// A [`Part`] of any type: the same contract. Made with [`erase`] only.
#[async_trait]
pub trait AnyPart<W>: Debug + Send + Sync {
    /// See [`Part::key`].
    fn key(&self) -> &PartKey;
    /// See [`Part::identity`].
    fn identity(&self) -> Identity;
    /// See [`Part::spec`].
    fn spec(&self) -> String;
    /// See [`Part::adopts_unmarked`].
    fn adopts_unmarked(&self) -> bool;
    /// See [`Part::state`].
    fn state(&self, outputs: &Outputs) -> String;
    /// True for a part of the same type that is equal.
    fn equals(&self, other: &dyn AnyPart<W>) -> bool;
    /// The part itself, for those who know its type.
    fn as_any(&self) -> &dyn Any;
    /// See [`Part::observe`].
    async fn observe(&self, world: &W, target: &Target<'_>) -> Result<Observation<AnySeen>, Failure>;
    /// See [`Part::compare`].
    fn compare(&self, target: &Target<'_>, seen: &AnySeen) -> Comparison<AnyChange>;
    /// See [`Part::create`].
    async fn create(&self, world: &W, target: &Target<'_>) -> Result<Created<AnySeen>, Failure>;
    /// See [`Part::update`].
    async fn update(&self, world: &W, target: &Target<'_>, change: &AnyChange) -> Result<Outputs, Failure>;
    /// See [`Part::delete`].
    async fn delete(&self, world: &W, target: &Target<'_>) -> Result<(), Failure>;
    /// See [`Part::probe`].
    async fn probe(&self, world: &W, target: &Target<'_>, until: Until) -> Result<Probe, Failure>;
}

/// Takes the type from a part.
pub fn erase<W: Send + Sync + 'static, P: Part<W>>(part: P) -> Arc<dyn AnyPart<W>> {
    Arc::new(Erased { key: part.key(), part })
}

#[derive(Debug)]
struct Erased<P> {
    key: PartKey,
    part: P,
}

#[async_trait]
impl<W: Send + Sync + 'static, P: Part<W>> AnyPart<W> for Erased<P> {
    fn key(&self) -> &PartKey {
        &self.key
    }

    fn identity(&self) -> Identity {
        self.part.identity()
    }

    fn spec(&self) -> String {
        self.part.spec()
    }

    fn adopts_unmarked(&self) -> bool {
        self.part.adopts_unmarked()
    }

    fn state(&self, outputs: &Outputs) -> String {
        self.part.state(outputs)
    }

    fn equals(&self, other: &dyn AnyPart<W>) -> bool {
        other.as_any().downcast_ref::<P>().is_some_and(|other| self.part == *other)
    }

    fn as_any(&self) -> &dyn Any {
        &self.part
    }

    async fn observe(&self, world: &W, target: &Target<'_>) -> Result<Observation<AnySeen>, Failure> {
        Ok(match self.part.observe(world, target).await? {
            Observation::Absent => Observation::Absent,
            Observation::Busy { status, owner, instance } => Observation::Busy { status, owner, instance },
            Observation::Present { seen, owner, instance, outputs } => {
                Observation::Present { seen: AnySeen(Arc::new(seen)), owner, instance, outputs }
            }
        })
    }

    fn compare(&self, target: &Target<'_>, seen: &AnySeen) -> Comparison<AnyChange> {
        let Some(seen) = seen.get::<P::Seen>() else {
            // Only two parts of different types under one key come here.
            return Comparison::Impossible(format!("{} was observed as another kind of object", self.key));
        };
        match self.part.compare(target, seen) {
            Comparison::Same => Comparison::Same,
            Comparison::Change(changes) if changes.is_empty() => Comparison::Same,
            Comparison::Change(changes) => Comparison::Change(changes.into_iter().map(any_change).collect()),
            Comparison::Replace(replacement) => Comparison::Replace(replacement),
            Comparison::Impossible(reason) => Comparison::Impossible(reason),
        }
    }

    async fn create(&self, world: &W, target: &Target<'_>) -> Result<Created<AnySeen>, Failure> {
        let Created { seen, instance, outputs } = self.part.create(world, target).await?;
        Ok(Created { seen: AnySeen(Arc::new(seen)), instance, outputs })
    }

    async fn update(&self, world: &W, target: &Target<'_>, change: &AnyChange) -> Result<Outputs, Failure> {
        match (&*change.value as &dyn Any).downcast_ref() {
            Some(change) => self.part.update(world, target, change).await,
            None => Err(Failure::refused(format!("{change} is no change of {}", self.key))),
        }
    }

    async fn delete(&self, world: &W, target: &Target<'_>) -> Result<(), Failure> {
        self.part.delete(world, target).await
    }

    async fn probe(&self, world: &W, target: &Target<'_>, until: Until) -> Result<Probe, Failure> {
        self.part.probe(world, target, until).await
    }
}

fn any_change<C: Any + Debug + Display + Send + Sync>(change: C) -> AnyChange {
    AnyChange { text: change.to_string(), value: Arc::new(change) }
}
