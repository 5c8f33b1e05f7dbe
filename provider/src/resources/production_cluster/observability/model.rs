//! Arguments of `observability`.

use terraform_plugin::prelude::*;

use crate::config::{is_arn, is_key_arn};

model! {
    /// Metrics and logs of what runs in the cluster, and alarms.
    pub struct Observability paths ObservabilityPaths {
        /// Container Insights: the add-on `amazon-cloudwatch-observability`, its four log groups
        /// `/aws/containerinsights/<name>/{application,dataplane,host,performance}`, and the alarms on its metrics.
        /// Default `true`.
        container_insights: bool = optional(),
        /// Days that events of these log groups are kept; the same numbers as for `logging`. Default 90. What happens
        /// to the groups on destroy is said by `logging.on_destroy`, for all log groups of the cluster.
        log_retention_days: i64 = optional(),
        /// Key that encrypts these log groups. Default: the one of the control plane's log group.
        kms_key_arn: String = optional().check(is_key_arn, "be the ARN of a KMS key, not of an alias"),
        /// Alarms of CloudWatch. Default: all of them, telling nobody.
        alarms: Alarms = optional(),
    }

    /// Alarms of CloudWatch, with thresholds to begin with.
    pub struct Alarms paths AlarmsPaths {
        /// Have these alarms. The one of `break_glass` is its own matter. Default `true`.
        enabled: bool = optional(),
        /// Topics of SNS that hear when an alarm goes off and when it is over, up to 5, also of `break_glass`. Their
        /// policy must let CloudWatch publish. Default: none.
        sns_topic_arns: Set<String> = optional().size(0, 5).check(is_topic, "be the ARN of an SNS topic"),
        /// Nodes that fail. Default: 1 or more for 5 minutes. The topics also hear when Container Insights falls
        /// silent.
        failed_nodes: Alarm = optional(),
        /// CPU of the busiest node, percent. Default: 90 or more for 15 minutes.
        node_cpu: Alarm = optional(),
        /// Memory of the fullest node, percent. Default: 90 or more for 10 minutes.
        node_memory: Alarm = optional(),
        /// File system of the fullest node, percent. Default: 80 or more for 5 minutes.
        node_disk: Alarm = optional(),
        /// Restarts of containers in the whole cluster. Default: 20 or more within 10 minutes.
        pod_restarts: Alarm = optional(),
        /// Requests that the API server failed to answer (5XX). Default: 50 or more within 5 minutes.
        api_errors: Alarm = optional(),
        /// Requests that the API server turned away (429). Default: 100 or more within 5 minutes.
        api_throttles: Alarm = optional(),
    }

    /// An alarm. What is not set keeps its default.
    pub struct Alarm paths AlarmPaths {
        /// Have it. Default `true`.
        enabled: bool = optional(),
        /// The alarm goes off at this value and above.
        threshold: i64 = optional().between(1, 1_000_000_000),
        /// For how long, or within which time, up to a day.
        minutes: i64 = optional().between(1, 1440),
    }
}

fn is_topic(text: &str) -> bool {
    is_arn(text) && text.split(':').nth(2) == Some("sns")
}
