//! Generates the wire types from `proto/` without an installed `protoc`.

#[expect(clippy::disallowed_macros, reason = "this is how cargo is told")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = std::env::var_os("CARGO_FEATURE_CLIENT").is_some();
    let files = protox::compile(["proto/tfplugin6.proto", "proto/plugin.proto"], ["proto"])?;
    tonic_prost_build::configure()
        .build_client(client)
        .build_transport(client)
        .generate_default_stubs(true)
        .compile_fds(files)?;
    println!("cargo:rerun-if-changed=proto");
    Ok(())
}
