//! Client request tokens: they cover retries of one call within one process, nothing more. A counting token
//! would replay an old answer after delete and re-create.

use rand::RngExt;

/// 32 random hexadecimal digits.
pub fn random() -> String {
    let mut generator = rand::rng();
    format!("{:032x}", generator.random::<u128>())
}
