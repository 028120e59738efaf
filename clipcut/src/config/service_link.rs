//! Service links: the variables that Kubernetes, like Docker before it, sets in every container for each service of its
//! namespace. Those of a service named `clipcut` or `clipcut-…` look like settings, and are none.

/// Returns whether the variable `CLIPCUT_{key}`, with its key in lower case, is a service link.
///
/// For a service `clipcut-edge` with a port named `web` these are `EDGE_SERVICE_HOST`, `EDGE_SERVICE_PORT`,
/// `EDGE_SERVICE_PORT_WEB`, `EDGE_PORT`, `EDGE_PORT_80_TCP` and `EDGE_PORT_80_TCP_{PROTO,PORT,ADDR}`; for one that is just
/// `clipcut`, the same without `EDGE_`.
pub(super) fn is_one(key: &str, value: &str) -> bool {
    // A person who writes CLIPCUT_PORT=8080 means `listen`, and has to learn that.
    let (last, url) = (ending(key, "port"), value.contains("://"));
    ending(key, "service_host")
        || ending(key, "service_port")
        || parts(key, "service_port_").next().is_some()
        || (last && url)
        || parts(key, "port_").any(|rest| is_port(rest) && (url || rest.matches('_').count() == 2))
}

fn ending(key: &str, name: &str) -> bool {
    key.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('_'))
}

/// Returns what follows each `name` in the key that begins a word.
fn parts<'a>(key: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    key.match_indices(name)
        .filter(|(at, _)| *at == 0 || key[..*at].ends_with('_'))
        .map(|(at, found)| &key[at + found.len()..])
        .filter(|rest| !rest.is_empty())
}

/// Returns whether this is a port's number and protocol, with or without a part of it: `8080_tcp_addr`.
fn is_port(text: &str) -> bool {
    let mut words = text.split('_');
    words.next().is_some_and(|number| number.parse::<u16>().is_ok())
        && words.next().is_some_and(|protocol| matches!(protocol, "tcp" | "udp" | "sctp"))
        && words.next().is_none_or(|part| matches!(part, "proto" | "port" | "addr"))
        && words.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variables_of_a_service_are_known_by_their_form() {
        for (key, value, expected) in [
            ("service_host", "10.0.0.9", true),
            ("service_port", "80", true),
            ("service_port_web", "80", true),
            ("port", "tcp://10.0.0.9:80", true),
            ("port_8080_tcp", "tcp://10.0.0.9:8080", true),
            ("port_8080_tcp_addr", "10.0.0.9", true),
            ("edge_service_host", "10.0.0.9", true),
            ("edge_service_port_admin_2", "9090", true),
            ("edge_port_80_udp_proto", "udp", true),
            ("origin_headless_port", "tcp://10.0.0.9:80", true),
            ("port", "8080", false),
            ("edge_port", "8080", false),
            ("port_8080_tcp", "8080", false),
            ("port_8080_http_addr", "10.0.0.9", false),
            ("port_99999_tcp_addr", "10.0.0.9", false),
            ("report_80_tcp_addr", "10.0.0.9", false),
            ("service_host_name", "x", false),
            ("myservice_host", "x", false),
            ("service_port_", "80", false),
        ] {
            assert_eq!(is_one(key, value), expected, "{key}={value}");
        }
    }
}
