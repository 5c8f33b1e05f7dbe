//! Arguments of the provider block.

use std::time::Duration;

use terraform_plugin::model::parse_duration;
use terraform_plugin::prelude::*;

model! {
    /// The `provider "eks"` block.
    pub struct ProviderBlock paths ProviderBlockPaths {
        /// AWS region. Without it: `AWS_REGION`, `AWS_DEFAULT_REGION`, then the profile.
        region: String = optional().non_empty(),
        /// Profile of the shared configuration files. Without it: `AWS_PROFILE`.
        profile: String = optional().non_empty(),
        /// Access key. Without it: `AWS_ACCESS_KEY_ID`, then the profile, then the role of the machine.
        access_key: String = optional().non_empty(),
        /// Secret key, together with `access_key`. Without it: `AWS_SECRET_ACCESS_KEY`.
        secret_key: String = optional().non_empty().sensitive(),
        /// Session token of temporary credentials. Without it: `AWS_SESSION_TOKEN`.
        token: String = optional().non_empty().sensitive(),
        /// Most retries of one call, with growing pauses. Default 25.
        max_retries: i64 = optional().between(0, 100),
        /// The longest pause between two looks while something is made or deleted, such as `10s`; pauses begin
        /// at half a second and grow. Default `2s`; longer ones make fewer calls, and commands that
        /// end later. While more than eight objects are waited for, pauses grow.
        poll_interval: String = optional().check(is_pause, "be a duration such as \"10s\", more than zero"),
        /// Accounts this provider may work in. Any other one is an error before anything is done.
        allowed_account_ids: Set<String> = optional().check(is_account, "be an account id of twelve digits"),
        /// Do not ask STS for the account id. `allowed_account_ids` must then name exactly one. Default `false`.
        skip_requesting_account_id: bool = optional(),
        /// Path of all IAM roles, so that permissions can be scoped by it. Default `/eks/`.
        iam_role_path: String = optional().check(is_path, "begin and end with a slash"),
        /// ARN of a policy that bounds every role that is made.
        iam_permissions_boundary_arn: String = optional().check(is_arn, "be an ARN"),
        /// Tags for everything that is made; a tag of the resource wins over one of the same key here.
        default_tags: DefaultTags = block(),
        /// URLs of services, instead of AWS's own.
        endpoints: Endpoints = block(),
    }

    /// Tags for everything that is made.
    pub struct DefaultTags {
        /// Tags by key.
        tags: Map<String> = optional(),
    }

    /// URLs of services. Without one: `AWS_ENDPOINT_URL_<SERVICE>`, then `AWS_ENDPOINT_URL`.
    pub struct Endpoints {
        /// CloudWatch.
        cloudwatch: String = optional().non_empty(),
        /// EC2.
        ec2: String = optional().non_empty(),
        /// ECR.
        ecr: String = optional().non_empty(),
        /// EKS.
        eks: String = optional().non_empty(),
        /// IAM.
        iam: String = optional().non_empty(),
        /// KMS.
        kms: String = optional().non_empty(),
        /// CloudWatch Logs.
        logs: String = optional().non_empty(),
        /// STS.
        sts: String = optional().non_empty(),
    }
}

impl ProviderBlock {
    /// The longest pause between two looks.
    pub fn poll_longest(&self) -> Duration {
        let configured = self.poll_interval.text().and_then(|text| parse_duration(text).ok());
        configured.unwrap_or(resource_graph::Settings::default().poll_longest)
    }

    /// What does not fit together, as far as it is known.
    pub fn check(&self, diagnostics: &mut Diagnostics) {
        let paths = Self::at(&Path::root());
        let summary = "Credentials are incomplete";
        if self.access_key.is_known() && self.secret_key.is_null() {
            diagnostics.error_at(
                &paths.secret_key,
                summary,
                "access_key is set and secret_key is not; set both.",
            );
        }
        if self.secret_key.is_known() && self.access_key.is_null() {
            diagnostics.error_at(
                &paths.access_key,
                summary,
                "secret_key is set and access_key is not; set both.",
            );
        }
        let skip = self.skip_requesting_account_id.known() == Some(&true);
        let accounts = self.allowed_account_ids.known().map_or(0, |accounts| accounts.len());
        if skip && !self.allowed_account_ids.is_unknown() && accounts != 1 {
            diagnostics.error_at(
                &paths.skip_requesting_account_id,
                "The account id is needed",
                "Policies of a cluster name the account. With skip_requesting_account_id = true, \
                 allowed_account_ids must name exactly one account.",
            );
        }
    }

    /// True when something that decides where and as whom to work is only known at apply.
    pub fn is_unknown(&self) -> bool {
        self.region.is_unknown()
            || self.profile.is_unknown()
            || self.access_key.is_unknown()
            || self.secret_key.is_unknown()
            || self.token.is_unknown()
            || self.endpoints.is_unknown()
            || self.default_tags.is_unknown()
    }
}

fn is_pause(text: &str) -> bool {
    parse_duration(text).is_ok_and(|pause| !pause.is_zero())
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_path(text: &str) -> bool {
    text.starts_with('/') && text.ends_with('/')
}

/// True for a text that has the form of an ARN.
pub fn is_arn(text: &str) -> bool {
    text.starts_with("arn:") && text.split(':').count() >= 6
}

/// True for the ARN of a KMS key itself: services answer with that one, also when they were given an alias.
pub fn is_key_arn(text: &str) -> bool {
    is_arn(text) && text.split(':').nth(2) == Some("kms") && text.contains(":key/")
}
