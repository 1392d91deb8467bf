//! A ClickHouse with users of its own, started once for all tests.

use std::path::Path;

use super::process::{Kept, fetched, folder};
use crate::support::free_port;

/// The password of every user.
pub const PASSWORD: &str = "n0t for everyone";

pub struct Server {
    /// `host:port` of plain HTTP.
    pub address: String,
    _server: Kept,
}

impl Server {
    /// Starts it and waits until it answers.
    pub fn start() -> Self {
        let folder = folder("clickhouse");
        let (http, native) = (free_port().to_string(), free_port().to_string());
        let config = folder.join("config.xml");
        std::fs::write(folder.join("users.xml"), users()).unwrap();
        std::fs::write(&config, settings(&folder, &http, &native)).unwrap();
        let (config, data) = (config.to_str().unwrap().to_owned(), folder.join("data").display().to_string());
        std::fs::create_dir_all(&data).unwrap();
        let mut server = match fetched("clickhouse") {
            Some(home) => {
                let library = home.join("libchdb.so").display().to_string();
                let binary = env!("CARGO_BIN_EXE_gatetrail");
                let server = [binary, "engine", "clickhouse", "--library", &library, "--path", &data];
                let options = ["--http-port", &http, "--tcp-port", &native, "--config-file", &config];
                Kept::start_reading(&folder, &[&server[..], &options].concat())
            }
            None => Kept::start(&folder, &["clickhouse", "server", "--config-file", &config]),
        };
        let address = format!("127.0.0.1:{http}");
        server.wait_until(|_| ureq::get(format!("http://{address}/ping")).call().is_ok());
        Self { address, _server: server }
    }
}

fn settings(folder: &Path, http: &str, native: &str) -> String {
    format!(
        "<clickhouse>
  <logger><level>none</level></logger>
  <listen_host>127.0.0.1</listen_host>
  <http_port>{http}</http_port>
  <tcp_port>{native}</tcp_port>
  <path>{data}/</path>
  <users_config>{users}</users_config>
  <mark_cache_size>16777216</mark_cache_size>
</clickhouse>
",
        data = folder.join("data").display(),
        users = folder.join("users.xml").display()
    )
}

/// `audit` may do everything, `writer` and `reader` what README says that a consumer and a reader need; all with the
/// password. `default` has to be there for the embedded server itself.
fn users() -> String {
    let user = |name: &str, password: &str, grants: &str| {
        format!(
            "<{name}><password>{password}</password><networks><ip>127.0.0.1</ip></networks>\
             <profile>default</profile><quota>default</quota>{grants}</{name}>"
        )
    };
    let only = |rights: &str| format!("<grants><query>GRANT {rights} ON *.*</query></grants>");
    let users = [
        user("default", "", ""),
        user("audit", PASSWORD, ""),
        user("writer", PASSWORD, &only("SELECT, INSERT")),
        user("reader", PASSWORD, &only("SELECT")),
    ];
    let users = users.concat();
    format!("<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users>{users}</users></clickhouse>")
}
