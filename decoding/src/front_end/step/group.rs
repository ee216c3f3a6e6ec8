//! Steps as data: a name and typed parameters, from which reading, writing and the lists
//! of known names follow.

use serde::Deserialize;
use serde::de::value::Error as ProbeError;
use serde::de::{Deserializer, Error as _, Visitor};

/// A parameter whose value no plan can use: change it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{parameter}: {why}")]
pub struct BadParameter {
    /// Its name.
    pub parameter: &'static str,
    /// What is wrong with its value, and what to write.
    pub why: String,
}

impl BadParameter {
    /// Says `why` the value of `parameter` is of no use.
    pub fn new(parameter: &'static str, why: impl Into<String>) -> Self {
        Self { parameter, why: why.into() }
    }
}

/// Parameters that know which of their values can be used at all. What depends on the
/// stream (a band above half the rate, a label it lacks) is found when it is planned.
pub trait Checked {
    /// The first parameter that can't be used.
    fn check(&self) -> Result<(), BadParameter> {
        Ok(())
    }
}

/// The names of a parameter struct's fields, as serde knows them.
pub fn parameters_of<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    // The probe answers every request with an error, after noting the fields asked for.
    let _ = T::deserialize(FieldProbe(&mut fields));
    fields
}

struct FieldProbe<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for FieldProbe<'_> {
    type Error = ProbeError;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, ProbeError> {
        *self.0 = fields;
        Err(ProbeError::custom("only the fields were asked for"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, ProbeError> {
        Err(ProbeError::custom("only the fields of a struct can be asked for"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier
        ignored_any
    }
}

/// An enum of steps of one kind: each variant holds the parameter struct of its name and
/// has a name in files.
macro_rules! steps {
    (
        $(#[$group_doc:meta])*
        $group:ident {
            $( $(#[$doc:meta])* $variant:ident = $name:literal, )+
        }
    ) => {
        $(#[$group_doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "step")]
        pub enum $group {
            $( $(#[$doc])* #[serde(rename = $name)] $variant($variant), )+
        }

        impl $group {
            /// The names of all steps of this kind.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The step's name in files.
            pub fn name(&self) -> &'static str {
                match self { $( Self::$variant(_) => $name, )+ }
            }

            /// The parameters that the step of this name knows, if there is such a step.
            pub fn parameters(name: &str) -> Option<&'static [&'static str]> {
                match name {
                    $( $name => Some($crate::front_end::step::group::parameters_of::<$variant>()), )+
                    _ => None,
                }
            }

            /// The step of this name with these parameters, the others at their defaults;
            /// `None` where no step of this kind has the name.
            pub fn read(name: &str, parameters: toml::Table) -> Option<Result<Self, toml::de::Error>> {
                match name {
                    $( $name => Some(parameters.try_into().map(Self::$variant)), )+
                    _ => None,
                }
            }

            /// The first parameter whose value can't be used.
            pub fn check(&self) -> Result<(), $crate::front_end::step::group::BadParameter> {
                use $crate::front_end::step::group::Checked as _;
                match self { $( Self::$variant(step) => step.check(), )+ }
            }
        }
    };
}
pub(crate) use steps;
