//! Parts and edges. Edges come from data: only a [`Handle`] yields an [`Output`] of a part, and only
//! [`Needs::output`] turns it into the [`Input`] a later part holds, which is the edge. A cycle cannot be
//! written, and an edge cannot be forgotten.

use std::{collections::BTreeSet, fmt, marker::PhantomData, sync::Arc};

use crate::{AnyPart, Part, PartKey};

/// An output that parts of the type `P` have. Declared once beside the part: `const ARN: Output<Role>`.
pub struct Output<P> {
    name: &'static str,
    part: PhantomData<fn() -> P>,
}

impl<P> Output<P> {
    /// Declares an output under the name it has in [`Outputs`](crate::Outputs).
    pub const fn new(name: &'static str) -> Self {
        Self { name, part: PhantomData }
    }

    /// The name it has in [`Outputs`](crate::Outputs).
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// A part that was added to a graph.
pub struct Handle<P> {
    key: PartKey,
    part: PhantomData<fn() -> P>,
}

impl<P> Handle<P> {
    /// The key of the part.
    pub fn key(&self) -> &PartKey {
        &self.key
    }

    /// The same handle without its type, for lists.
    pub fn any(&self) -> Handle<()> {
        Handle { key: self.key.clone(), part: PhantomData }
    }
}

impl<P> Clone for Handle<P> {
    fn clone(&self) -> Self {
        Self { key: self.key.clone(), part: PhantomData }
    }
}

/// A value a part holds: known, or the output of another part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input(pub(crate) Source);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Known(String),
    Output { part: PartKey, name: &'static str },
}

impl Input {
    /// A value that is known without another part.
    pub fn known(value: impl Into<String>) -> Self {
        Self(Source::Known(value.into()))
    }
}

impl fmt::Display for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Known(value) => formatter.write_str(value),
            Source::Output { part, name } => write!(formatter, "{name} of {part}"),
        }
    }
}

/// Records what a part that is being added needs.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    pub(crate) all: BTreeSet<PartKey>,
    /// Those of `all` whose outputs are used.
    pub(crate) used: BTreeSet<PartKey>,
    pub(crate) any: Vec<BTreeSet<PartKey>>,
    pub(crate) lane: Option<String>,
}

impl Needs {
    /// The output of another part; using it is the edge.
    pub fn output<P>(&mut self, handle: &Handle<P>, output: Output<P>) -> Input {
        self.all.insert(handle.key.clone());
        self.used.insert(handle.key.clone());
        Input(Source::Output { part: handle.key.clone(), name: output.name })
    }

    /// Pure ordering: after that part.
    pub fn after<P>(&mut self, handle: &Handle<P>) {
        self.all.insert(handle.key.clone());
    }

    /// After *one* of those parts; a broken one among them blocks nothing. No handles: no edge.
    pub fn after_any<'h>(&mut self, handles: impl IntoIterator<Item = &'h Handle<()>>) {
        let keys: BTreeSet<PartKey> = handles.into_iter().map(|handle| handle.key.clone()).collect();
        if !keys.is_empty() {
            self.any.push(keys);
        }
    }

    /// Takes turns with every part of the same lane, where the world demands it.
    pub fn lane(&mut self, name: &str) {
        self.lane = Some(name.to_owned());
    }
}

pub(crate) struct Node<W> {
    pub(crate) part: Arc<dyn AnyPart<W>>,
    pub(crate) needs: Needs,
}

/// Parts and edges of one stage.
pub struct Graph<W> {
    pub(crate) nodes: Vec<Node<W>>,
}

impl<W: Send + Sync + 'static> Default for Graph<W> {
    fn default() -> Self {
        Self { nodes: Vec::new() }
    }
}

impl<W: Send + Sync + 'static> Graph<W> {
    /// A graph without parts: against a ledger it deletes everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a part. The closure gets the [`Needs`] of that part.
    ///
    /// # Panics
    /// When the graph already has a part of that key: a mistake in the expansion, not of its input.
    pub fn add<P: Part<W>>(&mut self, make: impl FnOnce(&mut Needs) -> P) -> Handle<P> {
        let mut needs = Needs::default();
        let part = make(&mut needs);
        let key = part.key();
        assert!(self.nodes.iter().all(|node| *node.part.key() != key), "two parts have the key {key}");
        self.nodes.push(Node { part: crate::erase(part), needs });
        Handle { key, part: PhantomData }
    }

    /// The parts, in the order in which they were added.
    pub fn parts(&self) -> impl Iterator<Item = &Arc<dyn AnyPart<W>>> {
        self.nodes.iter().map(|node| &node.part)
    }

    /// Keys of the parts that use an output of that part: they may change when it is made anew.
    pub fn users_of<'g>(&'g self, key: &'g PartKey) -> impl Iterator<Item = &'g PartKey> {
        self.nodes.iter().filter(|node| node.needs.used.contains(key)).map(|node| node.part.key())
    }
}

/// Graphs that are carried out one after another; a part may stand in several of them.
pub struct Stages<W>(pub Vec<Graph<W>>);

impl<W: Send + Sync + 'static> From<Graph<W>> for Stages<W> {
    fn from(graph: Graph<W>) -> Self {
        Self(vec![graph])
    }
}
