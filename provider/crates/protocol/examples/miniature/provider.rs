//! A provider that makes nothing real: what the framework needs to be tried out.

use std::sync::Arc;

use terraform_plugin::model::parse_duration;
use terraform_plugin::prelude::*;
use terraform_plugin::value::{Type, Value};
use terraform_plugin::{AnyDataSource, AnyResource};

model! {
    /// A taint of every node of a group.
    pub struct Taint {
        /// The key.
        key: String = required(),
        /// The effect.
        effect: String = optional().one_of(&["NoSchedule", "NoExecute"]),
    }

    /// A group of nodes.
    pub struct NodeGroup paths NodeGroupPaths {
        /// What the nodes
        /// are for.
        ///
        /// Second paragraph:
        /// - one
        ///   more
        /// - two
        purpose: String = optional().one_of(&["general", "system"]),
        /// Fewest nodes.
        min_size: i64 = optional().at_least(0),
        /// Labels.
        labels: Map<String> = optional(),
        /// Taints.
        taints: List<Taint> = optional(),
    }

    /// The cluster.
    pub struct Cluster paths ClusterPaths {
        /// Name.
        name: String = required().requires_replace().length(1, 100),
        /// Region.
        region: String = optional().computed(),
        /// Groups.
        node_groups: Map<NodeGroup> = optional(),
        /// Subnets.
        subnet_ids: Set<String> = optional(),
        /// Protection.
        protected: bool = optional().default(true),
        /// How long creating takes, such as `5s`; `panic` makes the provider panic on the way.
        takes: String = optional(),
        /// Status.
        status: String = computed(),
        /// Identifier.
        id: String = computed().use_prior(),
        /// Rules in order.
        rule: List<Rule> = block(),
        timeouts: Timeouts = block(),
    }

    /// A rule of a cluster.
    pub struct Rule {
        /// The port.
        port: u16 = required().at_least(1),
    }

    /// What the data source finds.
    pub struct Found {
        /// Name.
        name: String = required(),
        /// Length of the name.
        length: i64 = computed(),
    }
}

/// The resource.
pub(crate) struct ClusterResource;

#[async_trait]
impl Resource for ClusterResource {
    type Model = Cluster;

    fn type_name(&self) -> &'static str {
        "mini_cluster"
    }

    fn description(&self) -> &'static str {
        "A cluster."
    }

    fn validate(&self, config: &Cluster, diagnostics: &mut Diagnostics) {
        let at = Cluster::at(&Path::root());
        for (key, group) in config.node_groups.known().into_iter().flat_map(|groups| groups.known()) {
            let at = NodeGroup::at(&at.node_groups.key(key));
            if group.min_size.known() == Some(&13) {
                diagnostics.error_at(&at.min_size, "Unlucky", "Choose another number.");
            }
        }
    }

    async fn read(&self, request: ReadRequest<Cluster>) -> ReadResponse<Cluster> {
        ReadResponse { state: Some(request.state), private: request.private, ..Default::default() }
    }

    fn unsettled(&self, prior: &Cluster, _private: &[u8]) -> bool {
        prior.status.text() != Some("ready")
    }

    async fn plan(&self, request: PlanRequest<'_, Cluster>) -> PlanResponse {
        if request.prior.is_none() {
            request.planned.region = request.config.region.clone().or("eu-central-1".to_owned());
        }
        PlanResponse { private: request.prior_private.to_vec(), ..Default::default() }
    }

    async fn create(&self, request: CreateRequest<Cluster>) -> ApplyResponse<Cluster> {
        let mut state = request.planned;
        state.id = "cluster-1".into();
        state.status = "incomplete".into();
        request.checkpoint.save(state.clone(), Vec::new());
        let takes = state.takes.text().unwrap_or("0");
        assert!(takes != "panic", "creating failed on request");
        tokio::select! {
            () = request.stop.cancelled() => {
                let diagnostics = Diagnostics::from_error("Create was interrupted", "Apply again to continue.");
                return ApplyResponse { state: Some(state), private: Vec::new(), diagnostics };
            }
            () = tokio::time::sleep(parse_duration(takes).unwrap_or_default()) => {}
        }
        state.status = "ready".into();
        ApplyResponse { state: Some(state), ..Default::default() }
    }

    async fn update(&self, request: UpdateRequest<Cluster>) -> ApplyResponse<Cluster> {
        let mut state = request.planned;
        state.status = "ready".into();
        ApplyResponse { state: Some(state), private: request.private, ..Default::default() }
    }

    async fn delete(&self, _request: DeleteRequest<Cluster>) -> ApplyResponse<Cluster> {
        ApplyResponse::default()
    }

    async fn import(&self, id: &str) -> Result<Imported<Cluster>, Diagnostics> {
        let state = Cluster { name: id.into(), ..Default::default() };
        Ok(Imported { state, ..Default::default() })
    }
}

model! {
    /// The provider block.
    pub struct ProviderConfig {
        /// Region.
        region: String = optional(),
        assume_role: List<AssumeRole> = block(),
    }

    /// A role to assume.
    pub struct AssumeRole {
        /// Its name.
        name: String = required(),
    }
}

struct Lookup;

#[async_trait]
impl DataSource for Lookup {
    type Model = Found;

    fn type_name(&self) -> &'static str {
        "mini_lookup"
    }

    fn description(&self) -> &'static str {
        "Finds the length of a name."
    }

    async fn read(&self, request: ReadDataRequest<Found>) -> ReadDataResponse<Found> {
        let length = request.config.name.text().map(str::len).and_then(|length| i64::try_from(length).ok());
        let state = Found { length: length.into(), ..request.config };
        ReadDataResponse { state: Some(state), ..Default::default() }
    }
}

struct Shout;

impl Function for Shout {
    fn name(&self) -> &'static str {
        "shout"
    }

    fn summary(&self) -> &'static str {
        "Shouts"
    }

    fn description(&self) -> &'static str {
        "Puts text in upper case."
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter::new("text", Type::String, "What to shout.")]
    }

    fn return_type(&self) -> Type {
        Type::String
    }

    fn call(&self, arguments: &[Value]) -> Result<Value, FunctionError> {
        match arguments.first().and_then(Value::as_str) {
            Some("") => Err(FunctionError::at(0, "There is nothing to shout.")),
            text => Ok(text.unwrap_or_default().to_uppercase().into()),
        }
    }
}

/// The provider.
pub(crate) struct MiniProvider;

#[async_trait]
impl Provider for MiniProvider {
    type Config = ProviderConfig;

    fn name(&self) -> &'static str {
        "mini"
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn description(&self) -> &'static str {
        "A miniature."
    }

    fn resources(&self) -> Vec<Arc<dyn AnyResource>> {
        vec![resource(ClusterResource)]
    }

    fn data_sources(&self) -> Vec<Arc<dyn AnyDataSource>> {
        vec![data_source(Lookup)]
    }

    fn functions(&self) -> Vec<Arc<dyn Function>> {
        vec![Arc::new(Shout)]
    }

    async fn configure(&self, _config: ProviderConfig, _terraform_version: &str) -> Diagnostics {
        Diagnostics::new()
    }
}
