//! The way to AWS that the provider block describes: made when a resource first needs it, one set of
//! clients for each region.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use resource_graph::Settings;
use terraform_plugin::Diagnostics;
use tokio::sync::OnceCell;

use super::block::{Endpoints, ProviderBlock};
use crate::aws::Aws;
use crate::aws::ownership::Tags;
use crate::errors::{self, ErrorCode};

/// Retries of one call when the block says nothing, as in the AWS provider.
const MAX_RETRIES: i64 = 25;

/// Why there is no way to AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unavailable {
    /// The provider block is only known at apply.
    NotKnownYet,
    /// It does not fit.
    Wrong {
        /// Which page explains it.
        code: ErrorCode,
        /// What is wrong and what to do.
        detail: String,
    },
}

impl Unavailable {
    fn wrong(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self::Wrong { code, detail: detail.into() }
    }

    /// For people.
    pub fn into_diagnostics(self) -> Diagnostics {
        match self {
            Self::NotKnownYet => Diagnostics::from_error(
                format!("{} ({})", errors::PROVIDER_CONFIGURATION.title, errors::PROVIDER_CONFIGURATION.code),
                "Arguments of the provider block are not known yet, so AWS cannot be reached.",
            ),
            Self::Wrong { code, detail } => {
                Diagnostics::from_error(format!("{} ({})", code.title, code.code), detail)
            }
        }
    }
}

/// The provider block, and what was made from it so far. Shared by all resources of the process.
#[derive(Default)]
pub struct Connection {
    block: Mutex<Option<Arc<Configured>>>,
}

struct Configured {
    block: ProviderBlock,
    base: OnceCell<SdkConfig>,
    account: OnceCell<String>,
    regions: Mutex<BTreeMap<String, Arc<Aws>>>,
}

impl Connection {
    /// Takes the block; nothing is called yet unless the accounts are limited.
    pub async fn configure(&self, block: ProviderBlock) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        block.check(&mut diagnostics);
        if diagnostics.has_errors() {
            return diagnostics;
        }
        let limited = block.allowed_account_ids.known().is_some_and(|accounts| !accounts.is_empty());
        let skipped = block.skip_requesting_account_id.known() == Some(&true);
        let known = !block.is_unknown();
        let configured = Arc::new(Configured {
            block,
            base: OnceCell::new(),
            account: OnceCell::new(),
            regions: Mutex::default(),
        });
        *self.block.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&configured));
        if known
            && limited
            && !skipped
            && let Err(unavailable) = configured.account(None).await
        {
            diagnostics.extend(unavailable.into_diagnostics());
        }
        diagnostics
    }

    /// Clients for a region; without one, for the region of the provider block.
    pub async fn aws(&self, region: Option<&str>) -> Result<Arc<Aws>, Unavailable> {
        self.configured()?.aws(region).await
    }

    /// The region a resource has when it names none; none while it is not known.
    pub async fn region(&self) -> Option<String> {
        let configured = self.configured().ok()?;
        if configured.block.region.is_unknown() || configured.block.profile.is_unknown() {
            return None;
        }
        configured.base().await.region().map(|region| region.as_ref().to_owned())
    }

    /// Tags of the provider block; none while they are not known.
    pub fn default_tags(&self) -> Option<Tags> {
        let configured = self.configured().ok()?;
        let block = &configured.block.default_tags;
        if block.is_unknown() {
            return None;
        }
        let Some(tags) = block.known().map(|block| &block.tags) else { return Some(Tags::new()) };
        if tags.is_unknown() || tags.known().is_some_and(terraform_plugin::Map::has_unknown) {
            return None;
        }
        Some(tags.known().map(terraform_plugin::Map::to_known_map).unwrap_or_default())
    }

    /// Path of IAM roles.
    pub fn iam_role_path(&self) -> String {
        let configured = self.configured().ok();
        let path = configured.as_ref().and_then(|configured| configured.block.iam_role_path.text());
        path.unwrap_or("/eks/").to_owned()
    }

    /// ARN of the permissions boundary of IAM roles.
    pub fn permissions_boundary(&self) -> Option<String> {
        let configured = self.configured().ok()?;
        configured.block.iam_permissions_boundary_arn.text().map(str::to_owned)
    }

    /// How the engine waits.
    pub fn settings(&self) -> Settings {
        let poll_longest =
            self.configured().map_or(Duration::from_secs(10), |configured| configured.block.poll_longest());
        Settings { poll_longest, ..Settings::default() }
    }

    fn configured(&self) -> Result<Arc<Configured>, Unavailable> {
        let block = self.block.lock().unwrap_or_else(PoisonError::into_inner);
        block.clone().ok_or(Unavailable::NotKnownYet)
    }
}

impl Configured {
    async fn base(&self) -> &SdkConfig {
        self.base.get_or_init(|| load(&self.block)).await
    }

    /// The account, asked for once: in the region of the resource that needs it first.
    async fn account(&self, region: Option<&str>) -> Result<&String, Unavailable> {
        self.account.get_or_try_init(|| self.find_account(region)).await
    }

    async fn find_account(&self, region: Option<&str>) -> Result<String, Unavailable> {
        let allowed = self.block.allowed_account_ids.known().map(|accounts| accounts.to_known_vec());
        let allowed = allowed.unwrap_or_default();
        if self.block.skip_requesting_account_id.known() == Some(&true)
            && let [only] = allowed.as_slice()
        {
            return Ok(only.clone());
        }
        let base = self.base().await;
        let Some(region) = region.or(base.region().map(AsRef::as_ref)) else {
            return Err(Unavailable::wrong(
                errors::PROVIDER_CONFIGURATION,
                "No region: set region in the provider block, AWS_REGION, or a region in the profile.",
            ));
        };
        let account = Aws::account_of_caller(base, &self.endpoints(), region).await.map_err(|said| {
            Unavailable::wrong(
                errors::PROVIDER_CONFIGURATION,
                format!("Who the credentials belong to could not be found out.\n\n{said}"),
            )
        })?;
        if !allowed.is_empty() && !allowed.contains(&account) {
            return Err(Unavailable::wrong(
                errors::PROVIDER_CONFIGURATION,
                format!(
                    "The credentials belong to account {account}, and allowed_account_ids has only {}. Nothing was \
                     done.",
                    allowed.join(", ")
                ),
            ));
        }
        Ok(account)
    }

    async fn aws(&self, region: Option<&str>) -> Result<Arc<Aws>, Unavailable> {
        if self.block.is_unknown() {
            return Err(Unavailable::NotKnownYet);
        }
        let base = self.base().await;
        let region =
            region.map(str::to_owned).or_else(|| base.region().map(|region| region.as_ref().to_owned()));
        let region = region.ok_or_else(|| {
            Unavailable::wrong(
                errors::PROVIDER_CONFIGURATION,
                "No region: set region in the resource, in the provider block, in AWS_REGION or in the profile.",
            )
        })?;
        if let Some(aws) = self.regions().get(&region) {
            return Ok(Arc::clone(aws));
        }
        let account_id = self.account(Some(&region)).await?.clone();
        let aws = Arc::new(Aws::connect(base, &self.endpoints(), &region, account_id));
        Ok(Arc::clone(self.regions().entry(region).or_insert(aws)))
    }

    fn regions(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Aws>>> {
        self.regions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn endpoints(&self) -> Endpoints {
        self.block.endpoints.known().cloned().unwrap_or_default()
    }
}

async fn load(block: &ProviderBlock) -> SdkConfig {
    let retries = block.max_retries.known().copied().unwrap_or(MAX_RETRIES);
    let attempts = u32::try_from(retries).unwrap_or_default() + 1;
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(
            RetryConfig::standard().with_max_attempts(attempts).with_max_backoff(block.poll_longest()),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(5))
                .operation_attempt_timeout(Duration::from_secs(60))
                .build(),
        );
    if let Some(profile) = block.profile.text() {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = block.region.text() {
        loader = loader.region(Region::new(region.to_owned()));
    }
    if let (Some(access_key), Some(secret_key)) = (block.access_key.text(), block.secret_key.text()) {
        let token = block.token.text().map(str::to_owned);
        loader = loader.credentials_provider(Credentials::new(
            access_key,
            secret_key,
            token,
            None,
            "provider block",
        ));
    }
    loader.load().await
}
