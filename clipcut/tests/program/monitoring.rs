//! Prometheus over every role: what promtool says of their metrics, and what the rules and the dashboard of `k8s/monitoring` find
//! in them.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use reqwest::Url;
use serde_json::Value;
use tempfile::TempDir;
use testbed::Prometheus;

use crate::harness::{Clip, Cluster, DEMO_MODEL, Http, Role, Server, clipcut, free_address, until};

/// Every role as a process of its own, and one that is all.
struct Site {
    home: TempDir,
    roles: Vec<(&'static str, Role)>,
    whole: Server,
}

impl Site {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let (folder, cluster) = (home.path(), Cluster::shared());
        cluster.migrate(folder);
        let origin = cluster.start(folder, "origin", &[]);
        let address = free_address();
        let edge = Role::start(clipcut(folder).args(["edge", "--listen", &address, "--origin", &origin.url]));
        let roles = vec![
            ("origin", origin),
            ("edge", edge),
            ("packager", cluster.start(folder, "packager", &[])),
            ("transcriber", cluster.start(folder, "transcriber", &DEMO_MODEL)),
            ("accounts", cluster.start(folder, "accounts", &[("CLIPCUT_ACCOUNTS", "on")])),
        ];
        let whole = Server::start(&folder.join("data"), &DEMO_MODEL);
        Self { home, roles, whole }
    }

    /// Each role's operators' listener.
    fn admins(&self) -> Vec<(&'static str, Http)> {
        let alone = self.roles.iter().map(|(name, role)| (*name, role.program.admin()));
        alone.chain([("serve", self.whole.program.admin())]).collect()
    }

    fn http(&self, role: &str) -> &Http {
        &self.roles.iter().find(|(name, _)| *name == role).unwrap().1.http
    }

    /// Has a video encoded and transcribed, and seen twice; and one that is none.
    async fn work(&self) {
        let edge = self.http("edge");
        let upload = async |name: &str, bytes: Vec<u8>| {
            let made =
                edge.ask(edge.request("POST", &format!("/api/v1/videos?filename={name}")).body(bytes)).await;
            made.json()["id"].as_str().unwrap().to_owned()
        };
        let none = upload("notes.mp4", b"no media at all".to_vec()).await;
        let id = upload("spoken.mp4", fs::read(Clip::Spoken.file()).unwrap()).await;
        for (id, wanted) in [(&none, "failed"), (&id, "ready")] {
            until(wanted, async || {
                let document = self.http("origin").get(&format!("/api/v1/videos/{id}")).await.json();
                (document["state"] == wanted).then_some(())
            })
            .await;
        }
        until("the captions", async || {
            let captions = self.http("origin").get(&format!("/api/v1/videos/{id}/captions")).await.json();
            (captions["captions"][0]["state"] == "done").then_some(())
        })
        .await;
        for _ in 0..2 {
            assert_eq!(edge.get(&format!("/v/{id}/240p/0.m4s")).await.status, 200);
        }
    }
}

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)).unwrap()
}

/// Returns the rules as Prometheus reads them: the specification of the operator's resource.
fn rules() -> String {
    let resource = read("k8s/monitoring/rules.yaml");
    let (_, specification) = resource.split_once("\nspec:\n").unwrap();
    specification.lines().map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line))).collect()
}

/// Returns the title and the query of every panel.
fn panels() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&read("k8s/monitoring/dashboard.json")).unwrap();
    let of = |panel: &Value| {
        let title = panel["title"].as_str().unwrap().to_owned();
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        targets.into_iter().map(move |target| (title.clone(), target["expr"].as_str().unwrap().to_owned()))
    };
    dashboard["panels"].as_array().unwrap().iter().flat_map(of).collect()
}

/// Returns the words of a text that are names of ours: of metrics, and of series that rules record.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    let ours = |word: &&str| word.starts_with("clipcut_") || word.starts_with("clipcut:");
    words.filter(ours).map(|word| word.trim_end_matches(':').to_owned()).collect()
}

fn recorded() -> BTreeSet<String> {
    let rules = rules();
    let records = rules.lines().filter_map(|line| line.trim().strip_prefix("- record: "));
    records.map(str::to_owned).collect()
}

/// Returns what promtool has against a file of metrics.
fn promtool(metrics: &PathBuf) -> String {
    let mut promtool = Command::new("promtool");
    let checked = promtool.args(["check", "metrics"]).stdin(File::open(metrics).unwrap()).output();
    let checked = checked.expect("no promtool; try scripts/install test");
    let output = [checked.stdout, checked.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    if checked.status.success() { output } else { format!("{}: {output}", checked.status) }
}

#[tokio::test]
async fn promtool_has_nothing_against_any_roles_metrics_and_no_query_or_document_names_one_that_is_missing() {
    let site = Site::start();
    site.work().await;
    let mut known = recorded();
    for (role, admin) in site.admins() {
        let metrics = admin.get("/metrics").await;
        assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"), "{metrics:?}");
        let file = site.home.path().join(role);
        fs::write(&file, &metrics.body).unwrap();
        assert_eq!(promtool(&file), "", "{role}");
        let samples =
            metrics.text().lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
        known.extend(names(&samples));
    }
    // A text names a histogram by its family.
    let families: Vec<_> =
        known.iter().filter_map(|name| name.strip_suffix("_bucket")).map(str::to_owned).collect();
    known.extend(families);
    let queries = panels().into_iter().flat_map(|(_, query)| names(&query));
    // Its URLs of databases have a name of ours before a colon.
    let documented =
        names(&read("docs/operations.md")).into_iter().filter(|name| name.starts_with("clipcut_"));
    let asked: BTreeSet<String> = names(&rules()).into_iter().chain(queries).chain(documented).collect();
    assert!(asked.len() > 15, "{asked:?}");
    let missing: Vec<_> = asked.difference(&known).collect();
    assert!(missing.is_empty(), "no process has {missing:?}, only {known:?}");
}

#[tokio::test]
async fn prometheus_reads_every_role_and_every_panel_and_record_has_series() {
    let site = Site::start();
    let address = |admin: &Http| admin.url("").trim_start_matches("http://").to_owned();
    let targets: Vec<_> =
        site.admins().iter().map(|(role, admin)| ((*role).to_owned(), address(admin))).collect();
    let prometheus = Prometheus::start(&targets, &rules());
    let http = Http::new(&prometheus.url());
    site.work().await;
    let up = until("every role to be read", async || {
        let targets = http.get("/api/v1/targets").await.json()["data"]["activeTargets"].clone();
        targets.as_array()?.iter().all(|target| target["health"] == "up").then_some(targets)
    })
    .await;
    assert_eq!(up.as_array().unwrap().len(), site.admins().len(), "{up}");
    let records = recorded().into_iter().map(|name| (name.clone(), name));
    for (title, query) in panels().into_iter().chain(records) {
        let url = Url::parse_with_params(&prometheus.url(), [("query", &query)]).unwrap();
        let path = format!("/api/v1/query?{}", url.query().unwrap());
        until(&format!("{title}: {query}"), async || {
            let found = http.get(&path).await.json();
            assert_eq!(found["status"], "success", "{title}: {query}: {found}");
            (!found["data"]["result"].as_array()?.is_empty()).then_some(())
        })
        .await;
    }
    let groups = http.get("/api/v1/rules").await.json()["data"]["groups"].clone();
    let rules: Vec<&Value> =
        groups.as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    assert!(rules.len() > 10, "{groups}");
    assert!(rules.iter().all(|rule| rule["health"] == "ok"), "{groups}");
}
