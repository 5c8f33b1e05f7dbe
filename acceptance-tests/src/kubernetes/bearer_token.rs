//! Bearer tokens for EKS: a presigned `sts:GetCallerIdentity`, as `aws eks get-token` makes it.
//! Everything can be set, so that wrong tokens can be made, too.

use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::account::Account;
use crate::http::escaped;
use crate::{Explain, Result};

/// The secret of every long-term key of the local AWS.
pub const SECRET_ACCESS_KEY: &str = "not-a-secret";

/// What a token is made of.
#[derive(Debug, Clone)]
pub struct BearerToken {
    /// The cluster it is for.
    pub cluster: String,
    /// The region of STS.
    pub region: String,
    /// The key it is signed with.
    pub access_key: String,
    /// The key's secret.
    pub secret_access_key: String,
    /// The token of a session.
    pub session_token: Option<String>,
    /// When it is signed.
    pub time: SystemTime,
}

impl BearerToken {
    /// For a cluster, signed now by the administrator of an account.
    pub fn new(account: &Account, cluster: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            region: account.region().to_owned(),
            access_key: account.access_key(),
            secret_access_key: SECRET_ACCESS_KEY.to_owned(),
            session_token: None,
            time: SystemTime::now(),
        }
    }

    /// Signed by a session of a role.
    pub fn of_role(account: &Account, cluster: &str, role_arn: &str) -> Result<Self> {
        let parameters = serde_json::json!({"RoleArn": role_arn, "RoleSessionName": "acceptance-tests"});
        let answer = account.call("sts", "AssumeRole", parameters)?;
        let member = |name: &str| answer["Credentials"][name].as_str().map(str::to_owned).explain(name);
        Ok(Self {
            access_key: member("AccessKeyId")?,
            secret_access_key: member("SecretAccessKey")?,
            session_token: Some(member("SessionToken")?),
            ..Self::new(account, cluster)
        })
    }

    /// The token.
    pub fn encoded(&self) -> Result<String> {
        Ok(format!("k8s-aws-v1.{}", URL_SAFE_NO_PAD.encode(self.presigned()?)))
    }

    fn presigned(&self) -> Result<String> {
        let (date, host) = (stamp(self.time), format!("sts.{}.amazonaws.com", self.region));
        let day = date.get(..8).explain("a date")?;
        let scope = [day, &self.region, "sts", "aws4_request"];
        let credential = format!("{}/{}", self.access_key, scope.join("/"));
        let mut query = vec![
            ("Action", "GetCallerIdentity"),
            ("Version", "2011-06-15"),
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", &date),
            ("X-Amz-Expires", "60"),
        ];
        query.extend(self.session_token.as_deref().map(|token| ("X-Amz-Security-Token", token)));
        query.push(("X-Amz-SignedHeaders", "host;x-k8s-aws-id"));
        let query: Vec<String> =
            query.into_iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let query = query.join("&");
        let headers = format!("host:{host}\nx-k8s-aws-id:{}\n", self.cluster);
        let canonical =
            format!("GET\n/\n{query}\n{headers}\nhost;x-k8s-aws-id\n{}", hexadecimal(&Sha256::digest("")));
        let digest = hexadecimal(&Sha256::digest(canonical));
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{}\n{digest}", scope.join("/"));
        let mut key = format!("AWS4{}", self.secret_access_key).into_bytes();
        for part in scope {
            key = signed(&key, part)?;
        }
        let signature = hexadecimal(&signed(&key, &text)?);
        Ok(format!("https://{host}/?{query}&X-Amz-Signature={signature}"))
    }
}

fn signed(key: &[u8], text: &str) -> Result<Vec<u8>> {
    let mut code = Hmac::<Sha256>::new_from_slice(key).explain("a key")?;
    code.update(text.as_bytes());
    Ok(code.finalize().into_bytes().to_vec())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `20260102T030405Z`.
fn stamp(time: SystemTime) -> String {
    let time = OffsetDateTime::from(time);
    let (year, month, day) = time.to_calendar_date();
    let (hour, minute, second) = time.to_hms();
    format!("{year:04}{:02}{day:02}T{hour:02}{minute:02}{second:02}Z", u8::from(month))
}

#[cfg(test)]
mod tests {
    use super::BearerToken;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use std::time::{Duration, SystemTime};

    /// The signature is botocore's for the same input.
    #[test]
    fn a_token_is_signed_as_botocore_signs_it() {
        let token = BearerToken {
            cluster: "prod".to_owned(),
            region: "eu-central-1".to_owned(),
            access_key: "AKIA0000200000000001".to_owned(),
            secret_access_key: "not-a-secret".to_owned(),
            session_token: Some("a/b+c==".to_owned()),
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045),
        };
        let encoded = token.encoded().unwrap();
        let url = URL_SAFE_NO_PAD.decode(encoded.strip_prefix("k8s-aws-v1.").unwrap()).unwrap();
        let url = String::from_utf8(url).unwrap();
        assert!(url.contains("X-Amz-Date=20260102T030405Z"), "{url}");
        assert!(url.ends_with(BOTOCORE), "{url}");
    }

    const BOTOCORE: &str = "X-Amz-Signature=934fd15d1c651b4e035027e154adb9cdfb4ba126918e3610f05765e24db9ab4f";
}
