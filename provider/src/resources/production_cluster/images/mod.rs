//! Images: the repositories that the arguments describe, and what they share in the registry; and back.

mod check;
mod expansion;
mod fixed;
mod model;
mod outline;
mod outputs;
mod read_back;
mod settings;
#[cfg(test)]
mod tests;

pub use self::check::check;
pub use self::fixed::{arguments as fixed_arguments, is_other_rule};
pub use self::model::{ImageRegistry, ImageRepository, is_repository_name};
pub use self::outline::specs;
pub use self::outputs::{other_urls, remind, urls};
pub use self::read_back::{Found, find, read_back};
pub use self::settings::Images;
