//! The configuration, the help and `clipcut doctor`, as a person meets them on the command line.

use std::{
    ffi::OsString,
    fs,
    os::unix::{ffi::OsStringExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::harness::{Finished, Server, clipcut, finish};

struct Home(TempDir);

impl Home {
    fn with(file: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("clipcut.toml"), file).unwrap();
        Self(home)
    }

    fn run(&self, args: &[&str], settings: &[(&str, &str)]) -> Finished {
        finish(clipcut(self.0.path()).args(args).envs(settings.iter().copied()))
    }
}

/// Returns the value of `key` in the output of `clipcut config`.
fn value(printed: &str, key: &str) -> String {
    let line = printed.lines().find_map(|line| line.strip_prefix(&format!("{key} = ")));
    line.unwrap_or_else(|| panic!("no {key} in {printed}")).trim_matches('"').to_owned()
}

#[test]
fn the_file_wins_over_the_defaults_and_the_environment_over_the_file() {
    let home = Home::with("crf = 21\nlisten = '127.0.0.1:4001'\ndrain = '7s'");
    let settings = &[("CLIPCUT_LISTEN", "127.0.0.1:4002"), ("CLIPCUT_CRF", "19")];
    let printed = home.run(&["config"], settings).stdout;
    for (key, expected) in
        [("upload_max", "20GiB"), ("drain", "7s"), ("crf", "19"), ("listen", "127.0.0.1:4002")]
    {
        assert_eq!(value(&printed, key), expected, "{key}");
    }
    let elsewhere = home.0.path().join("other.toml");
    fs::write(&elsewhere, "drain = '8s'").unwrap();
    let elsewhere = elsewhere.to_str().unwrap();
    let by_flag = home.run(&["config", "--config", elsewhere], &[]).stdout;
    let by_variable = home.run(&["config"], &[("CLIPCUT_CONFIG", elsewhere)]).stdout;
    assert_eq!((value(&by_flag, "drain"), value(&by_flag, "crf")), ("8s".into(), "23".into()));
    assert_eq!(by_flag, by_variable);
}

#[test]
fn a_flag_wins_over_the_environment() {
    let home = Home::with("listen = 'nonsense'");
    let data = home.0.path().join("by-flag");
    // The flag wins; else the file's invalid address would have been reported.
    let settings = &[("CLIPCUT_LISTEN", "also nonsense"), ("CLIPCUT_DATA", "by-environment")];
    let server = Server::start(&data, settings);
    assert!(server.url.starts_with("http://127.0.0.1:"));
    assert!(data.join("clipcut.sqlite").exists());
    assert!(!home.0.path().join("by-environment").exists());
}

#[test]
fn the_doctor_counts_the_connections_that_the_memory_of_an_edge_pays_for() {
    let home = Home::with("max_connections = 500\nonnxruntime = '/nowhere'");
    for (memory, expected) in [
        ("48MiB", " leaves 500 connections, and 256 with an edge, by edge_memory = \"48MiB\"\n"),
        ("1GiB", " leaves 500 connections\n"),
    ] {
        let printed = home.run(&["doctor"], &[("CLIPCUT_EDGE_MEMORY", memory)]).stdout;
        assert!(printed.contains(expected), "{expected:?} in {printed}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once_each_with_its_key_and_its_place() {
    let home = Home::with("lisen = 'x'\ncrf = 'much'\n[ladder]\nx = 1");
    let settings = &[("CLIPCUT_DRAIN", "3 fortnights"), ("CLIPCUT_LADER", "720"), ("CLIPCUT_PRESET", "warp")];
    for command in [&["config"][..], &["doctor"], &["serve"], &["package", "x.mp4", "-o", "y"]] {
        let done = home.run(command, settings);
        assert_eq!(done.code, Some(1), "{done:?}");
        for part in [
            "6 mistakes",
            "lisen (in clipcut.toml): unknown; the nearest is listen, and `clipcut config` lists all",
            "crf = \"much\" (in clipcut.toml): a number is expected",
            "ladder (in clipcut.toml): a text, a number or a list is expected",
            "drain = \"3 fortnights\" (in the environment): a span such as 30s, 10m or 24h is expected",
            "lader (in the environment): unknown; the nearest is ladder",
            "preset = \"warp\" (in the environment): one of ultrafast,",
        ] {
            assert!(done.stderr.contains(part), "{part:?} in {}", done.stderr);
        }
    }
    let done = Home::with("listen = ").run(&["config"], &[]);
    assert!(done.code == Some(1) && done.stderr.contains("clipcut.toml is not TOML"), "{done:?}");
    let done = home.run(&["config", "--config", "absent.toml"], &[]);
    assert!(done.code == Some(1) && done.stderr.contains("cannot read absent.toml"), "{done:?}");
}

#[test]
fn variables_of_others_are_no_mistake() {
    let home = Home::with("");
    // Documented for `clipcut upload`; with it exported, the other commands must still run.
    let done = home.run(&["config"], &[("CLIPCUT_SERVER", "http://localhost:8080")]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let broken = OsString::from_vec(vec![0xff, 0xfe]);
    let done = finish(clipcut(home.0.path()).arg("config").env("SOMEBODY_ELSES", broken));
    assert_eq!(done.code, Some(0), "{done:?}");
}

#[test]
fn the_variables_that_kubernetes_sets_for_services_are_no_mistake() {
    let home = Home::with("");
    let links = [
        ("CLIPCUT_SERVICE_HOST", "10.0.0.9"),
        ("CLIPCUT_SERVICE_PORT", "80"),
        ("CLIPCUT_SERVICE_PORT_HTTP", "80"),
        ("CLIPCUT_PORT", "tcp://10.0.0.9:80"),
        ("CLIPCUT_PORT_8080_TCP", "tcp://10.0.0.9:8080"),
        ("CLIPCUT_PORT_8080_TCP_PROTO", "tcp"),
        ("CLIPCUT_PORT_8080_TCP_PORT", "8080"),
        ("CLIPCUT_PORT_8080_TCP_ADDR", "10.0.0.9"),
        ("CLIPCUT_ORIGIN_SERVICE_HOST", "10.0.0.8"),
        ("CLIPCUT_EDGE_PEERS_PORT_80_TCP_ADDR", "10.0.0.7"),
    ];
    let done = home.run(&["config"], &links);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.stdout, home.run(&["config"], &[]).stdout);
    // A person's own, which means `listen`, is none.
    for (name, value) in [("CLIPCUT_PORT", "8080"), ("CLIPCUT_UPLOAD_MAXX", "1GiB")] {
        let done = home.run(&["config"], &[(name, value)]);
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.stderr.contains("(in the environment): unknown; the nearest is "), "{done:?}");
    }
}

#[test]
fn the_printed_configuration_reads_back() {
    let home = Home::with(
        "listen = '[::1]:4001'\nladder = [720, 360]\ncrf = 20.5\ndata = 'a \"quoted\" ünïcode folder'",
    );
    let settings = &[("CLIPCUT_UPLOAD_MAX", "1500MiB"), ("CLIPCUT_SEGMENT_WAIT", "1500ms")];
    let printed = home.run(&["config"], settings).stdout;
    for part in
        ["# Largest upload.", "# Default: 20GiB. Variable: CLIPCUT_UPLOAD_MAX", "upload_max = \"1500MiB\""]
    {
        assert!(printed.contains(part), "{part:?} in {printed}");
    }
    let copy = Home::with(&printed);
    assert_eq!(copy.run(&["config"], &[]).stdout, printed);
}

#[test]
fn the_reference_of_all_settings_is_up_to_date() {
    let printed = Home::with("").run(&["config", "--markdown"], &[]).stdout;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let mend = "docs/configuration.md is out of date: cargo run -p clipcut -- config --markdown > docs/configuration.md";
    assert!(fs::read_to_string(file).unwrap() == printed, "{mend}");
}

#[test]
fn every_command_helps_with_an_example() {
    let home = Home::with("");
    let check = |args: &[&str]| {
        let done = home.run(&[args, &["--help"]].concat(), &[]);
        assert_eq!(done.code, Some(0), "{done:?}");
        let (_, example) = done.stdout.split_once("Example:\n").unwrap_or_else(|| panic!("none in {done:?}"));
        assert!(example.contains(&format!("clipcut {}", args.concat()).trim_end().to_owned()), "{done:?}");
        done.stdout
    };
    let help = check(&[]);
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    // A long description goes on in a line of its own, further in than the names.
    let names =
        commands.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    let commands: Vec<&str> = names.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.len() >= 6, "{commands:?}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        check(&[command]);
    }
}

fn script(home: &Path, name: &str, text: &str) -> PathBuf {
    let script = home.join(name);
    fs::write(&script, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    script
}

#[test]
fn the_doctor_reports_each_fault_with_the_command_that_mends_it() {
    let home = Home::with("");
    let doctor = |settings: &[(&str, &str)]| {
        let settings = [&[("CLIPCUT_LISTEN", "127.0.0.1:0")], settings].concat();
        let done = home.run(&["doctor"], &settings);
        // Each finding that is not ok is followed by the command that mends it.
        for (n, line) in
            done.stdout.lines().enumerate().filter(|(_, l)| l.starts_with("poor") || l.starts_with("BAD"))
        {
            assert!(
                done.stdout.lines().nth(n + 1).is_some_and(|l| l.starts_with("      mend: ")),
                "{line}: {done:?}"
            );
        }
        done
    };
    let good = doctor(&[]);
    assert_eq!(good.code, Some(0), "{good:?}");
    assert!(good.stdout.contains("ok    ffmpeg "), "{good:?}");
    assert!(good.stdout.contains("ok    127.0.0.1:0 is free"), "{good:?}");

    let missing = doctor(&[("CLIPCUT_FFMPEG", "/nonexistent/ffmpeg")]);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.stdout.contains("BAD   ffmpeg: cannot start /nonexistent/ffmpeg"), "{missing:?}");
    assert!(missing.stdout.contains("install ffmpeg"), "{missing:?}");
    assert!(missing.stderr.contains("checks failed"), "{missing:?}");

    let old =
        script(home.0.path(), "old", "echo 'ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright (c) 2000-2021'");
    let old = doctor(&[("CLIPCUT_FFMPEG", old.to_str().unwrap())]);
    assert_eq!(old.code, Some(1), "{old:?}");
    assert!(old.stdout.contains("BAD   ffmpeg 4.4.2-0ubuntu0.22.04.1: 5.1 or newer is needed"), "{old:?}");
    assert!(
        old.stdout.contains("BAD   ffmpeg's encoder libx264 is missing: no picture can be encoded"),
        "{old:?}"
    );

    // Everything but one encoder.
    let poor = script(home.0.path(), "poor", "ffmpeg \"$@\" | grep -v libx264");
    let poor = doctor(&[("CLIPCUT_FFMPEG", poor.to_str().unwrap())]);
    assert_eq!(poor.code, Some(1), "{poor:?}");
    assert_eq!(poor.stdout.matches("BAD").count(), 1, "{poor:?}");
    assert!(poor.stderr.contains("clipcut: 1 of "), "{poor:?}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let taken = home.run(&["doctor"], &[("CLIPCUT_LISTEN", &address)]);
    assert_eq!(taken.code, Some(0), "{taken:?}");
    assert!(taken.stdout.contains(&format!("poor  {address}: Address already in use")), "{taken:?}");
}

#[test]
fn every_variable_of_the_containers_is_a_setting() {
    let known = Home::with("").run(&["config"], &[]).stdout;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut seen = 0;
    for file in ["compose.yaml", "Dockerfile"] {
        let text = fs::read_to_string(root.join(file)).unwrap();
        let words = text.split(|c: char| !(c.is_ascii_uppercase() || c == '_'));
        // Variables of compose.yaml itself, which people set.
        let ours = ["CLIPCUT_PASSWORD", "CLIPCUT_SECRET", "CLIPCUT_TICKET_KEY"];
        for name in words.filter(|word| word.starts_with("CLIPCUT_") && !ours.contains(word)) {
            assert!(known.contains(&format!("Variable: {name}\n")), "{file}: {name}");
            seen += 1;
        }
    }
    assert!(seen > 5, "{seen}");
}
