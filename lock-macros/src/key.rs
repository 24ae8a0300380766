use syn::{Error, Expr, ExprArray, ExprLit, Lit, Result};

use crate::args::{Arg, bare};
use crate::template::Template;

/// What is locked.
pub(crate) enum Keys {
    /// `key = …`
    One(Key),
    /// `keys = [ … ]`
    Listed(Vec<Key>),
    /// `keys = expression`
    Computed(Expr),
}

/// One key.
pub(crate) enum Key {
    /// A text with placeholders.
    Template(Template),
    /// Anything that can be displayed.
    Computed(Expr),
}

impl Keys {
    pub(crate) fn one(arg: Arg<Expr>) -> Result<Self> {
        if is_list(&arg.value) {
            return Err(Error::new(
                arg.keyword.span(),
                "`key` takes one key; several are written `keys = [ … ]`",
            ));
        }
        Key::from_expr(arg.value).map(Self::One)
    }

    pub(crate) fn several(arg: Arg<Expr>) -> Result<Self> {
        match arg.value {
            Expr::Array(list) => Self::listed(list),
            Expr::Reference(reference) if is_list(&reference.expr) => match *reference.expr {
                Expr::Array(list) => Self::listed(list),
                other => Ok(Self::Computed(other)),
            },
            literal @ Expr::Lit(_) => Err(Error::new_spanned(
                literal,
                "`keys` takes a list, `keys = [ … ]`; one key is written `key = …`",
            )),
            other => Ok(Self::Computed(other)),
        }
    }

    fn listed(list: ExprArray) -> Result<Self> {
        if list.elems.is_empty() {
            return Err(Error::new_spanned(list, "the list of keys is empty"));
        }
        list.elems.into_iter().map(Key::from_expr).collect::<Result<_>>().map(Self::Listed)
    }

    /// What all keys of this function look like, where that is known: a name for metrics, which never hold a key.
    pub(crate) fn pattern(&self) -> Option<String> {
        let known = match self {
            Self::One(_) => 1,
            Self::Listed(keys) => keys.len(),
            Self::Computed(_) => return None,
        };
        let patterns: Vec<_> = self.templates().map(|template| template.literal.value()).collect();
        (patterns.len() == known).then(|| patterns.join(","))
    }

    pub(crate) fn templates(&self) -> impl Iterator<Item = &Template> {
        let keys = match self {
            Self::One(key) => std::slice::from_ref(key),
            Self::Listed(keys) => keys,
            Self::Computed(_) => &[],
        };
        keys.iter().filter_map(|key| match key {
            Key::Template(template) => Some(template),
            Key::Computed(_) => None,
        })
    }
}

impl Key {
    pub(crate) fn from_expr(value: Expr) -> Result<Self> {
        match bare(value) {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Template::parse(text).map(Self::Template),
            literal @ Expr::Lit(_) => {
                Err(Error::new_spanned(literal, "a key is a text, such as `\"balance:user:{user_id}\"`"))
            }
            other => Ok(Self::Computed(other)),
        }
    }
}

fn is_list(value: &Expr) -> bool {
    matches!(value, Expr::Array(_))
}
