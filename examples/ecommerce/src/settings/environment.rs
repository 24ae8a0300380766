/// The variables that belong to this program alone start so; an unknown one is a spelling mistake.
const PREFIX: &str = "ECOMMERCE_";

/// Finds a variable among `names` that looks like a setting and is none.
pub(super) fn unknown_variable(
    command: &clap::Command,
    names: impl Iterator<Item = String>,
) -> Option<String> {
    let known: Vec<&str> = command.get_arguments().filter_map(|arg| arg.get_env()?.to_str()).collect();
    names.filter(|name| name.starts_with(PREFIX)).find(|name| !known.contains(&name.as_str()))
}
