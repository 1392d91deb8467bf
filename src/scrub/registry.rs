//! Takes the secrets out of a registry record before it is kept: what enrichment fills in later was never sent in an
//! event, so nobody else looks at it.

use super::{PLAIN, without_secrets};
use crate::decode::registry::RegistryRecord;

/// Takes the secrets out of every string of the record.
pub fn scrub_registry(record: &mut RegistryRecord) {
    match record {
        RegistryRecord::Server(server) => {
            for url in [&mut server.url, &mut server.issuer].into_iter().flatten() {
                *url = PLAIN.strip_url(url).text.into_owned();
            }
            for text in [&mut server.scopes, &mut server.config_version].into_iter().flatten() {
                scrub(text);
            }
            scrub(&mut server.workspace);
            scrub(&mut server.slug);
        }
        RegistryRecord::Key(key) => {
            scrub(&mut key.key_id);
            for text in key.workspace.iter_mut().chain(key.permissions.iter_mut().flatten()) {
                scrub(text);
            }
        }
        // A deletion is compared with what is kept and not kept itself.
        RegistryRecord::Deleted(_) => {}
    }
}

fn scrub(text: &mut String) {
    let scrubbed = without_secrets(text).into_owned();
    *text = scrubbed;
}

#[cfg(test)]
mod tests {
    use super::scrub_registry;
    use crate::decode::registry::{RegistryRecord, Server};

    #[test]
    fn a_registered_address_keeps_origin_and_path() {
        let mut record = RegistryRecord::Server(Server {
            workspace: "acme".to_owned(),
            slug: "wiki".to_owned(),
            url: Some(["https://u:", "MARKED0@wiki.example/mcp?api_key=MARKED0"].concat()),
            server_auth: None,
            issuer: Some("https://idp.example?token=MARKED0".to_owned()),
            scopes: Some("read api_key=MARKED0".to_owned()),
            config_version: None,
        });
        scrub_registry(&mut record);
        let shown = format!("{record:?}");
        assert!(!shown.contains("MARKED") && shown.contains("https://wiki.example/mcp"), "{shown}");
    }
}
