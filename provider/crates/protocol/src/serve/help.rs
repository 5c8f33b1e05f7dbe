//! What people read who start the binary by hand.

use crate::framework::AnyProvider;
use crate::serve::listener::Listener;

/// What this program is and how to use it.
pub(super) fn text(provider: &dyn AnyProvider) -> String {
    let (name, version, address) = (provider.name(), provider.version(), provider.address());
    let short = address.strip_prefix("registry.terraform.io/").unwrap_or(&address);
    let directory = std::env::current_exe()
        .ok()
        .and_then(|file| file.parent().map(|directory| directory.display().to_string()))
        .unwrap_or_else(|| "/the/directory/of/this/file".to_owned());
    format!(
        r#"terraform-provider-{name} {version} is a plugin of Terraform. Terraform starts it; it does nothing by itself.

To use it, name it in a configuration and run `terraform init`:

  terraform {{
    required_providers {{
      {name} = {{
        source = "{short}"
      }}
    }}
  }}

To use this very file instead of a released one, put this into ~/.terraformrc (no `terraform init` needed):

  provider_installation {{
    dev_overrides {{
      "{short}" = "{directory}"
    }}
    direct {{}}
  }}

Flags:
  --debug    serve until interrupted, for a debugger; prints the variable that makes Terraform connect
  --version  print the version
  --help     print this text"#
    )
}

/// The variable that makes Terraform connect to a process that is already running.
pub(super) fn reattach(address: &str, listener: &Listener) -> String {
    let mut providers = serde_json::Map::new();
    providers.insert(
        address.to_owned(),
        serde_json::json!({
            "Protocol": "grpc",
            "ProtocolVersion": 6,
            "Pid": std::process::id(),
            "Test": true,
            "Addr": { "Network": listener.network(), "String": listener.address() },
        }),
    );
    let providers = serde_json::Value::Object(providers);
    format!(
        "Set this variable for Terraform, and interrupt this process when done:\n\n\tTF_REATTACH_PROVIDERS='{providers}'\n"
    )
}
