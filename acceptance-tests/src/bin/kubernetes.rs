//! `cargo kubernetes`: a local AWS with a cluster that a real Kubernetes API server stands for, for playing.
//! It ends with its standard input, or with Ctrl-C.

use std::process::ExitCode;

use acceptance_tests::kubernetes::bearer_token::SECRET_ACCESS_KEY;
use acceptance_tests::kubernetes::{Bed, Cluster};
use acceptance_tests::local_aws::LocalAws;
use acceptance_tests::{Explain, Result};

/// Virtual seconds per real second.
const SCALE: u32 = 600;
/// The name of the cluster.
const CLUSTER: &str = "playground";

fn main() -> ExitCode {
    match play() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn play() -> Result<()> {
    let local_aws = LocalAws::start(SCALE)?;
    let bed = Bed::start(&local_aws)?;
    let cluster = Cluster::made(&bed, local_aws.account(), CLUSTER)?;
    let account = &cluster.account;
    let administrator = format!("arn:aws:iam::{}:user/admin", account.id());
    cluster.let_in(&administrator, &[])?;
    cluster.associate(&administrator, "AmazonEKSClusterAdminPolicy", &[])?;
    println!("# The cluster {CLUSTER} in account {} has a real API server.", account.id());
    println!("export AWS_ENDPOINT_URL={} AWS_DEFAULT_REGION={}", local_aws.url(), account.region());
    println!("export AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={SECRET_ACCESS_KEY}", account.access_key());
    println!("# Without IAM, as a member of system:masters:");
    println!("export KUBECONFIG={}", bed.kubeconfig()?.display());
    println!("# A token, for the cluster's access entries (its host, STS, is never called):");
    println!("# AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true aws eks get-token --cluster-name {CLUSTER}");
    println!("# logs: {}", bed.logs.display());
    let processes: Vec<String> =
        bed.processes().iter().map(|(name, process)| format!("{name} {process}")).collect();
    println!("# processes: local-aws {}, {}", local_aws.process_id(), processes.join(", "));
    println!("# It runs until the end of standard input (Ctrl-D).");
    std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()).explain("standard input")?;
    Ok(())
}
