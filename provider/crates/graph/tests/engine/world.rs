//! A world in memory that is strict: it refuses what a careful engine never does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use resource_graph::{
    AnyPart, Catalogue, Comparison, Created, Failure, FailureKind, Identity, Input, Observation, Output,
    Outputs, Owner, Part, PartKey, Probe, Record, RecordState, Replacement, Target, Until, erase,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

pub(crate) const ARN: Output<Thing> = Output::new("arn");

/// What goes wrong with one call that changes the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails and has no effect.
    Fail(FailureKind),
    /// It has its effect, and its answer is lost.
    Lost,
    /// It has its effect, and the process ends.
    Killed,
    /// The code of the part breaks before it calls.
    Panic,
    /// It never answers and never has an effect.
    Hangs,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) key: PartKey,
    pub(crate) owner: Owner,
    pub(crate) instance: String,
    pub(crate) settings: Settings,
    pub(crate) lane: Option<String>,
    pub(crate) busy: Option<(&'static str, Instant)>,
    /// Health text that keeps it from ever being usable.
    pub(crate) broken: Option<String>,
}

/// What can be configured of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) value: String,
    /// Cannot be changed.
    pub(crate) fixed: String,
    /// What it refers to: must exist, and cannot be deleted before.
    pub(crate) references: BTreeSet<String>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) objects: BTreeMap<String, Object>,
    pub(crate) log: Vec<(Instant, String)>,
    /// Faults by the number of the call that changes the world.
    pub(crate) faults: BTreeMap<usize, Fault>,
    /// Faults of every call of that name, such as `create a`.
    pub(crate) always: BTreeMap<String, Fault>,
    /// Health texts of objects to be made.
    pub(crate) breaks: BTreeMap<String, String>,
    /// Names that cannot be observed.
    pub(crate) unseen: BTreeSet<String>,
    /// So many of the next probes fail.
    pub(crate) bad_probes: u32,
    /// So many of the next probes still see how an earlier deletion ended.
    pub(crate) old_failures: u32,
    pub(crate) calls: usize,
    pub(crate) running: usize,
    pub(crate) most_running: usize,
    made: u64,
    /// Calls that came while another object of the same lane moved.
    pub(crate) overlaps: usize,
    /// How long an object moves after each call.
    pub(crate) moves: Duration,
}

#[derive(Default)]
pub(crate) struct World {
    state: Mutex<State>,
    pub(crate) killed: Notify,
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        let world = Self::default();
        world.state().moves = Duration::from_secs(20);
        Arc::new(world)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap();
        let now = Instant::now();
        state.objects.retain(|_, object| !matches!(object.busy, Some(("DELETING", until)) if until <= now));
        for object in state.objects.values_mut() {
            if object.busy.is_some_and(|(_, until)| until <= now) {
                object.busy = None;
            }
        }
        state
    }

    /// Calls that changed the world or tried to, without their times.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.state().log.iter().map(|(_, call)| call.clone()).collect()
    }

    pub(crate) fn put(&self, name: &str, owner: Owner, value: &str) {
        let mut state = self.state();
        state.made += 1;
        let object = Object {
            key: PartKey::new("thing", name),
            owner,
            instance: format!("i{}", state.made),
            settings: Settings { value: value.to_owned(), ..Settings::default() },
            lane: None,
            busy: None,
            broken: None,
        };
        state.objects.insert(name.to_owned(), object);
    }

    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut Object)) {
        change(self.state().objects.get_mut(name).unwrap());
    }

    async fn call<T>(
        &self,
        action: &str,
        name: &str,
        effect: impl FnOnce(&mut State) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let fault = {
            let mut state = self.state();
            let number = state.calls;
            state.calls += 1;
            state.running += 1;
            state.most_running = state.most_running.max(state.running);
            let call = format!("{action} {name}");
            let fault = state.faults.get(&number).or_else(|| state.always.get(&call)).copied();
            state.log.push((Instant::now(), call));
            fault
        };
        let answer = match fault {
            Some(Fault::Panic) => {
                self.state().running -= 1;
                panic!("broken part")
            }
            Some(Fault::Hangs) => std::future::pending().await,
            Some(Fault::Fail(kind)) => Err(Failure::new(kind, format!("{action} {name}: {kind:?}"))),
            None | Some(Fault::Lost | Fault::Killed) => {
                sleep(Duration::from_millis(30)).await;
                effect(&mut self.state())
            }
        };
        self.state().running -= 1;
        match fault {
            Some(Fault::Lost) => Err(Failure::new(FailureKind::Unknown, "connection reset")),
            Some(Fault::Killed) => {
                self.killed.notify_one();
                std::future::pending().await
            }
            _ => answer,
        }
    }
}

impl State {
    fn check_references(&self, settings: &Settings) -> Result<(), Failure> {
        let usable = |object: &Object| object.busy.is_none() && object.broken.is_none();
        let arns: BTreeSet<String> = self
            .objects
            .iter()
            .filter(|(_, object)| usable(object))
            .map(|(name, object)| arn(name, object))
            .collect();
        match settings.references.iter().find(|reference| !arns.contains(*reference)) {
            Some(missing) => Err(Failure::refused(format!("{missing} does not exist or is not usable"))),
            None => Ok(()),
        }
    }

    fn check_lane(&mut self, name: &str, lane: Option<&String>) -> Result<(), Failure> {
        let overlaps = |(other, object): (&String, &Object)| {
            other != name && object.busy.is_some() && object.lane.as_ref() == lane
        };
        if lane.is_some() && self.objects.iter().any(overlaps) {
            self.overlaps += 1;
            return Err(Failure::new(
                FailureKind::Busy,
                format!("another object of the lane of {name} moves"),
            ));
        }
        Ok(())
    }

    fn movable(&mut self, name: &str) -> Result<&mut Object, Failure> {
        match self.objects.get_mut(name) {
            None => Err(Failure::refused(format!("{name} does not exist"))),
            Some(object) if object.busy.is_some() => {
                Err(Failure::new(FailureKind::Busy, format!("{name} moves")))
            }
            Some(object) => Ok(object),
        }
    }
}

pub(crate) fn arn(name: &str, object: &Object) -> String {
    format!("arn:{name}:{}", object.instance)
}

/// The one kind of part of this world.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Thing {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) fixed: String,
    /// Its name follows what cannot be changed.
    pub(crate) renamed: bool,
    /// The name of the object, where it is not that of the part.
    pub(crate) object: Option<String>,
    /// A replacement takes another name than the object it replaces.
    pub(crate) alternates: bool,
    pub(crate) shared: bool,
    pub(crate) lane: Option<String>,
    pub(crate) references: Vec<Input>,
    /// The create call does not take the value: it follows as an update.
    pub(crate) late_value: bool,
    pub(crate) impossible: bool,
}

impl Thing {
    pub(crate) fn new(name: &str, value: &str) -> Self {
        Self {
            name: name.to_owned(),
            value: value.to_owned(),
            fixed: String::new(),
            renamed: false,
            object: None,
            alternates: false,
            shared: false,
            lane: None,
            references: Vec::new(),
            late_value: false,
            impossible: false,
        }
    }

    fn successor(&self, replaced: &Identity) -> Identity {
        if self.alternates && *replaced == self.identity() {
            return Identity::new([("name", &format!("{}-2", self.name))]);
        }
        self.identity()
    }

    fn wanted(&self, target: &Target<'_>) -> Option<BTreeSet<String>> {
        self.references.iter().map(|input| target.input(input)).collect()
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Change {
    Value(String),
    References,
    Mark,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(formatter, "set value to {value}"),
            Self::References => formatter.write_str("refer to other objects"),
            Self::Mark => formatter.write_str("mark as ours"),
        }
    }
}

#[async_trait]
impl Part<World> for Thing {
    type Seen = Object;
    type Change = Change;

    fn key(&self) -> PartKey {
        PartKey::new("thing", &self.name)
    }

    fn identity(&self) -> Identity {
        if let Some(name) = &self.object {
            return Identity::new([("name", name)]);
        }
        let name = if self.renamed { format!("{}-{}", self.name, self.fixed) } else { self.name.clone() };
        Identity::new([("name", &name)])
    }

    fn spec(&self) -> String {
        format!("value {}", self.value)
    }

    fn adopts_unmarked(&self) -> bool {
        self.shared
    }

    async fn observe(&self, world: &World, target: &Target<'_>) -> Result<Observation<Object>, Failure> {
        let name = target.identity.get("name");
        sleep(Duration::from_millis(20)).await;
        let state = world.state();
        if state.unseen.contains(name) {
            return Err(Failure::new(FailureKind::Unknown, "throttled"));
        }
        Ok(match state.objects.get(name) {
            None => Observation::Absent,
            Some(object) => {
                let (owner, instance) = (object.owner.clone(), Some(object.instance.clone()));
                match object.busy {
                    Some((status, _)) => Observation::Busy { status: status.to_owned(), owner, instance },
                    None => Observation::Present {
                        seen: object.clone(),
                        owner,
                        instance,
                        outputs: Outputs::new([("arn", &arn(name, object))]),
                    },
                }
            }
        })
    }

    fn compare(&self, target: &Target<'_>, seen: &Object) -> Comparison<Change> {
        if self.impossible && seen.settings.fixed != self.fixed {
            return Comparison::Impossible("fixed cannot be changed".to_owned());
        }
        let is_other = self.object.is_some() && *target.identity != self.identity();
        if is_other || seen.settings.fixed != self.fixed {
            return Comparison::Replace(Replacement {
                reason: format!("fixed becomes {}", self.fixed),
                identity: self.successor(target.identity),
            });
        }
        let mut changes = Vec::new();
        if seen.owner != Owner::Ours || seen.key != self.key() {
            changes.push(Change::Mark);
        }
        if self.wanted(target).is_some_and(|wanted| wanted != seen.settings.references) {
            changes.push(Change::References);
        }
        if seen.settings.value != self.value {
            changes.push(Change::Value(self.value.clone()));
        }
        if changes.is_empty() { Comparison::Same } else { Comparison::Change(changes) }
    }

    async fn create(&self, world: &World, target: &Target<'_>) -> Result<Created<Object>, Failure> {
        let name = target.identity.get("name").to_owned();
        let references =
            self.references.iter().map(|input| target.require(input)).collect::<Result<BTreeSet<_>, _>>()?;
        let value = if self.late_value { String::new() } else { self.value.clone() };
        let settings = Settings { value, fixed: self.fixed.clone(), references };
        let make = |state: &mut State| {
            if state.objects.contains_key(&name) {
                return Err(Failure::new(FailureKind::Conflict, format!("{name} exists already")));
            }
            state.check_references(&settings)?;
            state.check_lane(&name, self.lane.as_ref())?;
            state.made += 1;
            let object = Object {
                key: self.key(),
                owner: Owner::Ours,
                instance: format!("i{}", state.made),
                settings: settings.clone(),
                lane: self.lane.clone(),
                busy: Some(("CREATING", Instant::now() + state.moves)),
                broken: state.breaks.get(&name).cloned(),
            };
            state.objects.insert(name.clone(), object.clone());
            Ok(object)
        };
        let object = world.call("create", &name, make).await?;
        let outputs = Outputs::new([("arn", &arn(&name, &object))]);
        Ok(Created { instance: Some(object.instance.clone()), outputs, seen: object })
    }

    async fn update(&self, world: &World, target: &Target<'_>, change: &Change) -> Result<Outputs, Failure> {
        let name = target.identity.get("name").to_owned();
        let references = self.wanted(target).unwrap_or_default();
        let alter = |state: &mut State| {
            state.check_lane(&name, self.lane.as_ref())?;
            if matches!(change, Change::References) {
                state
                    .check_references(&Settings { references: references.clone(), ..Settings::default() })?;
            }
            let until = Instant::now() + state.moves;
            let object = state.movable(&name)?;
            match change {
                Change::Value(value) => object.settings.value.clone_from(value),
                Change::References => object.settings.references = references.clone(),
                Change::Mark => (object.owner, object.key) = (Owner::Ours, self.key()),
            }
            object.busy = Some(("UPDATING", until));
            object.lane.clone_from(&self.lane);
            Ok(Outputs::default())
        };
        world.call("update", &name, alter).await
    }

    async fn delete(&self, world: &World, target: &Target<'_>) -> Result<(), Failure> {
        let name = target.identity.get("name").to_owned();
        let delete = |state: &mut State| {
            let Some(object) = state.objects.get(&name) else { return Ok(()) };
            let arn = arn(&name, object);
            if let Some((user, _)) =
                state.objects.iter().find(|(_, object)| object.settings.references.contains(&arn))
            {
                return Err(Failure::refused(format!("{name} is in use by {user}")));
            }
            let until = Instant::now() + state.moves;
            state.movable(&name)?.busy = Some(("DELETING", until));
            Ok(())
        };
        world.call("delete", &name, delete).await
    }

    async fn probe(&self, world: &World, target: &Target<'_>, until: Until) -> Result<Probe, Failure> {
        let name = target.identity.get("name");
        let mut state = world.state();
        if state.bad_probes > 0 {
            state.bad_probes -= 1;
            return Err(Failure::new(FailureKind::Unknown, "throttled"));
        }
        if state.old_failures > 0 {
            state.old_failures -= 1;
            return Ok(Probe::Failed("an earlier deletion failed".to_owned()));
        }
        Ok(match (until, state.objects.get(name)) {
            (Until::Gone, None) => Probe::Done(Outputs::default()),
            (Until::Usable, None) => Probe::Failed(format!("{name} is gone")),
            (_, Some(Object { busy: Some((status, _)), .. })) => Probe::Pending((*status).to_owned()),
            (Until::Gone, Some(_)) => Probe::Failed(format!("{name} is still there")),
            (Until::Usable, Some(Object { broken: Some(text), .. })) => Probe::Failed(text.clone()),
            (Until::Usable, Some(object)) => Probe::Done(Outputs::new([("arn", &arn(name, object))])),
        })
    }

    fn state(&self, outputs: &Outputs) -> String {
        if outputs.get("arn").is_some() { "ready".to_owned() } else { "ready without arn".to_owned() }
    }
}

/// Knows things only.
pub(crate) struct Things;

#[async_trait]
impl Catalogue<World> for Things {
    fn recall(&self, record: &Record) -> Option<Arc<dyn AnyPart<World>>> {
        (record.key.kind() == "thing").then(|| erase(Thing::new(record.key.name(), "")))
    }

    async fn discover(&self, world: &World) -> Result<Vec<Record>, Failure> {
        let state = world.state();
        let ours = state.objects.iter().filter(|(_, object)| object.owner == Owner::Ours);
        Ok(ours
            .map(|(name, object)| Record {
                key: object.key.clone(),
                state: RecordState::Made,
                identity: Identity::new([("name", name)]),
                instance: Some(object.instance.clone()),
                outputs: Outputs::new([("arn", &arn(name, object))]),
                needs: state
                    .objects
                    .iter()
                    .filter(|(name, other)| object.settings.references.contains(&arn(name, other)))
                    .map(|(_, other)| other.key.clone())
                    .collect(),
                spec: String::new(),
            })
            .collect())
    }
}
