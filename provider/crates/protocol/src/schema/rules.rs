//! Who may set an attribute and what it may be, written as a chain: `optional().computed().at_least(0)`.

use crate::schema::Validator;
use crate::value::Value;

/// The rules of one attribute.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The configuration must set it.
    pub required: bool,
    /// The configuration may set it.
    pub optional: bool,
    /// The provider may set it.
    pub computed: bool,
    /// It is a block and not an attribute.
    pub block: bool,
    /// Terraform hides it.
    pub sensitive: bool,
    /// It comes with the configuration only and is never saved.
    pub write_only: bool,
    /// Why users should stop using it.
    pub deprecated: Option<String>,
    /// A change destroys the object and creates it anew.
    pub requires_replace: bool,
    /// In updates the prior value stays, unless the resource's own plan says otherwise.
    pub use_prior: bool,
    /// The value when the configuration has none.
    pub default: Option<Value>,
    /// What the value may be.
    pub validators: Vec<Validator>,
}

/// The configuration must set it.
pub fn required() -> Rules {
    Rules { required: true, ..Default::default() }
}

/// The configuration may set it.
pub fn optional() -> Rules {
    Rules { optional: true, ..Default::default() }
}

/// The provider sets it.
pub fn computed() -> Rules {
    Rules { computed: true, ..Default::default() }
}

/// A block, as `timeouts { … }`.
pub fn block() -> Rules {
    Rules { block: true, ..Default::default() }
}

impl Rules {
    /// The provider sets it where the configuration does not.
    pub fn computed(mut self) -> Self {
        self.computed = true;
        self
    }

    /// The configuration may set it.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Terraform hides the value.
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// The value comes with the configuration only and is never saved (Terraform 1.11).
    pub fn write_only(mut self) -> Self {
        self.write_only = true;
        self
    }

    /// Warns whoever uses it.
    pub fn deprecated(mut self, message: impl Into<String>) -> Self {
        self.deprecated = Some(message.into());
        self
    }

    /// A change destroys the object and creates it anew. In nested objects only a change of an object that was
    /// there before does; for objects that come and go, the rule belongs to the attribute that holds them. Where
    /// users leave a computed attribute to the provider, nothing is replaced.
    pub fn requires_replace(mut self) -> Self {
        self.requires_replace = true;
        self
    }

    /// In updates the prior value stays known, unless the resource's own plan changes it.
    pub fn use_prior(mut self) -> Self {
        self.use_prior = true;
        self
    }

    /// The value when the configuration has none. Makes the attribute computed too, as Terraform demands.
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self.computed = true;
        self
    }

    /// One of these texts. Like every rule on text and numbers, it holds for each element of a collection.
    pub fn one_of<Text: AsRef<str>>(self, allowed: &[Text]) -> Self {
        self.validator(Validator::OneOf(allowed.iter().map(|text| text.as_ref().to_owned()).collect()))
    }

    /// Text of this many characters, both ends included.
    pub fn length(self, least: usize, most: usize) -> Self {
        self.validator(Validator::Length { least, most })
    }

    /// A number not below `least`.
    pub fn at_least(self, least: i64) -> Self {
        self.validator(Validator::Range { least: Some(least), most: None })
    }

    /// A number not above `most`.
    pub fn at_most(self, most: i64) -> Self {
        self.validator(Validator::Range { least: None, most: Some(most) })
    }

    /// A number from `least` to `most`, both ends included.
    pub fn between(self, least: i64, most: i64) -> Self {
        self.validator(Validator::Range { least: Some(least), most: Some(most) })
    }

    /// Text with at least one character, or a collection with at least one element.
    pub fn non_empty(self) -> Self {
        self.validator(Validator::NonEmpty)
    }

    /// Text for which `holds` is true; `text` completes "must …", as in `"be a CIDR block"`.
    pub fn check(self, holds: fn(&str) -> bool, text: &'static str) -> Self {
        self.validator(Validator::Check { holds, text })
    }

    /// Keys of a map for which `holds` is true; `text` completes "must have keys that …".
    pub fn keys(self, holds: fn(&str) -> bool, text: &'static str) -> Self {
        self.validator(Validator::Keys { holds, text })
    }

    /// A list, set or map of this many elements, both ends included.
    pub fn size(self, least: usize, most: usize) -> Self {
        self.validator(Validator::Size { least, most: Some(most) })
    }

    /// A list, set or map of at least this many elements.
    pub fn min_size(self, least: usize) -> Self {
        self.validator(Validator::Size { least, most: None })
    }

    fn validator(mut self, validator: Validator) -> Self {
        self.validators.push(validator);
        self
    }

    /// Whether the provider decides the value where the configuration has none.
    pub(crate) fn is_decided_by_provider(&self) -> bool {
        self.computed && self.default.is_none()
    }
}
