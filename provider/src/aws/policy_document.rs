//! IAM and KMS policy documents: written from data, compared by meaning.

use serde_json::{Map, Value, json};

/// A policy document. Two documents are equal when AWS would treat them alike: a list of one and the value
/// itself, other orders of actions, principals and keys.
#[derive(Debug, Clone)]
pub struct PolicyDocument(Value);

impl PolicyDocument {
    /// A document of the given statements.
    pub fn new(statements: Vec<Value>) -> Self {
        Self(json!({ "Version": "2012-10-17", "Statement": statements }))
    }

    /// Reads a document as AWS returns it; IAM percent-encodes it.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).or_else(|_| serde_json::from_str(&percent_decode(text))).ok().map(Self)
    }

    /// The text to send.
    pub fn text(&self) -> String {
        self.0.to_string()
    }
}

impl PartialEq for PolicyDocument {
    fn eq(&self, other: &Self) -> bool {
        canonical(&self.0) == canonical(&other.0)
    }
}

fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let sorted: Map<String, Value> =
                members.iter().map(|(key, value)| (key.clone(), canonical(value))).collect();
            Value::Object(sorted)
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(canonical).collect();
            items.sort_by_key(Value::to_string);
            if items.len() == 1 { items.remove(0) } else { Value::Array(items) }
        }
        other => other.clone(),
    }
}

fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match (bytes[at], escape.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 3;
            }
            (byte, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_equal_by_meaning() {
        let ours =
            PolicyDocument::new(vec![json!({"Effect": "Allow", "Action": ["a:B", "a:A"], "Resource": "*"})]);
        let theirs = PolicyDocument::parse(
            "%7B%22Statement%22%3A%7B%22Resource%22%3A%5B%22*%22%5D%2C%22Action%22%3A%5B%22a%3AA%22%2C%22a%3AB%22%5D\
             %2C%22Effect%22%3A%22Allow%22%7D%2C%22Version%22%3A%222012-10-17%22%7D",
        );
        assert_eq!(theirs, Some(ours));
    }
}
