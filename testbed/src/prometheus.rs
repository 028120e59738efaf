//! Prometheus, which reads the metrics of processes under test.

use std::fs;

use crate::{
    Server,
    program::{announce, find},
    server::free_port,
};

/// A Prometheus that reads and evaluates every second.
#[derive(Debug)]
pub struct Prometheus {
    server: Server,
}

impl Prometheus {
    /// Starts one that reads `targets`, a role and an address each, and evaluates `rules`, a file's text.
    ///
    /// # Panics
    /// Panics when there is none to start, or when it refuses the rules.
    pub fn start(targets: &[(String, String)], rules: &str) -> Self {
        let program = find("prometheus", &[]).expect("no prometheus; try scripts/install test");
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let port = free_port();
        let targets = targets.iter().map(|(role, address)| {
            format!("      - {{targets: [\"{address}\"], labels: {{role: {role}}}}}\n")
        });
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [rules.yaml]\n\
             scrape_configs:\n  - job_name: clipcut\n    static_configs:\n{}",
            targets.collect::<String>()
        );
        fs::write(folder.path().join("rules.yaml"), rules).expect("the folder is ours");
        fs::write(folder.path().join("prometheus.yaml"), config).expect("the folder is ours");
        let place = folder.path().display();
        let command = [
            program.display().to_string(),
            format!("--config.file={place}/prometheus.yaml"),
            format!("--storage.tsdb.path={place}/data"),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ];
        let server = Server::start_new(command.map(Into::into).into(), port, folder);
        announce(&format!("Prometheus is {} on port {port}", program.display()));
        Self { server }
    }

    /// Returns its URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port())
    }
}
